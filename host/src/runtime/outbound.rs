//! Outgoing requests, to where the manifest lets a component send them.

use std::sync::Arc;

use http::{Request, Response};
use http_body_util::BodyExt;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks, default_send_request};

use crate::runtime::instance::Component;

type Io<T> = Box<dyn Future<Output = Result<T, Error>> + Send>;

/// Sends the requests of a component to the hosts that `allowed_outbound_hosts`
/// names. Others are answered with `HTTP-request-denied`, as Spin does.
pub struct Outbound {
    component: Arc<Component>,
}

impl Outbound {
    /// Of an instance of that component.
    pub fn new(component: Arc<Component>) -> Self {
        Self { component }
    }
}

impl WasiHttpHooks for Outbound {
    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _transmitted: Io<()>,
    ) -> Io<(Response<WasiBody>, Io<()>)> {
        if !self.component.allowed_hosts.allow(request.uri()) {
            return Box::new(async { Err(Error::HttpRequestDenied) });
        }
        Box::new(async move {
            let (response, io) = default_send_request(request, options).await?;
            Ok((response.map(BodyExt::boxed_unsync), Box::new(io) as Io<()>))
        })
    }
}
