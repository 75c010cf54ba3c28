//! How many users there are, without counting them.
//!
//! The total is the number of ids that were given, less the ids that name no user. No store
//! operation changes a record and a count at once. So the [ledger](super::ledger) lists each
//! delete before it happens. A request that reads the total looks at the records of the listed
//! users, and a request that writes the ledger counts the deletes that were done. A crash in
//! between leaves an entry, not an error.
//!
//! Creates don't write the ledger, so that they stay cheap. Instead the ledger remembers up to
//! which id every create has ended (*settled*). A request that reads the total checks some of the
//! ids above: ids that never became users are not counted.

use super::claim::Claimant;
use super::ledger::{Given, Ledger};
use super::record::{Live, State};
use super::{Directory, Error, LEASE};
use crate::platform::Platform;
use crate::store::Store;
use crate::timestamp::Timestamp;
use crate::user::UserId;

/// How many ids above the settled ones a request looks at.
const CHECKED: u64 = 16;

/// From how many ids on it is worth a write to settle them.
const WORTH_SETTLING: u64 = 8;

/// The time between two notes of how many ids were given, in milliseconds.
const NOTED: i64 = LEASE / 4;

/// The result of a look at the creates that may not have ended.
struct Creates {
    /// Up to this id every create has ended.
    settled: u64,
    /// How many of those newly settled never became users.
    void: u64,
    /// How many of all ids looked at have no user, or none yet.
    without_user: u64,
    /// The first id whose create has not ended.
    open: Option<u64>,
}

impl<S: Store, P: Platform> Directory<'_, S, P> {
    /// The number of users in the directory, of the `created` ids that were given.
    ///
    /// Exact when no request is under way, if every id without a user is among the first
    /// [`CHECKED`] that are not settled. Each call settles up to as many ids, ids of dead
    /// creates after [`LEASE`].
    pub(super) async fn total(&self, created: u64) -> Result<u64, Error> {
        let ledger = self.ledger().await?;
        let now = self.platform.now();
        let mut left = 0;
        let mut old = false;
        for entry in &ledger.leaving {
            match self.record(entry.user).await {
                Ok(Some(record)) if entry.has_left(&record) => left += 1,
                // A record that can't be read is reported when it is asked for.
                Ok(_) | Err(Error::Unreadable(_)) => old |= entry.is_old(now),
                Err(error) => return Err(error),
            }
        }
        let creates = self.check_creates(&ledger, created, now).await?;
        let given = match creates.settled < created {
            true => note_given(&ledger.given, created, now),
            false => Vec::new(),
        };
        if left > 0
            || old
            || creates.settled - ledger.settled >= WORTH_SETTLING
            || given != ledger.given
        {
            // If this fails, the next request does it.
            let _ = self
                .amend(|amended| {
                    if amended.settled == ledger.settled {
                        amended.settled = creates.settled;
                        amended.void += creates.void;
                        amended.given = given;
                    }
                })
                .await;
        }
        let gone = [ledger.deleted, ledger.void, left, creates.without_user];
        let gone = gone.into_iter().fold(0, u64::saturating_add);
        Ok(created.saturating_sub(gone))
    }

    async fn check_creates(
        &self,
        ledger: &Ledger,
        created: u64,
        now: Timestamp,
    ) -> Result<Creates, Error> {
        let mut creates = Creates {
            settled: ledger.settled,
            void: 0,
            without_user: 0,
            open: None,
        };
        // A create that is not done gives its id up long before.
        let over = ended(&ledger.given, now);
        let last = created.min(ledger.settled.saturating_add(CHECKED));
        for number in ledger.settled.saturating_add(1)..=last {
            let id = UserId::try_from(number).map_err(|_| Error::Exhausted)?;
            let (has_user, ended) = match self.record(id).await {
                Ok(Some(record)) => match record.state {
                    State::Live(_) | State::Deleted { .. } => (true, true),
                    State::Void => (false, true),
                    State::Pending { .. } => {
                        let over = record.is_dead(now) && self.is_given_up::<Live>(id).await;
                        (false, over)
                    }
                },
                Ok(None) => (
                    false,
                    number <= over && self.has_no_record::<Live>(id).await?,
                ),
                Err(Error::Unreadable(_)) => (true, true),
                Err(error) => return Err(error),
            };
            creates.without_user += u64::from(!has_user);
            if !ended && creates.open.is_none() {
                creates.open = Some(number);
            }
            if creates.open.is_none() {
                creates.settled = number;
                creates.void += u64::from(!has_user);
            }
        }
        Ok(creates)
    }

    /// Whether an id has no record at this moment, also where `get` is late.
    pub(super) async fn has_no_record<L: Claimant>(&self, id: UserId) -> Result<bool, Error> {
        let (record, _) = self.store.current(&L::key(id)).await?;
        Ok(record.is_none())
    }

    /// Ends a create that died. Answers whether it ended without a user.
    pub(super) async fn is_given_up<L: Claimant>(&self, id: UserId) -> bool {
        let record = self.give_up::<L>(id).await;
        record.is_ok_and(|record| matches!(record.state, State::Void))
    }
}

/// Whether all creates with ids up to then have ended.
fn is_over(given: &Given, now: Timestamp) -> bool {
    given.at.0 + LEASE < now.0
}

/// Up to which id all creates have ended.
pub(super) fn ended(noted: &[Given], now: Timestamp) -> u64 {
    let old = noted.iter().filter(|given| is_over(given, now));
    old.map(|given| given.ids).max().unwrap_or(0)
}

/// Notes how many ids are given now, and drops notes that are no longer needed.
pub(super) fn note_given(noted: &[Given], ids: u64, at: Timestamp) -> Vec<Given> {
    // A note by a clock that was wrong would keep others out until its time comes.
    let noted = noted.iter().filter(|given| given.at.0 <= at.0 + LEASE);
    let mut given: Vec<Given> = noted.copied().collect();
    let newest_over = given.iter().rposition(|given| is_over(given, at));
    given.drain(..newest_over.unwrap_or(0));
    if given
        .last()
        .is_none_or(|last| last.ids < ids && last.at.0 + NOTED < at.0)
    {
        given.push(Given { ids, at });
    }
    given
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_given_is_noted_now_and_then_and_forgotten() {
        let mut given = Vec::new();
        for second in 0..300 {
            given = note_given(&given, 10 + second, Timestamp(second as i64 * 1000));
            assert!(given.len() <= 6, "{given:?}");
        }
        let over: Vec<_> = given
            .iter()
            .map(|given| is_over(given, Timestamp(299_000)))
            .collect();
        assert_eq!(over.iter().filter(|over| **over).count(), 1);
        // What is over is at most a quarter older than the lease.
        assert!(given[0].at.0 >= 299_000 - LEASE - NOTED - 2000, "{given:?}");
    }
}
