//! Answers with SCIM resources.

use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG};
use http::{HeaderValue, Response};
use serde_json::Value;

use crate::message::response::{JSON, NO_STORE, set};

/// The media types that clients may accept and send (RFC 7644, section 8.1).
pub const MEDIA_TYPES: &[&str] = &["application/scim+json", JSON];

/// The media type of every answer.
pub const CONTENT: &str = "application/scim+json; charset=utf-8";

/// Answers with a value.
pub fn with(value: &Value) -> Response<Vec<u8>> {
    with_text(value.to_string())
}

/// Answers with a value that is written already.
pub fn with_text(text: String) -> Response<Vec<u8>> {
    let mut response = Response::new(text.into_bytes());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(CONTENT));
    headers.insert(CACHE_CONTROL, NO_STORE);
    response
}

/// The same with an entity tag.
pub fn tagged(mut response: Response<Vec<u8>>, tag: &str) -> Response<Vec<u8>> {
    set(&mut response, ETAG, tag);
    response
}
