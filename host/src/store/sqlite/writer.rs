//! The connection that writes, and its group commit.
//!
//! A write waits for no disk: see [`durability`](crate::store::durability). So it needs no thread
//! of its own, and is carried out where it is asked for, while nobody else writes. A write that
//! comes while another is carried out is queued; whoever has the connection carries out all that
//! is queued, in one transaction. That spares them the better part of their cost. So while writes
//! come in crowds, each lets others come before it begins.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode};
use tokio::sync::oneshot;
use tokio::task::{spawn_blocking, yield_now};
use tokio::time::timeout;

use super::address::BUSY_TIMEOUT;
use super::cache::{Cache, Found};
use super::operation::{Outcome, Write};
use super::readers::{MAX_SNAPSHOT_AGE, Readers};
use super::transaction;
use super::waiting::{Waiting, Written};
use crate::store::StoreError;
use crate::store::durability::{self, Durability};
use crate::store::reports::Reports;

/// The most operations in one commit: enough to make a commit cheap, few enough that the first of
/// them isn't answered late.
const MAX_BATCH: usize = 256;

/// A write of more pages than this is carried out on a thread that may block.
const MAX_PAGES: usize = 64;

/// How long until a write tries again while another process has the file.
const RETRY_INTERVAL: Duration = Duration::from_millis(1);

/// After about this many pages in the log it is moved into the database. SQLite's
/// own default.
const CHECKPOINT_PAGES: usize = 1000;

/// The connection that writes, and the writes that wait for it.
#[derive(Debug)]
pub(super) struct Writer {
    queue: Mutex<VecDeque<Waiting>>,
    /// None once it is closed.
    connection: Mutex<Option<Writing>>,
    /// Whether the last commit had more than one write.
    is_crowded: AtomicBool,
    /// When somebody last looked for commits of others, in microseconds since it was opened.
    looked: AtomicU64,
    opened: Instant,
    readers: Arc<Readers>,
    cache: Arc<Cache>,
    durability: Arc<Durability>,
    reports: Arc<Reports>,
}

/// What belongs to the connection that writes.
#[derive(Debug)]
struct Writing {
    connection: Connection,
    /// SQLite's count of the commits of others that this connection has met.
    commits_of_others: i64,
    /// About how many pages were written since the last checkpoint.
    pages: usize,
    /// Has a checkpoint made.
    checkpoints: SyncSender<()>,
}

/// Another process has the file.
struct Busy;

impl Writer {
    pub fn new(
        connection: Connection,
        checkpoints: SyncSender<()>,
        readers: Arc<Readers>,
        cache: Arc<Cache>,
        durability: Arc<Durability>,
        reports: Arc<Reports>,
    ) -> rusqlite::Result<Self> {
        let writing = Writing {
            commits_of_others: transaction::commits_of_others(&connection)?,
            connection,
            pages: 0,
            checkpoints,
        };
        Ok(Self {
            queue: Mutex::default(),
            connection: Mutex::new(Some(writing)),
            is_crowded: AtomicBool::new(false),
            looked: AtomicU64::new(0),
            opened: Instant::now(),
            readers,
            cache,
            durability,
            reports,
        })
    }

    /// Carries out a write. One that is given up before it is carried out is not made.
    pub async fn write(
        self: &Arc<Self>,
        store: Arc<str>,
        write: Write,
    ) -> Result<Written, StoreError> {
        let is_long = write.pages() > MAX_PAGES;
        let (answer, mut answered) = oneshot::channel();
        lock(&self.queue).push_back(Waiting {
            store,
            write,
            since: Instant::now(),
            answer,
        });
        if self.is_crowded.load(Ordering::Relaxed) {
            yield_now().await;
        }
        loop {
            if is_long {
                let writer = self.clone();
                spawn_blocking(move || writer.carry_out()).await.ok();
            } else {
                self.carry_out();
            }
            // Whoever has the connection answers, unless another process has the file.
            if let Ok(answer) = timeout(RETRY_INTERVAL, &mut answered).await {
                return answer.unwrap_or(Err(StoreError::Closed));
            }
        }
    }

    /// Looks whether others have written to the file. Answers the moment of the last commit, or
    /// none while somebody writes.
    pub fn look(&self) -> Option<u64> {
        let mut writing = self.try_lock()?;
        let moment = writing.as_mut().map(|writing| {
            self.look_on(writing);
            self.durability.latest()
        });
        drop(writing);
        self.carry_out();
        moment
    }

    /// Whether somebody has looked within the age that a snapshot may have.
    pub fn has_looked(&self) -> bool {
        let looked = Duration::from_micros(self.looked.load(Ordering::SeqCst));
        self.opened.elapsed().saturating_sub(looked) < MAX_SNAPSHOT_AGE
    }

    /// Runs `operation` while nobody writes. Waits for that.
    pub fn without(&self, operation: impl FnOnce()) {
        let writing = lock(&self.connection);
        if writing.is_some() {
            operation();
        }
        drop(writing);
        self.carry_out();
    }

    /// Carries out what is queued, and refuses what comes later. The connection closes when what
    /// this returns is dropped.
    pub fn close(&self) -> Option<Connection> {
        let mut writing = lock(&self.connection);
        if let Some(writing) = &mut *writing {
            // Somebody may still add to the queue.
            for _ in 0..MAX_BATCH {
                writing.connection.busy_timeout(BUSY_TIMEOUT).ok();
                if lock(&self.queue).is_empty() || self.commit_queued(writing).is_err() {
                    break;
                }
            }
        }
        let closed = writing.take();
        lock(&self.queue).clear();
        closed.map(|closed| closed.connection)
    }

    /// None while somebody else has it.
    fn try_lock(&self) -> Option<MutexGuard<'_, Option<Writing>>> {
        match self.connection.try_lock() {
            Ok(writing) => Some(writing),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// Carries out what is queued, unless somebody has the connection: whoever has it calls this
    /// after it has let go.
    fn carry_out(&self) {
        while !lock(&self.queue).is_empty() {
            let Some(mut writing) = self.try_lock() else {
                return;
            };
            match &mut *writing {
                Some(writing) => {
                    if let Err(Busy) = self.commit_queued(writing) {
                        return;
                    }
                }
                // Their answers are dropped, which says so.
                None => lock(&self.queue).clear(),
            }
        }
    }

    /// Commits the first of the queued writes, in one transaction, and answers them.
    fn commit_queued(&self, writing: &mut Writing) -> Result<(), Busy> {
        let mut batch: Vec<Waiting> = {
            let mut queue = lock(&self.queue);
            let length = queue.len().min(MAX_BATCH);
            queue.drain(..length).collect()
        };
        batch.retain(|waiting| !waiting.answer.is_closed());
        self.is_crowded.store(batch.len() > 1, Ordering::Relaxed);
        if batch.is_empty() {
            return Ok(());
        }
        match transaction::begin(&writing.connection) {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
                let (late, early): (Vec<_>, Vec<_>) = batch
                    .into_iter()
                    .partition(|waiting| waiting.since.elapsed() >= BUSY_TIMEOUT);
                if !late.is_empty() {
                    self.refuse(late, &error.into());
                }
                let mut queue = lock(&self.queue);
                for waiting in early.into_iter().rev() {
                    queue.push_front(waiting);
                }
                return Err(Busy);
            }
            Err(error) => self.refuse(batch, &error.into()),
            Ok(()) => self.commit(writing, batch),
        }
        Ok(())
    }

    /// Carries out every write in the transaction that has begun, and answers each when all readers
    /// see it.
    fn commit(&self, writing: &mut Writing, batch: Vec<Waiting>) {
        self.look_on(writing);
        let mut pages = 0;
        let connection = &writing.connection;
        let carry_out = || {
            let mut outcomes = Vec::with_capacity(batch.len());
            for Waiting { store, write, .. } in &batch {
                pages += write.pages();
                match transaction::execute(connection, store, write) {
                    // SQLite took the whole transaction back, as it does when the
                    // disk is full. The next write would be committed by itself.
                    Err(error) if connection.is_autocommit() => return Err(error),
                    outcome => outcomes.push(outcome),
                }
            }
            Ok(outcomes)
        };
        let outcomes = transaction::end(connection, carry_out, |commit| {
            if self.durability.has_failed() {
                return Err(durability::unsynced("see above"));
            }
            self.readers.across(|| {
                let keys = batch.iter().flat_map(|waiting| {
                    let keys = waiting.write.keys();
                    keys.map(|key| (&*waiting.store, key))
                });
                self.cache.forget(keys);
                commit.execute([])?;
                self.durability.commit();
                Ok(())
            })
        });
        writing.pages += pages;
        if writing.pages >= CHECKPOINT_PAGES {
            writing.pages = 0;
            // If there is one under way, another is due soon.
            writing.checkpoints.try_send(()).ok();
        }
        match outcomes {
            Ok(outcomes) => {
                self.reports.succeeded();
                let moment = self.durability.latest();
                for (waiting, outcome) in batch.into_iter().zip(outcomes) {
                    if let Ok(outcome) = outcome {
                        self.keep(&waiting, outcome, moment);
                    }
                    // The request may have been given up meanwhile.
                    waiting.answer.send(Ok(Written { outcome, moment })).ok();
                }
            }
            Err(error) => self.refuse(batch, &error),
        }
    }

    /// Puts into the cache what a write has left, or takes out what an earlier one of the same
    /// commit has put there.
    fn keep(&self, Waiting { store, write, .. }: &Waiting, outcome: Outcome, moment: u64) {
        match write.leaves(outcome) {
            Some((key, value)) => self.cache.put(store, key, Found { value, moment }),
            None => self.cache.forget(write.keys().map(|key| (&**store, key))),
        }
    }

    fn refuse(&self, batch: Vec<Waiting>, error: &StoreError) {
        self.reports.failed(error, batch.len());
        for waiting in batch {
            waiting.answer.send(Err(error.clone())).ok();
        }
    }

    /// Notes commits of others. It is unknown whether they are on the disk.
    fn look_on(&self, writing: &mut Writing) {
        let now = self.opened.elapsed();
        let met = transaction::commits_of_others(&writing.connection).ok();
        if met != Some(writing.commits_of_others) {
            writing.commits_of_others = met.unwrap_or(-1);
            self.readers.across(|| {
                self.cache.clear();
                self.durability.commit()
            });
        }
        let now = u64::try_from(now.as_micros()).unwrap_or(u64::MAX);
        self.looked.store(now, Ordering::SeqCst);
    }
}

// Std mutexes: nothing is awaited while one is held, nor the disk waited for.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
