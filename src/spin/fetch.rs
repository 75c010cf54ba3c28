//! Getting a document over HTTP, where the host lets the component.

use http::{HeaderName, HeaderValue, Response, StatusCode, Uri};
use spin_sdk::wit::wasi::http0_2_0::outgoing_handler;
use spin_sdk::wit::wasi::http0_2_0::types::{
    ErrorCode, Fields, IncomingBody, IncomingResponse, OutgoingRequest, RequestOptions, Scheme,
};
use wasi::io::streams::StreamError;

use crate::platform::MAX_FETCHED_BYTES;

/// How long to wait for the connection, for the head of the answer, and each time
/// for more of its body; in nanoseconds. Somebody's request waits meanwhile.
const PATIENCE: u64 = 5_000_000_000;

/// The document at the URL, as [`Platform::fetch`](crate::platform::Platform::fetch)
/// has it.
pub fn fetch(url: &Uri) -> Result<Response<Vec<u8>>, String> {
    let sent = outgoing_handler::handle(request(url)?, Some(options()?));
    let answer = sent.map_err(failure)?;
    answer.subscribe().block();
    let answer = answer.get().and_then(Result::ok);
    read(answer.ok_or("there is no answer")?.map_err(failure)?)
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

fn options() -> Result<RequestOptions, &'static str> {
    let options = RequestOptions::new();
    options
        .set_connect_timeout(Some(PATIENCE))
        .and_then(|()| options.set_first_byte_timeout(Some(PATIENCE)))
        .and_then(|()| options.set_between_bytes_timeout(Some(PATIENCE)))
        .map_err(|()| "the host has no time limits")?;
    Ok(options)
}

fn read(answer: IncomingResponse) -> Result<Response<Vec<u8>>, String> {
    let status = StatusCode::from_u16(answer.status()).map_err(|error| error.to_string())?;
    let mut response = Response::new(Vec::new());
    *response.status_mut() = status;
    for (name, value) in answer.headers().entries() {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::try_from(value)) {
            response.headers_mut().append(name, value);
        }
    }
    *response.body_mut() = read_body(answer.consume().map_err(|()| "it has no body")?)?;
    Ok(response)
}

fn read_body(body: IncomingBody) -> Result<Vec<u8>, String> {
    let stream = body.stream().map_err(|()| "it has no body")?;
    let mut bytes = Vec::new();
    loop {
        let left = MAX_FETCHED_BYTES + 1 - bytes.len();
        match stream.blocking_read(left as u64) {
            Ok(more) => bytes.extend(more),
            Err(StreamError::Closed) => return Ok(bytes),
            Err(StreamError::LastOperationFailed(error)) => return Err(error.to_debug_string()),
        }
        if bytes.len() > MAX_FETCHED_BYTES {
            return Err(format!("it has more than {MAX_FETCHED_BYTES} bytes"));
        }
    }
}

/// The errors that have a remedy in words, the others as they are called.
fn failure(error: ErrorCode) -> String {
    match error {
        ErrorCode::HttpRequestDenied => {
            "the host allows no request there: name it in allowed_outbound_hosts".to_owned()
        }
        error => format!("{error:?}"),
    }
}
