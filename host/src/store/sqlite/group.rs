//! The connection that writes, and the group of writes that are committed together.
//!
//! A transaction costs SQLite more than a write does. So one stays open for the writes that come
//! later, also those of other requests, and all of them are committed at once when somebody waits
//! for the disk: see [`durability`](crate::store::durability). Until then they are found in the
//! [cache](Cache) alone. Each is answered as soon as it is there.
//!
//! If the commit fails, all that the group has written is gone, and so are the instances that have
//! seen anything of it: nothing of them has left the host, and they write no more. To those who are
//! left nothing has ever been written.
//!
//! While a transaction is open nobody else can write. So it stays open only while no other process
//! has the file open. And for a while after a commit that failed each write is committed before it
//! is answered.

use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::cache::{Cache, Found};
use super::operation::Outcome;
use super::others::Others;
use super::readers::Readers;
use super::transaction;
use super::waiting::{Waiting, Written};
use crate::store::StoreError;
use crate::store::durability::{self, Durability};
use crate::store::reports::Reports;

/// After about this many pages a group is committed, and moved from the log into the database.
/// SQLite's own default.
const CHECKPOINT_PAGES: usize = 1000;

/// How long no group stays open after a commit that failed.
const CAUTION: Duration = Duration::from_secs(1);

/// The connection that writes.
#[derive(Debug)]
pub(super) struct Group {
    connection: Connection,
    open: Option<Open>,
    others: Others,
    /// SQLite's count of the commits of others that this connection has met.
    commits_of_others: i64,
    /// When the last commit failed.
    failed: Option<Instant>,
    /// About how many pages were committed since the last checkpoint.
    pages: usize,
    /// Has a checkpoint made.
    checkpoints: SyncSender<()>,
    readers: Arc<Readers>,
    cache: Arc<Cache>,
    durability: Arc<Durability>,
    reports: Arc<Reports>,
}

/// A transaction that is open.
#[derive(Debug)]
struct Open {
    moment: u64,
    /// Whether it stays open when its first writes are carried out.
    stays: bool,
    /// How many of its writes were answered.
    answered: usize,
    /// About how many pages they changed.
    pages: usize,
}

impl Group {
    pub fn new(
        connection: Connection,
        others: Others,
        checkpoints: SyncSender<()>,
        readers: Arc<Readers>,
        cache: Arc<Cache>,
        durability: Arc<Durability>,
        reports: Arc<Reports>,
    ) -> rusqlite::Result<Self> {
        Ok(Self {
            commits_of_others: transaction::commits_of_others(&connection)?,
            connection,
            open: None,
            others,
            failed: None,
            pages: 0,
            checkpoints,
            readers,
            cache,
            durability,
            reports,
        })
    }

    /// Notes commits of others. It is unknown whether they are on the disk.
    pub fn look(&mut self) {
        // There are none while it has the lock.
        if self.open.is_some() {
            return;
        }
        let met = transaction::commits_of_others(&self.connection).ok();
        if met != Some(self.commits_of_others) {
            self.commits_of_others = met.unwrap_or(-1);
            self.readers.across(|| {
                self.cache.clear();
                self.durability.committed(self.durability.moment());
            });
        }
    }

    /// Begins a transaction, unless one is open. An error may say that another process has the
    /// file.
    pub fn begin(&mut self) -> rusqlite::Result<()> {
        if self.open.is_some() {
            return Ok(());
        }
        transaction::begin(&self.connection)?;
        self.look();
        let is_cautious = self.failed.is_some_and(|failed| failed.elapsed() < CAUTION);
        let stays = !is_cautious && self.others.are_none();
        self.open = Some(Open {
            moment: self.durability.moment(),
            stays,
            answered: 0,
            pages: 0,
        });
        if stays {
            self.durability.opened();
        }
        Ok(())
    }

    /// Carries out writes in the transaction that has begun, and answers each when all readers see
    /// it. Answers whether the transaction stays open.
    pub fn carry_out(&mut self, batch: Vec<Waiting>) -> bool {
        let outcomes = match self.execute(&batch) {
            Ok(outcomes) => outcomes,
            Err(error) => {
                self.lose(&error);
                self.refuse(batch, &error);
                return false;
            }
        };
        let Some(open) = &mut self.open else {
            unreachable!("the writes are in a transaction")
        };
        let (moment, stays) = (open.moment, open.stays);
        if stays {
            open.answered += batch.len();
        } else {
            let changes = batch.iter().flat_map(|waiting| {
                let keys = waiting.write.keys();
                keys.map(|key| (&*waiting.store, key))
            });
            if let Err(error) = self.commit_after(changes) {
                self.refuse(batch, &error);
                return false;
            }
        }
        for (waiting, outcome) in batch.into_iter().zip(outcomes) {
            let Waiting { store, write, .. } = &waiting;
            if let Ok(outcome) = outcome {
                write.leaves(outcome, |key, value| {
                    let found = Found { value, moment };
                    match stays {
                        true => self.cache.write(store, key, found),
                        false => self.cache.put(store, key, found),
                    }
                });
            }
            // The request may have been given up meanwhile.
            waiting.answer.send(Ok(Written { outcome, moment })).ok();
        }
        if self
            .open
            .as_ref()
            .is_some_and(|open| open.pages >= CHECKPOINT_PAGES)
        {
            self.commit().ok();
        }
        stays
    }

    /// Carries out writes, and says what came of each; or fails with the whole transaction.
    fn execute(
        &mut self,
        batch: &[Waiting],
    ) -> Result<Vec<Result<Outcome, StoreError>>, StoreError> {
        if self.durability.has_failed() {
            return Err(durability::unsynced("see above"));
        }
        let mut outcomes = Vec::with_capacity(batch.len());
        for Waiting {
            store,
            write,
            basis,
            ..
        } in batch
        {
            // What it rests on went while nobody else had the connection.
            if basis.is_lost() {
                outcomes.push(Err(lost()));
                continue;
            }
            if let Some(open) = &mut self.open {
                open.pages += write.pages();
            }
            match transaction::execute(&self.connection, store, write) {
                // SQLite took the whole transaction back, as it does when the
                // disk is full. The next write would be committed by itself.
                Err(error) if self.connection.is_autocommit() => return Err(error),
                outcome => outcomes.push(outcome),
            }
        }
        Ok(outcomes)
    }

    /// Commits the transaction that is open, if there is one. If that fails, all its writes are
    /// gone.
    pub fn commit(&mut self) -> Result<(), StoreError> {
        self.commit_after(std::iter::empty())
    }

    /// The same, and takes out of the cache what it changes and is not there as uncommitted.
    fn commit_after<'a>(
        &mut self,
        changes: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> Result<(), StoreError> {
        let Some(open) = &self.open else {
            return Ok(());
        };
        let committed = if self.durability.has_failed() {
            Err(durability::unsynced("see above"))
        } else {
            self.readers.across(|| {
                for (store, key) in changes {
                    self.cache.forget(store, key);
                }
                transaction::commit(&self.connection)?;
                self.durability.committed(open.moment);
                Ok(())
            })
        };
        if let Err(error) = committed {
            self.lose(&error);
            return Err(error);
        }
        self.cache.commit();
        self.pages += open.pages;
        self.open = None;
        self.reports.succeeded();
        if self.pages >= CHECKPOINT_PAGES {
            self.pages = 0;
            // If there is one under way, another is due soon.
            self.checkpoints.try_send(()).ok();
        }
        Ok(())
    }

    /// Takes back the transaction that is open.
    fn lose(&mut self, error: &StoreError) {
        transaction::roll_back(&self.connection);
        self.failed = Some(Instant::now());
        if let Some(open) = self.open.take()
            && open.answered > 0
        {
            // Whoever has found one of its values rests on its moment, which no sync makes durable
            // before the connection is let go.
            self.cache.roll_back();
            self.durability.lose(open.moment);
            self.reports.failed(error, open.answered);
        }
    }

    /// Answers writes that were not made.
    pub fn refuse(&self, batch: Vec<Waiting>, error: &StoreError) {
        self.reports.failed(error, batch.len());
        for waiting in batch {
            waiting.answer.send(Err(error.clone())).ok();
        }
    }

    /// The connection, if a transaction is open.
    #[cfg(test)]
    pub fn open(&self) -> Option<&Connection> {
        self.open.as_ref().map(|_| &self.connection)
    }

    /// Waits for other processes from now on, instead of refusing at once.
    pub fn wait_for_others(&self, limit: Duration) {
        self.connection.busy_timeout(limit).ok();
    }

    /// Commits what is open, and gives the connection.
    pub fn close(mut self) -> Connection {
        self.commit().ok();
        self.connection
    }
}

/// Why a write is refused that rests on others which are gone.
fn lost() -> StoreError {
    StoreError::Backend("what was read or written before could not be kept".to_owned())
}
