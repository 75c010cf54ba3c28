//! The key-value store: only operations whose promises every backend keeps.
//!
//! Spin's SQLite, Redis and DynamoDB stores agree on `get`, `set`, `delete`, `increment`,
//! and on compare-and-swap of a key that exists. No operation lists keys or works in batches, as
//! some backends can't.

use std::fmt;

/// One key-value store. All values are bytes; keys are short ASCII.
///
/// The methods are `async` so that a scheduler can come between any two
/// operations (in tests), and so that an asynchronous platform is only another
/// implementation. Futures need not be `Send`: a component has one thread.
#[allow(async_fn_in_trait)]
pub trait Store {
    /// Remembers what [`current`](Store::current) read, for [`swap`](Store::swap).
    type Watch;

    /// The value of `key`, if it has one. May lag behind writes on a backend
    /// that is set to eventually consistent reads.
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError>;

    /// Writes `value`, whatever was there.
    async fn set(&self, key: &str, value: &[u8]) -> Result<(), StoreError>;

    /// Removes `key`, if it is there.
    async fn delete(&self, key: &str) -> Result<(), StoreError>;

    /// Adds `delta` to the counter `key`, which is 0 while it is absent, and
    /// answers the sum. Atomic. Afterwards the key exists, even if `delta` is 0.
    ///
    /// Only for keys that never hold anything but a counter: on Spin's SQLite
    /// store, an increment of any other value breaks the store for good.
    async fn increment(&self, key: &str, delta: i64) -> Result<i64, StoreError>;

    /// The value of `key` now, never an older one, and a watch on it.
    async fn current(&self, key: &str) -> Result<(Option<Vec<u8>>, Self::Watch), StoreError>;

    /// Writes `value` if, and only if, nothing was written since
    /// [`current`](Store::current) made `watch`, or what was written is equal
    /// to what it read. The key must have had a value then: on an absent key
    /// SQLite overwrites what it finds.
    async fn swap(&self, watch: Self::Watch, value: &[u8]) -> Result<Report, StoreError>;
}

/// What a store says of a swap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Report {
    /// It took effect.
    Swapped,
    /// The store says that it did not. That may be untrue: on Redis, Spin
    /// reports every swap as failed. Read the value back to learn.
    Unsure,
}

/// A store operation failed. A write may have taken effect all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreError(pub String);

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for StoreError {}
