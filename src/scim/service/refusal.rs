//! Problems as SCIM tells them (RFC 7644, section 3.12): a status, a type for some, and a sentence.

use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};
use serde_json::Value;

use super::answer::CONTENT;
use crate::message::problem::Problem;
use crate::message::problem::types::{self, ProblemType};
use crate::message::response::NO_STORE;
use crate::scim::{Error, ScimType};

/// Declares types of problems that only SCIM has.
macro_rules! only_here {
    ($($name:ident = $status:ident $scim_type:expr, $slug:literal $meaning:literal;)*) => {
        $(pub const $name: &ProblemType = &ProblemType {
            slug: $slug,
            status: StatusCode::$status,
            title: "",
            meaning: $meaning,
            remedy: "",
        };)*

        /// Every type that only SCIM has, as SCIM tells it.
        const ONLY_HERE: &[(&ProblemType, Option<ScimType>)] = &[$(($name, $scim_type)),*];
    };
}

only_here! {
    INVALID_FILTER = BAD_REQUEST Some(ScimType::InvalidFilter), "scim-invalid-filter"
        "The filter is not one that the service can apply.";
    TOO_MANY = BAD_REQUEST Some(ScimType::TooMany), "scim-too-many"
        "The request asks for more than the service does at once.";
    UNIQUENESS = CONFLICT Some(ScimType::Uniqueness), "scim-uniqueness"
        "Another resource has the value.";
    MUTABILITY = BAD_REQUEST Some(ScimType::Mutability), "scim-mutability"
        "The attribute can't be changed.";
    INVALID_SYNTAX = BAD_REQUEST Some(ScimType::InvalidSyntax), "scim-invalid-syntax"
        "The body is not what the schema says.";
    INVALID_PATH = BAD_REQUEST Some(ScimType::InvalidPath), "scim-invalid-path"
        "The path is malformed.";
    NO_TARGET = BAD_REQUEST Some(ScimType::NoTarget), "scim-no-target"
        "The path leads to nothing that could be changed.";
    INVALID_VALUE = BAD_REQUEST Some(ScimType::InvalidValue), "scim-invalid-value"
        "A value is missing, or is not one of the attribute.";
    INVALID_CURSOR = BAD_REQUEST Some(ScimType::InvalidCursor), "scim-invalid-cursor"
        "The cursor is not one of this search.";
    FILTERED = FORBIDDEN None, "scim-filtered" "This is not filtered.";
    UNRESOLVED = CONFLICT None, "scim-unresolved"
        "The operation refers to a resource that is made by an operation which refers back to it.";
    BULK_TOO_LARGE = PAYLOAD_TOO_LARGE None, "scim-bulk-too-large"
        "The request has more operations than the service takes at once.";
    TIME_LIMIT = SERVICE_UNAVAILABLE None, "scim-time-limit"
        "The request took as long as the operator lets it. A part of it may have been done. Send it again.";
}

/// The problem as SCIM tells it.
pub fn told(problem: &Problem) -> Error {
    let mut own = ONLY_HERE.iter();
    let own = own.find(|(kind, _)| problem.is(kind));
    let is_one_of = |kinds: &[&ProblemType]| kinds.iter().any(|kind| problem.is(kind));
    let taken = [
        types::EMAIL_TAKEN,
        types::USERNAME_TAKEN,
        types::GROUP_NAME_TAKEN,
    ];
    let unread = [types::MALFORMED_JSON, types::AMBIGUOUS_JSON];
    let mut status = problem.status();
    let scim_type = match own {
        Some((_, scim_type)) => *scim_type,
        None if is_one_of(&taken) => Some(ScimType::Uniqueness),
        None if is_one_of(&unread) => Some(ScimType::InvalidSyntax),
        None if problem.is(types::INVALID_QUERY) => Some(ScimType::InvalidValue),
        None => None,
    };
    // SCIM has no 422.
    if problem.is(types::BODY_TOO_COMPLEX) {
        status = StatusCode::PAYLOAD_TOO_LARGE;
    }
    let detail = match problem.is(types::NOT_FOUND) {
        true => "There is nothing at this path. The resources are at /scim/v2/ResourceTypes.",
        false => problem.detail(),
    };
    Error {
        status,
        scim_type,
        detail: detail.to_owned(),
    }
}

/// The answer to a request that has the problem.
pub fn respond(problem: &Problem) -> Response<Vec<u8>> {
    let told = told(problem);
    let mut response = Response::new(told.to_json().to_string().into_bytes());
    *response.status_mut() = told.status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(CONTENT));
    headers.insert(CACHE_CONTROL, NO_STORE);
    headers.extend(problem.header().cloned());
    response
}

/// A value of an attribute that breaks `rule`, the rest of a sentence about the attribute.
pub fn invalid_value(attribute: &str, rule: &str) -> Problem {
    Problem::new(INVALID_VALUE, format!("The attribute {attribute} {rule}."))
}

/// Errors of the language are problems of the request.
impl From<Error> for Problem {
    fn from(error: Error) -> Problem {
        let mut own = ONLY_HERE.iter();
        let own = own.find(|(_, scim_type)| *scim_type == error.scim_type);
        let (kind, _) = own.unwrap_or(&(INVALID_SYNTAX, None));
        Problem::new(kind, error.detail)
    }
}

/// The document of a problem, as a part of the answer to many operations.
pub fn document(problem: &Problem) -> Value {
    told(problem).to_json()
}
