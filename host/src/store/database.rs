//! The SQLite file under the stores.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use rusqlite::{Connection, OpenFlags};

use super::StoreError;
use super::operation::{Outcome, Write};
use super::readers::Readers;
use super::writer::Writer;
use crate::log::Log;

/// How long to wait for a lock that another process holds.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Statements kept prepared on each connection; there are fewer than this.
const STATEMENTS: usize = 32;

/// Where a database is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Location {
    /// In this file.
    File(PathBuf),
    /// In memory, gone with the host.
    Memory,
}

/// A SQLite database: a few connections that read and one thread that writes.
///
/// In the write-ahead log that it keeps, a reader never waits for the writer, nor
/// for the disk the writer waits for.
#[derive(Debug)]
pub struct Database {
    readers: Arc<Readers>,
    writer: Writer,
}

impl Database {
    /// Opens the database, and creates what of it isn't there.
    /// The log is for what fails on the thread that writes.
    pub fn open(location: &Location, log: &Log) -> anyhow::Result<Arc<Self>> {
        let address = match location {
            Location::File(path) => {
                create_directory_of(path)?;
                Address::File(path.clone())
            }
            Location::Memory => Address::Memory(memory_uri()),
        };
        let describe = || match location {
            Location::File(path) => format!("cannot open the key-value store {}", path.display()),
            Location::Memory => "cannot open a key-value store in memory".to_owned(),
        };
        let connection = address
            .connect()
            .and_then(|connection| {
                prepare(&connection, location)?;
                Ok(connection)
            })
            .with_context(describe)?;
        let readers = Arc::new(Readers::new(address));
        let writer = Writer::start(connection, readers.clone(), log.clone());
        let writer = writer.with_context(describe)?;
        Ok(Arc::new(Self { readers, writer }))
    }

    /// Runs `operation` on a connection of its own.
    pub(super) fn read<T>(
        &self,
        operation: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.readers.read(operation)
    }

    /// Has the writer carry out `write`, and waits until it is on the disk.
    pub(super) async fn write(&self, store: Arc<str>, write: Write) -> Result<Outcome, StoreError> {
        self.writer.write(store, write).await
    }

    /// Carries out what is queued, refuses anything after it, and closes the file.
    pub fn close(&self) {
        // The connection that closes last empties the log into the database and
        // removes it; it should be the writer, as a reader may not write.
        self.readers.close();
        self.writer.stop();
    }
}

/// What SQLite knows a database by.
#[derive(Debug)]
pub(super) enum Address {
    /// A path and no URI, which would give some letters a meaning of their own.
    File(PathBuf),
    /// A URI.
    Memory(String),
}

impl Address {
    /// Opens a connection.
    pub(super) fn connect(&self) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            // Each connection is used by one thread at a time, which Rust sees to.
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = match self {
            Self::File(path) => Connection::open_with_flags(path, flags)?,
            Self::Memory(uri) => {
                Connection::open_with_flags(uri, flags | OpenFlags::SQLITE_OPEN_URI)?
            }
        };
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        rusqlite::vtab::array::load_module(&connection)?;
        Ok(connection)
    }
}

/// Sets up the writer's connection, and the file with it.
fn prepare(connection: &Connection, location: &Location) -> rusqlite::Result<()> {
    if matches!(location, Location::File(_)) {
        // The log is what lets readers and the writer work side by side. It is a
        // property of the file, and any SQLite since 2010 opens such a file.
        connection.pragma_update(None, "journal_mode", "wal")?;
    }
    // A commit returns when its frames are on the disk. Less than FULL would lose
    // the latest answered writes with the power.
    connection.pragma_update(None, "synchronous", "full")?;
    // What is replaced or deleted is overwritten, so that nothing of it stays in the file.
    connection.pragma_update(None, "secure_delete", true)?;
    // The writer moves the log into the database itself, after it has answered.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.execute(
        "CREATE TABLE IF NOT EXISTS spin_key_value (
           store TEXT NOT NULL,
           key   TEXT NOT NULL,
           value BLOB NOT NULL,

           PRIMARY KEY (store, key)
        )",
        [],
    )?;
    Ok(())
}

/// Makes the directory of the file and those above it that aren't there, and makes
/// their entries durable: SQLite sees to the entries in the last of them alone.
fn create_directory_of(path: &Path) -> anyhow::Result<()> {
    let missing: Vec<&Path> = path
        .ancestors()
        .skip(1)
        .take_while(|directory| !directory.exists())
        .collect();
    let Some(directory) = missing.first() else {
        return Ok(());
    };
    fs::create_dir_all(directory)
        .with_context(|| format!("cannot create the directory {}", directory.display()))?;
    for parent in missing.iter().filter_map(|directory| directory.parent()) {
        // A file system that can't sync directories has nothing better to offer.
        if let Ok(parent) = File::open(parent) {
            parent.sync_all().ok();
        }
    }
    Ok(())
}

/// SQLite shares a `memdb` whose name starts with a slash among the connections of
/// the process, so each database needs a name of its own.
fn memory_uri() -> String {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    format!("file:/edge-host-{number}?vfs=memdb")
}
