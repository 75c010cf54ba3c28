//! The ledger: deletes that are under way, and counts, from which the total is computed; see
//! [`census`](super::census).

use serde::{Deserialize, Serialize};

use super::record::{self, Record, State};
use super::versioned::{self, Loaded, Written};
use super::{Directory, Error, is_past_lease, pointer};
use crate::platform::Platform;
use crate::store::Store;
use crate::timestamp::Timestamp;
use crate::user::{UserId, Version};

/// The key of the number that names the ledger's key; 0 before there is a ledger.
const POINTER: &str = "census";

/// How many deletes the ledger can list.
const MAX_LEAVING: usize = 64;

/// How often a write of the ledger is tried. All deletes write it: of n at a time, one in n
/// tries succeeds.
const ATTEMPTS: usize = 256;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Ledger {
    /// How many users were deleted, without those still in `leaving`.
    pub deleted: u64,
    /// Deletes that are under way, or died.
    pub leaving: Vec<Leaving>,
    /// Up to this id, every create has ended, with a user or without.
    pub settled: u64,
    /// How many of those ids never became users.
    pub void: u64,
    /// Notes of how many ids had been given at some times, in order: they tell which ids are old.
    /// Kept while some ids are not settled.
    pub given: Vec<Given>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Leaving {
    pub user: UserId,
    /// The number that the record gets if the delete succeeds; see [`State::Deleted`].
    by: Version,
    at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Given {
    pub ids: u64,
    pub at: Timestamp,
}

impl Leaving {
    /// Whether the delete is taken for dead.
    pub fn is_old(&self, now: Timestamp) -> bool {
        is_past_lease(self.at, now)
    }

    /// Whether the delete was done, by the record of its user.
    pub fn has_left(&self, record: &Record) -> bool {
        matches!(record.state, State::Deleted { by } if by == self.by)
    }
}

/// A delete that the ledger lists.
pub(super) struct AnnouncedDelete<W> {
    leaving: Leaving,
    key: String,
    /// The ledger with this entry, if the store's report made it necessary to read it.
    ledger: Option<Loaded<W, Ledger>>,
}

impl<S: Store, P: Platform> Directory<'_, S, P> {
    /// The ledger as it is.
    pub(super) async fn ledger(&self) -> Result<Ledger, Error> {
        let Some(pointer) = pointer::find(self.store, POINTER).await? else {
            return Ok(Ledger::default());
        };
        versioned::get_existing(self.store, &key(pointer)).await
    }

    /// Lists a delete, with the number that the record gets. The caller has already loaded the
    /// record. The new entry replaces that of an earlier attempt, `instead`.
    pub(super) async fn announce_delete(
        &self,
        user: UserId,
        by: Version,
        instead: Option<AnnouncedDelete<S::Watch>>,
    ) -> Result<AnnouncedDelete<S::Watch>, Error> {
        let at = self.platform.now();
        let leaving = Leaving { user, by, at };
        let before = instead.map(|announced| announced.leaving);
        let key = self.ledger_key().await?;
        let mut loaded = self.load_ledger(&key).await?;
        for _ in 0..ATTEMPTS {
            // An earlier write of this request, whose outcome was unknown, has done it.
            if loaded.value.leaving.contains(&leaving) {
                let ledger = Some(loaded);
                return Ok(AnnouncedDelete {
                    leaving,
                    key,
                    ledger,
                });
            }
            let mut ledger = loaded.value.clone();
            ledger.leaving.retain(|entry| Some(*entry) != before);
            if ledger.leaving.len() >= MAX_LEAVING {
                self.clear(&mut ledger).await?;
            }
            if ledger.leaving.len() >= MAX_LEAVING {
                return Err(Error::Contended);
            }
            ledger.leaving.push(leaving);
            match loaded.write(self.store, self.draw(), ledger).await? {
                Written::Done(ledger) => {
                    return Ok(AnnouncedDelete {
                        leaving,
                        key,
                        ledger,
                    });
                }
                Written::Overtaken(now) | Written::Unknown(now) => loaded = now,
            }
        }
        Err(Error::Contended)
    }

    /// Counts a listed delete that was done.
    pub(super) async fn count_delete(&self, announced: AnnouncedDelete<S::Watch>) {
        let user = announced.leaving.user;
        // If this fails, the entry stays, and readers of the ledger count it.
        let _ = self.remove_entry(announced, 1).await;
        self.count_gone(user.get()).await;
    }

    /// Removes the entry of a delete that will not be done.
    pub(super) async fn cancel_delete(&self, announced: AnnouncedDelete<S::Watch>) {
        let _ = self.remove_entry(announced, 0).await;
    }

    async fn remove_entry(
        &self,
        announced: AnnouncedDelete<S::Watch>,
        deleted: u64,
    ) -> Result<(), Error> {
        let mut loaded = match announced.ledger {
            Some(loaded) => loaded,
            None => self.load_ledger(&announced.key).await?,
        };
        for _ in 0..ATTEMPTS {
            let mut ledger = loaded.value.clone();
            ledger.leaving.retain(|entry| *entry != announced.leaving);
            if ledger.leaving.len() == loaded.value.leaving.len() {
                break;
            }
            ledger.deleted += deleted;
            match loaded.write(self.store, self.draw(), ledger).await? {
                Written::Done(_) => break,
                Written::Overtaken(now) | Written::Unknown(now) => loaded = now,
            }
        }
        Ok(())
    }

    /// Counts the listed deletes that were done, and makes sure that old ones that were not done
    /// never will be.
    pub(super) async fn clear(&self, ledger: &mut Ledger) -> Result<(), Error> {
        let now = self.platform.now();
        for entry in std::mem::take(&mut ledger.leaving) {
            let user = match Loaded::<_, Record>::read(self.store, record::key(entry.user)).await {
                Ok(Some(user)) => user,
                Err(Error::Store(error)) => return Err(error.into()),
                _ => {
                    ledger.leaving.push(entry);
                    continue;
                }
            };
            if user.value.is_final() {
                ledger.deleted += u64::from(entry.has_left(&user.value));
                continue;
            }
            // The delete replaces the record that it loaded before it was listed: any write since
            // then makes it fail. This is safe at any age; the age only spares running deletes.
            let same = user.value.clone();
            if !entry.is_old(now)
                || !matches!(
                    user.write(self.store, self.draw(), same).await?,
                    Written::Done(_)
                )
            {
                ledger.leaving.push(entry);
            }
        }
        Ok(())
    }

    /// Applies `change` to the ledger, unless another request writes it meanwhile.
    pub(super) async fn amend(&self, change: impl FnOnce(&mut Ledger)) -> Result<(), Error> {
        let loaded = self.load_ledger(&self.ledger_key().await?).await?;
        let mut ledger = loaded.value.clone();
        self.clear(&mut ledger).await?;
        change(&mut ledger);
        loaded.write(self.store, self.draw(), ledger).await?;
        Ok(())
    }

    /// Reads the ledger in order to replace it.
    async fn load_ledger(&self, key: &str) -> Result<Loaded<S::Watch, Ledger>, Error> {
        let loaded = Loaded::read(self.store, key.to_owned()).await?;
        loaded.ok_or_else(|| Error::Unreadable(POINTER.to_owned()))
    }

    /// The key of the ledger, which this makes if it is missing.
    async fn ledger_key(&self) -> Result<String, Error> {
        let create = async |pointer| {
            let ledger = Ledger::default();
            versioned::create(self.store, &key(pointer), self.draw(), ledger).await
        };
        let pointer = pointer::find_or_make(self.store, self.platform, POINTER, create).await?;
        Ok(key(pointer))
    }
}

fn key(pointer: i64) -> String {
    format!("census/{pointer:x}")
}
