//! The answer to one request.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, DATE};
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri};
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use tokio::time::timeout;
use wasmtime_wasi_http::WasiBody;

use crate::application::router::{RouteMatch, WELL_KNOWN_PREFIX, WELL_KNOWN_ROUTE};
use crate::runtime::handler::{Failure, Handler};
use crate::runtime::in_flight::InFlight;
use crate::runtime::instance::Admission;
use crate::runtime::loader::{Application, Target};
use crate::runtime::outbound::MAX_UNSENT;
use crate::runtime::request_id::{REQUEST_ID, RequestId};
use crate::serve::body::{AnswerBody, ResponseBody};
use crate::serve::drain::Drain;
use crate::serve::exchange::{Client, Exchange};
use crate::serve::refusal::Refusal;
use crate::serve::upload::{self, Uploads};
use crate::serve::{date, request_check, spin_headers};

/// How many bytes of a request and its response the host may have at the same time.
const REQUEST_BYTES: usize = MAX_UNSENT;

/// The same with a body.
pub const REQUEST_BYTES_WITH_BODY: usize = MAX_UNSENT + 2 * upload::PART;

/// A client's connection, and the application it talks to.
pub struct Connection {
    application: Arc<Application>,
    address: HeaderValue,
    client: Arc<Client>,
    uploads: Uploads,
    drain: Arc<Drain>,
}

impl Connection {
    /// From the client at `address`.
    pub fn new(
        application: Arc<Application>,
        address: SocketAddr,
        client: Arc<Client>,
        uploads: Uploads,
        drain: Arc<Drain>,
    ) -> Self {
        Self {
            application,
            address: spin_headers::client_header(address),
            client,
            uploads,
            drain,
        }
    }

    /// Answers one request of the connection.
    pub async fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Result<Response<AnswerBody>, Infallible> {
        let exchange = Exchange::new(&self.client);
        let id = RequestId::of(request.headers());
        let is_head = request.method() == Method::HEAD;
        let version = request.version();
        if let Some(observation) = self
            .application
            .telemetry
            .request(request.method(), request.headers())
        {
            exchange.observe(observation);
        }
        let mut response = match self.respond(&exchange, &id, request).await {
            Ok(response) => response,
            Err(refusal) => refusal.response(&id).map(ResponseBody::host),
        };
        if let Some(now) = date::now() {
            response.headers_mut().entry(DATE).or_insert(now);
        }
        self.drain.mark(version, response.headers_mut());
        if is_head {
            leave_out_body(&mut response);
        }
        if let Some(observation) = exchange.observation() {
            observation.answered(response.status());
        }
        Ok(response.map(|body| AnswerBody::new(body, exchange)))
    }

    async fn respond(
        &self,
        exchange: &Arc<Exchange>,
        id: &RequestId,
        request: Request<Incoming>,
    ) -> Result<Response<ResponseBody>, Refusal> {
        if date::now().is_none() {
            return Err(Refusal::busy(date::CLOCK_IS_WRONG));
        }
        if let Some(page) = request.uri().path().strip_prefix(WELL_KNOWN_PREFIX) {
            if let Some(observation) = exchange.observation() {
                observation.routed(&Arc::default(), &WELL_KNOWN_ROUTE.into());
            }
            return well_known(&self.application, page);
        }
        let (mut head, body) = request.into_parts();
        request_check::check(&mut head).inspect_err(|_| exchange.leave_body())?;
        let Some(found) = self.application.router.find(head.uri.path()) else {
            exchange.leave_body();
            return Err(not_found());
        };
        if let Some(observation) = exchange.observation() {
            observation.routed(found.route.target.id(), &found.route.raw);
        }
        if let Some(refusal) = self.drain.refusal(head.uri.path()) {
            exchange.leave_body();
            return Err(refusal);
        }
        let bytes = if body.is_end_stream() {
            REQUEST_BYTES
        } else {
            REQUEST_BYTES_WITH_BODY
        };
        let room = &self.application.room;
        let memory = timeout(self.application.request_timeout, room.memory(bytes)).await;
        let memory = memory.map_err(|_| overloaded())?;
        exchange.keep(memory);
        let upload = self.uploads.receive(body, exchange).await?;
        if let Some(observation) = exchange.observation() {
            observation.received(&mut head.headers);
        }
        let request = Request::from_parts(head, upload.boxed_unsync());
        let response = answer(&self.application, &self.address, id, request).await;
        // A component that could not read the body to its end knows less of the reason.
        exchange.body_refusal().map_or(response, Err)
    }
}

/// Has the target of the request's route answer it. The request is checked, and the id
/// is its own.
pub async fn answer(
    application: &Application,
    address: &HeaderValue,
    id: &RequestId,
    mut request: Request<WasiBody>,
) -> Result<Response<ResponseBody>, Refusal> {
    // The match borrows the path of the request that is about to change.
    let uri = request.uri().clone();
    let Some(found) = application.router.find(uri.path()) else {
        return Err(not_found());
    };
    match &found.route.target {
        Target::Static { response, .. } => Ok(response.as_ref().clone().map(ResponseBody::host)),
        Target::Component(handler) => {
            add_fields(&mut request, &found, &uri, address, id);
            run(application, handler, id, 0, request).await
        }
    }
}

/// Adds the header fields that tell a component of its request what the host knows.
pub fn add_fields<T>(
    request: &mut Request<WasiBody>,
    found: &RouteMatch<'_, '_, T>,
    uri: &Uri,
    address: &HeaderValue,
    id: &RequestId,
) {
    let is_safe = request.method().is_safe();
    let headers = request.headers_mut();
    // The audit trail and the log then call a change by the same name. Reads leave
    // no trail, and one more field costs a component thousands of instructions.
    if !is_safe {
        headers.insert(REQUEST_ID, id.header());
    }
    spin_headers::append(headers, found, uri, address);
}

/// Has an instance of the component answer. The depth is that of the
/// [`Call`](crate::runtime::chaining::Call), or 0 for a client's request.
pub async fn run(
    application: &Application,
    handler: &Handler,
    id: &RequestId,
    depth: usize,
    mut request: Request<WasiBody>,
) -> Result<Response<ResponseBody>, Refusal> {
    let component = handler.component();
    let span = application
        .telemetry
        .execution(&component.id, request.headers_mut());
    let in_flight = InFlight::new(request.method(), request.uri(), id.clone(), depth, span);
    let in_flight = Arc::new(in_flight);
    let _ending = EndOfSpan(&in_flight);
    let place = application.room.place(depth, component.may_call);
    let place = timeout(application.request_timeout, place).await;
    let admission = Admission {
        request: in_flight.clone(),
        place: place.map_err(|_| overloaded())?,
    };
    match handler.handle(admission, request).await {
        Ok(response) => {
            in_flight.durable().await.map_err(|_| not_durable())?;
            in_flight.advance();
            Ok(response.map(|body| ResponseBody::guest(body, in_flight.clone())))
        }
        Err(failure) => Err(refusal(handler, &in_flight, failure)),
    }
}

/// Ends the instance's part of the trace when its response begins, or when the client leaves.
struct EndOfSpan<'a>(&'a InFlight);

impl Drop for EndOfSpan<'_> {
    fn drop(&mut self) {
        if let Some(span) = self.0.span() {
            span.end();
        }
    }
}

/// The answer when there is none from the component.
fn refusal(handler: &Handler, request: &InFlight, failure: Failure) -> Refusal {
    let limit = handler.request_timeout();
    let timed_out = request.timed_out(limit);
    let (error, never_began) = match failure {
        Failure::NeverBegan(error) => (error, true),
        Failure::Failed(error) => (error, false),
    };
    request.report(handler.component(), limit, &error);
    if timed_out {
        let detail = "The service took too long. Look whether it did what you asked for.";
        Refusal::new(StatusCode::GATEWAY_TIMEOUT, detail)
    } else if never_began {
        Refusal::busy("The service could not be started. Send the request again later.")
    } else if request.has_found_no_room() {
        Refusal::busy(
            "The service has no memory for this now. Look whether it did what you asked for, \
             and send the request again.",
        )
    } else {
        let detail = "The service failed. The operator finds the reason in the log, by the \
            X-Request-Id. Look whether the service did what you asked for.";
        Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, detail)
    }
}

/// The disk failed, or takes too long.
pub fn not_durable() -> Refusal {
    Refusal::busy(
        "The service could not make sure that its work lasts. Look whether it did what you asked \
         for, and send the request again.",
    )
}

/// There is no room.
pub fn overloaded() -> Refusal {
    Refusal::busy("Too many others are served at the moment. Send the request again later.")
}

/// Nothing has this path.
pub fn not_found() -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, "There is nothing at this path.")
}

/// The pages that every application on Spin has.
fn well_known(application: &Application, page: &str) -> Result<Response<ResponseBody>, Refusal> {
    match page {
        "health" => Ok(Response::new(ResponseBody::host("OK"))),
        "info" => {
            let mut response = Response::new(ResponseBody::host(application.info.clone()));
            let json = HeaderValue::from_static("application/json");
            response.headers_mut().insert(CONTENT_TYPE, json);
            Ok(response)
        }
        _ => Err(not_found()),
    }
}

/// A response to HEAD tells the length of the body that it leaves out. With HTTP/1.1 hyper
/// sees to that. A component does so by itself.
fn leave_out_body(response: &mut Response<ResponseBody>) {
    if let ResponseBody::Host(body) = response.body() {
        let length = body.size_hint().exact().unwrap_or_default();
        response.headers_mut().insert(CONTENT_LENGTH, length.into());
        *response.body_mut() = ResponseBody::host(Bytes::new());
    }
}
