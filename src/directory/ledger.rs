//! What is written down about users who leave and creates that died, so that
//! the total can be told; see [`census`](super::census).

use serde::{Deserialize, Serialize};

use super::record::{self, Record, State};
use super::versioned::{self, Loaded, Written};
use super::{Directory, Error, LEASE, pointer};
use crate::platform::Platform;
use crate::store::Store;
use crate::timestamp::Timestamp;
use crate::user::{UserId, Version};

/// The key of the number that names the ledger's key; 0 before there is a ledger.
const POINTER: &str = "census";

/// How many users the ledger can list as about to leave.
const MAX_LEAVING: usize = 64;

/// How often a write of the ledger is tried. All deletes write it: of n at a time, one in n
/// tries succeeds.
const ATTEMPTS: usize = 256;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Ledger {
    /// The users that were deleted, but for those still in `leaving`.
    pub deleted: u64,
    /// Deletes that are under way, or died.
    pub leaving: Vec<Leaving>,
    /// Up to this id, every create has ended one way or the other.
    pub settled: u64,
    /// How many of those ids never became users.
    pub void: u64,
    /// How many ids had been given at some times, in order, to tell by which are old. Kept
    /// while there are ids that are not settled.
    pub given: Vec<Given>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Leaving {
    pub user: UserId,
    /// What the record will say, if it comes to it; see [`State::Deleted`].
    by: Version,
    at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Given {
    pub ids: u64,
    pub at: Timestamp,
}

impl Leaving {
    /// Whether the delete has died, by all appearances.
    pub fn is_old(&self, now: Timestamp) -> bool {
        self.at.0 + LEASE < now.0
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
    /// The ledger after the announcement, if the store made it necessary to look.
    ledger: Option<Loaded<W, Ledger>>,
}

impl<S: Store, P: Platform> Directory<'_, S, P> {
    /// The ledger as it is.
    pub(super) async fn ledger(&self) -> Result<Ledger, Error> {
        let Some(pointer) = pointer::find(self.store, POINTER).await? else {
            return Ok(Ledger::default());
        };
        let ledger = versioned::get(self.store, &key(pointer)).await?;
        ledger.ok_or_else(|| Error::Unreadable(POINTER.to_owned()))
    }

    /// Lists a user as about to be deleted, whose record the caller has already
    /// read in order to replace it, with what the record will say; `instead` of an
    /// earlier announcement that came to nothing.
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
            // A write of ours whose outcome could not be told may have done it.
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

    /// Counts an announced delete that was done.
    pub(super) async fn count_delete(&self, announced: AnnouncedDelete<S::Watch>) {
        let user = announced.leaving.user;
        // If it fails, the entry stays, and whoever reads it counts it.
        let _ = self.remove_entry(announced, 1).await;
        self.count_gone(user.get()).await;
    }

    /// Takes back the announcement of a delete that will not be done.
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

    /// Counts those of the users about to leave who have left, and makes sure
    /// that the deletes of others that are old come to nothing.
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
            // The delete replaces the record that was there before its announcement: any write
            // since then makes it fail. That it is old is courtesy, not what safety rests on.
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

    /// Replaces the ledger by what `change` makes of it, if nobody else writes it meanwhile.
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

    /// The key of the ledger, which there is afterwards.
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
