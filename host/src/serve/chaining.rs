//! Calls: requests from one component of the application to another.
//!
//! As in Spin, a call keeps its method, path, query, fields and body, and goes past all routes to
//! the component that its host names, whatever the port, and by `https` too. The component is
//! told the route `/...` and the client `0.0.0.0:0`. A component without a trigger is not called.
//!
//! A call has its own place among the requests that run at the same time, its own memory and its
//! own time limit, while its caller keeps its own. The places for calls are apart, those of each
//! depth, so that callers never wait for a place that another caller has. A component that calls
//! itself without end is stopped at [`MAX_DEPTH`]; Spin goes on until it has no more instances.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::header::HOST;
use http::uri::Scheme;
use http::{HeaderValue, Response, Uri};
use http_body_util::BodyExt as _;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::{Sleep, sleep, timeout};
use wasmtime_wasi_http::Error;

use crate::runtime::chaining::{Answer, Call, Callee};
use crate::runtime::loader::Application;
use crate::runtime::request_id::RequestId;
use crate::runtime::room::{MAX_DEPTH, Share};
use crate::serve::body::ResponseBody;
use crate::serve::refusal::Refusal;
use crate::serve::service::{self, REQUEST_BYTES_WITH_BODY};

/// The address of the client, as Spin says it.
const NO_CLIENT: HeaderValue = HeaderValue::from_static("0.0.0.0:0");

/// How long a caller waits that says nothing else, for a call as for other requests.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(600);

impl Callee for Application {
    fn answer(self: Arc<Self>, call: Call) -> Answer {
        let first_byte = call.options.first_byte_timeout;
        let between_bytes = call.options.between_bytes_timeout;
        Box::pin(async move {
            let response = respond(&self, call);
            let response = timeout(first_byte.unwrap_or(DEFAULT_TIMEOUT), response).await;
            let (response, memory) = response.map_err(|_| Error::ConnectionReadTimeout)??;
            Ok(response.map(|body| {
                let body = CallBody {
                    body,
                    timeout: between_bytes.unwrap_or(DEFAULT_TIMEOUT),
                    waiting: None,
                    _memory: memory,
                };
                body.boxed_unsync()
            }))
        })
    }
}

/// The response, and the memory that it may take. A refusal is a response, as it is for a client.
async fn respond(
    application: &Application,
    call: Call,
) -> Result<(Response<ResponseBody>, Option<Share>), Error> {
    let (target, depth) = (&call.target, call.depth);
    let Some(handler) = application.component(target) else {
        application.log.line(format_args!(
            "a component sent a request to {target:?}, but the application has no component of \
             this id with a trigger"
        ));
        return Err(Error::DestinationNotFound);
    };
    if depth > MAX_DEPTH {
        application.log.line(format_args!(
            "the component {target} was not called: calls are at most {MAX_DEPTH} deep"
        ));
        return Err(Error::LoopDetected);
    }
    let mut request = call.request;
    *request.uri_mut() = target_uri(request.uri())?;
    request.headers_mut().remove(HOST);
    let id = RequestId::of(request.headers());
    let memory = application.room.memory(REQUEST_BYTES_WITH_BODY);
    let Ok(memory) = timeout(application.request_timeout, memory).await else {
        return Ok((refuse(&service::overloaded(), &id), None));
    };
    let uri = request.uri().clone();
    let Some(found) = application.calls.find(uri.path()) else {
        return Ok((refuse(&service::not_found(), &id), None));
    };
    service::add_fields(&mut request, &found, &uri, &NO_CLIENT, &id);
    match service::run(application, handler, &id, depth, request).await {
        Ok(response) => Ok((response, Some(memory))),
        Err(refusal) => Ok((refuse(&refusal, &id), None)),
    }
}

fn refuse(refusal: &Refusal, id: &RequestId) -> Response<ResponseBody> {
    refusal.response(id).map(ResponseBody::host)
}

/// The URI that the other component gets: as for requests from outside the scheme is `http`, and
/// the authority names no user.
fn target_uri(uri: &Uri) -> Result<Uri, Error> {
    let mut parts = uri.clone().into_parts();
    let authority = parts.authority.as_ref();
    if authority.is_none_or(|authority| authority.as_str().contains('@')) {
        return Err(Error::HttpRequestUriInvalid);
    }
    parts.scheme = Some(Scheme::HTTP);
    Uri::from_parts(parts).map_err(|_| Error::HttpRequestUriInvalid)
}

/// The body of the response, for the caller.
struct CallBody {
    body: ResponseBody,
    /// How long the caller waits for each part.
    timeout: Duration,
    waiting: Option<Pin<Box<Sleep>>>,
    _memory: Option<Share>,
}

impl Body for CallBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = &mut *self;
        if let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(context) {
            this.waiting = None;
            return Poll::Ready(frame);
        }
        let timeout = this.timeout;
        let waiting = this.waiting.get_or_insert_with(|| Box::pin(sleep(timeout)));
        ready!(waiting.as_mut().poll(context));
        Poll::Ready(Some(Err(Error::ConnectionReadTimeout)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
