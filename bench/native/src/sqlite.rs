//! Users in a SQLite file: readers beside one thread that writes.
//!
//! As durable as edge-host's store, and by the same means: a write-ahead log that is
//! on the disk before anybody is answered, and one commit for all that waits.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use anyhow::Context;
use rusqlite::{Connection, ErrorCode, OptionalExtension, Row, params};
use tokio::sync::oneshot;

use crate::Refusal;
use crate::user::{NewUser, User};

/// The most creates in one commit, as in edge-host.
const MAX_BATCH: usize = 256;

const SELECT: &str =
    "SELECT id, name, email, attributes, created_at, updated_at FROM users WHERE id = ?1";
const INSERT: &str = "INSERT INTO users (name, email, attributes, created_at, updated_at)
    VALUES (?1, ?2, ?3, ?4, ?4)";

type Answer = oneshot::Sender<Result<User, Refusal>>;

/// Users in a file.
pub struct Sqlite {
    file: PathBuf,
    readers: Mutex<Vec<Connection>>,
    queue: Sender<(NewUser, Answer)>,
}

impl Sqlite {
    /// Opens the file, and creates users until there are that many.
    pub fn open(file: &Path, users: u64) -> anyhow::Result<Sqlite> {
        let writer = Connection::open(file)?;
        writer.pragma_update(None, "journal_mode", "wal")?;
        writer.execute_batch(
            "CREATE TABLE IF NOT EXISTS users (
               id INTEGER PRIMARY KEY AUTOINCREMENT,
               name TEXT NOT NULL,
               email TEXT UNIQUE COLLATE NOCASE,
               attributes TEXT,
               created_at TEXT NOT NULL,
               updated_at TEXT NOT NULL
             )",
        )?;
        fill(&writer, users)?;
        writer.pragma_update(None, "synchronous", "full")?;
        let (queue, creates) = mpsc::channel();
        thread::Builder::new()
            .name("writer".to_owned())
            .spawn(move || write(&writer, &creates))?;
        Ok(Sqlite {
            file: file.to_owned(),
            readers: Mutex::default(),
            queue,
        })
    }

    pub fn get(&self, id: u64) -> anyhow::Result<Option<User>> {
        let idle = self.readers().pop();
        let reader = idle.map_or_else(|| Connection::open(&self.file), Ok)?;
        let user = reader
            .prepare_cached(SELECT)?
            .query_row([id as i64], user)
            .optional();
        self.readers().push(reader);
        Ok(user?)
    }

    pub async fn create(&self, new: NewUser) -> Result<User, Refusal> {
        let (answer, created) = oneshot::channel();
        let queued = self.queue.send((new, answer));
        let gone = "the thread that writes is gone";
        queued.ok().context(gone).map_err(Refusal::Failed)?;
        created.await.context(gone).map_err(Refusal::Failed)?
    }

    fn readers(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn user(row: &Row<'_>) -> rusqlite::Result<User> {
    let attributes: Option<String> = row.get(3)?;
    Ok(User {
        id: row.get::<_, i64>(0)? as u64,
        name: row.get(1)?,
        email: row.get(2)?,
        attributes: attributes.and_then(|text| serde_json::from_str(&text).ok()),
        created_at: row.get(4)?,
        updated_at: row.get(5)?,
    })
}

fn insert(connection: &Connection, new: NewUser) -> Result<User, Refusal> {
    let user = new.with_id(0);
    let attributes = user.attributes.as_ref().map(|attributes| {
        serde_json::to_string(attributes).expect("an object has string keys only")
    });
    let inserted = connection.prepare_cached(INSERT).and_then(|mut insert| {
        insert.insert(params![user.name, user.email, attributes, user.created_at])
    });
    match inserted {
        Ok(id) => Ok(User {
            id: id as u64,
            ..user
        }),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
            Err(Refusal::EmailTaken)
        }
        Err(error) => Err(Refusal::Failed(error.into())),
    }
}

/// Commits again and again whatever has queued up meanwhile.
fn write(connection: &Connection, creates: &Receiver<(NewUser, Answer)>) {
    while let Ok(first) = creates.recv() {
        let mut batch = vec![first];
        batch.extend(creates.try_iter().take(MAX_BATCH - 1));
        if let Err(error) = connection.execute_batch("BEGIN IMMEDIATE") {
            eprintln!("Error: {error}");
            continue;
        }
        let results: Vec<_> = batch
            .into_iter()
            .map(|(new, answer)| (insert(connection, new), answer))
            .collect();
        let committed = connection.execute_batch("COMMIT");
        for (result, answer) in results {
            let result = match &committed {
                Ok(()) => result,
                Err(error) => Err(Refusal::Failed(anyhow::anyhow!("{error}"))),
            };
            // Whoever asked may have gone.
            answer.send(result).ok();
        }
        if committed.is_err() {
            connection.execute_batch("ROLLBACK").ok();
        }
    }
}

/// Creates users, in one transaction, until there are `count`.
fn fill(connection: &Connection, count: u64) -> anyhow::Result<()> {
    let there = connection.query_row("SELECT count(*) FROM users", [], |row| row.get::<_, i64>(0));
    let there = there? as u64;
    connection.execute_batch("BEGIN")?;
    for number in there + 1..=count {
        if insert(connection, NewUser::of_benchmark(number)).is_err() {
            anyhow::bail!("cannot create the user {number}");
        }
    }
    connection.execute_batch("COMMIT")?;
    Ok(())
}
