//! The writes, one after the other.
//!
//! A write waits for no disk: see [`durability`](crate::store::durability). So it needs no thread
//! of its own, and is carried out where it is asked for, while nobody else writes. A write that
//! comes while another is carried out is queued; whoever has the connection carries out all that
//! is queued. Where each write is committed before it is answered, those that are carried out
//! together are committed together, which spares them the better part of their cost. So while
//! writes come in crowds there, each lets others come before it begins.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode};
use tokio::sync::oneshot;
use tokio::task::{spawn_blocking, yield_now};
use tokio::time::timeout;

use super::address::BUSY_TIMEOUT;
use super::group::Group;
use super::operation::Write;
use super::readers::MAX_SNAPSHOT_AGE;
use super::waiting::{Waiting, Written};
use crate::store::durability::Durability;
use crate::store::{Basis, StoreError};

/// The most writes that are carried out before others can have the connection.
const MAX_BATCH: usize = 256;

/// A write of more pages than this is carried out on a thread that may block.
const MAX_PAGES: usize = 64;

/// How long until a write tries again while another process has the file.
const RETRY_INTERVAL: Duration = Duration::from_millis(1);

/// The connection that writes, and the writes that wait for it.
#[derive(Debug)]
pub(super) struct Writer {
    queue: Mutex<VecDeque<Waiting>>,
    /// None once it is closed.
    group: Mutex<Option<Group>>,
    /// Whether the last commit had more than one write, and none was answered before.
    is_crowded: AtomicBool,
    /// When somebody last looked for commits of others, in microseconds since it was opened.
    looked: AtomicU64,
    opened: Instant,
    durability: Arc<Durability>,
}

/// Another process has the file.
struct Busy;

impl Writer {
    pub fn new(group: Group, durability: Arc<Durability>) -> Self {
        Self {
            queue: Mutex::default(),
            group: Mutex::new(Some(group)),
            is_crowded: AtomicBool::new(false),
            looked: AtomicU64::new(0),
            opened: Instant::now(),
            durability,
        }
    }

    /// Carries out a write of an instance of this basis. One that is given up before it is carried
    /// out is not made.
    pub async fn write(
        self: &Arc<Self>,
        store: Arc<str>,
        write: Write,
        basis: Arc<Basis>,
    ) -> Result<Written, StoreError> {
        let is_long = write.pages() > MAX_PAGES;
        let (answer, mut answered) = oneshot::channel();
        lock(&self.queue).push_back(Waiting {
            store,
            write,
            basis,
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
        let mut group = self.try_lock()?;
        let moment = group.as_mut().map(|group| {
            let now = self.opened.elapsed();
            group.look();
            self.note_look(now);
            self.durability.latest()
        });
        drop(group);
        self.carry_out();
        moment
    }

    /// Whether somebody has looked within the age that a snapshot may have.
    pub fn has_looked(&self) -> bool {
        let looked = Duration::from_micros(self.looked.load(Ordering::SeqCst));
        self.opened.elapsed().saturating_sub(looked) < MAX_SNAPSHOT_AGE
    }

    /// Commits what is open. Answers a moment from when nothing is.
    pub fn commit(&self) -> u64 {
        self.without(|| self.durability.moment())
    }

    /// Runs `operation` while nobody writes and all is committed. Waits for that.
    pub fn without<T>(&self, operation: impl FnOnce() -> T) -> T {
        let mut group = lock(&self.group);
        if let Some(group) = &mut *group {
            // Who had written learns of a failure by what it rests on.
            group.commit().ok();
        }
        let result = operation();
        drop(group);
        self.carry_out();
        result
    }

    /// Runs `operation` while nobody writes, whatever is open.
    #[cfg(test)]
    pub fn hold<T>(&self, operation: impl FnOnce(&mut Group) -> T) -> T {
        operation(lock(&self.group).as_mut().unwrap())
    }

    /// Carries out what is queued, and refuses what comes later. The connection closes when what
    /// this returns is dropped.
    pub fn close(&self) -> Option<Connection> {
        let mut group = lock(&self.group);
        if let Some(group) = &mut *group {
            // Somebody may still add to the queue.
            for _ in 0..MAX_BATCH {
                group.wait_for_others(BUSY_TIMEOUT);
                if lock(&self.queue).is_empty() || self.carry_out_queued(group).is_err() {
                    break;
                }
            }
        }
        let closed = group.take();
        lock(&self.queue).clear();
        closed.map(Group::close)
    }

    /// None while somebody else has it.
    fn try_lock(&self) -> Option<MutexGuard<'_, Option<Group>>> {
        match self.group.try_lock() {
            Ok(group) => Some(group),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// Carries out what is queued, unless somebody has the connection: whoever has it calls this
    /// after it has let go.
    fn carry_out(&self) {
        while !lock(&self.queue).is_empty() {
            let Some(mut group) = self.try_lock() else {
                return;
            };
            match &mut *group {
                Some(group) => {
                    if let Err(Busy) = self.carry_out_queued(group) {
                        return;
                    }
                }
                // Their answers are dropped, which says so.
                None => lock(&self.queue).clear(),
            }
        }
    }

    /// Carries out the first of the queued writes, and answers them.
    fn carry_out_queued(&self, group: &mut Group) -> Result<(), Busy> {
        let mut batch: Vec<Waiting> = {
            let mut queue = lock(&self.queue);
            let length = queue.len().min(MAX_BATCH);
            queue.drain(..length).collect()
        };
        batch.retain(|waiting| !waiting.answer.is_closed());
        if batch.is_empty() {
            return Ok(());
        }
        let now = self.opened.elapsed();
        match group.begin() {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
                let (late, early): (Vec<_>, Vec<_>) = batch
                    .into_iter()
                    .partition(|waiting| waiting.since.elapsed() >= BUSY_TIMEOUT);
                if !late.is_empty() {
                    group.refuse(late, &error.into());
                }
                let mut queue = lock(&self.queue);
                for waiting in early.into_iter().rev() {
                    queue.push_front(waiting);
                }
                return Err(Busy);
            }
            Err(error) => group.refuse(batch, &error.into()),
            Ok(()) => {
                self.note_look(now);
                let length = batch.len();
                let stays = group.carry_out(batch);
                self.is_crowded
                    .store(!stays && length > 1, Ordering::Relaxed);
            }
        }
        Ok(())
    }

    /// Nobody else had committed anything at this time that is not known.
    fn note_look(&self, at: Duration) {
        let at = u64::try_from(at.as_micros()).unwrap_or(u64::MAX);
        self.looked.store(at, Ordering::SeqCst);
    }
}

// Std mutexes: nothing is awaited while one is held, nor the disk waited for.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
