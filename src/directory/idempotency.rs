//! Idempotency keys: a create that may be repeated makes one user.
//!
//! Each key that was ever used has a [number](super::number) under its hash. It names
//! the user of the newest create with the key, and the minute in which that create
//! claimed the key. The state of the user's record is the answer to a repeat:
//!
//! - `pending`: the create runs, or died. After [`LEASE`] it is taken for dead, and the
//!   record is made `void` by a swap, so that the create can't end after all;
//! - `void`: the create came to nothing, and the key is free;
//! - `live`: the repeat gets the first answer again;
//! - `deleted`: the user is gone.
//!
//! A key is free again a day and some minutes after it was claimed. A create claims a free key by
//! a swap of the number that it read. If the number changed meanwhile, it looks again. So of all
//! creates with one key, each sees the one before it.

use serde_json::Value;

use super::fingerprint::Fingerprint;
use super::number::{self, BESIDE_USER, Number};
use super::record::{self, Record, State};
use super::versioned::Loaded;
use super::{ATTEMPTS, Directory, Error};
use crate::platform::Platform;
use crate::store::Store;
use crate::timestamp::Timestamp;
use crate::user::{Profile, User, UserId};

const MINUTE: i64 = 60_000;

const DAY: i64 = 24 * 60 * MINUTE;

/// By how many minutes clocks may differ: for so much longer than a day the first answer is kept.
const CLOCKS: u32 = 10;

/// The hashes by which a repeat of a request is recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Idempotency {
    key: Fingerprint,
    request: Fingerprint,
}

impl Idempotency {
    /// Of the key that a client chose, which is visible ASCII, and of the JSON value that it sent:
    /// white space makes no difference. Each caller has its own keys.
    pub fn new(caller: Option<&str>, key: &str, payload: &Value) -> Idempotency {
        // A key has no line break.
        let key = match caller {
            Some(caller) => format!("{key}\n{caller}"),
            None => key.to_owned(),
        };
        Idempotency {
            key: Fingerprint::of(&key),
            // With the key, which is not kept: the hash alone tells nothing of the payload.
            request: Fingerprint::of(&format!("{key}\n{payload}")),
        }
    }

    /// The hash of the request, which the record keeps.
    pub(super) fn request(&self) -> Fingerprint {
        self.request
    }

    /// The key of the key's number.
    fn number_key(&self) -> String {
        format!("idempotency/{}", self.key)
    }
}

/// Whether repeats of a create at that time no longer get its answer.
pub(super) fn is_forgotten(created_at: Timestamp, now: Timestamp) -> bool {
    created_at.0 + DAY + i64::from(CLOCKS) * MINUTE < now.0
}

/// The minute of a time, modulo the room that a number has: it begins anew after 255 years.
fn minute(time: Timestamp) -> u32 {
    time.0.div_euclid(MINUTE).rem_euclid(BESIDE_USER.into()) as u32
}

/// Whether a key that was claimed in that minute is free by now: after 24 hours, a minute for the
/// time from the claim to the answer, and the difference that clocks may have. An age of more than
/// half of all minutes means that the claim is from the future, by a clock that is ahead.
fn is_free(claimed: u32, now: Timestamp) -> bool {
    let age = (BESIDE_USER + minute(now) - claimed) % BESIDE_USER;
    (24 * 60 + CLOCKS + 2..BESIDE_USER / 2).contains(&age)
}

impl<S: Store, P: Platform> Directory<'_, S, P> {
    /// Makes sure that a key has a number, and answers it.
    pub(super) async fn prepare_key(&self, idempotency: &Idempotency) -> Result<i64, Error> {
        number::add(self.store, &idempotency.number_key(), 0).await
    }

    /// The user of an earlier create with the key, by the key's number, as that create answered
    /// it; `None` if the key is free.
    ///
    /// Fails with [`Error::InProgress`] while that create runs, or may run, as it died less than
    /// a minute ago; with [`Error::KeyReused`] if it was another request, and with
    /// [`Error::Gone`] if its user was deleted.
    pub(super) async fn earlier_user(
        &self,
        idempotency: &Idempotency,
        profile: &Profile,
        number: i64,
    ) -> Result<Option<User>, Error> {
        let now = self.platform.now();
        let Some((id, _)) = number::named(number).filter(|(_, claimed)| !is_free(*claimed, now))
        else {
            return Ok(None);
        };
        // A create writes its record before it claims the key. Where `get` is late, it might not
        // tell of the record.
        let loaded = Loaded::<_, Record>::read(self.store, record::key(id)).await?;
        let loaded = loaded.ok_or_else(|| Error::Unreadable(record::key(id)))?;
        let mut record = loaded.value;
        if record.is_dead(now) {
            record = self.give_up(id).await?;
        }
        match record.state {
            State::Void => Ok(None),
            State::Pending { .. } => Err(Error::InProgress),
            State::Deleted { .. } => Err(Error::Gone),
            State::Live(live) => match live.first {
                Some(first) if !is_forgotten(live.created_at, now) => {
                    match first.request == idempotency.request {
                        true => Ok(Some(User {
                            id,
                            // The repeat sent the same profile.
                            profile: profile.clone(),
                            created_at: live.created_at,
                            updated_at: live.created_at,
                            version: first.version,
                        })),
                        false => Err(Error::KeyReused),
                    }
                }
                _ => Ok(None),
            },
        }
    }

    /// Claims the key for a pending create; or answers the user of another create that was first.
    /// The key was free when its number was `free`.
    pub(super) async fn claim_key(
        &self,
        id: UserId,
        idempotency: &Idempotency,
        profile: &Profile,
        free: i64,
    ) -> Result<Option<User>, Error> {
        let mut number = Number::read(self.store, idempotency.number_key()).await?;
        for _ in 0..ATTEMPTS {
            if number.value != free
                && let Some(user) = self
                    .earlier_user(idempotency, profile, number.value)
                    .await?
            {
                return Ok(Some(user));
            }
            let claim = number::naming(id, minute(self.platform.now()));
            match number.swap(self.store, claim).await? {
                None => return Ok(None),
                Some(changed) => number = changed,
            }
        }
        Err(Error::Contended)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_free_a_day_after_it_was_claimed_and_at_most_twelve_minutes_later() {
        // Until 2225 a number has room for the minutes since 1970, and then they begin anew.
        let turn = i64::from(BESIDE_USER) * MINUTE;
        for began in [
            0,
            1_800_000_000_000,
            1_800_000_059_999,
            turn - 1,
            turn,
            3 * turn - DAY,
        ] {
            let claimed = minute(Timestamp(began));
            for remembered in [-DAY, -1, 0, 1, DAY + 11 * MINUTE] {
                assert!(!is_free(claimed, Timestamp(began + remembered)), "{began}");
            }
            for free in [DAY + 12 * MINUTE, 2 * DAY, 36_500 * DAY] {
                assert!(is_free(claimed, Timestamp(began + free)), "{began}");
            }
        }
    }

    #[test]
    fn a_fingerprint_tells_values_and_keys_apart_but_not_their_spelling() {
        let of = |key: &str, payload: &str| {
            Idempotency::new(None, key, &serde_json::from_str(payload).unwrap()).request
        };
        assert_eq!(
            of("k", r#"{ "name" : "\u0041" }"#),
            of("k", r#"{"name":"A"}"#)
        );
        assert_ne!(of("k", r#"{"name":"B"}"#), of("k", r#"{"name":"A"}"#));
        assert_ne!(of("l", r#"{"name":"A"}"#), of("k", r#"{"name":"A"}"#));
    }
}
