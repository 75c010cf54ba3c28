//! What the store keeps for one user.

use serde::{Deserialize, Serialize};

use super::idempotency::Entry;
use super::{LEASE, versioned};
use crate::timestamp::Timestamp;
use crate::user::{Email, Profile, User, UserId, Version};

/// The key of a user's record.
pub(super) fn key(id: UserId) -> String {
    format!("user/{id}")
}

/// The value under a user's key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Record {
    /// How many claims on emails were made for this user, or given up on its
    /// behalf; see [`Claim`](super::claim::Claim).
    pub claims: u32,
    pub state: State,
    /// The key with which the user was created, as long as it is remembered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency: Option<Entry>,
}

/// A record, read in order to replace it.
pub(super) type Loaded<W> = versioned::Loaded<W, Record>;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    /// A create that is under way, or died: nobody's user yet.
    Pending { created_at: Timestamp },
    /// A user.
    Live(Live),
    /// There was a user, and that delete ended it. Nothing of it is kept, and
    /// its id is never given again.
    Deleted { by: Version },
    /// A create that was given up: the id names no user and never will.
    Void,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Live {
    /// The number of the claim by which the user holds its email.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<u32>,
    pub version: Version,
    pub profile: Profile,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// What the create answered, if that has changed, and repeats of it get that answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<First>,
}

/// What a later version of a user differs in from its first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct First {
    version: Version,
    profile: Profile,
    updated_at: Timestamp,
}

impl Live {
    /// The first version, for a later one to keep.
    pub fn to_first(&self) -> First {
        self.first.clone().unwrap_or_else(|| First {
            version: self.version,
            profile: self.profile.clone(),
            updated_at: self.updated_at,
        })
    }

    /// The first version.
    pub fn into_first(mut self) -> Live {
        if let Some(first) = self.first.take() {
            self.version = first.version;
            self.profile = first.profile;
            self.updated_at = first.updated_at;
        }
        self
    }

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

impl Record {
    /// The user, if there is one.
    pub fn into_user(self, id: UserId) -> Option<User> {
        match self.state {
            State::Live(live) => Some(live.user(id)),
            _ => None,
        }
    }

    /// Whether the record never changes again.
    pub fn is_final(&self) -> bool {
        matches!(self.state, State::Deleted { .. } | State::Void)
    }

    /// Whether this is a create that died, by all appearances.
    pub fn is_dead(&self, now: Timestamp) -> bool {
        matches!(self.state, State::Pending { created_at } if created_at.0 + LEASE < now.0)
    }

    /// Whether this is a user that holds `email` by the claim of that number.
    pub fn holds(&self, email: &Email, claim: u32) -> bool {
        match &self.state {
            State::Live(live) => {
                live.claim == Some(claim) && live.profile.email.as_ref() == Some(email)
            }
            _ => false,
        }
    }
}
