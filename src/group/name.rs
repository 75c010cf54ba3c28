//! The name of a group.

use serde::{Deserialize, Serialize};

use crate::unicode::{self, caseless, is_comparable};
use crate::user::{Rule, check_visible};

/// The name of a group: 1 to 100 characters. At least one of them can be seen, and none is
/// invisible, by the rules of a user's [`Name`](crate::user::Name). The only white space in it are
/// single spaces between other characters: two names that look alike are the same.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GroupName(String);

impl GroupName {
    /// The most characters (Unicode scalar values) a group's name has.
    pub const MAX_CHARS: usize = 100;

    /// The name as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Equal for two names that are the same: by the rule of usernames, see [`caseless`].
    pub fn folded(&self) -> String {
        caseless(&self.0)
    }
}

/// Names that differ in case or in the form of characters are the same.
impl PartialEq for GroupName {
    fn eq(&self, other: &GroupName) -> bool {
        self.0 == other.0 || self.folded() == other.folded()
    }
}

impl Eq for GroupName {}

impl TryFrom<String> for GroupName {
    type Error = Rule;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let trimmed = text.trim();
        if trimmed.is_empty() || trimmed.chars().count() > GroupName::MAX_CHARS {
            return Err(
                "must have 1 to 100 characters, not counting white space at its ends".into(),
            );
        }
        check_visible(trimmed)?;
        if trimmed.contains("  ") || !trimmed.chars().all(|c| c == ' ' || is_comparable(c)) {
            return Err(
                "must not contain white space other than single spaces, or unassigned characters"
                    .into(),
            );
        }
        if !trimmed.chars().any(unicode::is_seen) {
            return Err("must have a character that can be seen".into());
        }
        Ok(GroupName(trimmed.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Result<GroupName, Rule> {
        GroupName::try_from(text.to_owned())
    }

    #[test]
    fn a_name_may_have_spaces_and_is_kept_as_it_was_written() {
        for text in ["Site Admins", "R&D", "研究 部", "équipe d'été", "7"] {
            assert_eq!(name(text).unwrap().as_str(), text);
        }
        assert_eq!(name(" \tStaff \n").unwrap().as_str(), "Staff");
        assert!(name(&"ß".repeat(100)).is_ok());
    }

    #[test]
    fn a_text_that_is_no_name_is_refused_by_the_rule() {
        for (text, rule) in [
            ("", "1 to 100"),
            (" ", "1 to 100"),
            (&*"ß".repeat(101), "1 to 100"),
            ("Site  Admins", "single spaces"),
            ("Site\u{a0}Admins", "single spaces"),
            ("Site\u{3000}Admins", "single spaces"),
            ("Site\u{378}", "unassigned"),
            ("Site\tAdmins", "U+0009"),
            ("Sta\u{200b}ff", "U+200B"),
            ("\u{2800}", "can be seen"),
        ] {
            let told = name(text).unwrap_err();
            assert!(told.contains(rule), "{text:?} {told}");
        }
    }

    #[test]
    fn names_that_differ_in_case_and_form_are_the_same() {
        for (one, other) in [
            ("Site Admins", "SITE ADMINS"),
            ("Jose\u{301}", "JOSÉ"),
            ("straße", "STRASSE"),
        ] {
            assert_eq!(name(one).unwrap(), name(other).unwrap());
        }
        for (one, other) in [("Site Admins", "SiteAdmins"), ("a", "á")] {
            assert_ne!(name(one).unwrap(), name(other).unwrap());
        }
    }
}
