//! The key-value store of the label `default`, through `wasi:keyvalue`.

use std::cell::{Cell, OnceCell};
use std::time::Duration;

use spin_sdk::wit::wasi::keyvalue::atomics::{self, Cas, CasError};
use spin_sdk::wit::wasi::keyvalue::store::{self, Bucket};
use wasi::clocks::monotonic_clock;

use super::since;
use crate::store::{Report, Store, StoreError};

/// The store, as one request uses it.
#[derive(Default)]
pub struct KeyValue {
    /// How long its operations took so far.
    pub waited: Cell<Duration>,
}

thread_local! {
    /// The store, opened once an instance. A host may use an instance again or not.
    static BUCKET: OnceCell<Bucket> = const { OnceCell::new() };
}

impl KeyValue {
    fn with<T>(
        &self,
        operation: impl FnOnce(&Bucket) -> Result<T, store::Error>,
    ) -> Result<T, StoreError> {
        let begun = monotonic_clock::now();
        let done = BUCKET.with(|cell| {
            let bucket = match cell.get() {
                Some(bucket) => bucket,
                None => {
                    let opened = store::open("default")?;
                    cell.get_or_init(|| opened)
                }
            };
            operation(bucket)
        });
        self.waited.set(self.waited.get() + since(begun));
        done.map_err(failure)
    }
}

fn failure(error: store::Error) -> StoreError {
    StoreError(match error {
        store::Error::NoSuchStore => "there is no store \"default\"".to_owned(),
        store::Error::AccessDenied => "access to the store \"default\" is denied".to_owned(),
        store::Error::Other(message) => message,
    })
}

impl Store for KeyValue {
    type Watch = Cas;

    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.with(|bucket| bucket.get(key))
    }

    async fn set(&self, key: &str, value: &[u8]) -> Result<(), StoreError> {
        self.with(|bucket| bucket.set(key, value))
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.with(|bucket| bucket.delete(key))
    }

    async fn increment(&self, key: &str, delta: i64) -> Result<i64, StoreError> {
        self.with(|bucket| atomics::increment(bucket, key, delta))
    }

    async fn current(&self, key: &str) -> Result<(Option<Vec<u8>>, Cas), StoreError> {
        self.with(|bucket| {
            let watch = Cas::new(bucket, key)?;
            Ok((watch.current()?, watch))
        })
    }

    async fn swap(&self, watch: Cas, value: &[u8]) -> Result<Report, StoreError> {
        self.with(|_| match atomics::swap(watch, value) {
            Ok(()) => Ok(Report::Swapped),
            Err(CasError::CasFailed(_)) => Ok(Report::Unsure),
            Err(CasError::StoreError(error)) => Err(error),
        })
    }
}
