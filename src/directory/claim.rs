//! Claims on emails and usernames: how a user gets one, and how another user gets it later. Groups
//! claim their names likewise.
//!
//! Each email and each username that was ever used has a [number](super::number) under its hash.
//! It names the user that claimed it last, and which of the user's claims that was. A claim alone
//! gives nothing: the user has the email once its record says so, with the same claim. So no two
//! users can have one email, and likewise for usernames.
//!
//! A request that finds the email claimed looks at the record of the claimant. If
//! the record has the email by this claim, the email is taken. If it counts this
//! claim or a later one, or is final, the claim will never hold, and the email is
//! free. If it counts fewer claims, the claimant is about to write its record, or
//! has died: the newcomer then writes the higher count into the record, which makes
//! the claimant's write fail. No request waits, and no clock matters.
//!
//! The claims of a user on both members are counted together. A request that wants both makes two
//! claims, and then writes the record once. From a record that counts n claims, an email is always
//! claimed by n + 1 and a username by n + 2. So two requests that read the same record never claim
//! one username by different numbers, of which the record would get only one.
//!
//! No claim is taken back: the number of an email that was given up goes on naming
//! the user that had it last.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::number::{self, BESIDE_USER, Number};
use super::record::{Record, State};
use super::versioned::{Loaded, Written};
use super::{ATTEMPTS, Directory, Error, hashed_key};
use crate::group::GroupName;
use crate::platform::Platform;
use crate::store::Store;
use crate::user::{Email, UserId, Username, Version};

/// A member of which no two users, or no two groups, have the same value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unique {
    Email,
    Username,
    GroupName,
}

/// A value that a user or a group claims.
#[derive(Clone, Copy)]
pub(super) enum Claimed<'a> {
    Email(&'a Email),
    Username(&'a Username),
    GroupName(&'a GroupName),
}

/// A user or a group, as its record says.
pub(super) trait Claimant: Clone + Serialize + DeserializeOwned {
    /// The key of the record of the user or the group of that number.
    fn key(id: UserId) -> String;

    /// Whether it has the value by the claim of that number.
    fn has_by_claim(&self, claimed: Claimed<'_>, claim: u32) -> bool;
}

impl Claimed<'_> {
    fn member(self) -> Unique {
        match self {
            Claimed::Email(_) => Unique::Email,
            Claimed::Username(_) => Unique::Username,
            Claimed::GroupName(_) => Unique::GroupName,
        }
    }

    /// The key of the value's number.
    fn key(self) -> String {
        match self {
            Claimed::Email(email) => hashed_key("email", &email.folded()),
            Claimed::Username(username) => hashed_key("username", &username.folded()),
            Claimed::GroupName(name) => hashed_key("group-name", &name.folded()),
        }
    }

    /// The claim on it that a user makes whose record counts `claims`.
    fn claim_of(self, user: UserId, claims: u32) -> Result<Claim, Error> {
        let step = match self {
            Claimed::Email(_) | Claimed::GroupName(_) => 1,
            Claimed::Username(_) => 2,
        };
        match claims.checked_add(step) {
            Some(number @ ..BESIDE_USER) => Ok(Claim { user, number }),
            _ => Err(Error::Exhausted),
        }
    }
}

/// A user's claim on an email or a username: the user's first is 1 or 2. The claimant's record
/// counts less until it is written to say that the claim holds. A group's claim names the group
/// as if it were a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Claim {
    pub user: UserId,
    pub number: u32,
}

impl Claim {
    /// Whether the claim is dead, that is, can never hold, by its claimant's record. Fails with
    /// [`Error::Taken`] if it holds.
    fn is_dead<L: Claimant>(
        self,
        claimed: Claimed<'_>,
        claimant: &Record<L>,
    ) -> Result<bool, Error> {
        if let State::Live(live) = &claimant.state
            && live.has_by_claim(claimed, self.number)
        {
            return Err(Error::Taken(claimed.member()));
        }
        Ok(claimant.claims >= self.number || claimant.is_final())
    }

    fn to_number(self) -> i64 {
        number::naming(self.user, self.number)
    }

    /// The claim that a number names; `None` if no user ever made one.
    fn from_number(number: i64) -> Option<Claim> {
        let (user, number) = number::named(number)?;
        Some(Claim { user, number })
    }
}

/// The claim on an email or a username, whether or not it holds.
pub(super) async fn find<S: Store>(
    store: &S,
    claimed: Claimed<'_>,
) -> Result<Option<Claim>, Error> {
    Ok(Claim::from_number(
        number::get(store, &claimed.key()).await?,
    ))
}

/// Makes sure that an email or a username has a number, or fails with [`Error::Taken`] if a user has
/// it. Answers the claim on it if that claim is dead.
pub(super) async fn prepare<L: Claimant, S: Store>(
    store: &S,
    claimed: Claimed<'_>,
) -> Result<Option<Claim>, Error> {
    let number = number::add(store, &claimed.key(), 0).await?;
    let Some(claim) = Claim::from_number(number) else {
        return Ok(None);
    };
    let claimant = load_claimant::<L, S>(store, claimed, claim).await?;
    let dead = claim.is_dead(claimed, &claimant.value)?;
    Ok(dead.then_some(claim))
}

/// The record of a claimant. A claimant has a record before it claims, so a number that names a
/// user without a record was not written by this service.
async fn load_claimant<L: Claimant, S: Store>(
    store: &S,
    claimed: Claimed<'_>,
    claim: Claim,
) -> Result<Loaded<S::Watch, Record<L>>, Error> {
    let loaded = Loaded::read(store, L::key(claim.user)).await?;
    loaded.ok_or_else(|| Error::Unreadable(claimed.key()))
}

impl<S: Store, P: Platform> Directory<'_, S, P> {
    /// Claims an email or a username for a user whose record counts `claims`, or fails with
    /// [`Error::Taken`] if another user has it. Answers the number of the claim, which the record
    /// has to count with the caller's next write: only then does the claim hold. The claim `dead`
    /// is known never to hold.
    pub(super) async fn claim<L: Claimant>(
        &self,
        user: UserId,
        claims: u32,
        claimed: Claimed<'_>,
        dead: Option<Claim>,
    ) -> Result<u32, Error> {
        let claim = claimed.claim_of(user, claims)?;
        make::<L, S>(self.store, self.platform, claimed, claim, dead).await?;
        Ok(claim.number)
    }
}

/// Makes `claim` the claim on the email or the username, or fails with [`Error::Taken`] if a user
/// has it.
async fn make<L: Claimant, S: Store>(
    store: &S,
    platform: &impl Platform,
    claimed: Claimed<'_>,
    claim: Claim,
    dead: Option<Claim>,
) -> Result<(), Error> {
    let mut number = Number::read(store, claimed.key()).await?;
    for _ in 0..ATTEMPTS {
        match Claim::from_number(number.value) {
            // This very claim, or a later one of the same user. A later one means that the record
            // was written since the caller loaded it: the caller's write will fail, and the later
            // claim must stay.
            Some(Claim { user, number }) if user == claim.user && number >= claim.number => {
                return Ok(());
            }
            // An earlier claim of the same user was made when the record counted fewer claims than
            // the caller's does. So the record was written since, and the claim never holds. To end
            // it would fail the caller's own write.
            Some(present) if present.user == claim.user => {}
            Some(present) if Some(present) == dead => {}
            Some(present) => end::<L, S>(store, platform, claimed, present).await?,
            None => {}
        }
        match number.swap(store, claim.to_number()).await? {
            None => return Ok(()),
            Some(changed) => number = changed,
        }
    }
    Err(Error::Contended)
}

/// Makes sure that `claim` does not hold and never will, by a write to its claimant's
/// record where that is needed; or fails with [`Error::Taken`].
async fn end<L: Claimant, S: Store>(
    store: &S,
    platform: &impl Platform,
    claimed: Claimed<'_>,
    claim: Claim,
) -> Result<(), Error> {
    let mut claimant = load_claimant::<L, S>(store, claimed, claim).await?;
    for _ in 0..ATTEMPTS {
        if claim.is_dead(claimed, &claimant.value)? {
            return Ok(());
        }
        let counted = Record {
            claims: claim.number,
            ..claimant.value.clone()
        };
        let write = Version(platform.random());
        match claimant.write(store, write, counted).await? {
            Written::Done(_) => return Ok(()),
            Written::Overtaken(now) | Written::Unknown(now) => claimant = now,
        }
    }
    Err(Error::Contended)
}
