//! The connection that writes, and its group commit.
//!
//! A write waits for no disk: see [`durability`](crate::store::durability). So it needs no thread
//! of its own, and is carried out where it is asked for, while nobody else writes. A write that
//! comes while another is carried out is queued; whoever has the connection carries out all that
//! is queued, in one transaction. That spares them the better part of their cost. So while writes
//! come in crowds, each lets others come before it begins.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode};
use tokio::sync::oneshot;
use tokio::task::{spawn_blocking, yield_now};
use tokio::time::timeout;

use super::address::BUSY_TIMEOUT;
use super::operation::{Outcome, Write};
use super::readers::Readers;
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

type Answer = oneshot::Sender<Result<Written, StoreError>>;

/// A write that was carried out, and is seen by all readers.
#[derive(Clone, Debug)]
pub(super) struct Written {
    /// An error is that of this write alone.
    pub outcome: Result<Outcome, StoreError>,
    /// The moment at which the write, or what it found, is durable.
    pub moment: u64,
}

/// The connection that writes, and the writes that wait for it.
#[derive(Debug)]
pub(super) struct Writer {
    queue: Mutex<VecDeque<Waiting>>,
    /// None once it is closed.
    connection: Mutex<Option<Writing>>,
    /// Whether the last commit had more than one write.
    is_crowded: AtomicBool,
    readers: Arc<Readers>,
    durability: Arc<Durability>,
    reports: Arc<Reports>,
}

#[derive(Debug)]
struct Waiting {
    store: Arc<str>,
    write: Write,
    since: Instant,
    answer: Answer,
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
        durability: Arc<Durability>,
        reports: Arc<Reports>,
    ) -> rusqlite::Result<Self> {
        let writing = Writing {
            commits_of_others: commits_of_others(&connection)?,
            connection,
            pages: 0,
            checkpoints,
        };
        Ok(Self {
            queue: Mutex::default(),
            connection: Mutex::new(Some(writing)),
            is_crowded: AtomicBool::new(false),
            readers,
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
        // Immediate: it would be too late to learn of another process's lock half-way.
        match begin(&writing.connection) {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
                let (late, early): (Vec<_>, Vec<_>) = batch
                    .into_iter()
                    .partition(|waiting| waiting.since.elapsed() >= BUSY_TIMEOUT);
                self.refuse(late, &error.into());
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
        let outcomes = transaction(connection, &self.readers, &self.durability, || {
            let mut outcomes = Vec::with_capacity(batch.len());
            for Waiting { store, write, .. } in &batch {
                pages += write.pages();
                match execute(connection, store, write) {
                    // SQLite took the whole transaction back, as it does when the
                    // disk is full. The next write would be committed by itself.
                    Err(error) if connection.is_autocommit() => return Err(error),
                    outcome => outcomes.push(outcome),
                }
            }
            Ok(outcomes)
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
                for (Waiting { answer, .. }, outcome) in batch.into_iter().zip(outcomes) {
                    // The request may have been given up meanwhile.
                    answer.send(Ok(Written { outcome, moment })).ok();
                }
            }
            Err(error) => self.refuse(batch, &error),
        }
    }

    fn refuse(&self, batch: Vec<Waiting>, error: &StoreError) {
        if !batch.is_empty() {
            self.reports.failed(error, batch.len());
        }
        for waiting in batch {
            waiting.answer.send(Err(error.clone())).ok();
        }
    }

    /// Notes commits of others. It is unknown whether they are on the disk.
    fn look_on(&self, writing: &mut Writing) {
        let met = commits_of_others(&writing.connection).ok();
        if met != Some(writing.commits_of_others) {
            writing.commits_of_others = met.unwrap_or(-1);
            self.readers.across(|| self.durability.commit());
        }
    }
}

fn begin(connection: &Connection) -> rusqlite::Result<()> {
    connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
    Ok(())
}

fn commits_of_others(connection: &Connection) -> rusqlite::Result<i64> {
    let mut statement = connection.prepare_cached("PRAGMA data_version")?;
    statement.query_row([], |row| row.get(0))
}

/// Runs `body` in the transaction that has begun and commits it, or takes it back if that fails.
/// An error is that of the transaction as a whole: nothing of it stays.
fn transaction<T>(
    connection: &Connection,
    readers: &Readers,
    durability: &Durability,
    body: impl FnOnce() -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let result = body().and_then(|result| {
        if durability.has_failed() {
            return Err(durability::unsynced("see above"));
        }
        let mut commit = connection.prepare_cached("COMMIT")?;
        readers.across(|| {
            commit.execute([])?;
            durability.commit();
            Ok::<_, rusqlite::Error>(())
        })?;
        Ok(result)
    });
    if result.is_err() && !connection.is_autocommit() {
        connection.execute_batch("ROLLBACK").ok();
    }
    result
}

// Std mutexes: nothing is awaited while one is held, nor the disk waited for.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Carries out one write such that, if it fails, nothing of it stays in the
/// transaction that it shares with others.
fn execute(connection: &Connection, store: &str, write: &Write) -> Result<Outcome, StoreError> {
    if !write.has_parts() {
        return write.execute(connection, store);
    }
    connection.prepare_cached("SAVEPOINT write")?.execute([])?;
    let outcome = write.execute(connection, store);
    if outcome.is_err() && !connection.is_autocommit() {
        connection
            .prepare_cached("ROLLBACK TO write")?
            .execute([])?;
    }
    if !connection.is_autocommit() {
        connection.prepare_cached("RELEASE write")?.execute([])?;
    }
    outcome
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::log::Log;
    use crate::store::sqlite::address::Address;
    use crate::store::sqlite::database::WRITING;

    #[test]
    fn on_a_full_disk_nothing_of_a_batch_stays_and_all_of_it_is_told_so() {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch(
                "CREATE TABLE spin_key_value (
                   store TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL,
                   PRIMARY KEY (store, key));
                 PRAGMA max_page_count = 10",
            )
            .unwrap();
        let durability = Durability::of_memory();
        let readers = Readers::new(Address::Memory(String::new()));
        let log = Log::new(true, true, None).unwrap();
        let reports = Reports::new("a".to_owned(), WRITING, &log);
        let (checkpoints, _due) = mpsc::sync_channel(1);
        let writer = Writer::new(
            connection,
            checkpoints,
            Arc::new(readers),
            durability,
            Arc::new(reports),
        )
        .unwrap();
        let mut answers = Vec::new();
        for (key, length) in [("before", 1), ("large", 1 << 20), ("after", 1)] {
            let (answer, outcome) = oneshot::channel();
            answers.push(outcome);
            lock(&writer.queue).push_back(Waiting {
                store: "default".into(),
                write: Write::Set {
                    key: key.to_owned(),
                    value: vec![0; length],
                },
                since: Instant::now(),
                answer,
            });
        }
        writer.carry_out();
        for mut answer in answers {
            let error = answer.try_recv().unwrap().unwrap_err();
            assert!(error.to_string().contains("full"), "{error}");
        }
        let connection = writer.close().unwrap();
        let keys = connection.query_row("SELECT count(*) FROM spin_key_value", [], |row| {
            row.get::<_, i64>(0)
        });
        assert_eq!(keys.unwrap(), 0);
        assert!(connection.is_autocommit());
    }
}
