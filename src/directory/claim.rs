//! Who has an email: claims, and how they pass from one user to another.
//!
//! Each email that was ever used has a [cell](super::number) which names the user
//! that may hold it, and the number of the claim that this user made. A claim
//! alone gives nothing: the user holds the email once its record says so, with
//! the same number. So a record that has an email always has the cell too, and
//! no two users can have it.
//!
//! Who finds a cell taken looks at the record of the claimant. If it does not
//! hold the email, and knows of the claim, then it never will: the cell is free.
//! If it does not know of the claim, the claimant is about to write its record,
//! or has died; the newcomer then raises the number in the record, which makes
//! that write fail. Gap waits, and nothing depends on a clock.
//!
//! Nobody takes a claim back: the cell of an email that was given up goes on
//! naming the user who had it last.

use sha2::{Digest, Sha256};

use super::number::{self, Number};
use super::record::{self, Loaded, Record};
use super::versioned::Written;
use super::{ATTEMPTS, Error};
use crate::platform::Platform;
use crate::store::Store;
use crate::user::{Email, UserId, Version};

/// Claims of one user are numbered below this.
const NUMBERS: u32 = 1 << 27;

const _: () = assert!((UserId::MAX_NUMBER + 1) * NUMBERS as u64 == number::LIMIT as u64);

/// A user's claim on an email. The number is one more than the count of claims
/// in the record on which the claimant will write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Claim {
    pub user: UserId,
    pub number: u32,
}

impl Claim {
    /// The next claim of a user whose record counts `claims`.
    pub fn next(user: UserId, claims: u32) -> Result<Claim, Error> {
        match claims.checked_add(1) {
            Some(number @ ..NUMBERS) => Ok(Claim { user, number }),
            _ => Err(Error::Exhausted),
        }
    }

    /// Whether the claim will certainly never hold, by its claimant's record; fails with
    /// [`Error::EmailTaken`] if it holds.
    fn is_dead(self, email: &Email, claimant: &Record) -> Result<bool, Error> {
        if claimant.holds(email, self.number) {
            return Err(Error::EmailTaken);
        }
        Ok(claimant.claims >= self.number || claimant.is_final())
    }

    fn to_number(self) -> i64 {
        (self.user.get() * u64::from(NUMBERS) + u64::from(self.number)) as i64
    }

    /// The claim in a cell; `None` if the email is free.
    fn from_number(number: i64) -> Option<Claim> {
        let number = number as u64;
        Some(Claim {
            user: UserId::try_from(number / u64::from(NUMBERS)).ok()?,
            number: (number % u64::from(NUMBERS)) as u32,
        })
    }
}

/// The key of an email's cell: a hash, for the store shall not tell the
/// addresses of users that are gone.
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

/// Fails with [`Error::EmailTaken`] if a user holds the email. Answers the claim
/// on it if that one will certainly never hold.
pub(super) async fn prepare<S: Store>(store: &S, email: &Email) -> Result<Option<Claim>, Error> {
    // The increment tells the number, and creates the cell for the claim that may follow.
    let number = store.increment(&key(email), 0).await?;
    let Some(claim) = Claim::from_number(number) else {
        return Ok(None);
    };
    let claimant = read_claimant(store, email, claim).await?;
    let dead = claim.is_dead(email, &claimant.value)?;
    Ok(dead.then_some(claim))
}

/// A claimant has a record before it claims: a cell that says otherwise is not of our making.
async fn read_claimant<S: Store>(
    store: &S,
    email: &Email,
    claim: Claim,
) -> Result<Loaded<S::Watch>, Error> {
    let loaded = Loaded::read(store, record::key(claim.user)).await?;
    loaded.ok_or_else(|| Error::Unreadable(key(email)))
}

/// Makes `claim` the claim on `email`, or fails with [`Error::EmailTaken`] if a
/// user holds it. It is up to the caller's write of its record whether the claim
/// holds. The claim `dead` is known never to hold.
pub(super) async fn make<S: Store>(
    store: &S,
    platform: &impl Platform,
    email: &Email,
    claim: Claim,
    dead: Option<Claim>,
) -> Result<(), Error> {
    let mut cell = Number::read(store, key(email)).await?;
    for _ in 0..ATTEMPTS {
        match Claim::from_number(cell.number) {
            // The user's own: this one already, or a later one. Then the record was written since
            // the caller read it, so that the caller's write is bound to fail, and the claim must stay.
            Some(present) if present.user == claim.user && present.number >= claim.number => {
                return Ok(());
            }
            Some(present) if Some(present) == dead => {}
            Some(present) => supersede(store, platform, email, present).await?,
            None => {}
        }
        match cell.swap(store, claim.to_number()).await? {
            None => return Ok(()),
            Some(changed) => cell = changed,
        }
    }
    Err(Error::Contended)
}

/// Makes sure that `claim` does not hold and never will, or fails with
/// [`Error::EmailTaken`].
async fn supersede<S: Store>(
    store: &S,
    platform: &impl Platform,
    email: &Email,
    claim: Claim,
) -> Result<(), Error> {
    let mut claimant = read_claimant(store, email, claim).await?;
    for _ in 0..ATTEMPTS {
        if claim.is_dead(email, &claimant.value)? {
            return Ok(());
        }
        let mut fenced = claimant.value.clone();
        fenced.claims = claim.number;
        let write = Version(platform.random());
        match claimant.write(store, write, fenced).await? {
            Written::Done(_) => return Ok(()),
            Written::Overtaken(now) | Written::Unknown(now) => claimant = now,
        }
    }
    Err(Error::Contended)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_is_a_number_and_back() {
        for user in [1, 2, UserId::MAX_NUMBER] {
            for number in [1, NUMBERS - 1] {
                let claim = Claim {
                    user: user.try_into().unwrap(),
                    number,
                };
                assert!((1..number::LIMIT).contains(&claim.to_number()));
                assert_eq!(Claim::from_number(claim.to_number()), Some(claim));
            }
        }
        assert_eq!(Claim::from_number(0), None);
    }
}
