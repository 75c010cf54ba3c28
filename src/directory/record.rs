//! The value of one user in the store. That of a group has the same form.

use serde::{Deserialize, Serialize};

use super::claim::{Claimant, Claimed};
use super::fingerprint::Fingerprint;
use super::is_past_lease;
use crate::group::GroupId;
use crate::timestamp::Timestamp;
use crate::user::{AttributePath, Profile, User, UserId, Version};

/// The key of a user's record.
pub(super) fn key(id: UserId) -> String {
    ["user/", &id.get().to_string()].concat()
}

/// The value under the key of a user, or of a group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Record<L = Live> {
    /// How many claims were counted for this user: they were made, or ended by others
    /// before they held; see [`Claim`](super::claim::Claim).
    pub claims: u32,
    pub state: State<L>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum State<L = Live> {
    /// A create that is under way, or died: not a user yet.
    Pending { created_at: Timestamp },
    /// A user. In a box, as a record is moved on often, and each byte of that counts.
    Live(Box<L>),
    /// The user was deleted by the delete of that number. None of its data is kept, and its id is
    /// never given again.
    Deleted { by: Version },
    /// A create that was given up: the id names no user and never will.
    Void,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Live {
    /// The number of the claim by which the user has its email.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<u32>,
    /// The number of the claim by which the user has its username.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username_claim: Option<u32>,
    pub version: Version,
    pub profile: Profile,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// The first answer, if repeats of the create get it again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<FirstAnswer>,
    /// The groups that the user is in, ascending; deleted ones may be among them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<GroupId>,
    /// Whether nodes of the list of names may begin with the start of its name.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub gives_bound: bool,
    /// The [tags](super::lists::List::tag) of other lists of which that is true.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bounds: Vec<u32>,
    /// The paths of attributes by whose values the user is in lists.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub indexed: Vec<AttributePath>,
    /// Whether the user is in the list in the order of last changes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub in_updates: bool,
    /// How often a mark on the user was removed from a leaf: since then, an id that a request wrote
    /// there may be gone.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unmarked: u32,
}

/// The answer to a create with an idempotency key. A repeat sends the other members of the
/// answer itself, so that they need not be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FirstAnswer {
    /// Distinguishes a repeat of the request from another request.
    pub request: Fingerprint,
    pub version: Version,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Live {
    /// This version of the user.
    pub fn user(self, id: UserId) -> User {
        User {
            id,
            profile: self.profile,
            created_at: self.created_at,
            updated_at: self.updated_at,
            version: self.version,
        }
    }
}

impl Claimant for Live {
    fn key(id: UserId) -> String {
        key(id)
    }

    fn has_by_claim(&self, claimed: Claimed<'_>, claim: u32) -> bool {
        let profile = &self.profile;
        match claimed {
            Claimed::Email(email) => {
                self.claim == Some(claim) && profile.email.as_ref() == Some(email)
            }
            Claimed::Username(username) => {
                self.username_claim == Some(claim) && profile.username.as_ref() == Some(username)
            }
            Claimed::GroupName(_) => false,
        }
    }
}

impl Record {
    /// The record of a user. `claims` were counted before those by which the user has its email and
    /// its username.
    pub fn of(claims: u32, live: Box<Live>) -> Record {
        let held = [live.claim, live.username_claim];
        Record {
            claims: held.into_iter().flatten().fold(claims, u32::max),
            state: State::Live(live),
        }
    }

    /// The user, if there is one.
    pub fn into_user(self, id: UserId) -> Option<User> {
        match self.state {
            State::Live(live) => Some(live.user(id)),
            _ => None,
        }
    }
}

impl<L> Record<L> {
    /// Whether the record never changes again.
    pub fn is_final(&self) -> bool {
        matches!(self.state, State::Deleted { .. } | State::Void)
    }

    /// Whether this is a create that is taken for dead.
    pub fn is_dead(&self, now: Timestamp) -> bool {
        matches!(self.state, State::Pending { created_at } if is_past_lease(created_at, now))
    }
}
