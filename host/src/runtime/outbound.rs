//! The HTTP of an instance: its requests go where the manifest lets them, its responses are
//! bounded.

use std::pin::Pin;
use std::sync::Arc;

use http::{Request, Response};
use http_body_util::BodyExt;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks, default_send_request};

use crate::application::internal_host;
use crate::runtime::chaining::Call;
use crate::runtime::component::Component;
use crate::runtime::durable_body::DurableBody;
use crate::runtime::in_flight::Requests;
use crate::store::{Basis, NotDurable};
use crate::telemetry::trace::CurrentSpan;

/// How many bytes of a response's body an instance may have written, and the client not
/// have taken, before the instance waits.
pub const MAX_UNSENT: usize = CHUNK * CHUNKS;

/// The most bytes of a body that are written at once. A client that reads slowly has to
/// take so many in its time.
const CHUNK: usize = 64 << 10;

const CHUNKS: usize = 4;

/// Why a request was not sent.
const NOT_DURABLE: &str = "the store could not keep what the request rests on";

type Sent = Pin<Box<dyn Future<Output = Result<(Response<WasiBody>, Io<()>), Error>> + Send>>;

type Io<T> = Box<dyn Future<Output = Result<T, Error>> + Send>;

/// Sends the requests of a component to the hosts that `allowed_outbound_hosts`
/// names. Others are answered with `HTTP-request-denied`, as Spin does. Requests to other
/// components of the application stay in the host. Each leaves when it is durable what it rests
/// on.
pub struct Outbound {
    component: Arc<Component>,
    requests: Arc<Requests>,
    basis: Arc<Basis>,
    current_span: Option<CurrentSpan>,
}

impl Outbound {
    /// Of an instance of that component, which handles these requests and rests on `basis`;
    /// `current_span` is of the present request.
    pub fn new(
        component: Arc<Component>,
        requests: Arc<Requests>,
        basis: Arc<Basis>,
        current_span: Option<CurrentSpan>,
    ) -> Self {
        Self {
            component,
            requests,
            basis,
            current_span,
        }
    }
}

impl WasiHttpHooks for Outbound {
    fn p2_outgoing_body_chunk_size(&mut self) -> usize {
        CHUNK
    }

    /// Beside the one that an instance may always write.
    fn p2_outgoing_body_buffer_chunks(&mut self) -> usize {
        CHUNKS - 1
    }

    fn p3_outgoing_body_chunk_size(&mut self) -> usize {
        CHUNK
    }

    fn send_request(
        &mut self,
        mut request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _transmitted: Io<()>,
    ) -> Io<(Response<WasiBody>, Io<()>)> {
        if !self.component.allowed_hosts.allow(request.uri()) {
            return Box::new(async { Err(Error::HttpRequestDenied) });
        }
        let span = self.current_span.as_ref().and_then(|current| {
            let (method, uri) = (request.method().clone(), request.uri().clone());
            current.outbound(&method, &uri, request.headers_mut())
        });
        let basis = self.basis.clone();
        let request = request.map(|body| DurableBody::new(body, basis.clone()).boxed_unsync());
        let host = request.uri().host().unwrap_or_default();
        let sent: Sent = match internal_host::component(host).map(str::to_owned) {
            Some(target) => {
                let answer = self.component.chaining.send(Call {
                    target,
                    depth: self.requests.depth() + 1,
                    request,
                    options: options.unwrap_or_default(),
                });
                let nothing_more = Box::new(async { Ok(()) }) as Io<()>;
                Box::pin(async move { Ok((answer.await?, nothing_more)) })
            }
            None => Box::pin(async move {
                let (response, io) = default_send_request(request, options).await?;
                Ok((response.map(BodyExt::boxed_unsync), Box::new(io) as Io<()>))
            }),
        };
        Box::new(async move {
            let sent = match basis.durable().await {
                Ok(()) => sent.await,
                Err(NotDurable) => Err(Error::InternalError(Some(NOT_DURABLE.to_owned()))),
            };
            if let Some(span) = span {
                match &sent {
                    Ok((response, _)) => span.answered(response.status()),
                    Err(_) => span.failed(),
                }
            }
            sent
        })
    }
}
