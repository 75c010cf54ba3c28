//! The thread that writes, and its group commit.
//!
//! A commit costs one wait for the disk, whatever it contains. So whatever queued
//! up while the disk was busy with one commit goes into the next, all together:
//! under load the disk is waited for once per batch and not once per write, and
//! alone a write waits for nobody.

use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::StoreError;
use super::operation::{Outcome, Write};

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
}

impl Writer {
    pub(super) fn start(connection: Connection) -> std::io::Result<Self> {
        let (queue, messages) = mpsc::channel();
        let thread = thread::Builder::new()
            .name("store writer".to_owned())
            .spawn(move || run(&connection, &messages))?;
        Ok(Self {
            queue,
            thread: Mutex::new(Some(thread)),
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
            .map_err(|_| StoreError::Closed)?;
        outcome.await.map_err(|_| StoreError::Closed)?
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

fn run(connection: &Connection, messages: &Receiver<Message>) {
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
        pages += batch.commit(connection);
        if pages >= CHECKPOINT_PAGES {
            // Passive: it takes no lock that a reader or a writer waits for. What it
            // couldn't move now, the next one will.
            connection
                .query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
                .ok();
            pages = 0;
        }
    }
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
    /// the disk. Returns about how many pages changed.
    fn commit(&mut self, connection: &Connection) -> usize {
        if self.writes.is_empty() {
            return 0;
        }
        let writes = std::mem::take(&mut self.writes);
        let mut pages = 0;
        let outcomes = transaction(connection, || {
            writes
                .iter()
                .map(|(store, write, _)| {
                    pages += write.pages();
                    execute(connection, store, write)
                })
                .collect::<Vec<_>>()
        });
        match outcomes {
            Ok(outcomes) => {
                for ((.., answer), outcome) in writes.into_iter().zip(outcomes) {
                    // Whoever asked may have been given up meanwhile.
                    answer.send(outcome).ok();
                }
            }
            Err(error) => {
                for (.., answer) in writes {
                    answer.send(Err(error.clone())).ok();
                }
            }
        }
        pages
    }
}

/// Runs `body` in a transaction. An error is that of the transaction as a whole:
/// nothing of it is to be relied on.
fn transaction<T>(connection: &Connection, body: impl FnOnce() -> T) -> Result<T, StoreError> {
    // Immediate: it would be too late to learn of another process's lock half-way.
    connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
    let result = body();
    if connection.is_autocommit() {
        // SQLite took the whole transaction back, as it does when the disk is full.
        return Err(StoreError::Database(
            "the transaction was rolled back".to_owned(),
        ));
    }
    let committed = connection
        .prepare_cached("COMMIT")
        .and_then(|mut commit| commit.execute([]));
    if let Err(error) = committed {
        if !connection.is_autocommit() {
            connection.execute_batch("ROLLBACK").ok();
        }
        return Err(error.into());
    }
    Ok(result)
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
