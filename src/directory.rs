//! The directory of users, kept in a key-value store.
//!
//! All knowledge of keys and of the order of store operations is here; see
//! `ARCHITECTURE.md` for the whole of it. A user is one record, and a record is
//! only ever replaced by a swap, so each change of a user is one atomic step.
//! An email is a claim that its user's record confirms.
//!
//! - [`record`]: a user's record, and how it is written
//! - [`claim`]: who has an email
//! - [`cell`]: numbers that can be swapped, under both

mod cell;
mod claim;
mod record;

use std::fmt;

use crate::platform::Platform;
use crate::store::{Store, StoreError};
use crate::user::{Email, Profile, User, UserId, Version, Violation};
use claim::Claim;
use record::{Held, Live, Record, State, Written};

/// How many ids were given so far.
const CREATED: &str = "count/created";
/// How many of them name no user any more.
const DELETED: &str = "count/deleted";

/// How often an operation starts again because others were faster.
const ATTEMPTS: usize = 16;

/// How many reads a page spends on ids that name no user, before it ends short.
const PAGE_MISSES: usize = 256;

/// The users of one store.
pub struct Directory<'a, S, P> {
    pub store: &'a S,
    pub platform: &'a P,
}

/// Some users, ascending by id.
#[derive(Debug)]
pub struct Page {
    pub users: Vec<User>,
    /// The id after which the next page starts; `None` if there is no other user.
    pub next: Option<UserId>,
    /// The number of users in the directory.
    pub total: u64,
}

/// Why the directory did not do what it was asked.
#[derive(Debug, PartialEq)]
pub enum Error {
    /// The id names no user.
    NotFound,
    /// Another user has the email.
    EmailTaken,
    /// The user is not what the caller's condition asks for.
    PreconditionFailed,
    /// The new profile breaks a rule.
    Invalid(Vec<Violation>),
    /// The store failed. The change may or may not have been made.
    Store(StoreError),
    /// Others changed the same user or email too often. Nothing was changed, or the change is
    /// one that they wrote over.
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
            Error::PreconditionFailed => f.write_str("the user is at another version"),
            Error::EmailTaken => f.write_str("another user has the email"),
            Error::Invalid(_) => f.write_str("the profile breaks a rule"),
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

    /// Up to `limit` users with ids above `after`.
    pub async fn list(&self, after: u64, limit: usize) -> Result<Page, Error> {
        let created = self.created().await?;
        let deleted = cell::get(self.store, DELETED).await? as u64;
        let mut page = Page {
            users: Vec::new(),
            next: None,
            total: created.saturating_sub(deleted),
        };
        let mut misses = 0;
        for number in after.saturating_add(1)..=created {
            let id = UserId::try_from(number).map_err(|_| Error::Unreadable(CREATED.into()))?;
            match self
                .record(id)
                .await?
                .and_then(|record| record.into_user(id))
            {
                // One more than was asked for: there is a next page.
                Some(_) if page.users.len() == limit => {
                    page.next = page.users.last().map(|user| user.id);
                    break;
                }
                Some(user) => page.users.push(user),
                None if misses == PAGE_MISSES => {
                    page.next = Some(id);
                    break;
                }
                None => misses += 1,
            }
        }
        Ok(page)
    }

    /// How many ids were given so far, to users that are gone too.
    pub async fn created(&self) -> Result<u64, Error> {
        Ok(cell::get(self.store, CREATED).await? as u64)
    }

    /// Makes a new user.
    pub async fn create(&self, profile: Profile) -> Result<User, Error> {
        let Some(email) = profile.email.clone() else {
            let id = self.next_id().await?;
            let live = self.first_version(profile, None);
            let record = Record::new(live.version, State::Live(live.clone()));
            self.store.set(&record::key(id), &record.encode()).await?;
            return Ok(live.user(id));
        };
        claim::check(self.store, &email).await?;
        let id = self.next_id().await?;
        let pending = Record::new(self.draw(), State::Pending);
        self.store.set(&record::key(id), &pending.encode()).await?;
        let mut held = self.hold(id).await?;
        for _ in 0..ATTEMPTS {
            let claim = Claim::next(id, held.record.claims)?;
            match claim::make(self.store, self.platform, &email, claim).await {
                Err(Error::EmailTaken) => {
                    self.give_up(held).await?;
                    return Err(Error::EmailTaken);
                }
                made => made?,
            }
            let live = self.first_version(profile.clone(), Some(claim.number));
            let state = State::Live(live.clone());
            match held
                .write(self.store, live.version, claim.number, state)
                .await?
            {
                Written::Done => return Ok(live.user(id)),
                Written::Overtaken(now) => held = now,
            }
            if held.record.state != State::Pending {
                break;
            }
        }
        Err(Error::Contended)
    }

    /// Changes the user of that id to what `change` makes of it.
    pub async fn update(
        &self,
        id: UserId,
        change: impl Fn(&User) -> Result<Profile, Error>,
    ) -> Result<User, Error> {
        let mut held = self.hold(id).await?;
        for _ in 0..ATTEMPTS {
            let State::Live(before) = held.record.state.clone() else {
                return Err(Error::NotFound);
            };
            let profile = change(&before.clone().user(id))?;
            let mut claims = held.record.claims;
            let mut after = Live {
                claim: None,
                version: self.draw(),
                created_at: before.created_at,
                // A clock that was set back must not make a user look older than it is.
                updated_at: self.platform.now().max(before.updated_at),
                profile,
            };
            if after.profile.email == before.profile.email {
                after.claim = before.claim;
            } else if let Some(email) = &after.profile.email {
                let claim = Claim::next(id, claims)?;
                claim::make(self.store, self.platform, email, claim).await?;
                after.claim = Some(claim.number);
                claims = claim.number;
            }
            let state = State::Live(after.clone());
            match held.write(self.store, after.version, claims, state).await? {
                Written::Done => {
                    if after.profile.email != before.profile.email {
                        self.release(id, &before).await;
                    }
                    return Ok(after.user(id));
                }
                Written::Overtaken(now) => held = now,
            }
        }
        Err(Error::Contended)
    }

    /// Deletes the user of that id, if `check` does not object.
    pub async fn delete(
        &self,
        id: UserId,
        check: impl Fn(&User) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut held = self.hold(id).await?;
        for _ in 0..ATTEMPTS {
            let State::Live(before) = held.record.state.clone() else {
                return Err(Error::NotFound);
            };
            check(&before.clone().user(id))?;
            let claims = held.record.claims;
            match held
                .write(self.store, self.draw(), claims, State::Deleted)
                .await?
            {
                Written::Done => {
                    self.store.increment(DELETED, 1).await?;
                    self.release(id, &before).await;
                    return Ok(());
                }
                Written::Overtaken(now) => held = now,
            }
        }
        Err(Error::Contended)
    }

    async fn record(&self, id: UserId) -> Result<Option<Record>, Error> {
        let key = record::key(id);
        let bytes = self.store.get(&key).await?;
        bytes.map(|bytes| Record::decode(&key, &bytes)).transpose()
    }

    /// Reads a user's record in order to write it.
    async fn hold(&self, id: UserId) -> Result<Held<S::Watch>, Error> {
        Held::read(self.store, id).await?.ok_or(Error::NotFound)
    }

    async fn next_id(&self) -> Result<UserId, Error> {
        let number = self.store.increment(CREATED, 1).await?;
        UserId::try_from(number as u64).map_err(|_| Error::Exhausted)
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
        }
    }

    /// Ends a create whose email was taken meanwhile.
    async fn give_up(&self, held: Held<S::Watch>) -> Result<(), Error> {
        let claims = held.record.claims;
        held.write(self.store, self.draw(), claims, State::Void)
            .await?;
        self.store.increment(DELETED, 1).await?;
        Ok(())
    }

    /// Frees the email that a user no longer has. That the change was made does
    /// not depend on it: a claim left behind is recognised as such.
    async fn release(&self, user: UserId, before: &Live) {
        if let (Some(email), Some(number)) = (&before.profile.email, before.claim) {
            let _ = claim::release(self.store, email, Claim { user, number }).await;
        }
    }
}
