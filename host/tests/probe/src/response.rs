//! Requests taken apart, responses put together.

use std::fmt::{Debug, Display};

use spin_sdk::http::{Fields, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam};
use wasi::io::streams::StreamError;

/// A status, a field and a body.
pub struct Answer {
    status: u16,
    field: Option<(String, String)>,
    body: Vec<u8>,
}

impl Answer {
    pub fn bytes(body: Vec<u8>) -> Self {
        Self {
            status: 200,
            field: None,
            body,
        }
    }

    pub fn text(text: impl Display) -> Self {
        Self::bytes(text.to_string().into())
    }

    pub fn debug(value: impl Debug) -> Self {
        Self::bytes(format!("{value:?}").into())
    }

    pub fn with_status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    pub fn with_field(self, name: &str, value: &str) -> Self {
        Self {
            field: Some((name.to_owned(), value.to_owned())),
            ..self
        }
    }

    pub fn not_found() -> Self {
        Self::text("the probe has no such page").with_status(404)
    }
}

pub fn send(out: ResponseOutparam, answer: Answer) {
    let headers = Fields::new();
    let length = answer.body.len().to_string().into_bytes();
    headers
        .append("content-length", &length)
        .expect("the header is valid");
    if let Some((name, value)) = &answer.field {
        headers
            .append(name, value.as_bytes())
            .expect("the header is valid");
    }
    let response = OutgoingResponse::new(headers);
    response
        .set_status_code(answer.status)
        .expect("the status is valid");
    let body = response.body().expect("it has one body");
    let stream = body.write().expect("it has one stream");
    let now = answer
        .body
        .len()
        .min(stream.check_write().expect("it is open") as usize);
    stream.write(&answer.body[..now]).expect("it has room");
    out.set(response);
    for part in answer.body[now..].chunks(4096) {
        stream.blocking_write_and_flush(part).expect("it is open");
    }
    drop(stream);
    OutgoingBody::finish(body, None).expect("the length is right");
}

/// Hands over a response that isn't finished.
pub fn begin(out: ResponseOutparam) -> (OutgoingBody, wasi::io::streams::OutputStream) {
    let response = OutgoingResponse::new(Fields::new());
    let body = response.body().expect("it has one body");
    let stream = body.write().expect("it has one stream");
    out.set(response);
    (body, stream)
}

pub fn body_of(request: &IncomingRequest) -> Vec<u8> {
    let body = request.consume().expect("it has one body");
    let stream = body.stream().expect("it has one stream");
    let mut bytes = Vec::new();
    loop {
        match stream.blocking_read(64 * 1024) {
            Ok(part) => bytes.extend(part),
            Err(StreamError::Closed) => return bytes,
            Err(error) => panic!("the body broke off: {error}"),
        }
    }
}

pub fn headers_of(request: &IncomingRequest) -> String {
    request
        .headers()
        .entries()
        .into_iter()
        .map(|(name, value)| format!("{name}: {}\n", String::from_utf8_lossy(&value)))
        .collect()
}
