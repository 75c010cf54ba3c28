//! The thread that writes, and its group commit.
//!
//! A commit costs one wait for the disk, however many writes it has. So all writes that
//! were queued while the disk was busy with one commit go into the next one together.
//! Under load there is one wait for each batch, and not one for each write. A single write
//! is committed at once.

use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::address::BUSY_TIMEOUT;
use super::operation::{Outcome, Write};
use super::readers::Readers;
use crate::store::StoreError;
use crate::store::reports::Reports;

/// The most operations in one commit: enough to make the wait for the disk cheap,
/// few enough that the first of them isn't answered late.
const MAX_BATCH: usize = 256;

/// After about this many pages in the log it is moved into the database. SQLite's
/// own default.
const CHECKPOINT_PAGES: usize = 1000;

type Answer = oneshot::Sender<Result<Outcome, StoreError>>;

enum Message {
    Write {
        store: Arc<str>,
        write: Write,
        answer: Answer,
    },
    Stop,
}

/// The queue to the writing thread.
#[derive(Debug)]
pub(super) struct Writer {
    queue: Sender<Message>,
    thread: Mutex<Option<JoinHandle<()>>>,
    reports: Arc<Reports>,
}

impl Writer {
    pub(super) fn start(
        connection: Connection,
        readers: Arc<Readers>,
        reports: Reports,
    ) -> std::io::Result<Self> {
        let reports = Arc::new(reports);
        let (queue, messages) = mpsc::channel();
        let thread = thread::Builder::new()
            .name("store writer".to_owned())
            .spawn({
                let reports = reports.clone();
                move || run(&connection, &readers, &messages, &reports)
            })?;
        Ok(Self {
            queue,
            thread: Mutex::new(Some(thread)),
            reports,
        })
    }

    pub(super) async fn write(&self, store: Arc<str>, write: Write) -> Result<Outcome, StoreError> {
        let (answer, outcome) = oneshot::channel();
        self.queue
            .send(Message::Write {
                store,
                write,
                answer,
            })
            .map_err(|_| self.closed())?;
        outcome.await.map_err(|_| self.closed())?
    }

    /// The thread did not take the write. Only `stop` ends the thread, unless it panicked.
    fn closed(&self) -> StoreError {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if thread.is_some() {
            self.reports.thread_is_gone();
        }
        StoreError::Closed
    }

    /// Waits until everything queued before is written, and ends the thread.
    pub(super) fn stop(&self) {
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(thread) = thread {
            self.queue.send(Message::Stop).ok();
            thread.join().ok();
        }
    }
}

fn run(
    connection: &Connection,
    readers: &Readers,
    messages: &Receiver<Message>,
    reports: &Reports,
) {
    let mut batch = Batch::default();
    let mut pages = 0;
    let mut stopped = false;
    while !stopped {
        let Ok(first) = messages.recv() else {
            return;
        };
        stopped = batch.add(first);
        while !stopped && batch.writes.len() < MAX_BATCH {
            let Ok(next) = messages.try_recv() else {
                break;
            };
            stopped = batch.add(next);
        }
        pages += batch.commit(connection, readers, reports);
        if pages >= CHECKPOINT_PAGES {
            checkpoint(connection, readers).ok();
            pages = 0;
        }
    }
}

/// Moves the log into the database, and has it begin anew.
fn checkpoint(connection: &Connection, readers: &Readers) -> rusqlite::Result<()> {
    readers.let_go();
    // Passive: it takes no lock for which a reader or a writer would wait. The pages that it
    // could not move now are moved by the next one.
    connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))?;
    // A reader of the log keeps it from beginning anew, so readers are kept out. They wait
    // for a moment only, as nothing is left to move. Other processes don't wait at all.
    connection.busy_timeout(Duration::ZERO)?;
    let begun =
        readers.without(|| connection.query_row("PRAGMA wal_checkpoint(RESTART)", [], |_| Ok(())));
    connection.busy_timeout(BUSY_TIMEOUT)?;
    begun
}

#[derive(Default)]
struct Batch {
    writes: Vec<(Arc<str>, Write, Answer)>,
}

impl Batch {
    /// Takes a message in; true if it was the last.
    fn add(&mut self, message: Message) -> bool {
        match message {
            Message::Write {
                store,
                write,
                answer,
            } => {
                self.writes.push((store, write, answer));
                false
            }
            Message::Stop => true,
        }
    }

    /// Carries out every write in one transaction and answers each when that is on
    /// the disk and seen by all readers. Returns about how many pages changed.
    fn commit(&mut self, connection: &Connection, readers: &Readers, reports: &Reports) -> usize {
        if self.writes.is_empty() {
            return 0;
        }
        let writes = std::mem::take(&mut self.writes);
        let mut pages = 0;
        let outcomes = transaction(connection, readers, || {
            let mut outcomes = Vec::with_capacity(writes.len());
            for (store, write, _) in &writes {
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
        match outcomes {
            Ok(outcomes) => {
                reports.succeeded();
                for ((.., answer), outcome) in writes.into_iter().zip(outcomes) {
                    // The request may have been given up meanwhile.
                    answer.send(outcome).ok();
                }
            }
            Err(error) => {
                reports.failed(&error, writes.len());
                for (.., answer) in writes {
                    answer.send(Err(error.clone())).ok();
                }
            }
        }
        pages
    }
}

/// Runs `body` in a transaction, and takes it back if that fails. An error is that of
/// the transaction as a whole: nothing of it stays.
fn transaction<T>(
    connection: &Connection,
    readers: &Readers,
    body: impl FnOnce() -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    // Immediate: it would be too late to learn of another process's lock half-way.
    connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
    let result = body().and_then(|result| {
        let mut commit = connection.prepare_cached("COMMIT")?;
        readers.across(|| commit.execute([]))?;
        Ok(result)
    });
    if result.is_err() && !connection.is_autocommit() {
        connection.execute_batch("ROLLBACK").ok();
    }
    result
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
        let mut batch = Batch::default();
        let mut answers = Vec::new();
        for (key, length) in [("before", 1), ("large", 1 << 20), ("after", 1)] {
            let (answer, outcome) = oneshot::channel();
            answers.push(outcome);
            batch.add(Message::Write {
                store: "default".into(),
                write: Write::Set {
                    key: key.to_owned(),
                    value: vec![0; length],
                },
                answer,
            });
        }
        let readers = Readers::new(Address::Memory(String::new()));
        let log = Log::new(true, true, None).unwrap();
        let reports = Reports::new("a".to_owned(), WRITING, &log);
        batch.commit(&connection, &readers, &reports);
        for mut answer in answers {
            let error = answer.try_recv().unwrap().unwrap_err();
            assert!(error.to_string().contains("full"), "{error}");
        }
        let keys = connection.query_row("SELECT count(*) FROM spin_key_value", [], |row| {
            row.get::<_, i64>(0)
        });
        assert_eq!(keys.unwrap(), 0);
        assert!(connection.is_autocommit());
    }
}
