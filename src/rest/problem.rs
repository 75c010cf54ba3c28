//! Problem details (RFC 9457): every answer that is not what was asked for.

pub(super) mod types;

use http::header::{ACCEPT_ENCODING, ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderName, HeaderValue, Response};
use serde::Serialize;

use super::body::MAX_BYTES;
use super::limits::{MAX_HEADER_BYTES, MAX_TARGET_BYTES};
use super::patch;
use super::trace::Trace;
use crate::directory::Error;
use crate::user::Violation;
use types::ProblemType;

/// Why a request was not fulfilled.
#[derive(Clone, Debug)]
pub(super) struct Problem(Box<Occurrence>);

#[derive(Clone, Debug)]
struct Occurrence {
    kind: &'static ProblemType,
    /// What is particular to this occurrence; the meaning of the type where nothing is.
    detail: String,
    errors: Vec<Violation>,
    header: Option<(HeaderName, HeaderValue)>,
    /// For the log, if this is for the operator to look into.
    cause: Option<Error>,
}

/// The document (RFC 9457, section 3).
#[derive(Serialize)]
struct Details<'a> {
    r#type: String,
    title: &'static str,
    status: u16,
    detail: &'a str,
    instance: String,
    #[serde(skip_serializing_if = "<[Violation]>::is_empty")]
    errors: &'a [Violation],
}

impl Problem {
    fn new(kind: &'static ProblemType, detail: impl Into<String>) -> Problem {
        Problem(Box::new(Occurrence {
            kind,
            detail: detail.into(),
            errors: Vec::new(),
            header: None,
            cause: None,
        }))
    }

    /// A problem of which there is nothing to say but what its type says.
    fn plain(kind: &'static ProblemType) -> Problem {
        Problem::new(kind, kind.meaning)
    }

    fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Problem {
        self.0.header = Some((name, value));
        self
    }

    /// Asks the client to try again after a second (RFC 9110, section 10.2.3).
    fn soon_over(self) -> Problem {
        self.with_header(RETRY_AFTER, HeaderValue::from_static("1"))
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

    pub fn method_not_allowed(allow: &'static str) -> Problem {
        let detail = format!("This resource has the methods {allow}.");
        Problem::new(types::METHOD_NOT_ALLOWED, detail)
            .with_header(ALLOW, HeaderValue::from_static(allow))
    }

    /// The resource has representations of the media type `offered` only.
    pub fn not_acceptable(offered: &str) -> Problem {
        let detail = format!("The answer would be {offered}, which Accept does not admit.");
        Problem::new(types::NOT_ACCEPTABLE, detail)
    }

    pub fn malformed_json(error: &serde_json::Error) -> Problem {
        let detail = format!("The body is not JSON: {error}.");
        Problem::new(types::MALFORMED_JSON, detail)
    }

    /// The body is not a JSON Patch, for it breaks `rule`, the rest of a sentence about it.
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

    pub fn body_too_large() -> Problem {
        let detail = format!("A body may have at most {MAX_BYTES} bytes.");
        Problem::new(types::BODY_TOO_LARGE, detail)
    }

    pub fn target_too_long() -> Problem {
        let detail = format!("Path and query may have at most {MAX_TARGET_BYTES} bytes.");
        Problem::new(types::TARGET_TOO_LONG, detail)
    }

    pub fn header_too_large() -> Problem {
        let detail = format!("All header fields may have at most {MAX_HEADER_BYTES} bytes.");
        Problem::new(types::HEADER_TOO_LARGE, detail)
    }

    /// The body has more than `max` of `what`.
    pub fn body_too_complex(max: usize, what: &str) -> Problem {
        let detail = format!("A body may have at most {max} {what}.");
        Problem::new(types::BODY_TOO_COMPLEX, detail)
    }

    /// The client has made the `limit` requests of this minute, of which `reset`
    /// seconds are left.
    pub fn too_many_requests(limit: u64, reset: i64) -> Problem {
        let detail = format!("You may make at most {limit} requests a minute.");
        Problem::new(types::TOO_MANY_REQUESTS, detail)
            .with_header(RETRY_AFTER, HeaderValue::from(reset))
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

    /// Says which patches the resource takes (RFC 5789, section 2.2).
    pub fn with_accept_patch(self) -> Problem {
        let accepted = HeaderValue::from_static(patch::ACCEPT_PATCH);
        self.with_header(patch::HEADER, accepted)
    }

    pub fn invalid_user(violations: Vec<Violation>) -> Problem {
        let detail = "Some members break a rule; see errors.";
        let mut problem = Problem::new(types::INVALID_USER, detail);
        problem.0.errors = violations;
        problem
    }

    pub fn precondition_failed() -> Problem {
        Problem::plain(types::PRECONDITION_FAILED)
    }

    pub fn precondition_required() -> Problem {
        Problem::plain(types::PRECONDITION_REQUIRED)
    }

    /// The store doesn't answer, or not as it should.
    pub fn not_ready(error: Error) -> Problem {
        let detail = "The store does not answer as it should.";
        let mut problem = Problem::new(types::STORE_UNAVAILABLE, detail).soon_over();
        problem.0.cause = Some(error);
        problem
    }

    /// Whether it is of that type.
    pub fn is(&self, kind: &ProblemType) -> bool {
        self.0.kind.slug == kind.slug
    }

    /// What went wrong, if it is for the log.
    pub fn cause(&self) -> Option<&Error> {
        self.0.cause.as_ref()
    }

    /// The document, as the answer to the request that `trace` names.
    pub fn into_response(self, trace: &Trace) -> Response<Vec<u8>> {
        let Occurrence {
            kind,
            detail,
            errors,
            header,
            ..
        } = *self.0;
        let url = format!("/problems/{}", kind.slug);
        let details = Details {
            title: kind.title,
            status: kind.status.as_u16(),
            detail: &detail,
            instance: format!("{url}#{}", trace.request_id()),
            errors: &errors,
            r#type: url,
        };
        let body = serde_json::to_vec(&details).expect("details have string keys only");
        let mut response = Response::new(body);
        *response.status_mut() = kind.status;
        let headers = response.headers_mut();
        let content_type = HeaderValue::from_static("application/problem+json");
        headers.insert(CONTENT_TYPE, content_type);
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.extend(header);
        response
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Problem {
        let mut problem = match &error {
            Error::NotFound => {
                return Problem::new(types::USER_NOT_FOUND, "There is no user with this id.");
            }
            Error::EmailTaken => {
                return Problem::new(types::EMAIL_TAKEN, "Another user has this email.");
            }
            Error::Store(_) => Problem::plain(types::STORE_UNAVAILABLE).soon_over(),
            Error::Contended => Problem::plain(types::CONTENDED).soon_over(),
            Error::Unreadable(_) => Problem::plain(types::UNREADABLE),
            Error::Exhausted => Problem::plain(types::EXHAUSTED),
        };
        problem.0.cause = Some(error);
        problem
    }
}
