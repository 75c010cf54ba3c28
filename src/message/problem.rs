//! Problem details (RFC 9457): the answers to refused and failed requests.

pub mod types;

use http::header::{ACCEPT_ENCODING, ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use serde::Serialize;

use super::response::NO_STORE;
use super::trace::Trace;
use crate::json;
use crate::user::Violation;
use types::ProblemType;

/// Why a request was refused, or failed.
#[derive(Clone, Debug)]
pub struct Problem(Box<Occurrence>);

#[derive(Clone, Debug)]
struct Occurrence {
    kind: &'static ProblemType,
    /// The details of this occurrence, or the meaning of the type.
    detail: String,
    errors: Vec<Violation>,
    header: Option<(HeaderName, HeaderValue)>,
    /// The cause for the operator's log, if any.
    cause: Option<String>,
}

/// The document (RFC 9457, section 3).
#[derive(Serialize)]
pub struct Details<'a> {
    r#type: String,
    title: &'static str,
    status: u16,
    detail: &'a str,
    instance: String,
    #[serde(skip_serializing_if = "<[Violation]>::is_empty")]
    errors: &'a [Violation],
}

impl Problem {
    /// A problem of that type, with the details of this occurrence.
    pub fn new(kind: &'static ProblemType, detail: impl Into<String>) -> Problem {
        Problem(Box::new(Occurrence {
            kind,
            detail: detail.into(),
            errors: Vec::new(),
            header: None,
            cause: None,
        }))
    }

    /// A problem with no detail beyond what its type says.
    pub fn plain(kind: &'static ProblemType) -> Problem {
        Problem::new(kind, kind.meaning)
    }

    /// The same with a header of the response. A problem has at most one.
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Problem {
        self.0.header = Some((name, value));
        self
    }

    /// Asks the client to try again after that many seconds (RFC 9110, section 10.2.3).
    pub fn retry_after(self, seconds: i64) -> Problem {
        self.with_header(RETRY_AFTER, HeaderValue::from(seconds))
    }

    /// The same with a cause for the operator's log.
    pub fn with_cause(mut self, cause: impl ToString) -> Problem {
        self.0.cause = Some(cause.to_string());
        self
    }

    /// Names the members that break a rule.
    pub fn with_errors(mut self, errors: Vec<Violation>) -> Problem {
        self.0.errors = errors;
        self
    }

    pub fn no_such_resource() -> Problem {
        let detail =
            "There is nothing at this path. The users are at /users, the documentation at /docs.";
        Problem::new(types::NOT_FOUND, detail)
    }

    pub fn malformed_target() -> Problem {
        Problem::plain(types::MALFORMED_TARGET)
    }

    /// A header that breaks `rule`, the rest of a sentence about it.
    pub fn malformed_header(name: &HeaderName, rule: &str) -> Problem {
        Problem::new(
            types::MALFORMED_HEADER,
            format!("The header {name} {rule}."),
        )
    }

    /// The resource has the methods `allow` only.
    pub fn method_not_allowed(allow: HeaderValue) -> Problem {
        let methods = allow.to_str().unwrap_or_default();
        let detail = format!("This resource has the methods {methods}.");
        Problem::new(types::METHOD_NOT_ALLOWED, detail).with_header(ALLOW, allow)
    }

    /// The resource has representations of the media types `offered` only.
    pub fn not_acceptable(offered: &[&str]) -> Problem {
        let offered = offered.join(" or ");
        let detail = format!("The answer would be {offered}, which Accept does not admit.");
        Problem::new(types::NOT_ACCEPTABLE, detail)
    }

    /// The body is not a JSON Patch, as it breaks `rule`, the rest of a sentence about it.
    pub fn malformed_patch(rule: &str) -> Problem {
        let detail = format!("The body {rule}.");
        Problem::new(types::MALFORMED_PATCH, detail)
    }

    /// The operation of a JSON Patch, counted from 0, that can't be applied.
    pub fn patch_conflict(operation: usize, why: &str) -> Problem {
        let detail = format!("The operation /{operation} of the patch can't be applied: {why}.");
        Problem::new(types::PATCH_CONFLICT, detail)
    }

    pub fn incomplete_body() -> Problem {
        Problem::plain(types::INCOMPLETE_BODY)
    }

    pub fn body_too_large(max: usize) -> Problem {
        let detail = format!("A body may have at most {max} bytes.");
        Problem::new(types::BODY_TOO_LARGE, detail)
    }

    pub fn line_too_long(max: usize) -> Problem {
        let detail = format!("A line may have at most {max} bytes.");
        Problem::new(types::BODY_TOO_LARGE, detail)
    }

    pub fn target_too_long(max: usize) -> Problem {
        let detail = format!("Path and query may have at most {max} bytes.");
        Problem::new(types::TARGET_TOO_LONG, detail)
    }

    pub fn header_too_large(max: usize) -> Problem {
        let detail = format!("All header fields may have at most {max} bytes.");
        Problem::new(types::HEADER_TOO_LARGE, detail)
    }

    /// The client has made the `limit` requests of this minute, of which `reset`
    /// seconds are left.
    pub fn too_many_requests(limit: u64, reset: i64) -> Problem {
        let detail = format!("You may make at most {limit} requests a minute.");
        Problem::new(types::TOO_MANY_REQUESTS, detail).retry_after(reset)
    }

    pub fn unsupported_media_type(accepted: &[&str]) -> Problem {
        let accepted = accepted.join(" or ");
        let detail = format!("Send the body as {accepted} in UTF-8, and say so in Content-Type.");
        Problem::new(types::UNSUPPORTED_MEDIA_TYPE, detail)
    }

    pub fn unsupported_content_coding() -> Problem {
        Problem::plain(types::UNSUPPORTED_CONTENT_CODING)
            .with_header(ACCEPT_ENCODING, HeaderValue::from_static("identity"))
    }

    /// A query whose parameter `name` breaks `rule`, the rest of a sentence about it.
    pub fn invalid_query(rule: &str, name: &str) -> Problem {
        let detail = format!("The query parameter {name:?} {rule}.");
        Problem::new(types::INVALID_QUERY, detail)
    }

    pub fn invalid_user(violations: Vec<Violation>) -> Problem {
        let detail = "Some members break a rule; see errors.";
        Problem::new(types::INVALID_USER, detail).with_errors(violations)
    }

    pub fn invalid_group(violations: Vec<Violation>) -> Problem {
        let detail = "Some members break a rule; see errors.";
        Problem::new(types::INVALID_GROUP, detail).with_errors(violations)
    }

    pub fn precondition_failed() -> Problem {
        Problem::plain(types::PRECONDITION_FAILED)
    }

    pub fn precondition_required() -> Problem {
        Problem::plain(types::PRECONDITION_REQUIRED)
    }

    /// Whether it is of that type.
    pub fn is(&self, kind: &ProblemType) -> bool {
        self.0.kind.slug == kind.slug
    }

    pub fn kind(&self) -> &'static ProblemType {
        self.0.kind
    }

    /// What is particular to this occurrence, or the meaning of the type.
    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    /// The members that break a rule.
    pub fn errors(&self) -> &[Violation] {
        &self.0.errors
    }

    /// The header of the response, if there is one.
    pub fn header(&self) -> Option<&(HeaderName, HeaderValue)> {
        self.0.header.as_ref()
    }

    /// The cause for the log, if any.
    pub fn cause(&self) -> Option<&str> {
        self.0.cause.as_deref()
    }

    pub fn status(&self) -> StatusCode {
        self.0.kind.status
    }

    /// The document, for the request that `trace` names.
    pub fn details(&self, trace: &Trace) -> Details<'_> {
        let kind = self.0.kind;
        let url = kind.url();
        Details {
            title: kind.title,
            status: kind.status.as_u16(),
            detail: &self.0.detail,
            instance: format!("{url}#{}", trace.request_id()),
            errors: &self.0.errors,
            r#type: url,
        }
    }

    /// The document, as the answer to the request that `trace` names.
    pub fn into_response(self, trace: &Trace) -> Response<Vec<u8>> {
        let body = serde_json::to_vec(&self.details(trace));
        let body = body.expect("details have string keys only");
        let mut response = Response::new(body);
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        let content_type = HeaderValue::from_static("application/problem+json");
        headers.insert(CONTENT_TYPE, content_type);
        headers.insert(CACHE_CONTROL, NO_STORE);
        headers.extend(self.0.header);
        response
    }
}

impl From<json::Error> for Problem {
    fn from(error: json::Error) -> Problem {
        let too_complex = |max: usize, of: &str| {
            let detail = format!("A body may have at most {max} {of}.");
            Problem::new(types::BODY_TOO_COMPLEX, detail)
        };
        match error {
            json::Error::Malformed(error) => {
                let detail = format!("The body is not JSON: {error}.");
                Problem::new(types::MALFORMED_JSON, detail)
            }
            json::Error::Ambiguous { pointer, flaw } => {
                let detail = format!("In the body, {pointer:?} {flaw}.");
                let problem = Problem::new(types::AMBIGUOUS_JSON, detail);
                let detail = flaw.into();
                problem.with_errors(vec![Violation { pointer, detail }])
            }
            json::Error::TooDeep => too_complex(json::MAX_DEPTH, "levels of objects and arrays"),
            json::Error::TooWide => too_complex(json::MAX_VALUES, "members and elements"),
        }
    }
}
