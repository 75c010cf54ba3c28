//! Responses, and their common parts.

use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use serde::Serialize;

/// The media type of JSON answers, except problems.
pub const JSON: &str = "application/json";

/// No cache may store the response (RFC 9111, section 5.2.2.5).
pub const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// Answers with a value.
pub fn json(value: &impl Serialize) -> Response<Vec<u8>> {
    json_text(serde_json::to_vec(value).expect("representations have string keys only"))
}

fn json_text(text: Vec<u8>) -> Response<Vec<u8>> {
    let mut response = Response::new(text);
    let json = HeaderValue::from_static(JSON);
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}

/// Answers with a value that contains users. No cache may keep it, not even a browser's: a copy on
/// a disk outlives the session, and the user. Conditional requests still work for clients that
/// keep an entity tag themselves.
pub fn private_json(value: &impl Serialize) -> Response<Vec<u8>> {
    private_json_text(serde_json::to_vec(value).expect("representations have string keys only"))
}

/// The same with a value that is written already.
pub fn private_json_text(text: Vec<u8>) -> Response<Vec<u8>> {
    let mut response = json_text(text);
    response.headers_mut().insert(CACHE_CONTROL, NO_STORE);
    response
}

/// Sets a header whose value has no control characters.
pub fn set<C>(response: &mut Response<C>, name: HeaderName, value: impl ToString) {
    let value = HeaderValue::try_from(value.to_string()).expect("no control characters are set");
    response.headers_mut().insert(name, value);
}

/// The answer to a change after which there is nothing to be shown.
pub fn no_content() -> Response<Vec<u8>> {
    let mut response = Response::new(Vec::new());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// The client has the current version, under this entity tag (RFC 9110, section 15.4.5).
pub fn not_modified(tag: String) -> Response<Vec<u8>> {
    let mut response = Response::new(Vec::new());
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    response.headers_mut().insert(CACHE_CONTROL, NO_STORE);
    set(&mut response, ETAG, tag);
    response
}
