//! Which rule a member breaks.

use std::borrow::Cow;

use serde::Serialize;

use crate::unicode;

/// The members of a user or a group that only the service sets.
pub const READ_ONLY: [&str; 4] = ["id", "created_at", "updated_at", "etag"];

/// A rule that a member breaks, as the rest of a sentence whose subject is the member.
pub type Rule = Cow<'static, str>;

/// A member that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// Where the member is (JSON Pointer, RFC 6901).
    pub pointer: String,
    /// The rule, as the rest of a sentence whose subject is the member.
    pub detail: Rule,
}

impl Violation {
    /// The most violations that are told at once.
    pub const MAX: usize = 100;

    pub fn new(member: &str, rule: impl Into<Rule>) -> Violation {
        Violation {
            // RFC 6901, section 3.
            pointer: format!("/{}", member.replace('~', "~0").replace('/', "~1")),
            detail: rule.into(),
        }
    }

    /// The whole of what was sent breaks a rule.
    pub fn of_all(rule: impl Into<Rule>) -> Violation {
        Violation {
            pointer: String::new(),
            detail: rule.into(),
        }
    }

    /// A client tries to set `member`, one of [`READ_ONLY`].
    pub fn read_only(member: &str) -> Violation {
        Violation::new(member, "is set by the service")
    }
}

/// Fails if people can't see all characters of the text.
pub(crate) fn check_visible(text: &str) -> Result<(), Rule> {
    let Some(c) = unicode::unseen(text) else {
        return Ok(());
    };
    let code = u32::from(c);
    Err(match unicode::is_joiner(c) {
        true => format!("must not contain U+{code:04X} where it joins nothing"),
        false => format!("must not contain the invisible character U+{code:04X}"),
    }
    .into())
}
