//! Problem details (RFC 9457): every answer that is not what was asked for.

use http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use serde::Serialize;

use super::body::MAX_BYTES;
use crate::directory::Error;
use crate::user::Violation;

/// Why a request was not fulfilled.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    details: Box<Details>,
    header: Option<(HeaderName, HeaderValue)>,
    /// For the log, if this is for the operator to look into.
    cause: Option<Error>,
}

#[derive(Debug, Serialize)]
struct Details {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    #[serde(skip_serializing_if = "String::is_empty")]
    detail: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Violation>,
}

impl Problem {
    fn new(
        status: StatusCode,
        r#type: &'static str,
        title: &'static str,
        detail: impl Into<String>,
    ) -> Problem {
        Problem {
            status,
            details: Box::new(Details {
                r#type,
                title,
                status: status.as_u16(),
                detail: detail.into(),
                errors: Vec::new(),
            }),
            header: None,
            cause: None,
        }
    }

    fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Problem {
        self.header = Some((name, value));
        self
    }

    pub fn no_such_resource() -> Problem {
        Problem::new(
            StatusCode::NOT_FOUND,
            "/problems/not-found",
            "Not found",
            "There is nothing at this path. The users are at /users.",
        )
    }

    pub fn malformed_target() -> Problem {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "/problems/malformed-target",
            "Malformed target",
            "The target of the request is not a path.",
        )
    }

    pub fn malformed_if_match() -> Problem {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "/problems/malformed-if-match",
            "Malformed If-Match",
            "If-Match is * or a list of entity tags in double quotes, as ETag has them.",
        )
    }

    pub fn method_not_allowed(allow: &'static str) -> Problem {
        Problem::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "/problems/method-not-allowed",
            "Method not allowed",
            format!("This resource has the methods {allow}."),
        )
        .with_header(ALLOW, HeaderValue::from_static(allow))
    }

    pub fn malformed_json(error: &serde_json::Error) -> Problem {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "/problems/malformed-json",
            "Malformed JSON",
            format!("The body is not JSON: {error}."),
        )
    }

    pub fn body_incomplete() -> Problem {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "/problems/incomplete-body",
            "Incomplete body",
            "The body ended before all of it had arrived.",
        )
    }

    pub fn body_too_large() -> Problem {
        Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "/problems/body-too-large",
            "Body too large",
            format!("A body may have at most {MAX_BYTES} bytes."),
        )
    }

    pub fn unsupported_media_type(accepted: &[&str]) -> Problem {
        let accepted = accepted.join(" or ");
        Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "/problems/unsupported-media-type",
            "Unsupported media type",
            format!("Send the body as {accepted} in UTF-8, and say so in Content-Type."),
        )
    }

    pub fn unsupported_content_coding() -> Problem {
        Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "/problems/unsupported-content-coding",
            "Unsupported content coding",
            "Send the body as it is, without Content-Encoding.",
        )
        .with_header(
            http::header::ACCEPT_ENCODING,
            HeaderValue::from_static("identity"),
        )
    }

    /// A query whose parameter `name` breaks `rule`, the rest of a sentence about it.
    pub fn invalid_query(rule: &str, name: &str) -> Problem {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "/problems/invalid-query",
            "Invalid query",
            format!("The query parameter {name:?} {rule}."),
        )
    }

    /// The store doesn't answer, or not as it should.
    pub fn not_ready(error: Error) -> Problem {
        let mut problem = Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "/problems/store-unavailable",
            "Store unavailable",
            "The store does not answer as it should.",
        )
        .with_header(RETRY_AFTER, HeaderValue::from_static("1"));
        problem.cause = Some(error);
        problem
    }

    /// What went wrong, if it is for the log.
    pub fn cause(&self) -> Option<&Error> {
        self.cause.as_ref()
    }

    pub fn into_response(self) -> Response<Vec<u8>> {
        let body = serde_json::to_vec(&self.details).expect("details have string keys only");
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        let content_type = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(CONTENT_TYPE, content_type);
        response.headers_mut().extend(self.header);
        response
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Problem {
        let mut problem = match &error {
            Error::NotFound => {
                return Problem::new(
                    StatusCode::NOT_FOUND,
                    "/problems/user-not-found",
                    "User not found",
                    "There is no user with this id.",
                );
            }
            Error::PreconditionFailed => {
                return Problem::new(
                    StatusCode::PRECONDITION_FAILED,
                    "/problems/precondition-failed",
                    "Precondition failed",
                    "The user is not at a version that If-Match names. Get it, and decide anew.",
                );
            }
            Error::EmailTaken => {
                return Problem::new(
                    StatusCode::CONFLICT,
                    "/problems/email-taken",
                    "Email taken",
                    "Another user has this email.",
                );
            }
            Error::Invalid(_) => Problem::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "/problems/invalid-user",
                "Invalid user",
                "Some members break a rule; see errors.",
            ),
            Error::Store(_) => Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "/problems/store-unavailable",
                "Store unavailable",
                "The store did not answer. A change may or may not have been made; look, or repeat the request.",
            )
            .with_header(RETRY_AFTER, HeaderValue::from_static("1")),
            Error::Contended => Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "/problems/contended",
                "Too many concurrent changes",
                "Too many changes met. This one may or may not have been made; look, or repeat the request.",
            )
            .with_header(RETRY_AFTER, HeaderValue::from_static("1")),
            Error::Unreadable(_) => Problem::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "/problems/unreadable",
                "Stored value unreadable",
                "The store holds a value here that this version of the service did not write. It was left as it is.",
            ),
            Error::Exhausted => Problem::new(
                StatusCode::INSUFFICIENT_STORAGE,
                "/problems/exhausted",
                "Exhausted",
                "The directory, or this user, has reached a limit of the storage format.",
            ),
        };
        match error {
            Error::Invalid(violations) => problem.details.errors = violations,
            error => problem.cause = Some(error),
        }
        problem
    }
}
