//! Responses, and what many of them have in common.

use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use serde::Serialize;

/// The media type of everything but problems.
pub const JSON: &str = "application/json";

/// Answers with a value that tells of users: only the client itself may store
/// it, and asks each time whether it is still right (RFC 9111, section 5.2.2).
pub fn private_json(value: &impl Serialize) -> Response<Vec<u8>> {
    let body = serde_json::to_vec(value).expect("representations have string keys only");
    let mut response = Response::new(body);
    set(&mut response, CONTENT_TYPE, JSON);
    set(&mut response, CACHE_CONTROL, "private, no-cache");
    response
}

/// Sets a header whose value has no control characters.
pub fn set<C>(response: &mut Response<C>, name: HeaderName, value: impl ToString) {
    let value = HeaderValue::try_from(value.to_string()).expect("no control characters are set");
    response.headers_mut().insert(name, value);
}

/// The client has the current version, under this entity tag (RFC 9110, section 15.4.5).
pub fn not_modified(tag: String) -> Response<Vec<u8>> {
    let mut response = Response::new(Vec::new());
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    set(&mut response, CACHE_CONTROL, "private, no-cache");
    set(&mut response, ETAG, tag);
    response
}
