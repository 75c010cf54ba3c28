//! The SQLite file under the stores.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context as _;
use rusqlite::Connection;

use super::address::Address;
use super::operation::{Outcome, Write};
use super::readers::Readers;
use super::writer::Writer;
use crate::log::Log;
use crate::store::StoreError;
use crate::store::reports::{Reports, Work};

/// Only writes are reported: reads fail on a disk that is broken altogether.
pub(super) const WRITING: Work = Work {
    infinitive: "write to",
    participle: "written",
};

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
    /// Opens the database, and creates its file and its table if they aren't there. Failures
    /// on the thread that writes are reported to the log.
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
        let name = match location {
            Location::File(path) => format!("the key-value store {}", path.display()),
            Location::Memory => "the key-value store in memory".to_owned(),
        };
        let reports = Reports::new(name, WRITING, log);
        let writer = Writer::start(connection, readers.clone(), reports);
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

    /// Carries out all queued writes, refuses later ones, and closes the file.
    pub fn close(&self) {
        // The connection that closes last empties the log into the database and
        // removes it; it should be the writer, as a reader may not write.
        self.readers.close();
        self.writer.stop();
    }
}

/// Sets up the writer's connection, and the file with it.
fn prepare(connection: &Connection, location: &Location) -> rusqlite::Result<()> {
    if matches!(location, Location::File(_)) {
        // With the write-ahead log, readers and the writer work side by side. It is a
        // property of the file, and any SQLite since 2010 opens such a file.
        connection.pragma_update(None, "journal_mode", "wal")?;
    }
    // A commit returns when its frames are on the disk. Less than FULL would lose
    // the latest answered writes with the power.
    connection.pragma_update(None, "synchronous", "full")?;
    // Replaced and deleted values are overwritten, so that they don't stay in the file.
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

/// Makes the directory of the file, and the directories above it, if they aren't there. It
/// makes their entries durable, which SQLite does for the entries of the last one alone.
pub(super) fn create_directory_of(path: &Path) -> anyhow::Result<()> {
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
