//! The key-value stores, as Spin's runtime configuration has them.
//!
//! * [`basis`] is what an instance has seen of its stores.
//! * [`compare_and_swap`] is a value that was read, to be replaced if it is still there.
//! * [`config`] says where a store is kept.
//! * [`count`] counts the operations, for tests that budget them.
//! * [`durability`] says how much of a file is on the disk, and has it brought there.
//! * [`lost`] is what a failed commit takes back.
//! * [`redis`] keeps stores in a Redis server, which hosts and Spins can share.
//! * [`reports`] tells the operator of a store that can't be used.
//! * [`sqlite`] keeps stores in a file on this machine.

mod basis;
mod compare_and_swap;
mod config;
pub mod count;
mod durability;
mod lost;
mod redis;
mod reports;
mod sqlite;

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

pub use basis::Basis;
pub use compare_and_swap::CompareAndSwap;
pub use config::StoreConfig;
pub use durability::{Durability, LogSync, NotDurable};
pub use redis::Server;
pub use sqlite::{Location, Restored, back_up, restore};

use crate::log::Log;
use crate::telemetry::Telemetry;
use crate::telemetry::metrics::OperationMetrics;
use crate::telemetry::trace::CurrentSpan;
use count::{Counters, Kind};
use redis::Redis;
use sqlite::{Database, SqliteStore};

/// The most bytes one read may answer, keys and values together: Spin's limit.
const MAX_RESULT_BYTES: usize = 128 << 20;

/// A key and the value under it.
pub type Entry = (String, Vec<u8>);

/// Why an operation failed. A component gets it as text.
#[derive(Clone, Debug)]
pub enum StoreError {
    /// The backend refused: the disk is full, the file is damaged, the server is away, …
    /// After a write it may have been made all the same.
    Backend(String),
    /// An increment of a value that isn't the eight bytes of a counter.
    NotACounter {
        /// How many bytes it is instead.
        length: usize,
    },
    /// An increment beyond 64 bits.
    CounterOverflow,
    /// A read of more than [`MAX_RESULT_BYTES`].
    ResultTooLarge,
    /// The host is shutting down. The write wasn't made.
    Closed,
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Backend(message) => f.write_str(message),
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

/// Keeps stores: a file, the memory of this process, or a server.
#[derive(Clone, Debug)]
pub enum Backend {
    /// A SQLite database. Each label is a store of its own in it.
    Sqlite(Arc<Database>),
    /// A database of a Redis server. It is one store, whatever its label.
    Redis(Arc<Redis>),
}

impl Backend {
    /// Opens the backend. One whose server is away opens as well: its operations fail until
    /// the server is there. `sync` brings the log of a file to the disk.
    pub async fn open(config: &StoreConfig, log: &Log, sync: &LogSync) -> anyhow::Result<Self> {
        Ok(match config {
            StoreConfig::Sqlite(location) => Self::Sqlite(Database::open(location, log, sync)?),
            StoreConfig::Redis(server) => Self::Redis(Arc::new(Redis::open(server, log).await)),
        })
    }

    /// The store `label` in it, counting its operations in `counters` and observing them in
    /// `telemetry`.
    pub fn store(
        &self,
        label: &str,
        counters: Arc<Counters>,
        telemetry: &Telemetry,
    ) -> KeyValueStore {
        let store = match self {
            Self::Sqlite(database) => Store::Sqlite(SqliteStore::new(label, database.clone())),
            Self::Redis(redis) => Store::Redis(redis.clone()),
        };
        KeyValueStore {
            store,
            counters,
            metrics: telemetry.operations(label, Kind::NAMES),
            current_span: None,
        }
    }

    /// Carries out what is queued, and refuses what comes later. May block.
    pub fn close(&self) {
        match self {
            Self::Sqlite(database) => database.close(),
            Self::Redis(redis) => redis.close(),
        }
    }
}

#[derive(Clone, Debug)]
enum Store {
    Sqlite(SqliteStore),
    Redis(Arc<Redis>),
}

/// One store. Of the operations that many keys take part in, each is done whole or not at all.
#[derive(Clone, Debug)]
pub struct KeyValueStore {
    store: Store,
    counters: Arc<Counters>,
    /// Of each kind of operation, in the order of [`Kind`], if they are kept.
    metrics: Option<Arc<[OperationMetrics]>>,
    /// The trace that its operations belong to, if there is one.
    current_span: Option<CurrentSpan>,
}

impl KeyValueStore {
    /// The same store, for an instance that rests on what it sees of it from now on. Its
    /// operations belong to the request of `current_span`.
    pub fn of_instance(&self, basis: &Arc<Basis>, current_span: Option<CurrentSpan>) -> Self {
        let store = match &self.store {
            Store::Sqlite(store) => Store::Sqlite(store.of_instance(basis)),
            Store::Redis(redis) => Store::Redis(redis.clone()),
        };
        Self {
            store,
            counters: self.counters.clone(),
            metrics: self.metrics.clone(),
            current_span,
        }
    }

    /// How much of it is on the disk. A server answers when what it did is durable by its own
    /// rules.
    pub fn durability(&self) -> Option<&Arc<Durability>> {
        match &self.store {
            Store::Sqlite(store) => Some(store.durability()),
            Store::Redis(_) => None,
        }
    }

    /// Carries out an operation of this kind, and counts it.
    async fn counted<T>(
        &self,
        kind: Kind,
        operation: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        self.counters.add(kind);
        let current = self.current_span.as_ref();
        let span = current.and_then(|current| current.operation(kind.span()));
        let began = self.metrics.as_ref().map(|_| Instant::now());
        let result = operation.await;
        if let (Some(metrics), Some(began)) = (&self.metrics, began) {
            metrics[kind as usize].ended(began.elapsed(), result.is_err());
        }
        if let (Some(span), Err(_)) = (span, &result) {
            span.failed();
        }
        result
    }

    /// The value under `key`.
    pub async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.counted(Kind::Get, self.value(key)).await
    }

    /// The value under `key`, as the first half of a compare-and-swap.
    pub async fn current(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.counted(Kind::Current, self.value(key)).await
    }

    async fn value(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        match &self.store {
            Store::Sqlite(store) => store.get(key),
            Store::Redis(redis) => redis.get(key).await,
        }
    }

    /// Whether there is a value under `key`.
    pub async fn exists(&self, key: &str) -> Result<bool, StoreError> {
        let operation = async {
            match &self.store {
                Store::Sqlite(store) => store.exists(key),
                Store::Redis(redis) => redis.exists(key).await,
            }
        };
        self.counted(Kind::Exists, operation).await
    }

    /// All keys, in the order of their bytes.
    pub async fn list_keys(&self) -> Result<Vec<String>, StoreError> {
        let operation = async {
            match &self.store {
                Store::Sqlite(store) => store.list_keys().await,
                Store::Redis(redis) => redis.list_keys().await,
            }
        };
        self.counted(Kind::ListKeys, operation).await
    }

    /// The values under `keys`, in the order of the keys' bytes and each key once;
    /// keys without a value are left out.
    pub async fn get_many(&self, keys: Vec<String>) -> Result<Vec<Entry>, StoreError> {
        let operation = async {
            match &self.store {
                Store::Sqlite(store) => store.get_many(keys).await,
                Store::Redis(redis) => redis.get_many(keys).await,
            }
        };
        self.counted(Kind::GetMany, operation).await
    }

    /// Puts `value` under `key`.
    pub async fn set(&self, key: String, value: Vec<u8>) -> Result<(), StoreError> {
        let operation = async {
            match &self.store {
                Store::Sqlite(store) => store.set(key, value).await,
                Store::Redis(redis) => redis.set(&key, &value).await,
            }
        };
        self.counted(Kind::Set, operation).await
    }

    /// Puts every value under its key.
    pub async fn set_many(&self, entries: Vec<Entry>) -> Result<(), StoreError> {
        let operation = async {
            match &self.store {
                Store::Sqlite(store) => store.set_many(entries).await,
                Store::Redis(redis) => redis.set_many(&entries).await,
            }
        };
        self.counted(Kind::SetMany, operation).await
    }

    /// Removes `key`, if it is there.
    pub async fn delete(&self, key: String) -> Result<(), StoreError> {
        let operation = async {
            match &self.store {
                Store::Sqlite(store) => store.delete(key).await,
                Store::Redis(redis) => redis.delete(&[key]).await,
            }
        };
        self.counted(Kind::Delete, operation).await
    }

    /// Removes all of `keys` that are there.
    pub async fn delete_many(&self, keys: Vec<String>) -> Result<(), StoreError> {
        let operation = async {
            match &self.store {
                Store::Sqlite(store) => store.delete_many(keys).await,
                Store::Redis(redis) => redis.delete(&keys).await,
            }
        };
        self.counted(Kind::DeleteMany, operation).await
    }

    /// Adds `delta` to the counter under `key`, which is 0 while it is absent.
    pub async fn increment(&self, key: String, delta: i64) -> Result<i64, StoreError> {
        let operation = async {
            match &self.store {
                Store::Sqlite(store) => store.increment(key, delta).await,
                Store::Redis(redis) => redis.increment(&key, delta).await,
            }
        };
        self.counted(Kind::Increment, operation).await
    }

    /// Puts `value` under `key` if the value there is `expected`, and returns whether it
    /// did. An error leaves open whether it did.
    ///
    /// If nothing is expected, SQLite writes the value whatever is there, as it does in Spin,
    /// and Redis writes it if nothing is there.
    pub async fn swap(
        &self,
        key: String,
        expected: Option<Vec<u8>>,
        value: Vec<u8>,
    ) -> Result<bool, StoreError> {
        let operation = async {
            match &self.store {
                Store::Sqlite(store) => store.swap(key, expected, value).await,
                Store::Redis(redis) => redis.swap(&key, expected.as_deref(), &value).await,
            }
        };
        self.counted(Kind::Swap, operation).await
    }
}
