//! What is wrong, as SCIM says it (RFC 7644, section 3.12).

use http::StatusCode;
use serde_json::{Map, Value};

/// The schema of errors.
pub const SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:Error";

/// An error that a client is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    pub status: StatusCode,
    pub scim_type: Option<ScimType>,
    /// What is wrong, as a sentence for people.
    pub detail: String,
}

/// The kind of an error, for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScimType {
    InvalidFilter,
    TooMany,
    Uniqueness,
    Mutability,
    InvalidSyntax,
    InvalidPath,
    NoTarget,
    InvalidValue,
    InvalidVers,
    Sensitive,
    /// These three are of RFC 9865, section 3.
    InvalidCursor,
    ExpiredCursor,
    InvalidCount,
}

impl ScimType {
    /// As an error has it.
    pub fn as_str(self) -> &'static str {
        match self {
            ScimType::InvalidFilter => "invalidFilter",
            ScimType::TooMany => "tooMany",
            ScimType::Uniqueness => "uniqueness",
            ScimType::Mutability => "mutability",
            ScimType::InvalidSyntax => "invalidSyntax",
            ScimType::InvalidPath => "invalidPath",
            ScimType::NoTarget => "noTarget",
            ScimType::InvalidValue => "invalidValue",
            ScimType::InvalidVers => "invalidVers",
            ScimType::Sensitive => "sensitive",
            ScimType::InvalidCursor => "invalidCursor",
            ScimType::ExpiredCursor => "expiredCursor",
            ScimType::InvalidCount => "invalidCount",
        }
    }

    fn status(self) -> StatusCode {
        match self {
            ScimType::Uniqueness => StatusCode::CONFLICT,
            ScimType::Sensitive => StatusCode::FORBIDDEN,
            _ => StatusCode::BAD_REQUEST,
        }
    }
}

impl Error {
    /// An error of a kind that programs know, with the status that goes with it.
    pub fn new(scim_type: ScimType, detail: impl Into<String>) -> Error {
        Error {
            status: scim_type.status(),
            scim_type: Some(scim_type),
            detail: detail.into(),
        }
    }

    /// An error of which the status says all that programs are told.
    pub fn of_status(status: StatusCode, detail: impl Into<String>) -> Error {
        Error {
            status,
            scim_type: None,
            detail: detail.into(),
        }
    }

    /// The body of the answer. The status is a string there.
    pub fn to_json(&self) -> Value {
        let mut body = Map::new();
        body.insert("schemas".to_owned(), vec![SCHEMA].into());
        body.insert("status".to_owned(), self.status.as_str().into());
        if let Some(scim_type) = self.scim_type {
            body.insert("scimType".to_owned(), scim_type.as_str().into());
        }
        body.insert("detail".to_owned(), self.detail.as_str().into());
        Value::Object(body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_error_is_written_as_the_standard_says() {
        let taken = Error::new(ScimType::Uniqueness, "The userName is taken.");
        let expected = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
            "status": "409",
            "scimType": "uniqueness",
            "detail": "The userName is taken.",
        });
        assert_eq!(taken.to_json(), expected);
        let absent = Error::of_status(StatusCode::NOT_FOUND, "There is no such user.");
        assert_eq!(absent.to_json()["status"], "404");
        assert_eq!(absent.to_json().get("scimType"), None);
    }
}
