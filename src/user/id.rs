//! The id of a user.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The id of a user: 1, 2, 3 … in order of creation. No id is given to a second user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub struct UserId(u64);

impl UserId {
    /// The highest id that can be given: 17,179,869,183. An id shares 64 bits
    /// with a claim number where emails and usernames are reserved.
    pub const MAX_NUMBER: u64 = (1 << 34) - 1;

    /// The id as a number.
    pub fn get(self) -> u64 {
        self.0
    }
}

impl TryFrom<u64> for UserId {
    type Error = &'static str;

    fn try_from(number: u64) -> Result<Self, Self::Error> {
        match number {
            1..=UserId::MAX_NUMBER => Ok(UserId(number)),
            _ => Err("is not the id of a user"),
        }
    }
}

impl From<UserId> for u64 {
    fn from(id: UserId) -> u64 {
        id.0
    }
}

/// Reads an id as it stands in a path: decimal, without a sign and without leading zeros,
/// so that a user has one URL only.
impl FromStr for UserId {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let canonical = text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
        match text.parse::<u64>() {
            Ok(number) if canonical => UserId::try_from(number),
            _ => Err("is not the id of a user"),
        }
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_spelling() {
        assert_eq!("17".parse(), Ok(UserId(17)));
        assert_eq!("17179869183".parse(), Ok(UserId(UserId::MAX_NUMBER)));
        for text in ["", "0", "017", "+17", "-1", "1.0", " 1", "١", "abc"] {
            assert!(text.parse::<UserId>().is_err(), "{text:?}");
        }
        for text in ["17179869184", "18446744073709551616"] {
            assert!(text.parse::<UserId>().is_err(), "{text:?}");
        }
    }
}
