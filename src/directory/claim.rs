//! Claims on emails: how a user gets an email, and how another user gets it later.
//!
//! Each email that was ever used has a [number](super::number) under its hash. It
//! names the user that claimed the email last, and which of the user's claims that
//! was. A claim alone gives nothing: the user has the email once its record says
//! so, with the same claim. So no two users can have one email.
//!
//! A request that finds the email claimed looks at the record of the claimant. If
//! the record has the email by this claim, the email is taken. If it counts this
//! claim or a later one, or is final, the claim will never hold, and the email is
//! free. If it counts fewer claims, the claimant is about to write its record, or
//! has died: the newcomer then writes the higher count into the record, which makes
//! the claimant's write fail. No request waits, and no clock matters.
//!
//! No claim is taken back: the number of an email that was given up goes on naming
//! the user that had it last.

use sha2::{Digest, Sha256};

use super::number::{self, BESIDE_USER, Number};
use super::record::{self, Record};
use super::versioned::{Loaded, Written};
use super::{ATTEMPTS, Error};
use crate::platform::Platform;
use crate::store::Store;
use crate::user::{Email, UserId, Version};

/// A user's claim on an email: the user's first is 1. The claimant's record counts
/// one less until it is written to say that the claim holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Claim {
    pub user: UserId,
    pub number: u32,
}

impl Claim {
    /// The next claim of a user whose record counts `claims`.
    pub fn next(user: UserId, claims: u32) -> Result<Claim, Error> {
        match claims.checked_add(1) {
            Some(number @ ..BESIDE_USER) => Ok(Claim { user, number }),
            _ => Err(Error::Exhausted),
        }
    }

    /// Whether the claim is dead, that is, can never hold, by its claimant's record. Fails with
    /// [`Error::EmailTaken`] if it holds.
    fn is_dead(self, email: &Email, claimant: &Record) -> Result<bool, Error> {
        if claimant.has_by_claim(email, self.number) {
            return Err(Error::EmailTaken);
        }
        Ok(claimant.claims >= self.number || claimant.is_final())
    }

    fn to_number(self) -> i64 {
        number::naming(self.user, self.number)
    }

    /// The claim that an email's number names; `None` if no user ever claimed the email.
    fn from_number(number: i64) -> Option<Claim> {
        let (user, number) = number::named(number)?;
        Some(Claim { user, number })
    }
}

/// The key of an email's number: a hash, so that the store doesn't reveal addresses of deleted
/// users.
fn key(email: &Email) -> String {
    use std::fmt::Write;
    let mut key = "email/".to_owned();
    for byte in Sha256::digest(email.folded()) {
        write!(key, "{byte:02x}").expect("a String takes all that is written");
    }
    key
}

/// The claim on an email, whether or not it holds.
pub(super) async fn find<S: Store>(store: &S, email: &Email) -> Result<Option<Claim>, Error> {
    Ok(Claim::from_number(number::get(store, &key(email)).await?))
}

/// Makes sure that an email has a number, or fails with [`Error::EmailTaken`] if a user has the
/// email. Answers the claim on it if that claim is dead.
pub(super) async fn prepare<S: Store>(store: &S, email: &Email) -> Result<Option<Claim>, Error> {
    let number = number::add(store, &key(email), 0).await?;
    let Some(claim) = Claim::from_number(number) else {
        return Ok(None);
    };
    let claimant = load_claimant(store, email, claim).await?;
    let dead = claim.is_dead(email, &claimant.value)?;
    Ok(dead.then_some(claim))
}

/// The record of a claimant. A claimant has a record before it claims, so a number that names a
/// user without a record was not written by this service.
async fn load_claimant<S: Store>(
    store: &S,
    email: &Email,
    claim: Claim,
) -> Result<Loaded<S::Watch, Record>, Error> {
    let loaded = Loaded::read(store, record::key(claim.user)).await?;
    loaded.ok_or_else(|| Error::Unreadable(key(email)))
}

/// Makes `claim` the claim on `email`, or fails with [`Error::EmailTaken`] if a user
/// has it. Whether the claim holds is up to the caller's next write of its record. The
/// claim `dead` is known never to hold.
pub(super) async fn make<S: Store>(
    store: &S,
    platform: &impl Platform,
    email: &Email,
    claim: Claim,
    dead: Option<Claim>,
) -> Result<(), Error> {
    let mut number = Number::read(store, key(email)).await?;
    for _ in 0..ATTEMPTS {
        match Claim::from_number(number.value) {
            // This very claim, or a later one of the same user. A later one means that the record
            // was written since the caller loaded it: the caller's write will fail, and the later
            // claim must stay.
            Some(present) if present.user == claim.user && present.number >= claim.number => {
                return Ok(());
            }
            Some(present) if Some(present) == dead => {}
            Some(present) => end(store, platform, email, present).await?,
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
/// record where that is needed; or fails with [`Error::EmailTaken`].
async fn end<S: Store>(
    store: &S,
    platform: &impl Platform,
    email: &Email,
    claim: Claim,
) -> Result<(), Error> {
    let mut claimant = load_claimant(store, email, claim).await?;
    for _ in 0..ATTEMPTS {
        if claim.is_dead(email, &claimant.value)? {
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
