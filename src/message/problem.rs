//! Problem details (RFC 9457): every answer that is not what was asked for.

pub mod types;

use http::header::{
    ACCEPT_ENCODING, ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE,
};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use serde::Serialize;

use super::body::MAX_BYTES;
use super::limits::{MAX_HEADER_BYTES, MAX_TARGET_BYTES};
use super::trace::Trace;
use crate::auth::{Refusal, Scope};
use crate::directory::Error;
use crate::user::Violation;
use types::ProblemType;

/// The realm of all credentials here (RFC 9110, section 11.5).
const REALM: &str = "edge-users";

/// Why a request was not fulfilled.
#[derive(Clone, Debug)]
pub struct Problem(Box<Occurrence>);

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

    /// The same with a header of the response, of which there is one at the most.
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Problem {
        self.0.header = Some((name, value));
        self
    }

    /// Asks the client to try again after a second (RFC 9110, section 10.2.3).
    fn soon_over(self) -> Problem {
        self.with_header(RETRY_AFTER, HeaderValue::from_static("1"))
    }

    /// Who sent the request is not known. The challenge says what is missing (RFC
    /// 6750, section 3).
    pub fn unauthenticated(refusal: Refusal) -> Problem {
        let (problem, error) = match refusal {
            Refusal::Missing => {
                let detail = "Send the header Authorization: Bearer with a token. The operator \
                    makes one with `edge-users token new`, or trusts an issuer that gives them.";
                (Problem::new(types::AUTHENTICATION_REQUIRED, detail), "")
            }
            Refusal::Closed => {
                let detail = "No token is configured here, so that nobody is let in. The \
                    operator makes one with `edge-users token new`.";
                (Problem::new(types::AUTHENTICATION_REQUIRED, detail), "")
            }
            Refusal::Invalid(flaw) => {
                let detail = format!("The token {flaw}.");
                let problem = Problem::new(types::INVALID_TOKEN, detail);
                (problem, ", error=\"invalid_token\"")
            }
            Refusal::NoKeys => return Problem::plain(types::KEYS_UNAVAILABLE).soon_over(),
        };
        problem.with_challenge(error)
    }

    /// The caller is known, and would need that scope.
    pub fn forbidden(scope: Scope) -> Problem {
        let scope = scope.name();
        let detail = format!("This needs a token of the scope {scope}.");
        let error = format!(", error=\"insufficient_scope\", scope=\"{scope}\"");
        Problem::new(types::INSUFFICIENT_SCOPE, detail).with_challenge(&error)
    }

    fn with_challenge(self, error: &str) -> Problem {
        let challenge = format!("Bearer realm=\"{REALM}\"{error}");
        let challenge = HeaderValue::try_from(challenge).expect("letters and quotes");
        self.with_header(WWW_AUTHENTICATE, challenge)
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

    /// The resource has representations of the media types `offered` only.
    pub fn not_acceptable(offered: &[&str]) -> Problem {
        let offered = offered.join(" or ");
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

    pub fn line_too_long() -> Problem {
        let detail = format!("A line may have at most {MAX_BYTES} bytes.");
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
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.extend(self.0.header);
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
            Error::InProgress => {
                return Problem::plain(types::IDEMPOTENCY_IN_PROGRESS).soon_over();
            }
            Error::KeyReused => return Problem::plain(types::IDEMPOTENCY_KEY_REUSED),
            Error::Gone => return Problem::plain(types::USER_GONE),
            Error::Store(_) => Problem::plain(types::STORE_UNAVAILABLE).soon_over(),
            Error::Contended => Problem::plain(types::CONTENDED).soon_over(),
            Error::Unreadable(_) => Problem::plain(types::UNREADABLE),
            Error::Exhausted => Problem::plain(types::EXHAUSTED),
        };
        problem.0.cause = Some(error);
        problem
    }
}
