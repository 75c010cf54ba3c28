//! The answer to one request.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_TYPE, HOST};
use http::uri::{Authority, Scheme};
use http::{HeaderValue, Request, Response, StatusCode, Uri};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use wasmtime_wasi_http::handler::{InstantiationError, ProxyHandler};

use crate::application::router::WELL_KNOWN_PREFIX;
use crate::runtime::in_flight::InFlight;
use crate::runtime::instance::Admission;
use crate::runtime::loader::{Application, Target};
use crate::runtime::worker::Workers;
use crate::serve::body::{AnswerBody, ResponseBody};
use crate::serve::connections::Seat;
use crate::serve::spin_headers;
use crate::serve::upload::{Upload, Uploads};

/// Ample for a thread to go on from one statement to the next.
const MOMENT: Duration = Duration::from_millis(100);

/// Answers `request`, which came from `client`.
async fn answer(
    application: &Application,
    client: &HeaderValue,
    mut request: Request<Upload>,
) -> Response<ResponseBody> {
    let path = request.uri().path();
    if let Some(page) = path.strip_prefix(WELL_KNOWN_PREFIX) {
        return well_known(application, page);
    }
    strip_connection_headers(&mut request);
    // The match borrows the path of the URI that is about to change.
    let uri = request.uri().clone();
    let Some(found) = application.router.find(uri.path()) else {
        return empty(StatusCode::NOT_FOUND);
    };
    let Some(absolute) = absolute_uri(&request) else {
        return empty(StatusCode::BAD_REQUEST);
    };
    *request.uri_mut() = absolute;
    match &found.route.target {
        Target::Static { response, .. } => response.as_ref().clone().map(ResponseBody::host),
        Target::Component(handler) => {
            spin_headers::append(request.headers_mut(), &found, &uri, client);
            run(application, handler, request).await
        }
    }
}

/// Has an instance of the component answer.
async fn run(
    application: &Application,
    handler: &ProxyHandler<Workers>,
    request: Request<Upload>,
) -> Response<ResponseBody> {
    let in_flight = Arc::new(InFlight::new(request.method(), request.uri()));
    let limit = handler.state().request_timeout();
    let place = application.places.clone().acquire_owned();
    let Ok(Ok(permit)) = tokio::time::timeout(limit, place).await else {
        return empty(StatusCode::SERVICE_UNAVAILABLE);
    };
    let admission = Admission {
        request: in_flight.clone(),
        permit,
    };
    let request = request.map(Upload::boxed_unsync);
    match handler.handle(admission, request).await {
        Ok(response) => {
            in_flight.advance();
            response.map(|body| ResponseBody::guest(body, in_flight))
        }
        Err(error) => failure(handler.state(), &in_flight, error).await,
    }
}

/// The answer when there is none from the component.
async fn failure(
    workers: &Workers,
    request: &InFlight,
    error: wasmtime::Error,
) -> Response<ResponseBody> {
    let limit = workers.request_timeout();
    // A worker that is given up for the time can't say so to the one that waits for
    // it, but the time tells.
    let timed_out = request.timed_out(limit);
    let never_began = error.is::<InstantiationError<Admission>>();
    // A worker that traps lets go of its request first and then says why, so it is
    // given a moment to. By the error alone it can't be told from one whose guest
    // just returned without a response, which says nothing. The answer waits, so
    // that a host that stops now doesn't take the report along.
    if !timed_out && !never_began {
        tokio::time::timeout(MOMENT, request.reported()).await.ok();
    }
    request.report(workers.component(), limit, &error);
    empty(if timed_out {
        StatusCode::GATEWAY_TIMEOUT
    } else if never_began {
        StatusCode::SERVICE_UNAVAILABLE
    } else {
        StatusCode::INTERNAL_SERVER_ERROR
    })
}

/// The pages that every application on Spin has.
fn well_known(application: &Application, page: &str) -> Response<ResponseBody> {
    match page {
        "health" => Response::new(ResponseBody::host("OK")),
        "info" => {
            let mut response = Response::new(ResponseBody::host(application.info.clone()));
            response
                .headers_mut()
                .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            response
        }
        _ => empty(StatusCode::NOT_FOUND),
    }
}

/// Takes out what concerns the connection alone, and the host names by which
/// components of one application reach each other and clients have no business.
fn strip_connection_headers(request: &mut Request<Upload>) {
    const INTERNAL: &[u8] = b".spin.internal";
    let headers = request.headers_mut();
    headers.remove(CONNECTION);
    let internal = headers.get(HOST).is_some_and(|host| {
        let host = host.as_bytes();
        let name = host.split(|byte| *byte == b':').next().unwrap_or(host);
        name.ends_with(INTERNAL)
    });
    if internal {
        headers.remove(HOST);
    }
}

/// The request's URI with the authority from its Host header. None if it is to be
/// answered with 400: as RFC 9112 section 3.2 has it, if it has no host, two Host
/// headers or an invalid one, and as Spin does, if the header and the authority of
/// its URI differ.
fn absolute_uri(request: &Request<Upload>) -> Option<Uri> {
    let mut hosts = request.headers().get_all(HOST).iter();
    let host = hosts.next();
    if hosts.next().is_some() {
        return None;
    }
    let host = match host {
        Some(host) => Some(Authority::try_from(host.as_bytes()).ok()?),
        None => None,
    };
    let mut parts = request.uri().clone().into_parts();
    parts.authority = match (host, parts.authority) {
        (Some(host), Some(authority)) if host != authority => return None,
        (None, None) => return None,
        (host, authority) => host.or(authority),
    };
    parts.scheme = Some(Scheme::HTTP);
    // Fails for `CONNECT`, which has an authority and no path.
    Uri::from_parts(parts).ok()
}

fn empty(status: StatusCode) -> Response<ResponseBody> {
    let mut response = Response::new(ResponseBody::host(Bytes::new()));
    *response.status_mut() = status;
    response
}

/// A client's connection, and the application it talks to.
pub struct Connection {
    application: Arc<Application>,
    client: HeaderValue,
    seat: Arc<Seat>,
    uploads: Uploads,
}

impl Connection {
    /// From the client at `address`.
    pub fn new(
        application: Arc<Application>,
        address: SocketAddr,
        seat: Arc<Seat>,
        uploads: Uploads,
    ) -> Self {
        Self {
            application,
            client: spin_headers::client_header(address),
            seat,
            uploads,
        }
    }

    /// Answers one request of the connection.
    pub async fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Result<Response<AnswerBody>, Infallible> {
        self.seat.heard();
        let received = self.uploads.receive(request).await;
        let work = self.seat.work();
        let response = match received {
            Ok(request) => answer(&self.application, &self.client, request).await,
            Err(status) => empty(status),
        };
        Ok(response.map(|body| AnswerBody::new(body, work)))
    }
}
