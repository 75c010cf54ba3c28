//! Answers, as JSON.

use serde_json::{Value, json};
use spin_sdk::http::{Fields, OutgoingBody, OutgoingResponse, ResponseOutparam};

/// A status, fields and a body.
pub struct Answer {
    status: u16,
    fields: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

impl Answer {
    /// This value.
    pub fn json(status: u16, value: &Value) -> Self {
        Self::of_type("application/json", status, value)
    }

    /// A problem document (RFC 9457) whose type is the status alone (section 4.2.1).
    pub fn problem(status: u16, detail: &str) -> Self {
        let title = match status {
            404 => "Not Found",
            405 => "Method Not Allowed",
            502 => "Bad Gateway",
            503 => "Service Unavailable",
            _ => "Gateway Timeout",
        };
        let problem =
            json!({ "type": "about:blank", "title": title, "status": status, "detail": detail });
        Self::of_type("application/problem+json", status, &problem)
    }

    fn of_type(media_type: &str, status: u16, value: &Value) -> Self {
        let body = value.to_string().into_bytes();
        let answer = Self {
            status,
            fields: Vec::new(),
            body,
        };
        // A name is not for caches.
        let answer = answer.with_field("cache-control", "no-store");
        answer.with_field("content-type", media_type)
    }

    /// The same with one field more.
    pub fn with_field(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.into()));
        self
    }

    /// Sends it, the body first: the host then sends head and body in one packet, where the body
    /// in a second one may wait 40 ms for the client's delayed acknowledgement.
    pub fn send(self, is_head: bool, response_out: ResponseOutparam) {
        let length = self.body.len().to_string();
        let this = self.with_field("content-length", &length);
        let fields = Fields::from_list(&this.fields).expect("the fields are valid");
        let response = OutgoingResponse::new(fields);
        let set = response.set_status_code(this.status);
        set.expect("the status is valid");
        if !is_head {
            let body = response.body().expect("it has one body");
            let stream = body.write().expect("it has one stream");
            // 4 KiB are always taken at once, and an answer is shorter than that.
            stream.blocking_write_and_flush(&this.body).ok();
            drop(stream);
            OutgoingBody::finish(body, None).ok();
        }
        response_out.set(response);
    }
}
