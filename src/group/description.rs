//! The description of a group.

use serde::{Deserialize, Serialize};

use crate::user::Rule;

/// What a group is for, in the words of those who keep it: 1 to 1,000 characters. It may have lines;
/// it has no other control characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Description(String);

impl Description {
    /// The most characters (Unicode scalar values) a description has.
    pub const MAX_CHARS: usize = 1000;
}

impl TryFrom<String> for Description {
    type Error = Rule;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let trimmed = text.trim();
        if trimmed.is_empty() || trimmed.chars().count() > Description::MAX_CHARS {
            return Err(
                "must have 1 to 1000 characters, not counting white space at its ends".into(),
            );
        }
        let is_control = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
        match trimmed.contains(is_control) {
            true => Err("must not contain control characters other than tabs and line ends".into()),
            false => Ok(Description(trimmed.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_may_have_lines_and_no_other_control_characters() {
        let description = |text: &str| Description::try_from(text.to_owned());
        for text in ["Those who\ndeploy.", "a\r\n\tb", &"ß".repeat(1000)] {
            assert_eq!(description(text).unwrap().0, text);
        }
        assert_eq!(description(" x ").unwrap().0, "x");
        for text in ["", " ", "a\0b", "a\u{1b}[1m", &"ß".repeat(1001)] {
            assert!(description(text).is_err(), "{text:?}");
        }
    }
}
