//! Which rule a member breaks.

use serde::Serialize;

/// The members of a user that only the service sets.
pub const READ_ONLY: [&str; 3] = ["id", "created_at", "updated_at"];

/// A member that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// Where the member is (JSON Pointer, RFC 6901).
    pub pointer: String,
    /// The rule, as the rest of a sentence whose subject is the member.
    pub detail: String,
}

impl Violation {
    pub(super) fn new(member: &str, detail: &str) -> Violation {
        Violation {
            // RFC 6901, section 3.
            pointer: format!("/{}", member.replace('~', "~0").replace('/', "~1")),
            detail: detail.to_owned(),
        }
    }

    /// Somebody else than the service would set `member`, one of [`READ_ONLY`].
    pub fn read_only(member: &str) -> Violation {
        Violation::new(member, "is set by the service")
    }
}
