//! The SQLite file under the stores.

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context as _;
use rusqlite::Connection;
use rusqlite::config::DbConfig;

use super::address::Address;
use super::cache::{Cache, Found};
use super::checkpoint;
use super::group::Group;
use super::operation::{self, Write};
use super::others::Others;
use super::readers::{Readers, Seen};
use super::waiting::Written;
use super::writer::Writer;
use crate::log::Log;
use crate::store::durability::{Durability, LogSync};
use crate::store::reports::{Reports, Work};
use crate::store::{Basis, StoreError};

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

/// A SQLite database: a few connections that read, and one that writes.
///
/// In the write-ahead log that it keeps, a reader never waits for the writer, and neither waits
/// for the disk.
#[derive(Debug)]
pub struct Database {
    readers: Arc<Readers>,
    pub(super) writer: Arc<Writer>,
    cache: Arc<Cache>,
    durability: Arc<Durability>,
    checkpoints: Mutex<Option<JoinHandle<()>>>,
}

impl Database {
    /// Opens the database, and creates its file and its table if they aren't there. Failures to
    /// write are reported to the log. `sync` brings the log of the database to the disk.
    pub fn open(location: &Location, log: &Log, sync: &LogSync) -> anyhow::Result<Arc<Self>> {
        let address = match location {
            Location::File(path) => {
                create_directory_of(path)?;
                Address::File(path.clone())
            }
            Location::Memory => Address::Memory(memory_uri()),
        };
        let name = match location {
            Location::File(path) => format!("the key-value store {}", path.display()),
            Location::Memory => "the key-value store in memory".to_owned(),
        };
        let reports = Arc::new(Reports::new(name.clone(), WRITING, log));
        Self::open_at(location, address, sync, reports)
            .with_context(|| format!("cannot open {name}"))
    }

    fn open_at(
        location: &Location,
        address: Address,
        sync: &LogSync,
        reports: Arc<Reports>,
    ) -> anyhow::Result<Arc<Self>> {
        let connection = address.connect()?;
        prepare(&connection, location)?;
        let (durability, others) = match location {
            Location::File(path) => (
                Durability::of_log(),
                Others::of_file(&beside(path, "-shm"))?,
            ),
            Location::Memory => (Durability::of_memory(), Others::of_memory()),
        };
        let checkpointing = address.connect()?;
        checkpointing.pragma_update(None, "synchronous", "normal")?;
        let readers = Arc::new(Readers::new(address));
        let cache = Arc::new(Cache::new());
        let (checkpoints, due) = mpsc::sync_channel(1);
        let group = Group::new(
            connection,
            others,
            checkpoints,
            readers.clone(),
            cache.clone(),
            durability.clone(),
            reports.clone(),
        )?;
        let writer = Arc::new(Writer::new(group, durability.clone()));
        if let Location::File(path) = location {
            // The connection has made the file. Its locks are on the others of the database
            // alone, so that opening and closing it takes none of them away.
            let file = File::open(beside(path, "-wal"))?;
            let (sync, log) = (sync.clone(), durability.clone());
            let writer = Arc::downgrade(&writer);
            let commit = move || match writer.upgrade() {
                Some(writer) => writer.commit(),
                None => log.moment(),
            };
            durability.start(commit, move || sync(&file), reports)?;
        }
        let checkpoints = checkpoint::start(
            checkpointing,
            due,
            readers.clone(),
            Arc::downgrade(&writer),
            durability.clone(),
        )?;
        Ok(Arc::new(Self {
            readers,
            writer,
            cache,
            durability,
            checkpoints: Mutex::new(Some(checkpoints)),
        }))
    }

    /// How much of it is on the disk.
    pub fn durability(&self) -> &Arc<Durability> {
        &self.durability
    }

    /// Runs `operation` on a connection of its own, which sees all that was written before.
    /// Answers also when what it saw is durable. May block.
    pub(super) fn read<T>(
        &self,
        operation: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<(T, u64), StoreError> {
        self.writer.commit();
        let (found, seen) = self.look_up(operation)?;
        Ok((found, seen.moment))
    }

    /// What is under a key, and when that is durable.
    pub(super) fn value(
        &self,
        store: &Arc<str>,
        key: &str,
    ) -> Result<(Option<Vec<u8>>, u64), StoreError> {
        if let Some(found) = self.cached(store, key) {
            let value = found.value.map(|value| value.to_vec());
            return Ok((value, found.moment));
        }
        let (value, seen) =
            self.look_up(|connection| Ok(operation::value(connection, store, key)?))?;
        let found = Found {
            value: value.as_deref().map(Arc::from),
            moment: seen.moment,
        };
        let is_current = || self.readers.is_current(seen);
        self.cache.fill(store, key, found, is_current);
        Ok((value, seen.moment))
    }

    /// Whether something is under a key, and when that is durable.
    pub(super) fn exists(&self, store: &str, key: &str) -> Result<(bool, u64), StoreError> {
        match self.cached(store, key) {
            Some(found) => Ok((found.value.is_some(), found.moment)),
            None => {
                let exists = |connection: &_| Ok(operation::exists(connection, store, key)?);
                let (exists, seen) = self.look_up(exists)?;
                Ok((exists, seen.moment))
            }
        }
    }

    /// What is written and not committed, or what the cache has, if nobody else has written to the
    /// file lately. None if it has to be looked up, where it is if it is not written meanwhile.
    fn cached(&self, store: &str, key: &str) -> Option<Found> {
        let is_current = self.writer.has_looked() || self.writer.look().is_some();
        self.cache.get(store, key, is_current)
    }

    fn look_up<T>(
        &self,
        operation: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<(T, Seen), StoreError> {
        // While somebody writes it is not known what is in the log; all of it is there by now.
        let moment = || {
            let latest = self.writer.look();
            latest.unwrap_or_else(|| self.durability.moment())
        };
        self.readers.read(operation, moment)
    }

    /// Carries out `write` of an instance of this basis, after which all reads see it.
    pub(super) async fn write(
        &self,
        store: Arc<str>,
        write: Write,
        basis: Arc<Basis>,
    ) -> Result<Written, StoreError> {
        self.writer.write(store, write, basis).await
    }

    /// Carries out all queued writes, brings them to the disk, refuses later ones, and closes the
    /// file. May block.
    pub fn close(&self) {
        // The connection that closes last empties the log into the database and
        // removes it; it should be the writer, as a reader may not write.
        self.readers.close();
        let connection = self.writer.close();
        let checkpoints = self.checkpoints.lock();
        let checkpoints = checkpoints.unwrap_or_else(PoisonError::into_inner).take();
        if let Some(checkpoints) = checkpoints {
            checkpoints.join().ok();
        }
        self.durability.stop();
        if let Some(connection) = connection
            && self.durability.has_failed()
        {
            // As no checkpoint is made after a sync that failed.
            let never = DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE;
            connection.set_db_config(never, true).ok();
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.close();
    }
}

/// Sets up the writer's connection, and the file with it.
fn prepare(connection: &Connection, location: &Location) -> rusqlite::Result<()> {
    if matches!(location, Location::File(_)) {
        // With the write-ahead log, readers and the writer work side by side. It is a
        // property of the file, and any SQLite since 2010 opens such a file.
        connection.pragma_update(None, "journal_mode", "wal")?;
    }
    // A commit returns when its frames are in the log; `Durability` brings the log to the disk.
    // SQLite itself still syncs the log's header before the first frame, which keeps the log in
    // order, and syncs what a checkpoint needs. Less than NORMAL would lose the whole file.
    connection.pragma_update(None, "synchronous", "normal")?;
    // Replaced and deleted values are overwritten, so that they don't stay in the file.
    connection.pragma_update(None, "secure_delete", true)?;
    // A thread of its own moves the log into the database.
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
    if matches!(location, Location::File(_)) {
        // A write waits for other processes by itself, without blocking its thread.
        connection.busy_timeout(Duration::ZERO)?;
    }
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

/// The file of this suffix beside another.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}
