//! The username of a user.

use serde::{Deserialize, Serialize};

use super::violation::{Rule, check_visible};
use crate::unicode::{self, caseless, is_comparable};

/// The name by which a user signs in: 1 to 100 characters, without white space. At least one of
/// them can be seen, and none is invisible, by the rules of a [`Name`](super::Name). It is kept as
/// it was written, without white space at its ends.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Username(String);

impl Username {
    /// The most characters (Unicode scalar values) a username has.
    pub const MAX_CHARS: usize = 100;

    /// The username as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Equal for two usernames that are the same: by the rule of the local part of an email, see
    /// [`caseless`].
    pub fn folded(&self) -> String {
        caseless(&self.0)
    }
}

/// Usernames that differ in case or in the form of characters are the same.
impl PartialEq for Username {
    fn eq(&self, other: &Username) -> bool {
        self.0 == other.0 || self.folded() == other.folded()
    }
}

impl Eq for Username {}

impl TryFrom<String> for Username {
    type Error = Rule;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let trimmed = text.trim();
        if trimmed.is_empty() || trimmed.chars().count() > Username::MAX_CHARS {
            return Err(
                "must have 1 to 100 characters, not counting white space at its ends".into(),
            );
        }
        check_visible(trimmed)?;
        if !trimmed.chars().all(is_comparable) {
            return Err("must not contain white space or unassigned characters".into());
        }
        if !trimmed.chars().any(unicode::is_seen) {
            return Err("must have a character that can be seen".into());
        }
        Ok(Username(trimmed.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn username(text: &str) -> Result<Username, Rule> {
        Username::try_from(text.to_owned())
    }

    #[test]
    fn a_username_is_trimmed_and_measured_in_characters() {
        assert_eq!(username("  ada \t").unwrap().as_str(), "ada");
        assert!(username(&"ß".repeat(100)).is_ok());
        assert!(username(&"ß".repeat(101)).is_err());
        for text in [
            "ada",
            "Ada.Lovelace",
            "ada@example.com",
            "+442079460018",
            "1815",
            "王小明",
            "علی\u{200c}رضا",
            "👩\u{200d}🚀",
            "CORP\\ada",
        ] {
            assert_eq!(username(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn a_text_that_is_no_username_is_refused_by_the_rule() {
        for (text, rule) in [
            ("", "1 to 100"),
            (" \n ", "1 to 100"),
            ("ada lovelace", "white space"),
            ("ada\u{a0}lovelace", "white space"),
            ("ada\u{3000}lovelace", "white space"),
            ("ada\u{378}", "unassigned"),
            ("ada\tlovelace", "U+0009"),
            ("a\0b", "U+0000"),
            ("ada\u{200b}", "U+200B"),
            ("\u{202e}ada", "U+202E"),
            ("a\u{ad}da", "U+00AD"),
            ("ada\u{200d}l", "joins nothing"),
            ("\u{2800}", "can be seen"),
        ] {
            let told = username(text).unwrap_err();
            assert!(told.contains(rule), "{text:?} {told}");
        }
    }

    #[test]
    fn usernames_that_differ_in_case_and_form_are_the_same() {
        for (one, other) in [
            ("Ada", "aDA"),
            ("straße", "STRASSE"),
            ("jose\u{301}", "JOSÉ"),
            ("ｊｏｓｅ", "jose"),
            ("οδος", "ΟΔΟΣ"),
            ("ﬁ", "FI"),
            ("❤\u{fe0f}", "❤"),
        ] {
            assert_eq!(username(one).unwrap(), username(other).unwrap());
        }
        for (one, other) in [("ada", "ado"), ("a", "а"), ("a", "á"), ("a.b", "ab")] {
            assert_ne!(username(one).unwrap(), username(other).unwrap());
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_username_or_refused(text in any::<String>()) {
            if let Ok(name) = username(&text) {
                prop_assert_eq!(name.as_str(), text.trim());
                prop_assert!(name.as_str().chars().count() <= Username::MAX_CHARS);
                prop_assert!(!name.folded().is_empty());
                prop_assert_eq!(username(name.as_str()), Ok(name));
            }
        }

        /// By the same rule as the local part of an email.
        #[test]
        fn a_username_is_folded_like_a_local_part(text in "[a-zA-Zéßﬁς_+]{1,20}") {
            let email = crate::user::Email::try_from(format!("{text}@x.example"));
            let folded = username(&text).unwrap().folded();
            prop_assert_eq!(email.unwrap().folded(), folded + "@x.example");
        }
    }
}
