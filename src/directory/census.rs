//! How many users there are, without counting them.
//!
//! The total is the ids that were given, less those that name no user. No store
//! operation changes a record and a count at once, so the ledger is told of a
//! delete before it happens: it lists the users that are about to leave. Who
//! reads the total looks at their records, and whoever next writes the ledger
//! counts those that have left. A crash in between leaves an entry, not an error.
//!
//! Creates tell nobody, so that they stay cheap. Instead the ledger remembers up
//! to which id every create has ended, and reading the total checks some of the
//! ids above: those that never became users are not counted, and once it is sure
//! that they never will, they are settled.
//!
//! Users who are gone are also counted by groups of ids, so that a page can step
//! over a group in which nobody is left.

use serde::{Deserialize, Serialize};

use super::cell::{self, Cell};
use super::record::{self, Record, State};
use super::versioned::{self, Held, Written};
use super::{ATTEMPTS, Directory, Error};
use crate::platform::Platform;
use crate::store::Store;
use crate::user::{UserId, Version};

/// The cell that names the ledger's key; 0 before there is a ledger.
///
/// A plain write of the ledger under a key of its own could come late and undo
/// what others wrote. So each who finds none writes one under a random key, and
/// the cell decides which it is, for good.
const LEDGER: &str = "census";

/// How many entries the ledger has for users that are about to leave.
const MAX_LEAVING: usize = 8;

/// How many ids that may not be settled a request looks at.
const CHECKED: u64 = 16;

/// From how many ids on it is worth a write to settle them.
const WORTH_SETTLING: u64 = 8;

/// After how long a create that has not ended is given up, in milliseconds. A
/// request is assumed to be over by then, on whatever clock it goes by.
pub(super) const CREATE_LEASE: i64 = 60_000;

/// How many ids a group has.
pub(super) const GROUP: u64 = 256;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Ledger {
    /// The users that were deleted, but for those still in `leaving`.
    deleted: u64,
    leaving: Vec<Leaving>,
    /// Up to this id, every create has ended one way or the other.
    settled: u64,
    /// How many of those ids never became users.
    void: u64,
}

/// A delete that is under way, or died.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Leaving {
    user: UserId,
    /// What the record will say, if it comes to it; see [`State::Deleted`].
    by: Version,
}

/// A delete that the ledger knows of: see [`Directory::announce`].
pub(super) struct Announced<W> {
    leaving: Leaving,
    key: String,
    /// The ledger after the announcement, if the store made it necessary to look.
    ledger: Option<Held<W, Ledger>>,
}

impl<S: Store, P: Platform> Directory<'_, S, P> {
    /// Tells the ledger that a user is about to be deleted, whose record the
    /// caller has already read in order to replace it, and what the record will
    /// say; `instead` of an earlier announcement that came to nothing.
    pub(super) async fn announce(
        &self,
        user: UserId,
        by: Version,
        instead: Option<Announced<S::Watch>>,
    ) -> Result<Announced<S::Watch>, Error> {
        let leaving = Leaving { user, by };
        let before = instead.map(|announced| announced.leaving);
        let key = self.ledger_key().await?;
        let mut held = self.hold_ledger(key.clone()).await?;
        for _ in 0..ATTEMPTS {
            let mut ledger = held.value.clone();
            ledger.leaving.retain(|entry| Some(*entry) != before);
            if ledger.leaving.len() >= MAX_LEAVING {
                self.clear(&mut ledger).await?;
            }
            ledger.leaving.push(leaving);
            match held.write(self.store, self.draw(), ledger).await? {
                Written::Done(ledger) => {
                    return Ok(Announced {
                        leaving,
                        key,
                        ledger,
                    });
                }
                Written::Overtaken(now) => held = now,
            }
        }
        Err(Error::Contended)
    }

    /// Takes an announced delete off the ledger, after it was done (`deleted`)
    /// or when it will not be. If that fails, the entry stays, to be dealt with
    /// by others.
    pub(super) async fn conclude(&self, announced: Announced<S::Watch>, deleted: bool) {
        let leaving = announced.leaving;
        let _ = self.take_off(announced, deleted).await;
        if deleted {
            // Never twice for a user: then a group might count as empty that is not.
            let _ = self
                .store
                .increment(&group_key(leaving.user.get()), 1)
                .await;
        }
    }

    async fn take_off(
        &self,
        Announced {
            leaving,
            key,
            ledger,
        }: Announced<S::Watch>,
        deleted: bool,
    ) -> Result<(), Error> {
        let mut held = match ledger {
            Some(held) => held,
            None => self.hold_ledger(key).await?,
        };
        for _ in 0..ATTEMPTS {
            let mut ledger = held.value.clone();
            let before = ledger.leaving.len();
            ledger.leaving.retain(|entry| *entry != leaving);
            if ledger.leaving.len() == before {
                break;
            }
            ledger.deleted += u64::from(deleted);
            match held.write(self.store, self.draw(), ledger).await? {
                Written::Done(_) => break,
                Written::Overtaken(now) => held = now,
            }
        }
        Ok(())
    }

    /// Empties the list of users about to leave: counts those who left, and
    /// makes sure that the deletes of the others come to nothing.
    async fn clear(&self, ledger: &mut Ledger) -> Result<(), Error> {
        for entry in std::mem::take(&mut ledger.leaving) {
            let key = record::key(entry.user);
            let Some(mut user) = record::Held::read(self.store, key).await? else {
                continue;
            };
            loop {
                if user.value.is_final() {
                    ledger.deleted += u64::from(has_left(&user.value, entry));
                    break;
                }
                // The delete replaces the record that was there before its announcement:
                // any write since then makes it fail.
                let same = user.value.clone();
                match user.write(self.store, self.draw(), same).await? {
                    Written::Done(_) => break,
                    Written::Overtaken(now) => user = now,
                }
            }
        }
        Ok(())
    }

    /// The number of users in the directory, of the `created` ids that were given.
    ///
    /// Exact when nothing is in flight, if every id that was given up is among
    /// the first [`CHECKED`] that are not settled; each call settles up to as many.
    pub(super) async fn total(&self, created: u64) -> Result<u64, Error> {
        let pointer = cell::get(self.store, LEDGER).await?;
        let ledger = match pointer {
            0 => Ledger::default(),
            _ => versioned::get::<_, Ledger>(self.store, &ledger_key(pointer))
                .await?
                .ok_or_else(|| Error::Unreadable(LEDGER.to_owned()))?,
        };
        let mut left = Vec::new();
        for entry in &ledger.leaving {
            if let Some(record) = self.record(entry.user).await?
                && has_left(&record, *entry)
            {
                left.push(*entry);
            }
        }
        let checked = self.check_creates(ledger.settled, created).await?;
        let gone = ledger.deleted + ledger.void + left.len() as u64 + checked.not_users;
        let total = created.saturating_sub(gone);
        if !left.is_empty() || checked.settled - ledger.settled >= WORTH_SETTLING {
            // Who comes next does it, if this does not.
            let _ = self.settle(&ledger, &left, &checked).await;
        }
        Ok(total)
    }

    /// Looks at the creates of the ids after `settled`.
    async fn check_creates(&self, settled: u64, created: u64) -> Result<Checked, Error> {
        let mut records = Vec::new();
        for number in settled + 1..=created.min(settled + CHECKED) {
            let id = UserId::try_from(number).map_err(|_| Error::Exhausted)?;
            records.push((id, self.record(id).await));
        }
        let mut checked = Checked {
            settled,
            void: 0,
            not_users: 0,
        };
        let expired = self.platform.now().0 - CREATE_LEASE;
        let mut all_ended = true;
        for (at, (id, record)) in records.iter().enumerate() {
            let (became_user, ended) = match record {
                Ok(Some(record)) => match record.state {
                    State::Live(_) | State::Deleted { .. } => (true, true),
                    State::Void => (false, true),
                    State::Pending { created_at } if created_at.0 < expired => {
                        (false, self.void_pending(*id).await?)
                    }
                    State::Pending { .. } => (false, false),
                },
                // Ids are given in order: if a later one was given long ago, so was this.
                Ok(None) => {
                    let mut later = records[at..]
                        .iter()
                        .filter_map(|(_, later)| later.as_ref().ok());
                    let dead = later
                        .any(|later| later.as_ref().is_some_and(|it| it.given_before(expired)));
                    if dead {
                        let void = Record {
                            claims: 0,
                            state: State::Void,
                        };
                        versioned::create(self.store, &record::key(*id), self.draw(), void).await?;
                    }
                    (false, dead)
                }
                // Somebody's record, as the answer to a request for it will say.
                Err(Error::Unreadable(_)) => (true, true),
                Err(error) => return Err(error.clone()),
            };
            checked.not_users += u64::from(!became_user);
            all_ended &= ended;
            if all_ended {
                checked.settled = id.get();
                checked.void += u64::from(!became_user);
            }
        }
        Ok(checked)
    }

    /// Gives up a create that died; answers whether it is over.
    async fn void_pending(&self, id: UserId) -> Result<bool, Error> {
        let Some(held) = Held::<_, Record>::read(self.store, record::key(id)).await? else {
            return Ok(false);
        };
        let State::Pending { .. } = held.value.state else {
            return Ok(false);
        };
        let void = Record {
            claims: held.value.claims,
            state: State::Void,
        };
        let written = held.write(self.store, self.draw(), void).await?;
        Ok(matches!(written, Written::Done(_)))
    }

    /// Writes into the ledger what was found out, unless others wrote it since.
    async fn settle(
        &self,
        seen: &Ledger,
        left: &[Leaving],
        checked: &Checked,
    ) -> Result<(), Error> {
        let held = self.hold_ledger(self.ledger_key().await?).await?;
        let mut ledger = held.value.clone();
        let before = ledger.leaving.len();
        ledger.leaving.retain(|entry| !left.contains(entry));
        ledger.deleted += (before - ledger.leaving.len()) as u64;
        if ledger.settled == seen.settled {
            ledger.settled = checked.settled;
            ledger.void += checked.void;
        }
        held.write(self.store, self.draw(), ledger).await?;
        Ok(())
    }

    /// Reads the ledger in order to replace it.
    async fn hold_ledger(&self, key: String) -> Result<Held<S::Watch, Ledger>, Error> {
        let held = Held::read(self.store, key).await?;
        held.ok_or_else(|| Error::Unreadable(LEDGER.to_owned()))
    }

    /// The key of the ledger, which there is afterwards.
    async fn ledger_key(&self) -> Result<String, Error> {
        let pointer = cell::get(self.store, LEDGER).await?;
        if pointer != 0 {
            return Ok(ledger_key(pointer));
        }
        let pointer = self.platform.random() as i64 & (cell::LIMIT - 1);
        let key = ledger_key(pointer);
        versioned::create(self.store, &key, self.draw(), Ledger::default()).await?;
        let cell = Cell::read(self.store, LEDGER.to_owned()).await?;
        if cell.number != 0 {
            return Ok(ledger_key(cell.number));
        }
        Ok(match cell.swap(self.store, pointer).await? {
            None => key,
            Some(others) => ledger_key(others.number),
        })
    }

    /// Whether no id of the group of `number` names a user, now or ever after.
    pub(super) async fn group_is_empty(&self, number: u64) -> Result<bool, Error> {
        Ok(cell::get(self.store, &group_key(number)).await? as u64 >= GROUP)
    }

    /// Remembers that no id of the group of `number` names a user.
    pub(super) async fn empty_group(&self, number: u64) -> Result<(), Error> {
        // More than all is all: deletes whose count comes late do no harm.
        self.store
            .increment(&group_key(number), GROUP as i64)
            .await?;
        Ok(())
    }
}

/// What came of looking at creates.
struct Checked {
    /// Up to this id every create has ended.
    settled: u64,
    /// How many of those newly settled never became users.
    void: u64,
    /// How many of all ids looked at never became users, or not yet.
    not_users: u64,
}

impl Record {
    /// Whether the record's id was certainly given before that time.
    fn given_before(&self, time: i64) -> bool {
        match &self.state {
            State::Live(live) => live.created_at.0 < time,
            State::Pending { created_at } => created_at.0 < time,
            State::Deleted { .. } | State::Void => false,
        }
    }
}

fn has_left(record: &Record, entry: Leaving) -> bool {
    matches!(record.state, State::Deleted { by } if by == entry.by)
}

fn ledger_key(pointer: i64) -> String {
    format!("census/{pointer:x}")
}

fn group_key(number: u64) -> String {
    format!("gone/{}", (number - 1) / GROUP)
}
