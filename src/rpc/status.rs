//! How a call ends, as each protocol tells it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use edge_users_proto::google::rpc::bad_request::FieldViolation;
use edge_users_proto::google::rpc::{self, BadRequest, ErrorInfo, RetryInfo};
use edge_users_proto::{Any, Duration, Message};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, Response};
use percent_encoding::{AsciiSet, CONTROLS, percent_encode};
use serde_json::{Value, json};

use super::code::Code;
use super::frame;
use super::protocol::{Framing, Protocol};
use crate::message::content::Content;
use crate::message::problem::{Problem, types};
use crate::message::response::NO_STORE;
use crate::user::Violation;

/// Who gives the reasons of errors.
const DOMAIN: &str = "edge-users";

/// What a `grpc-message` can't have as it is.
const UNPLAIN: &AsciiSet = &CONTROLS.add(b'%');

/// How a call ended that has failed.
pub struct Status {
    pub code: Code,
    pub message: String,
    /// The slug of the problem.
    pub reason: &'static str,
    pub violations: Vec<FieldViolation>,
    /// In seconds.
    retry_after: Option<i64>,
}

impl Status {
    pub fn of(problem: &Problem) -> Status {
        let kind = problem.kind();
        let retry_after = match problem.header() {
            Some((name, value)) if *name == RETRY_AFTER => value.to_str().ok(),
            _ => None,
        };
        // The members of a user are those of a member of the request.
        let of_user = problem.is(types::INVALID_USER) || problem.is(types::PROTECTED_MEMBER);
        let field = |violation: &Violation| {
            let path = violation.pointer.replace('/', ".");
            FieldViolation {
                field: match of_user {
                    true => format!("user{path}"),
                    false => path.trim_start_matches('.').to_owned(),
                },
                description: violation.detail.to_string(),
            }
        };
        let violations = Vec::from_iter(problem.errors().iter().map(field));
        // Many clients show the message alone.
        let message = match violations.first() {
            Some(FieldViolation { field, description }) if of_user => {
                format!("The member {field} {description}.")
            }
            _ => problem.detail().to_owned(),
        };
        Status {
            code: Code::of(kind),
            message,
            reason: kind.slug,
            violations,
            retry_after: retry_after.and_then(|seconds| seconds.parse().ok()),
        }
    }

    /// The details (AIP-193), each with the same in JSON.
    fn details(&self) -> Vec<(Any, Value)> {
        let info = ErrorInfo {
            reason: self.reason.to_owned(),
            domain: DOMAIN.to_owned(),
        };
        let debug = json!({ "reason": self.reason, "domain": DOMAIN });
        let mut details = vec![(any("ErrorInfo", &info), debug)];
        if !self.violations.is_empty() {
            let in_json = self.violations.iter();
            let in_json = in_json.map(|violation| {
                json!({ "field": violation.field, "description": violation.description })
            });
            let debug = json!({ "fieldViolations": Vec::from_iter(in_json) });
            let bad = BadRequest {
                field_violations: self.violations.clone(),
            };
            details.push((any("BadRequest", &bad), debug));
        }
        if let Some(seconds) = self.retry_after {
            let nanos = 0;
            let retry = RetryInfo {
                retry_delay: Some(Duration { seconds, nanos }),
            };
            let debug = json!({ "retryDelay": format!("{seconds}s") });
            details.push((any("RetryInfo", &retry), debug));
        }
        details
    }

    /// As Connect has it, in JSON.
    fn in_connect(&self) -> Value {
        let details = self.details().into_iter().map(|(any, debug)| {
            let kind = any.type_url.rsplit('/').next().unwrap_or_default();
            json!({ "type": kind, "value": STANDARD_NO_PAD.encode(&any.value), "debug": debug })
        });
        json!({
            "code": self.code.in_connect().0,
            "message": self.message,
            "details": Vec::from_iter(details),
        })
    }

    fn in_grpc(&self) -> HeaderMap {
        let details = self.details().into_iter().map(|(any, _)| any);
        let status = rpc::Status {
            code: self.code as i32,
            message: self.message.clone(),
            details: details.collect(),
        };
        let message = percent_encode(self.message.as_bytes(), UNPLAIN).to_string();
        let details = STANDARD_NO_PAD.encode(status.encode_to_vec());
        let mut trailers = HeaderMap::new();
        trailers.insert(GRPC_STATUS, HeaderValue::from(self.code as u16));
        for (name, value) in [(GRPC_MESSAGE, message), (GRPC_DETAILS, details)] {
            let value = HeaderValue::try_from(value).expect("visible ASCII");
            trailers.insert(name, value);
        }
        trailers
    }
}

fn any(name: &str, message: &impl Message) -> Any {
    Any {
        type_url: format!("type.googleapis.com/google.rpc.{name}"),
        value: message.encode_to_vec(),
    }
}

const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
const GRPC_DETAILS: HeaderName = HeaderName::from_static("grpc-status-details-bin");

/// The trailers of gRPC, which tell how a call ended.
pub fn trailers(failure: Option<&Status>) -> HeaderMap {
    failure.map_or_else(
        || {
            [(GRPC_STATUS, HeaderValue::from_static("0"))]
                .into_iter()
                .collect()
        },
        Status::in_grpc,
    )
}

/// Adds the frame that tells how a call ended, where it is a frame that does.
pub fn push_end(bytes: &mut Vec<u8>, framing: Framing, failure: Option<&Status>) {
    match framing {
        Framing::Unary | Framing::Query | Framing::Grpc => {}
        Framing::Stream => {
            let end = failure.map_or(
                json!({}),
                |failure| json!({ "error": failure.in_connect() }),
            );
            frame::push(
                bytes,
                framing,
                frame::CONNECT_END,
                end.to_string().as_bytes(),
            );
        }
        Framing::Web | Framing::WebText => {
            let mut block = Vec::new();
            for (name, value) in &trailers(failure) {
                let line = [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"];
                block.extend(line.concat());
            }
            frame::push(bytes, framing, frame::WEB_TRAILERS, &block);
        }
    }
}

/// A response in that protocol. Nobody is to store it.
pub fn response<'a>(protocol: Protocol, content: Content<'a>) -> Response<Content<'a>> {
    let mut response = Response::new(content);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, protocol.media_type());
    headers.insert(CACHE_CONTROL, NO_STORE);
    if protocol.has_frames() {
        let (_, accepted) = protocol.compression_headers();
        headers.insert(accepted, HeaderValue::from_static("gzip"));
    }
    response
}

/// The response to a call that has failed before there was any message.
pub fn failure(protocol: Protocol, problem: &Problem) -> Response<Content<'static>> {
    let status = Status::of(problem);
    let mut bytes = Vec::new();
    push_end(&mut bytes, protocol.framing, Some(&status));
    let mut response = response(protocol, Content::Whole(bytes));
    match protocol.framing {
        Framing::Unary | Framing::Query => {
            let error = status.in_connect().to_string().into_bytes();
            *response.body_mut() = Content::Whole(error);
            *response.status_mut() = status.code.in_connect().1;
            let json = HeaderValue::from_static("application/json");
            response.headers_mut().insert(CONTENT_TYPE, json);
        }
        // Trailers only: with no body, they are the head of the response.
        Framing::Grpc => response.headers_mut().extend(status.in_grpc()),
        _ => {}
    }
    if let Some((name, value)) = problem.header() {
        response.headers_mut().insert(name, value.clone());
    }
    response
}
