//! Status codes, and which of them a problem has.

use http::StatusCode;

use crate::message::body::MAX_BYTES;
use crate::message::problem::Problem;
use crate::message::problem::types::{self, ProblemType};
use crate::user::Violation;

/// A status code, the same in gRPC and in Connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Code {
    InvalidArgument = 3,
    DeadlineExceeded = 4,
    NotFound = 5,
    AlreadyExists = 6,
    PermissionDenied = 7,
    ResourceExhausted = 8,
    FailedPrecondition = 9,
    Aborted = 10,
    Unimplemented = 12,
    Internal = 13,
    Unavailable = 14,
    DataLoss = 15,
    Unauthenticated = 16,
}

impl Code {
    /// As Connect writes it, and the status of HTTP that goes with it there.
    pub fn in_connect(self) -> (&'static str, StatusCode) {
        match self {
            Code::InvalidArgument => ("invalid_argument", StatusCode::BAD_REQUEST),
            Code::DeadlineExceeded => ("deadline_exceeded", StatusCode::GATEWAY_TIMEOUT),
            Code::NotFound => ("not_found", StatusCode::NOT_FOUND),
            Code::AlreadyExists => ("already_exists", StatusCode::CONFLICT),
            Code::PermissionDenied => ("permission_denied", StatusCode::FORBIDDEN),
            Code::ResourceExhausted => ("resource_exhausted", StatusCode::TOO_MANY_REQUESTS),
            Code::FailedPrecondition => ("failed_precondition", StatusCode::BAD_REQUEST),
            Code::Aborted => ("aborted", StatusCode::CONFLICT),
            Code::Unimplemented => ("unimplemented", StatusCode::NOT_IMPLEMENTED),
            Code::Internal => ("internal", StatusCode::INTERNAL_SERVER_ERROR),
            Code::Unavailable => ("unavailable", StatusCode::SERVICE_UNAVAILABLE),
            Code::DataLoss => ("data_loss", StatusCode::INTERNAL_SERVER_ERROR),
            Code::Unauthenticated => ("unauthenticated", StatusCode::UNAUTHORIZED),
        }
    }

    /// The code of a problem of that type.
    pub fn of(kind: &ProblemType) -> Code {
        let row = TABLE.iter().find(|(known, _)| known.slug == kind.slug);
        row.map_or(Code::Internal, |(_, code)| *code)
    }
}

/// Declares a type of problem that only a procedure call can have.
macro_rules! only_here {
    ($($name:ident = $status:ident $slug:literal $title:literal, $meaning:literal;)*) => {
        $(pub const $name: &ProblemType = &ProblemType {
            slug: $slug,
            status: StatusCode::$status,
            title: $title,
            meaning: $meaning,
            remedy: "",
        };)*

        /// Every type that only a procedure call can have.
        #[cfg(test)]
        pub const ONLY_HERE: &[&ProblemType] = &[$($name),*];
    };
}

only_here! {
    MALFORMED_MESSAGE = BAD_REQUEST "malformed-message" "Malformed message",
        "The message is not what the proto file says, or not framed as the protocol says.";
    INVALID_REQUEST = BAD_REQUEST "invalid-request" "Invalid request",
        "A member of the request breaks a rule.";
    FALSE_COMPRESSION = BAD_REQUEST "false-compression" "False compression",
        "A message is said to be compressed, and no header says how.";
    MESSAGE_COUNT = NOT_IMPLEMENTED "message-count" "Not one message",
        "This call takes one message.";
    UNKNOWN_SERVICE = NOT_FOUND "unknown-service" "Unknown service",
        "No service has this name here.";
    UNIMPLEMENTED = NOT_IMPLEMENTED "unimplemented" "Unimplemented",
        "There is no such procedure.";
    UNKNOWN_COMPRESSION = NOT_IMPLEMENTED "unknown-compression" "Unknown compression",
        "Messages may be sent as they are, or compressed by gzip.";
    DEADLINE_EXCEEDED = GATEWAY_TIMEOUT "deadline-exceeded" "Deadline exceeded",
        "The time that the client gave was over before the call was done.";
    TIME_LIMIT = CONFLICT "time-limit" "Time limit",
        "The call took as long as the operator lets it. Go on with another call.";
    RESULTS_UNREAD = CONFLICT "results-unread" "Results unread",
        "The client has sent very much and read no results. Go on with another call.";
    TOO_MANY_FAILURES = SERVICE_UNAVAILABLE "failures" "Too many failures",
        "The service has failed at several users in a row. Go on with another call.";
}

use Code::{
    Aborted, AlreadyExists, DataLoss, DeadlineExceeded, FailedPrecondition, Internal,
    InvalidArgument, NotFound, PermissionDenied, ResourceExhausted, Unauthenticated, Unavailable,
    Unimplemented,
};

/// The code of each type of problem.
pub const TABLE: &[(&ProblemType, Code)] = &[
    (types::MALFORMED_TARGET, InvalidArgument),
    (types::MALFORMED_HEADER, InvalidArgument),
    (types::MALFORMED_JSON, InvalidArgument),
    (types::AMBIGUOUS_JSON, InvalidArgument),
    (types::MALFORMED_PATCH, InvalidArgument),
    (types::INCOMPLETE_BODY, InvalidArgument),
    (types::INVALID_QUERY, InvalidArgument),
    (types::AUTHENTICATION_REQUIRED, Unauthenticated),
    (types::INVALID_TOKEN, Unauthenticated),
    (types::INSUFFICIENT_SCOPE, PermissionDenied),
    (types::SWITCHED_OFF, PermissionDenied),
    (types::PROTECTED_MEMBER, PermissionDenied),
    (types::NOT_FOUND, Unimplemented),
    (types::USER_NOT_FOUND, NotFound),
    (types::GROUP_NOT_FOUND, NotFound),
    (types::METHOD_NOT_ALLOWED, Unimplemented),
    (types::NOT_ACCEPTABLE, InvalidArgument),
    (types::EMAIL_TAKEN, AlreadyExists),
    (types::USERNAME_TAKEN, AlreadyExists),
    (types::SEVERAL_MATCHES, FailedPrecondition),
    (types::GROUP_NAME_TAKEN, AlreadyExists),
    (types::TOO_MANY_GROUPS, FailedPrecondition),
    (types::IDEMPOTENCY_IN_PROGRESS, Aborted),
    (types::PATCH_CONFLICT, FailedPrecondition),
    (types::USER_GONE, FailedPrecondition),
    (types::PRECONDITION_FAILED, Aborted),
    (types::BODY_TOO_LARGE, ResourceExhausted),
    (types::TARGET_TOO_LONG, ResourceExhausted),
    (types::UNSUPPORTED_MEDIA_TYPE, InvalidArgument),
    (types::UNSUPPORTED_CONTENT_CODING, Unimplemented),
    (types::MISDIRECTED, PermissionDenied),
    (types::INVALID_USER, InvalidArgument),
    (types::INVALID_BATCH, InvalidArgument),
    (types::INVALID_GROUP, InvalidArgument),
    (types::IDEMPOTENCY_KEY_REUSED, InvalidArgument),
    (types::BODY_TOO_COMPLEX, InvalidArgument),
    (types::PRECONDITION_REQUIRED, InvalidArgument),
    (types::TOO_MANY_REQUESTS, ResourceExhausted),
    (types::HEADER_TOO_LARGE, ResourceExhausted),
    (types::UNREADABLE, DataLoss),
    (types::MISCONFIGURED, Unavailable),
    (types::STORE_UNAVAILABLE, Unavailable),
    (types::KEYS_UNAVAILABLE, Unavailable),
    (types::CONTENDED, Unavailable),
    (types::INDEXING, Unavailable),
    (types::EXHAUSTED, ResourceExhausted),
    (MALFORMED_MESSAGE, InvalidArgument),
    (INVALID_REQUEST, InvalidArgument),
    (FALSE_COMPRESSION, Internal),
    (MESSAGE_COUNT, Unimplemented),
    (UNKNOWN_SERVICE, NotFound),
    (UNIMPLEMENTED, Unimplemented),
    (UNKNOWN_COMPRESSION, Unimplemented),
    (DEADLINE_EXCEEDED, DeadlineExceeded),
    (TIME_LIMIT, Aborted),
    (RESULTS_UNREAD, Aborted),
    (TOO_MANY_FAILURES, Unavailable),
];

/// The message, or how it is framed, is not what it should be.
pub fn malformed(detail: &str) -> Problem {
    Problem::new(MALFORMED_MESSAGE, detail)
}

/// The member `field` of the request, such as `user.email`, breaks `rule`, the rest of a sentence about it.
pub fn invalid(field: &str, rule: impl Into<String>) -> Problem {
    let rule = rule.into();
    let detail = format!("The member {field} {rule}.");
    Problem::new(INVALID_REQUEST, detail).with_errors(vec![Violation {
        pointer: format!("/{}", field.replace('.', "/")),
        detail: rule.into(),
    }])
}

pub fn message_too_large() -> Problem {
    let detail = format!("A message may have at most {MAX_BYTES} bytes.");
    Problem::new(types::BODY_TOO_LARGE, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_type_of_problem_has_one_code() {
        let types = types::ALL.iter().chain(ONLY_HERE);
        let types: Vec<_> = types.map(|kind| kind.slug).collect();
        let mut rows: Vec<_> = TABLE.iter().map(|(kind, _)| kind.slug).collect();
        assert_eq!(rows, types, "in the order of the two lists");
        let documented = include_str!("../../proto/README.md");
        for (kind, code) in TABLE {
            let code = upper_snake_case(&format!("{code:?}"));
            let row = format!("| `{}` | {code} |", kind.slug);
            assert!(documented.contains(&row), "{row}");
        }
        rows.sort_unstable();
        rows.dedup();
        assert_eq!(rows.len(), TABLE.len());
    }
    fn upper_snake_case(name: &str) -> String {
        let mut text = String::new();
        for c in name.chars() {
            if c.is_ascii_uppercase() && !text.is_empty() {
                text.push('_');
            }
            text.push(c.to_ascii_uppercase());
        }
        text
    }
}
