//! Requests: from WASI's types to the types of the crate `http`.

use std::cell::Cell;
use std::time::Duration;

use http::header::HOST;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};
use spin_sdk::http::IncomingRequest;
use spin_sdk::wit::wasi::http0_2_0::types::IncomingBody;
use wasi::io::streams::{InputStream, StreamError};

use super::wait;
use crate::message::body;
use crate::message::limits::MAX_HEADER_BYTES;
use crate::service::quota::CLIENT_ADDRESS;

thread_local! {
    /// What is left of the fields of the last request. It is freed when the instance has another
    /// request, as many hosts give an instance one request only.
    static SPENT_FIELDS: Cell<Vec<(String, Vec<u8>)>> = const { Cell::new(Vec::new()) };
}

/// Fields that most clients send, and that nothing here reads. Browsers have more of them, whose names
/// begin with `sec-`. A field that is kept takes 28 instructions for each byte.
const UNREAD: [&str; 4] = ["accept-language", "cookie", "referer", "user-agent"];

/// The request on the types that the rest of the service knows; `None` if its
/// target is not a path. It has the client's address `with_address` only. It is in a box, as it is
/// passed on often.
pub fn read(request: IncomingRequest, with_address: bool) -> Option<Box<Request<RequestBody>>> {
    let method = match request.method() {
        spin_sdk::http::Method::Get => Method::GET,
        method => Method::try_from(method.to_string().as_str()).ok()?,
    };
    let uri = Uri::try_from(request.path_with_query()?).ok()?;
    let mut fields = request.headers().entries();
    let lengths = fields.iter().map(|(name, value)| name.len() + value.len());
    // Too many bytes are refused later, by the fields that are kept here.
    let may_skip = lengths.sum::<usize>() <= MAX_HEADER_BYTES;
    let mut headers = HeaderMap::new();
    for (name, value) in &mut fields {
        // Spin adds such fields. Only the address is ever read.
        if name.starts_with("spin-") && !(with_address && name == CLIENT_ADDRESS) {
            continue;
        }
        if may_skip && (UNREAD.contains(&name.as_str()) || name.starts_with("sec-")) {
            continue;
        }
        let value = HeaderValue::try_from(std::mem::take(value));
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), value) {
            headers.append(name, value);
        }
    }
    SPENT_FIELDS.set(fields);
    // The host takes it out of the fields.
    if let Some(Ok(host)) = request.authority().map(HeaderValue::try_from) {
        headers.insert(HOST, host);
    }
    let body = None;
    let mut read = Box::new(Request::new(RequestBody { body, request }));
    *read.method_mut() = method;
    *read.uri_mut() = uri;
    *read.headers_mut() = headers;
    Some(read)
}

/// A body that is asked of the host when it is first read: most requests have none.
pub struct RequestBody {
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
        // An instance has one request at a time, so no other work could run meanwhile.
        match self.stream() {
            Ok(stream) => read_result(stream.blocking_read(body::MAX_BYTES as u64 + 1)),
            Err(broken) => Some(Err(broken)),
        }
    }

    async fn next_within(&mut self, timeout: Duration) -> Option<Result<Vec<u8>, body::Broken>> {
        let stream = match self.stream() {
            Ok(stream) => stream,
            Err(broken) => return Some(Err(broken)),
        };
        if !timeout.is_zero() {
            wait(&stream.subscribe(), timeout);
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
