//! The directory of users, kept in a key-value store.
//!
//! All knowledge of keys and of the order of store operations is here; see
//! `ARCHITECTURE.md` for the whole of it. A user is one record, and a record is
//! only ever replaced by a swap, so each change of a user is one atomic step.
//! An email is a claim that its user's record confirms.
//!
//! - [`record`]: what is kept for one user
//! - [`claim`]: who has an email
//! - [`idempotency`]: creates that may be repeated
//! - [`census`], [`ledger`]: how many users there are
//! - [`page`], [`walk`]: several users at once, and one after the other
//! - [`group`]: where nobody is left
//! - [`names`]: who is called how
//! - [`quota`]: how many requests each client made
//! - [`versioned`], [`number`], [`pointer`]: values and numbers that can be swapped safely
//! - [`sizes`]: how large their parts are

mod census;
mod claim;
mod group;
mod idempotency;
mod ledger;
mod names;
mod number;
mod page;
mod pointer;
mod quota;
mod record;
mod sizes;
mod versioned;
mod walk;

pub use names::{Found, Position};
pub use sizes::Sizes;

use std::fmt;

use crate::folded_name::FoldedName;
use crate::platform::Platform;
use crate::store::{Store, StoreError};
use crate::timestamp::Timestamp;
use crate::user::{Email, Profile, User, UserId, Version};
use claim::Claim;
use idempotency::Entry;
pub use idempotency::{Created, Idempotency};
use ledger::AnnouncedDelete;
pub use page::{Page, Selection};
use record::{Live, Loaded, Record, State};
use versioned::Written;
pub use walk::{Order, Step, Walk};

/// How many ids were given so far.
const CREATED: &str = "count/created";

/// How often an operation starts again because others were faster.
const ATTEMPTS: usize = 16;

/// How old an id is given to a user at the most, in milliseconds: less than
/// half the time after which others give it up, to leave room for clocks that
/// differ and for the write itself.
const STALE_ID: i64 = LEASE / 3;

/// After how long a request that has not ended is taken for dead, in milliseconds.
const LEASE: i64 = 60_000;

/// The users of one store.
pub struct Directory<'a, S, P> {
    pub store: &'a S,
    pub platform: &'a P,
    pub sizes: Sizes,
}

/// Why the directory did not do what it was asked.
#[derive(Clone, Debug, PartialEq)]
pub enum Error {
    /// The id names no user.
    NotFound,
    /// Another user has the email.
    EmailTaken,
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
    /// The value of this key is not one that this version of the service writes.
    Unreadable(String),
    /// There are no more ids, or no more claims for the user.
    Exhausted,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::NotFound => f.write_str("no such user"),
            Error::EmailTaken => f.write_str("another user has the email"),
            Error::InProgress => f.write_str("a create with the idempotency key runs"),
            Error::KeyReused => f.write_str("the idempotency key was used for another user"),
            Error::Gone => f.write_str("the user of the idempotency key is deleted"),
            Error::Store(error) => write!(f, "the store failed: {error}"),
            Error::Contended => f.write_str("too many concurrent changes"),
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
    pub async fn find(&self, email: &Email) -> Result<Option<User>, Error> {
        let Some(claim) = claim::find(self.store, email).await? else {
            return Ok(None);
        };
        let record = self.record(claim.user).await?;
        let user = record.and_then(|record| record.into_user(claim.user));
        Ok(user.filter(|user| user.profile.email.as_ref() == Some(email)))
    }

    /// How many ids were given so far, to users that are gone too.
    pub async fn created(&self) -> Result<u64, Error> {
        // Creates beyond the last id fail, and are counted all the same.
        let created = number::get(self.store, CREATED).await? as u64;
        Ok(created.min(UserId::MAX_NUMBER))
    }

    /// Makes a new user.
    pub async fn create(&self, profile: Profile) -> Result<User, Error> {
        let Some(email) = profile.email.clone() else {
            let given = self.next_id().await?;
            let live = self.first_version(profile, None);
            let record = Record {
                claims: 0,
                state: State::Live(live.clone()),
                idempotency: None,
            };
            let id = self.write_first(given, record).await?;
            return Ok(live.user(id));
        };
        let dead = claim::prepare(self.store, &email).await?;
        let given = self.next_id().await?;
        let id = self.write_first(given, self.pending(None)).await?;
        let created = self.complete(id, profile, dead).await;
        if created == Err(Error::EmailTaken) {
            self.give_up(id).await?;
        }
        created
    }

    /// Makes the user of a create that is pending. The claim `dead` on its email is known never
    /// to hold.
    async fn complete(
        &self,
        id: UserId,
        profile: Profile,
        dead: Option<Claim>,
    ) -> Result<User, Error> {
        let mut loaded = self.load_for_update(id).await?;
        for _ in 0..ATTEMPTS {
            let State::Pending { .. } = loaded.value.state else {
                break;
            };
            let mut claims = loaded.value.claims;
            let mut number = None;
            if let Some(email) = &profile.email {
                let claim = Claim::next(id, claims)?;
                claim::make(self.store, self.platform, email, claim, dead).await?;
                claims = claim.number;
                number = Some(claim.number);
            }
            let live = self.first_version(profile.clone(), number);
            let record = Record {
                claims,
                state: State::Live(live.clone()),
                idempotency: loaded.value.idempotency.clone(),
            };
            match loaded.write(self.store, live.version, record).await? {
                Written::Done(_) => return Ok(live.user(id)),
                Written::Overtaken(now) => loaded = now,
                Written::Unknown(_) => return Err(Error::Contended),
            }
        }
        Err(Error::Contended)
    }

    /// Ends a create that came to nothing, so that it never makes a user. Answers the record as
    /// it is then: void, unless the create had ended by itself.
    async fn give_up(&self, id: UserId) -> Result<Record, Error> {
        let mut loaded = self.load_for_update(id).await?;
        for _ in 0..ATTEMPTS {
            let State::Pending { .. } = loaded.value.state else {
                return Ok(loaded.value);
            };
            let void = Record {
                state: State::Void,
                ..loaded.value.clone()
            };
            match loaded.write(self.store, self.draw(), void.clone()).await? {
                Written::Done(_) => return Ok(void),
                Written::Overtaken(now) | Written::Unknown(now) => loaded = now,
            }
        }
        Err(Error::Contended)
    }

    /// Changes the user of that id to what `change` makes of it, if it does not object.
    pub async fn update<E: From<Error>>(
        &self,
        id: UserId,
        change: impl Fn(&User) -> Result<Profile, E>,
    ) -> Result<User, E> {
        let mut loaded = self.load_for_update(id).await?;
        for _ in 0..ATTEMPTS {
            let State::Live(before) = loaded.value.state.clone() else {
                return Err(Error::NotFound.into());
            };
            let profile = change(&before.clone().user(id))?;
            let idempotency = self.remembered(&loaded.value, &before);
            let mut claims = loaded.value.claims;
            let mut after = Live {
                claim: None,
                version: self.draw(),
                created_at: before.created_at,
                // A clock that was set back must not make a user look older than it is.
                updated_at: self.platform.now().max(before.updated_at),
                profile,
                first: idempotency.as_ref().map(|_| before.to_first()),
            };
            if after.profile.email == before.profile.email {
                after.claim = before.claim;
            } else if let Some(email) = &after.profile.email {
                let claim = Claim::next(id, claims)?;
                claim::make(self.store, self.platform, email, claim, None).await?;
                after.claim = Some(claim.number);
                claims = claim.number;
            }
            let name = &after.profile.name;
            if FoldedName::from(name) != FoldedName::from(&before.profile.name) {
                self.announce_name(id, name).await?;
            }
            let record = Record {
                claims,
                state: State::Live(after.clone()),
                idempotency,
            };
            match loaded.write(self.store, after.version, record).await? {
                Written::Done(_) => return Ok(after.user(id)),
                Written::Overtaken(now) => loaded = now,
                Written::Unknown(_) => return Err(Error::Contended.into()),
            }
        }
        Err(Error::Contended.into())
    }

    /// Deletes the user of that id, if `check` does not object.
    pub async fn delete<E: From<Error>>(
        &self,
        id: UserId,
        check: impl Fn(&User) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut loaded = self.load_for_update(id).await?;
        let mut announced: Option<AnnouncedDelete<S::Watch>> = None;
        for _ in 0..ATTEMPTS {
            let claims = loaded.value.claims;
            let mut idempotency = None;
            let allowed = match loaded.value.state.clone() {
                State::Live(before) => {
                    idempotency = self.remembered(&loaded.value, &before);
                    check(&before.user(id))
                }
                _ => Err(Error::NotFound.into()),
            };
            if let Err(refused) = allowed {
                if let Some(announced) = announced {
                    self.cancel_delete(announced).await;
                }
                return Err(refused);
            }
            let by = self.draw();
            let announcement = self.announce_delete(id, by, announced).await?;
            let record = Record {
                claims,
                state: State::Deleted { by },
                idempotency,
            };
            match loaded.write(self.store, by, record).await? {
                Written::Done(_) => {
                    self.count_delete(announcement).await;
                    return Ok(());
                }
                Written::Overtaken(now) => loaded = now,
                Written::Unknown(_) => return Err(Error::Contended.into()),
            }
            announced = Some(announcement);
        }
        Err(Error::Contended.into())
    }

    async fn record(&self, id: UserId) -> Result<Option<Record>, Error> {
        versioned::get(self.store, &record::key(id)).await
    }

    /// Reads a user's record in order to replace it.
    async fn load_for_update(&self, id: UserId) -> Result<Loaded<S::Watch>, Error> {
        let loaded = Loaded::read(self.store, record::key(id)).await?;
        loaded.ok_or(Error::NotFound)
    }

    /// Gives the next id, and says when it was asked for.
    async fn next_id(&self) -> Result<(UserId, Timestamp), Error> {
        let asked = self.platform.now();
        let number = self.store.increment(CREATED, 1).await?;
        let id = UserId::try_from(number as u64).map_err(|_| Error::Exhausted)?;
        Ok((id, asked))
    }

    /// Writes the first record of an id that was just given.
    async fn write_first(
        &self,
        (id, asked): (UserId, Timestamp),
        record: Record,
    ) -> Result<UserId, Error> {
        if self.platform.now().0 - asked.0 > STALE_ID {
            return Err(Error::Contended);
        }
        let write = self.draw();
        versioned::create(self.store, &record::key(id), write, record).await?;
        Ok(id)
    }

    fn pending(&self, idempotency: Option<Entry>) -> Record {
        Record {
            claims: 0,
            state: State::Pending {
                created_at: self.platform.now(),
            },
            idempotency,
        }
    }

    /// What the next record of a user keeps of the key with which the user was created.
    fn remembered(&self, record: &Record, live: &Live) -> Option<Entry> {
        let entry = record.idempotency.clone();
        entry.filter(|_| !idempotency::is_forgotten(live.created_at, self.platform.now()))
    }

    fn draw(&self) -> Version {
        Version(self.platform.random())
    }

    fn first_version(&self, profile: Profile, claim: Option<u32>) -> Live {
        let now = self.platform.now();
        Live {
            claim,
            version: self.draw(),
            profile,
            created_at: now,
            updated_at: now,
            first: None,
        }
    }
}
