//! Outgoing requests, of which this host makes none.

use http::{Request, Response};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

type Io<T> = Box<dyn Future<Output = Result<T, Error>> + Send>;

/// Answers every outgoing request of a component with `HTTP-request-denied`, as
/// Spin does for a host that `allowed_outbound_hosts` doesn't name.
pub struct RefuseOutbound;

impl WasiHttpHooks for RefuseOutbound {
    fn send_request(
        &mut self,
        _request: Request<WasiBody>,
        _options: Option<RequestOptions>,
        _transmitted: Io<()>,
    ) -> Io<(Response<WasiBody>, Io<()>)> {
        Box::new(async { Err(Error::HttpRequestDenied) })
    }
}
