//! Spin's SQLite backend, with readers beside one writer.
//!
//! * [`address`] names a database, and connects to it.
//! * [`backup`] copies the file, and puts a copy back.
//! * [`cache`] keeps values in memory.
//! * [`checkpoint`] moves the log into the file.
//! * [`database`] opens the file: its table, its journal, its connections.
//! * [`group`] is a transaction of many writes.
//! * [`operation`] has the SQL of each operation.
//! * [`others`] are other processes that have the file open.
//! * [`readers`] are the connections that read.
//! * [`transaction`] has the steps of a transaction.
//! * [`waiting`] is a write that waits.
//! * [`writer`] is the one connection that writes.
//!
//! The file, its table and the encoding of its values are Spin's, so a store that
//! one of the two wrote opens in the other.

mod address;
mod backup;
mod cache;
mod checkpoint;
mod database;
mod group;
mod operation;
mod others;
mod readers;
mod transaction;
mod waiting;
mod writer;

use std::sync::Arc;

pub use backup::{Restored, back_up, restore};
pub use database::{Database, Location};

use rusqlite::Connection;
use tokio::task::spawn_blocking;

use super::{Basis, Durability, Entry, MAX_RESULT_BYTES, StoreError};
use operation::{Outcome, Write};

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Backend(error.to_string())
    }
}

/// One labelled store in a [`Database`].
///
/// Point reads are plain functions: one is a few microseconds of work in memory,
/// which is less than handing it to another thread and waiting for it would take,
/// so they run right on the async thread, as most writes do. Reads of many keys may take long
/// and are handed over; writes wait for each other. Both are `async`.
///
/// Nothing is on the disk for sure when it is answered: the basis knows when it is.
#[derive(Clone, Debug)]
pub struct SqliteStore {
    label: Arc<str>,
    database: Arc<Database>,
    basis: Arc<Basis>,
}

impl SqliteStore {
    /// The store `label` in `database`.
    pub fn new(label: &str, database: Arc<Database>) -> Self {
        Self {
            label: label.into(),
            basis: Arc::new(Basis::new([database.durability()].into_iter())),
            database,
        }
    }

    /// The same store, for an instance that rests on what it sees of it from now on.
    pub fn of_instance(&self, basis: &Arc<Basis>) -> Self {
        Self {
            basis: basis.clone(),
            ..self.clone()
        }
    }

    /// How much of it is on the disk.
    pub fn durability(&self) -> &Arc<Durability> {
        self.database.durability()
    }

    /// The value under `key`.
    pub fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        match self.seen(self.database.value(&self.label, key))? {
            Some(value) if value.len() > MAX_RESULT_BYTES => Err(StoreError::ResultTooLarge),
            value => Ok(value),
        }
    }

    /// Whether there is a value under `key`.
    pub fn exists(&self, key: &str) -> Result<bool, StoreError> {
        self.seen(self.database.exists(&self.label, key))
    }

    /// All keys, in the order of their bytes.
    pub async fn list_keys(&self) -> Result<Vec<String>, StoreError> {
        self.read(|connection, label| operation::keys(connection, label, MAX_RESULT_BYTES))
            .await
    }

    /// The values under `keys`, in the order of the keys' bytes and each key once;
    /// keys without a value are left out.
    pub async fn get_many(&self, keys: Vec<String>) -> Result<Vec<Entry>, StoreError> {
        self.read(|connection, label| operation::values(connection, label, keys, MAX_RESULT_BYTES))
            .await
    }

    /// Runs `operation` on a thread that may block.
    async fn read<T: Send + 'static>(
        &self,
        operation: impl FnOnce(&Connection, &str) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (database, label) = (self.database.clone(), self.label.clone());
        let read =
            spawn_blocking(move || database.read(|connection| operation(connection, &label)))
                .await
                .map_err(|error| StoreError::Backend(format!("the read failed: {error}")))?;
        self.seen(read)
    }

    /// Notes what was read, and when it is durable.
    fn seen<T>(&self, read: Result<(T, u64), StoreError>) -> Result<T, StoreError> {
        let (value, moment) = read?;
        self.basis.rest_on(self.durability(), moment);
        Ok(value)
    }

    /// Puts `value` under `key`.
    pub async fn set(&self, key: String, value: Vec<u8>) -> Result<(), StoreError> {
        self.write(Write::Set { key, value }).await.map(drop)
    }

    /// Puts every value under its key, all or none.
    pub async fn set_many(&self, entries: Vec<Entry>) -> Result<(), StoreError> {
        self.write(Write::SetMany { entries }).await.map(drop)
    }

    /// Removes `key`, if it is there.
    pub async fn delete(&self, key: String) -> Result<(), StoreError> {
        self.write(Write::Delete { key }).await.map(drop)
    }

    /// Removes all of `keys` that are there, all or none.
    pub async fn delete_many(&self, keys: Vec<String>) -> Result<(), StoreError> {
        self.write(Write::DeleteMany { keys }).await.map(drop)
    }

    /// Adds `delta` to the counter under `key`, which is 0 while it is absent.
    pub async fn increment(&self, key: String, delta: i64) -> Result<i64, StoreError> {
        match self.write(Write::Increment { key, delta }).await? {
            Outcome::Counter(value) => Ok(value),
            Outcome::Done | Outcome::Swapped(_) => unreachable!("an increment answers its sum"),
        }
    }

    /// Puts `value` under `key` if the value there is `expected`, and returns whether it
    /// did. If nothing is expected, the value is written whatever is there, as in Spin.
    pub async fn swap(
        &self,
        key: String,
        expected: Option<Vec<u8>>,
        value: Vec<u8>,
    ) -> Result<bool, StoreError> {
        let write = Write::Swap {
            key,
            expected,
            value,
        };
        match self.write(write).await? {
            Outcome::Swapped(swapped) => Ok(swapped),
            Outcome::Done | Outcome::Counter(_) => unreachable!("a swap answers whether it did"),
        }
    }

    async fn write(&self, write: Write) -> Result<Outcome, StoreError> {
        let written = self
            .database
            .write(self.label.clone(), write, self.basis.clone())
            .await?;
        self.basis.rest_on(self.durability(), written.moment);
        written.outcome
    }
}

#[cfg(test)]
mod tests;
