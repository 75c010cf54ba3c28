//! The key-value store: Spin's SQLite backend, with readers beside one writer.
//!
//! * [`address`] names a database, and connects to it.
//! * [`compare_and_swap`] is a value that was read, to be replaced if it is still there.
//! * [`count`] counts the operations, for tests that budget them.
//! * [`database`] opens the file: its table, its journal, its connections.
//! * [`operation`] has the SQL of each operation.
//! * [`readers`] are the connections that read.
//! * [`reports`] tells the operator of a store that can't be written.
//! * [`writer`] is the one thread that writes, many operations a commit.
//!
//! The file, its table and the encoding of its values are Spin's, so a store that
//! one of the two wrote opens in the other.

mod address;
mod compare_and_swap;
pub mod count;
mod database;
mod operation;
mod readers;
mod reports;
mod writer;

use std::fmt;
use std::sync::Arc;

pub use compare_and_swap::CompareAndSwap;
pub use database::{Database, Location};

use rusqlite::Connection;
use tokio::task::spawn_blocking;

use count::{Counters, Kind};
use operation::{Outcome, Write};

/// The most bytes one read may answer, keys and values together: Spin's limit.
const MAX_RESULT_BYTES: usize = 128 << 20;

/// A key and the value under it.
pub type Entry = (String, Vec<u8>);

/// Why an operation failed. A component gets it as text.
#[derive(Clone, Debug)]
pub enum StoreError {
    /// SQLite refused: the disk is full, the file is locked, is damaged, …
    Database(String),
    /// An increment of a value that isn't the eight bytes of a counter.
    NotACounter {
        /// How many bytes it is instead.
        length: usize,
    },
    /// An increment beyond 64 bits.
    CounterOverflow,
    /// A read of more than [`MAX_RESULT_BYTES`].
    ResultTooLarge,
    /// The host is shutting down, or its writing thread is gone. The write wasn't
    /// made, or in the second case may not have been.
    Closed,
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Database(message) => f.write_str(message),
            Self::NotACounter { length } => {
                write!(f, "not a counter: the value is {length} bytes, not 8")
            }
            Self::CounterOverflow => f.write_str("the counter would overflow"),
            Self::ResultTooLarge => {
                write!(f, "query result exceeds limit of {MAX_RESULT_BYTES} bytes")
            }
            Self::Closed => f.write_str("the store is closed"),
        }
    }
}

impl std::error::Error for StoreError {}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error.to_string())
    }
}

/// One labelled store in a [`Database`].
///
/// Point reads are plain functions: one is a few microseconds of work in memory,
/// which is less than handing it to another thread and waiting for it would take,
/// so they run right on the async thread. Reads of many keys may take long and are
/// handed over; writes wait for the disk. Both are `async`.
#[derive(Clone, Debug)]
pub struct KeyValueStore {
    label: Arc<str>,
    database: Arc<Database>,
    counters: Arc<Counters>,
}

impl KeyValueStore {
    /// The store `label` in `database`, counting its operations in `counters`.
    pub fn new(label: &str, database: Arc<Database>, counters: Arc<Counters>) -> Self {
        Self {
            label: label.into(),
            database,
            counters,
        }
    }

    /// The value under `key`.
    pub fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.counters.add(Kind::Get);
        self.value(key)
    }

    /// The value under `key`, as the first half of a compare-and-swap.
    pub fn current(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.counters.add(Kind::Current);
        self.value(key)
    }

    fn value(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let value = self.database.read(|connection| {
            operation::value(connection, &self.label, key).map_err(StoreError::from)
        })?;
        match value {
            Some(value) if value.len() > MAX_RESULT_BYTES => Err(StoreError::ResultTooLarge),
            value => Ok(value),
        }
    }

    /// Whether there is a value under `key`.
    pub fn exists(&self, key: &str) -> Result<bool, StoreError> {
        self.counters.add(Kind::Exists);
        self.database
            .read(|connection| Ok(operation::exists(connection, &self.label, key)?))
    }

    /// All keys, in the order of their bytes.
    pub async fn list_keys(&self) -> Result<Vec<String>, StoreError> {
        self.counters.add(Kind::ListKeys);
        self.read(|connection, label| operation::keys(connection, label, MAX_RESULT_BYTES))
            .await
    }

    /// The values under `keys`, in the order of the keys' bytes and each key once;
    /// keys without a value are left out.
    pub async fn get_many(&self, keys: Vec<String>) -> Result<Vec<Entry>, StoreError> {
        self.counters.add(Kind::GetMany);
        self.read(|connection, label| operation::values(connection, label, keys, MAX_RESULT_BYTES))
            .await
    }

    /// Runs `operation` on a thread that may block.
    async fn read<T: Send + 'static>(
        &self,
        operation: impl FnOnce(&Connection, &str) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (database, label) = (self.database.clone(), self.label.clone());
        spawn_blocking(move || database.read(|connection| operation(connection, &label)))
            .await
            .map_err(|error| StoreError::Database(format!("the read failed: {error}")))?
    }

    /// Puts `value` under `key`.
    pub async fn set(&self, key: String, value: Vec<u8>) -> Result<(), StoreError> {
        self.counters.add(Kind::Set);
        self.write(Write::Set { key, value }).await.map(drop)
    }

    /// Puts every value under its key, all or none.
    pub async fn set_many(&self, entries: Vec<Entry>) -> Result<(), StoreError> {
        self.counters.add(Kind::SetMany);
        self.write(Write::SetMany { entries }).await.map(drop)
    }

    /// Removes `key`, if it is there.
    pub async fn delete(&self, key: String) -> Result<(), StoreError> {
        self.counters.add(Kind::Delete);
        self.write(Write::Delete { key }).await.map(drop)
    }

    /// Removes all of `keys` that are there, all or none.
    pub async fn delete_many(&self, keys: Vec<String>) -> Result<(), StoreError> {
        self.counters.add(Kind::DeleteMany);
        self.write(Write::DeleteMany { keys }).await.map(drop)
    }

    /// Adds `delta` to the counter under `key`, which is 0 while it is absent.
    pub async fn increment(&self, key: String, delta: i64) -> Result<i64, StoreError> {
        self.counters.add(Kind::Increment);
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
        self.counters.add(Kind::Swap);
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
        self.database.write(self.label.clone(), write).await
    }
}

#[cfg(test)]
mod tests;
