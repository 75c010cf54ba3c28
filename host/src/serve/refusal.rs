//! Answers of the host itself to requests that no component answers: problem documents
//! (RFC 9457).

use std::borrow::Cow;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};
use serde::Serialize;

use crate::runtime::request_id::{REQUEST_ID, RequestId};

/// Why a request is refused.
#[derive(Clone, Debug)]
pub struct Refusal {
    status: StatusCode,
    detail: Cow<'static, str>,
    is_soon_over: bool,
}

/// The document. Its type is the status alone (section 4.2.1): the host knows nothing of
/// the application that could be said beyond it.
#[derive(Serialize)]
struct Problem<'a> {
    r#type: &'static str,
    title: &'a str,
    status: u16,
    detail: &'a str,
}

impl Refusal {
    /// With this status; the detail is a sentence that says what the client can do.
    pub fn new(status: StatusCode, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            status,
            detail: detail.into(),
            is_soon_over: false,
        }
    }

    /// 503: it may well succeed a second later.
    pub fn busy(detail: &'static str) -> Self {
        Self {
            is_soon_over: true,
            ..Self::new(StatusCode::SERVICE_UNAVAILABLE, detail)
        }
    }

    /// The answer to the request of this id.
    pub fn response(&self, id: &RequestId) -> Response<Bytes> {
        let problem = Problem {
            r#type: "about:blank",
            title: self.status.canonical_reason().unwrap_or_default(),
            status: self.status.as_u16(),
            detail: &self.detail,
        };
        let body = serde_json::to_vec(&problem).expect("text and a number are JSON");
        let mut response = Response::new(body.into());
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        let problem = HeaderValue::from_static("application/problem+json");
        headers.insert(CONTENT_TYPE, problem);
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(REQUEST_ID, id.header());
        if self.is_soon_over {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }

    /// The same as a message of HTTP/1.1, after which the connection is closed.
    pub fn last_message(&self) -> Vec<u8> {
        let response = self.response(&RequestId::draw());
        let (status, body) = (self.status, response.body());
        let mut message = format!("HTTP/1.1 {status}\r\n").into_bytes();
        for (name, value) in response.headers() {
            message.extend_from_slice(name.as_str().as_bytes());
            message.extend_from_slice(b": ");
            message.extend_from_slice(value.as_bytes());
            message.extend_from_slice(b"\r\n");
        }
        let length = body.len();
        let end = format!("content-length: {length}\r\nconnection: close\r\n\r\n");
        message.extend_from_slice(end.as_bytes());
        message.extend_from_slice(body);
        message
    }
}
