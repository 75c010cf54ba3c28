//! Getting a document over HTTP, where the host lets the component.

use http::{HeaderName, HeaderValue, Response, StatusCode, Uri};
use spin_sdk::wit::wasi::http0_2_0::outgoing_handler;
use spin_sdk::wit::wasi::http0_2_0::types::{
    Fields, IncomingBody, IncomingResponse, OutgoingRequest, Scheme,
};
use wasi::clocks::monotonic_clock;
use wasi::io::poll::{Pollable, poll};
use wasi::io::streams::StreamError;

use super::error_code::reason;
use crate::platform::MAX_FETCHED_BYTES;

/// How long all of it may take, in nanoseconds: 2 s. Somebody's request waits meanwhile.
const TIME_LIMIT: u64 = 2_000_000_000;

/// The document at the URL, as [`Platform::fetch`](crate::platform::Platform::fetch)
/// has it.
pub fn fetch(url: &Uri) -> Result<Response<Vec<u8>>, String> {
    let deadline = monotonic_clock::subscribe_duration(TIME_LIMIT);
    let sent = outgoing_handler::handle(request(url)?, None);
    let answer = sent.map_err(reason)?;
    wait(&answer.subscribe(), &deadline)?;
    let answer = answer.get().and_then(Result::ok);
    read(
        answer.ok_or("there is no answer")?.map_err(reason)?,
        &deadline,
    )
}

/// Waits until `event`. Fails if `deadline` is before that.
fn wait(event: &Pollable, deadline: &Pollable) -> Result<(), String> {
    poll(&[event, deadline]);
    match deadline.ready() {
        true => Err("it takes more than 2 seconds".to_owned()),
        false => Ok(()),
    }
}

fn request(url: &Uri) -> Result<OutgoingRequest, &'static str> {
    let scheme = match url.scheme_str() {
        Some("https") => Scheme::Https,
        Some("http") => Scheme::Http,
        _ => return Err("the URL has another scheme than https and http"),
    };
    let headers = Fields::new();
    let set = headers.set("accept", &[b"application/json, */*".to_vec()]);
    let request = OutgoingRequest::new(headers);
    let path = url.path_and_query().map(|path| path.as_str());
    let authority = url.authority().map(|authority| authority.as_str());
    set.map_err(|_| ())
        .and_then(|()| request.set_scheme(Some(&scheme)))
        .and_then(|()| request.set_authority(authority))
        .and_then(|()| request.set_path_with_query(path))
        .map_err(|()| "the host refuses the URL")?;
    Ok(request)
}

fn read(answer: IncomingResponse, deadline: &Pollable) -> Result<Response<Vec<u8>>, String> {
    let status = StatusCode::from_u16(answer.status()).map_err(|error| error.to_string())?;
    let mut response = Response::new(Vec::new());
    *response.status_mut() = status;
    for (name, value) in answer.headers().entries() {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::try_from(value)) {
            response.headers_mut().append(name, value);
        }
    }
    *response.body_mut() = read_body(answer.consume().map_err(|()| "it has no body")?, deadline)?;
    Ok(response)
}

fn read_body(body: IncomingBody, deadline: &Pollable) -> Result<Vec<u8>, String> {
    let stream = body.stream().map_err(|()| "it has no body")?;
    let mut bytes = Vec::new();
    loop {
        let left = MAX_FETCHED_BYTES + 1 - bytes.len();
        wait(&stream.subscribe(), deadline)?;
        match stream.read(left as u64) {
            Ok(more) => bytes.extend(more),
            Err(StreamError::Closed) => return Ok(bytes),
            Err(StreamError::LastOperationFailed(error)) => return Err(error.to_debug_string()),
        }
        if bytes.len() > MAX_FETCHED_BYTES {
            return Err(format!("it has more than {MAX_FETCHED_BYTES} bytes"));
        }
    }
}
