//! The id of a group.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::user::UserId;

/// The id of a group: 1, 2, 3 … in order of creation. No id is given to a second group. It is a
/// number of the same range as a [`UserId`], and spelled likewise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GroupId(UserId);

impl GroupId {
    /// The id as a number.
    pub fn get(self) -> u64 {
        self.0.get()
    }

    /// The group as it claims its name: as if it were a user.
    pub(crate) fn claimant(self) -> UserId {
        self.0
    }
}

impl From<UserId> for GroupId {
    fn from(claimant: UserId) -> GroupId {
        GroupId(claimant)
    }
}

impl TryFrom<u64> for GroupId {
    type Error = &'static str;

    fn try_from(number: u64) -> Result<Self, Self::Error> {
        match UserId::try_from(number) {
            Ok(number) => Ok(GroupId(number)),
            Err(_) => Err("is not the id of a group"),
        }
    }
}

impl FromStr for GroupId {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse() {
            Ok(number) => Ok(GroupId(number)),
            Err(_) => Err("is not the id of a group"),
        }
    }
}

impl fmt::Display for GroupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
