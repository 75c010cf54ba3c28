//! The service on Spin's SDK: what a component calls with a request.

mod fetch;

use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use http::header::HOST;
use http::response::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri};
use spin_sdk::http::{Headers, OutgoingBody, OutgoingResponse};
pub use spin_sdk::http::{IncomingRequest, ResponseOutparam};
use spin_sdk::wit::wasi::clocks0_2_0::wall_clock;
use spin_sdk::wit::wasi::config::store as config;
use spin_sdk::wit::wasi::http0_2_0::types::IncomingBody;
use spin_sdk::wit::wasi::keyvalue::atomics::{self, Cas, CasError};
use spin_sdk::wit::wasi::keyvalue::store::{self, Bucket};
use spin_sdk::wit::wasi::random0_2_0::random;
use wasi::clocks::monotonic_clock;
use wasi::io::poll::{Pollable, poll};
use wasi::io::streams::{InputStream, OutputStream, StreamError};

use crate::configuration::Configuration;
use crate::directory::{Directory, Sizes};
use crate::log;
use crate::message::body;
use crate::message::content::{Content, Part, TURN};
use crate::platform::Platform;
use crate::service::quota::CLIENT_ADDRESS;
use crate::service::resource::Answer;
use crate::service::{self, Interface};
use crate::store::{Report, Store, StoreError};
use crate::timestamp::Timestamp;

/// Answers a request by an interface.
pub async fn serve<I: Interface>(request: IncomingRequest, response_out: ResponseOutparam) {
    let arrived = monotonic_clock::now();
    let platform = &Wasi { arrived };
    let configuration = &*configuration(platform);
    let store = KeyValue::default();
    let directory = Directory {
        store: &store,
        platform,
        sizes: Sizes::SERVICE,
    };
    let answer = match read(request) {
        Some(request) => service::respond::<I, _, _, _>(&directory, configuration, request).await,
        None => service::malformed_target(platform),
    };
    let Answer {
        mut response,
        created,
    } = answer;
    service::add_server_timing(&mut response, since(arrived), store.waited.get());
    if let Err(error) = write(response, response_out).await {
        platform.log_error(&format!("the response could not be sent: {error}"));
    }
    service::run_after_response(&directory, created).await;
}

/// How long it is since `instant`.
fn since(instant: monotonic_clock::Instant) -> Duration {
    Duration::from_nanos(monotonic_clock::now() - instant)
}

/// The request on the types that the rest of the service knows; `None` if its
/// target is not a path.
fn read(request: IncomingRequest) -> Option<Request<RequestBody>> {
    let method = Method::try_from(request.method().to_string().as_str()).ok()?;
    let uri = Uri::try_from(request.path_with_query()?).ok()?;
    let entries = request.headers().entries();
    let mut headers = HeaderMap::with_capacity(entries.len());
    let fields = entries.into_iter().filter(|(name, _)| !is_of_spin(name));
    for (name, value) in fields {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::try_from(value)) {
            headers.append(name, value);
        }
    }
    // The host takes it out of the fields.
    if let Some(Ok(host)) = request.authority().map(HeaderValue::try_from) {
        headers.insert(HOST, host);
    }
    let body = None;
    let mut read = Request::new(RequestBody { body, request });
    *read.method_mut() = method;
    *read.uri_mut() = uri;
    *read.headers_mut() = headers;
    Some(read)
}

/// Whether Spin adds that field to requests, and nobody looks at it here.
fn is_of_spin(name: &str) -> bool {
    name.starts_with("spin-") && name != CLIENT_ADDRESS
}

/// A body that is asked of the host when it is first read: most requests have none.
struct RequestBody {
    body: Option<OpenBody>,
    request: IncomingRequest,
}

/// The stream comes first: it is a child of the body, and must be dropped before it.
struct OpenBody {
    stream: InputStream,
    _body: IncomingBody,
}

impl RequestBody {
    fn stream(&mut self) -> Result<&InputStream, body::Broken> {
        if self.body.is_none() {
            let body = self.request.consume().map_err(|()| body::Broken)?;
            let stream = body.stream().map_err(|()| body::Broken)?;
            let _body = body;
            self.body = Some(OpenBody { stream, _body });
        }
        self.body
            .as_ref()
            .map(|body| &body.stream)
            .ok_or(body::Broken)
    }
}

impl body::Body for RequestBody {
    async fn next(&mut self) -> Option<Result<Vec<u8>, body::Broken>> {
        // An instance has one request at a time, so that nobody else could run meanwhile.
        match self.stream() {
            Ok(stream) => read_result(stream.blocking_read(body::MAX_BYTES as u64 + 1)),
            Err(broken) => Some(Err(broken)),
        }
    }

    async fn next_within(&mut self, patience: Duration) -> Option<Result<Vec<u8>, body::Broken>> {
        let stream = match self.stream() {
            Ok(stream) => stream,
            Err(broken) => return Some(Err(broken)),
        };
        if !patience.is_zero() {
            wait(&stream.subscribe(), patience);
        }
        read_result(stream.read(body::MAX_BYTES as u64))
    }
}

fn read_result(read: Result<Vec<u8>, StreamError>) -> Option<Result<Vec<u8>, body::Broken>> {
    match read {
        Ok(bytes) => Some(Ok(bytes)),
        Err(StreamError::Closed) => None,
        Err(StreamError::LastOperationFailed(_)) => Some(Err(body::Broken)),
    }
}

/// Sends the response, or fails with what is wrong, for the log. A whole body is
/// written before it is handed over, as far as the host takes it: the host then
/// sends head and body in one packet. In two, the second waits for the client's
/// delayed acknowledgement, 40 ms or so, on a host that does not set `TCP_NODELAY`.
async fn write(
    response: Response<Content<'_>>,
    response_out: ResponseOutparam,
) -> Result<(), String> {
    let (head, mut content): (Parts, _) = response.into_parts();
    let trailers = match &mut content {
        Content::Parts(_) => None,
        content => content.trailers(),
    };
    let mut fields = fields(&head.headers);
    if let Content::Whole(body) | Content::WithTrailers(body, _) = &content
        && !matches!(head.status.as_u16(), 204 | 304)
    {
        let length = body.len().to_string().into_bytes();
        fields.push(("content-length".to_owned(), length));
    }
    let headers = Headers::from_list(&fields).map_err(|error| error.to_string())?;
    let response = OutgoingResponse::new(headers);
    // It is 200 unless it is set.
    if head.status != StatusCode::OK {
        response
            .set_status_code(head.status.as_u16())
            .map_err(|()| format!("status {} is refused", head.status))?;
    }
    if let Content::Whole(body) = &content
        && body.is_empty()
    {
        // A response without a body ends with its head.
        response_out.set(response);
        return Ok(());
    }
    let outgoing = response.body().map_err(|()| "there is no body")?;
    let stream = outgoing.write().map_err(|()| "there is no body")?;
    match &content {
        Content::Whole(body) | Content::WithTrailers(body, _) => {
            let rest = write_now(&stream, body).map_err(|error| error.to_string())?;
            if rest.is_empty() {
                drop(stream);
                finish(outgoing, trailers)?;
                response_out.set(response);
                return Ok(());
            }
            response_out.set(response);
            write_all(&stream, rest).map_err(client_has_gone)?;
        }
        Content::Parts(_) => {
            response_out.set(response);
            let sent = write_parts(&stream, &mut content).await;
            sent.map_err(client_has_gone)?;
            drop(stream);
            return finish(outgoing, content.trailers());
        }
    }
    drop(stream);
    finish(outgoing, trailers)
}

fn fields(headers: &HeaderMap) -> Vec<(String, Vec<u8>)> {
    let fields = headers.iter();
    fields
        .map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()))
        .collect()
}

fn finish(body: OutgoingBody, trailers: Option<HeaderMap>) -> Result<(), String> {
    let trailers = trailers.map(|trailers| Headers::from_list(&fields(&trailers)));
    let trailers = trailers.transpose().map_err(|error| error.to_string())?;
    OutgoingBody::finish(body, trailers).map_err(|error| error.to_string())
}

fn client_has_gone(error: StreamError) -> String {
    format!("the client has gone: {error}")
}

/// Sends content while it is made.
async fn write_parts(stream: &OutputStream, content: &mut Content<'_>) -> Result<(), StreamError> {
    let mut unsent = Vec::new();
    loop {
        let rest = write_now(stream, &unsent)?.len();
        unsent.drain(..unsent.len() - rest);
        match content.next(unsent.len()).await {
            Part::Bytes(bytes) => unsent.extend(bytes),
            Part::Later => wait(&stream.subscribe(), TURN),
            Part::End => return write_all(stream, &unsent),
        }
    }
}

/// Waits until `event`, or for that long.
fn wait(event: &Pollable, patience: Duration) {
    let nanos = u64::try_from(patience.as_nanos()).unwrap_or(u64::MAX);
    let time = monotonic_clock::subscribe_duration(nanos);
    poll(&[event, &time]);
}

/// Writes as much as the host takes without waiting; answers the rest.
fn write_now<'a>(stream: &OutputStream, bytes: &'a [u8]) -> Result<&'a [u8], StreamError> {
    let now = (stream.check_write()? as usize).min(bytes.len());
    let (first, rest) = bytes.split_at(now);
    if !first.is_empty() {
        stream.write(first)?;
    }
    Ok(rest)
}

fn write_all(stream: &OutputStream, mut bytes: &[u8]) -> Result<(), StreamError> {
    while !bytes.is_empty() {
        stream.subscribe().block();
        bytes = write_now(stream, bytes)?;
    }
    stream.blocking_flush()
}

/// The key-value store of the label `default`, through `wasi:keyvalue`.
#[derive(Default)]
struct KeyValue {
    /// How long its operations took so far.
    waited: Cell<Duration>,
}

thread_local! {
    /// The store, opened once an instance. A host may use an instance again or not.
    static BUCKET: OnceCell<Bucket> = const { OnceCell::new() };
}

impl KeyValue {
    fn with<T>(
        &self,
        operation: impl FnOnce(&Bucket) -> Result<T, store::Error>,
    ) -> Result<T, StoreError> {
        let begun = monotonic_clock::now();
        let done = BUCKET.with(|cell| {
            let bucket = match cell.get() {
                Some(bucket) => bucket,
                None => {
                    let opened = store::open("default")?;
                    cell.get_or_init(|| opened)
                }
            };
            operation(bucket)
        });
        self.waited.set(self.waited.get() + since(begun));
        done.map_err(failure)
    }
}

fn failure(error: store::Error) -> StoreError {
    StoreError(match error {
        store::Error::NoSuchStore => "there is no store \"default\"".to_owned(),
        store::Error::AccessDenied => "access to the store \"default\" is denied".to_owned(),
        store::Error::Other(message) => message,
    })
}

impl Store for KeyValue {
    type Watch = Cas;

    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.with(|bucket| bucket.get(key))
    }

    async fn set(&self, key: &str, value: &[u8]) -> Result<(), StoreError> {
        self.with(|bucket| bucket.set(key, value))
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.with(|bucket| bucket.delete(key))
    }

    async fn increment(&self, key: &str, delta: i64) -> Result<i64, StoreError> {
        self.with(|bucket| atomics::increment(bucket, key, delta))
    }

    async fn current(&self, key: &str) -> Result<(Option<Vec<u8>>, Cas), StoreError> {
        self.with(|bucket| {
            let watch = Cas::new(bucket, key)?;
            Ok((watch.current()?, watch))
        })
    }

    async fn swap(&self, watch: Cas, value: &[u8]) -> Result<Report, StoreError> {
        self.with(|_| match atomics::swap(watch, value) {
            Ok(()) => Ok(Report::Swapped),
            Err(CasError::CasFailed(_)) => Ok(Report::Unsure),
            Err(CasError::StoreError(error)) => Err(error),
        })
    }
}

/// Clock, random numbers and configuration, as WASI has them.
struct Wasi {
    /// When the request arrived.
    arrived: monotonic_clock::Instant,
}

/// How old the configuration of an instance may be, in nanoseconds: a second.
const MAX_AGE: monotonic_clock::Duration = 1_000_000_000;

thread_local! {
    /// When the configuration was read, and what it was. A host may use an instance for many
    /// requests, and may change a variable meanwhile.
    static CONFIGURATION: RefCell<Option<(monotonic_clock::Instant, Rc<Configuration>)>> =
        const { RefCell::new(None) };
}

/// The configuration, read again if it is too old.
fn configuration(platform: &Wasi) -> Rc<Configuration> {
    CONFIGURATION.with_borrow_mut(|known| {
        let before = match known {
            Some((read_at, known)) if platform.arrived - *read_at <= MAX_AGE => {
                return known.clone();
            }
            Some((_, known)) => Some(&**known),
            None => None,
        };
        let configuration = Rc::new(Configuration::read(platform, before));
        *known = Some((platform.arrived, configuration.clone()));
        configuration
    })
}

impl Platform for Wasi {
    fn now(&self) -> Timestamp {
        let now = wall_clock::now();
        Timestamp(now.seconds as i64 * 1000 + i64::from(now.nanoseconds / 1_000_000))
    }

    fn random(&self) -> u64 {
        random::get_random_u64()
    }

    fn variable(&self, name: &str) -> Result<Option<String>, String> {
        config::get(name).map_err(|error| format!("{error:?}"))
    }

    async fn fetch(&self, url: &Uri) -> Result<Response<Vec<u8>>, String> {
        fetch::fetch(url)
    }

    fn log_error(&self, line: &str) {
        eprintln!("error: {}", log::text(line));
    }

    fn audit(&self, line: &str) {
        println!("{line}");
    }
}
