//! What the store keeps for one user: its state, and how it got there.

use serde::{Deserialize, Serialize};

use super::Error;
use crate::store::{Report, Store};
use crate::timestamp::Timestamp;
use crate::user::{Email, Profile, User, UserId, Version};

/// The format of [`Record`] that this version of the service reads and writes.
const FORMAT: u32 = 1;

/// How many of its last writes a record remembers. A writer whose swap was
/// reported as failed finds itself among them, unless as many others wrote since.
const REMEMBERED_WRITES: usize = 8;

/// The value under a user's key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Record {
    format: u32,
    /// The random numbers of the last writes, the newest first. Every write has
    /// its own, so that no two values of a key are equal and each names its writer.
    writes: Vec<Version>,
    /// How many claims on emails were made for this user, or given up on its
    /// behalf; see [`Claim`](super::claim::Claim).
    pub claims: u32,
    pub state: State,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    /// A create that is under way, or died: nobody's user yet.
    Pending,
    /// A user.
    Live(Live),
    /// There was a user. Nothing of it is kept, and its id is never given again.
    Deleted,
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

impl Record {
    /// The first value of a user's key.
    pub fn new(write: Version, state: State) -> Record {
        Record {
            format: FORMAT,
            writes: vec![write],
            claims: 0,
            state,
        }
    }

    pub fn decode(key: &str, bytes: &[u8]) -> Result<Record, Error> {
        match serde_json::from_slice::<Record>(bytes) {
            Ok(record) if record.format == FORMAT && !record.writes.is_empty() => Ok(record),
            _ => Err(Error::Unreadable(key.to_owned())),
        }
    }

    pub fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a record has string keys only and is not recursive")
    }

    /// The user, if there is one.
    pub fn into_user(self, id: UserId) -> Option<User> {
        match self.state {
            State::Live(live) => Some(live.user(id)),
            _ => None,
        }
    }

    /// Whether the record never changes again.
    pub fn is_final(&self) -> bool {
        matches!(self.state, State::Deleted | State::Void)
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

/// The key of a user's record.
pub(super) fn key(id: UserId) -> String {
    format!("user/{id}")
}

/// A record, read in order to write it.
pub(super) struct Held<W> {
    pub id: UserId,
    key: String,
    bytes: Vec<u8>,
    watch: W,
    pub record: Record,
}

/// What came of a write.
pub(super) enum Written<W> {
    /// It took effect; others may have written since.
    Done,
    /// It did not and never will, for others wrote first. This is what they wrote.
    Overtaken(Held<W>),
}

impl<W> Held<W> {
    /// Reads the record of a user, if the store has one.
    pub async fn read<S: Store<Watch = W>>(store: &S, id: UserId) -> Result<Option<Self>, Error> {
        let key = key(id);
        match store.current(&key).await? {
            (None, _) => Ok(None),
            (Some(bytes), watch) => Self::from_parts(id, key, bytes, watch).map(Some),
        }
    }

    fn from_parts(id: UserId, key: String, bytes: Vec<u8>, watch: W) -> Result<Self, Error> {
        Ok(Held {
            id,
            record: Record::decode(&key, &bytes)?,
            key,
            bytes,
            watch,
        })
    }

    /// Writes `state` over what was read, if nobody has written since.
    pub async fn write<S: Store<Watch = W>>(
        mut self,
        store: &S,
        write: Version,
        claims: u32,
        state: State,
    ) -> Result<Written<W>, Error> {
        let mut writes = vec![write];
        writes.extend(self.record.writes.iter().take(REMEMBERED_WRITES - 1));
        let value = Record {
            format: FORMAT,
            writes,
            claims,
            state,
        }
        .encode();
        loop {
            if store.swap(self.watch, &value).await? == Report::Swapped {
                return Ok(Written::Done);
            }
            // The report may be untrue: the record tells.
            let (bytes, watch) = store.current(&self.key).await?;
            let bytes = bytes.ok_or_else(|| Error::Unreadable(self.key.clone()))?;
            if bytes == self.bytes {
                self.watch = watch;
                continue;
            }
            let now = Self::from_parts(self.id, self.key, bytes, watch)?;
            if now.record.writes.contains(&write) {
                return Ok(Written::Done);
            }
            // Only if the record remembers all writes since ours was tried is it certain.
            return match now.record.writes.contains(&self.record.writes[0]) {
                true => Ok(Written::Overtaken(now)),
                false => Err(Error::Contended),
            };
        }
    }
}
