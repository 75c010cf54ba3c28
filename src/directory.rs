//! The directory of users, kept in a key-value store.
//!
//! Only this module knows keys and the order of store operations; `ARCHITECTURE.md` explains
//! them. A user is one record, and a record is
//! only ever replaced by a swap, so each change of a user is one atomic step.
//! An email or a username is a claim that its user's record confirms.
//!
//! - [`create`], [`update`], [`delete`]: the steps of each change
//! - [`record`]: the value of one user
//! - [`claim`]: the user of an email or a username
//! - [`external_ids`]: the users with an external id
//! - [`attributes`]: the users with a value in their attributes
//! - [`idempotency`]: the user that was created with an idempotency key
//! - [`groups`], [`membership`]: groups of users, and who is in which; [`roster`]: all groups one by one
//! - [`block`]: ranges of ids without users
//! - [`census`], [`ledger`]: the number of users
//! - [`page`], [`walk`]: several users at once, and all users one by one
//! - [`lists`], [`listed`]: the ids of users, or of groups, by what their records say
//! - [`index`]: lists into which new users are put later
//! - [`names`], [`words`]: searches by names and by words; [`group_words`]: the same for groups
//! - [`updates`]: all users in the order of their last changes
//! - [`quota`]: the number of requests of each client
//! - [`readiness`]: whether the store can be written, and does what the service needs
//! - [`versioned`], [`number`], [`pointer`]: values and numbers that can be swapped safely
//! - [`unknown_members`]: members of values that newer versions of the service added
//! - [`fingerprint`]: hashes that stand for texts
//! - [`sizes`]: the sizes of the parts of lists

mod attributes;
mod block;
mod census;
mod claim;
mod create;
mod delete;
mod external_ids;
mod fingerprint;
mod group_words;
mod groups;
mod idempotency;
mod index;
mod ledger;
mod listed;
mod lists;
mod membership;
mod names;
mod number;
mod page;
mod pointer;
mod quota;
mod readiness;
mod record;
mod roster;
mod sizes;
#[cfg(test)]
mod stored_format;
mod unknown_members;
mod update;
mod updates;
mod versioned;
mod walk;
mod words;

pub use claim::Unique;
pub use groups::GroupPage;
pub use lists::{Found, Position};
pub use membership::{GroupsOf, Membership};
pub use sizes::Sizes;

use std::fmt;

use sha2::{Digest, Sha256};

use crate::hexadecimal;
use crate::platform::Platform;
use crate::store::{Store, StoreError};
use crate::timestamp::Timestamp;
use crate::user::{Email, User, UserId, Username, Version};
use claim::{Claimant, Claimed};
pub use create::Created;
pub use idempotency::Idempotency;
use listed::Listed;
pub use page::{Gather, MAX_IDS, Page};
pub use readiness::NotReady;
use record::{Live, Record};
pub use roster::{GroupPlace, GroupStep, GroupWalk, Roster};
pub use updates::TimeSpan;
use versioned::Loaded;
pub use walk::{Order, Step, Walk};

/// The key of the number of ids that were given so far.
const CREATED: &str = "count/created";

/// How often an operation is tried, at most, when other requests write first.
const ATTEMPTS: usize = 16;

/// The lease: after this time, in milliseconds, a request that has not ended is taken for dead.
const LEASE: i64 = 60_000;

/// Whether a request that began at that time is taken for dead. So it is if it began as far in the
/// future, by a clock that was wrong: nothing waits for that time to come.
fn is_past_lease(began: Timestamp, now: Timestamp) -> bool {
    began.0.abs_diff(now.0) > LEASE as u64
}

/// The users of one store.
pub struct Directory<'a, S, P> {
    pub store: &'a S,
    pub platform: &'a P,
    pub sizes: Sizes,
}

/// Why an operation of the directory failed.
#[derive(Clone, Debug, PartialEq)]
pub enum Error {
    /// The id names no user.
    NotFound,
    /// The id names no group.
    NoGroup,
    /// The user is in as many groups as a user may be.
    TooManyGroups,
    /// Another user has the email or the username, or another group the name.
    Taken(Unique),
    /// Another create with the same idempotency key runs.
    InProgress,
    /// The idempotency key was used to create another user.
    KeyReused,
    /// The user that was created with the idempotency key is deleted.
    Gone,
    /// The store failed. The change may or may not have been made.
    Store(StoreError),
    /// Too many changes met. This one may or may not have been made.
    Contended,
    /// The index that a search needs has the first `done` of so many users, or groups.
    Indexing { done: u64, of: u64 },
    /// The value of this key is not one that this version of the service writes.
    Unreadable(String),
    /// There are no more ids, or no more claims for the user.
    Exhausted,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::NotFound => f.write_str("no such user"),
            Error::NoGroup => f.write_str("no such group"),
            Error::TooManyGroups => f.write_str("the user is in too many groups"),
            Error::Taken(Unique::GroupName) => f.write_str("another group has the name"),
            Error::Taken(Unique::Email) => f.write_str("another user has the email"),
            Error::Taken(Unique::Username) => f.write_str("another user has the username"),
            Error::InProgress => f.write_str("a create with the idempotency key runs"),
            Error::KeyReused => f.write_str("the idempotency key was used for another user"),
            Error::Gone => f.write_str("the user of the idempotency key is deleted"),
            Error::Store(error) => write!(f, "the store failed: {error}"),
            Error::Contended => f.write_str("too many concurrent changes"),
            Error::Indexing { done, of } => write!(f, "{done} of {of} are in the index"),
            Error::Unreadable(key) => write!(f, "the value of {key:?} can't be read"),
            Error::Exhausted => f.write_str("no numbers are left to give"),
        }
    }
}

impl std::error::Error for Error {}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Error {
        Error::Store(error)
    }
}

impl<S: Store, P: Platform> Directory<'_, S, P> {
    /// The user of that id.
    pub async fn get(&self, id: UserId) -> Result<User, Error> {
        let record = self.record(id).await?;
        record
            .and_then(|record| record.into_user(id))
            .ok_or(Error::NotFound)
    }

    /// The user who has the email, if there is one.
    pub async fn find_by_email(&self, email: &Email) -> Result<Option<User>, Error> {
        let user = self.claimant(Claimed::Email(email)).await?;
        Ok(user.filter(|user| user.profile.email.as_ref() == Some(email)))
    }

    /// The user who has the username, if there is one.
    pub async fn find_by_username(&self, username: &Username) -> Result<Option<User>, Error> {
        let user = self.claimant(Claimed::Username(username)).await?;
        Ok(user.filter(|user| user.profile.username.as_ref() == Some(username)))
    }

    /// The user who claimed it last. Whether the user has it, its profile says.
    async fn claimant(&self, claimed: Claimed<'_>) -> Result<Option<User>, Error> {
        let Some(claim) = claim::find(self.store, claimed).await? else {
            return Ok(None);
        };
        let record = self.record(claim.user).await?;
        Ok(record.and_then(|record| record.into_user(claim.user)))
    }

    /// How many ids were given so far, those of deleted users included.
    pub fn created(&self) -> impl Future<Output = Result<u64, Error>> {
        self.created_of::<Live>()
    }

    /// How many ids of users, or of groups, were given so far.
    async fn created_of<L: Listed>(&self) -> Result<u64, Error> {
        // Creates beyond the last id fail, and are counted all the same.
        let created = number::get(self.store, L::CREATED).await? as u64;
        Ok(created.min(UserId::MAX_NUMBER))
    }

    /// The number of users in the directory; [`Error::Unreadable`] if a value that it is counted by can't
    /// be read. After many creates that came to nothing it may be too high for some calls.
    pub async fn count(&self) -> Result<u64, Error> {
        self.total(self.created().await?).await
    }

    fn record(&self, id: UserId) -> impl Future<Output = Result<Option<Record>, Error>> {
        self.record_of(id)
    }

    /// The record of a user, or of a group.
    async fn record_of<L: Claimant>(&self, id: UserId) -> Result<Option<Record<L>>, Error> {
        versioned::get(self.store, &L::key(id)).await
    }

    /// Reads a user's record in order to replace it.
    fn load_for_update(
        &self,
        id: UserId,
    ) -> impl Future<Output = Result<Loaded<S::Watch, Record>, Error>> {
        self.load_of(id)
    }

    /// Reads the record of a user, or of a group, in order to replace it.
    async fn load_of<L: Claimant>(&self, id: UserId) -> Result<Loaded<S::Watch, Record<L>>, Error> {
        let loaded = Loaded::read(self.store, L::key(id)).await?;
        loaded.ok_or(Error::NotFound)
    }

    fn draw(&self) -> Version {
        Version(self.platform.random())
    }
}

/// The key of what belongs to a text: it has a hash, so that the store doesn't reveal the texts of
/// deleted users.
fn hashed_key(folder: &str, text: &str) -> String {
    let digest = Sha256::digest(text);
    let mut key = String::with_capacity(folder.len() + 1 + 2 * digest.len());
    key.push_str(folder);
    key.push('/');
    for part in digest.as_chunks::<8>().0 {
        hexadecimal::push(&mut key, u64::from_be_bytes(*part));
    }
    key
}
