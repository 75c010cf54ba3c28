//! The name of a user.

use serde::{Deserialize, Serialize};

/// What a user is called: 1 to 200 characters, none of them a control
/// character, without white space at either end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Name(String);

impl Name {
    /// The most characters (Unicode scalar values) a name has.
    pub const MAX_CHARS: usize = 200;

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Name {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let trimmed = text.trim();
        if trimmed.is_empty() || trimmed.chars().count() > Name::MAX_CHARS {
            return Err("must have 1 to 200 characters, not counting white space at its ends");
        }
        if trimmed.chars().any(char::is_control) {
            return Err("must not contain control characters");
        }
        Ok(Name(trimmed.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_name_is_trimmed_and_measured_in_characters() {
        let name = |text: &str| Name::try_from(text.to_owned());
        assert_eq!(name("  Zoë \t").unwrap().as_str(), "Zoë");
        assert!(name(&"ß".repeat(200)).is_ok());
        assert!(name(&"ß".repeat(201)).is_err());
        for text in ["", " \n ", "a\0b", "a\nb", "a\u{85}b"] {
            assert!(name(text).is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_name_or_refused(text in any::<String>()) {
            if let Ok(name) = Name::try_from(text.clone()) {
                prop_assert_eq!(name.as_str(), text.trim());
                prop_assert!(name.as_str().chars().count() <= Name::MAX_CHARS);
            }
        }
    }
}
