//! The id of a user in another system.

use serde::{Deserialize, Serialize};

use super::violation::Rule;

/// The id of a user in another system, such as the one that provisions users: 1 to 200
/// characters, without control characters. It is compared exactly, and several users may have the
/// same. White space at its ends is refused, as two ids that look alike would differ.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ExternalId(String);

impl ExternalId {
    /// The most characters (Unicode scalar values) an external id has.
    pub const MAX_CHARS: usize = 200;

    /// The external id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ExternalId {
    type Error = Rule;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text.is_empty() || text.chars().count() > ExternalId::MAX_CHARS {
            return Err("must have 1 to 200 characters".into());
        }
        if text.chars().any(char::is_control) {
            return Err("must not contain control characters".into());
        }
        match text.trim() == text {
            true => Ok(ExternalId(text)),
            false => Err("must not begin or end with white space".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_external_id_is_kept_and_compared_exactly() {
        let id = |text: &str| ExternalId::try_from(text.to_owned());
        for text in [
            "1",
            "CN=Ada Lovelace,OU=Engines",
            "é",
            "e\u{301}",
            "\u{200b}",
            &"ß".repeat(200),
        ] {
            assert_eq!(id(text).unwrap().as_str(), text);
        }
        for text in ["", " ", " a", "a\u{a0}", "a\nb", "\u{85}", &"ß".repeat(201)] {
            assert!(id(text).is_err(), "{text:?}");
        }
        assert_ne!(id("a"), id("A"));
        assert_ne!(id("é"), id("e\u{301}"));
    }
}
