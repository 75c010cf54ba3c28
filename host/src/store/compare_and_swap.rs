//! A value that was read, to be replaced only if it is still there.

use super::{KeyValueStore, StoreError};

/// The resource `cas` of `wasi:keyvalue`: a key, and the value that was read under it.
#[derive(Debug)]
pub struct CompareAndSwap {
    store: KeyValueStore,
    key: String,
    /// The value that [`read`](Self::read) found last; none if it was never called, or
    /// found none.
    current: Option<Vec<u8>>,
}

impl CompareAndSwap {
    /// Of `key`; nothing is read yet.
    pub fn new(store: KeyValueStore, key: String) -> Self {
        Self {
            store,
            key,
            current: None,
        }
    }

    /// The value, which the swap will expect.
    pub async fn read(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        let value = self.store.current(&self.key).await?;
        self.current.clone_from(&value);
        Ok(value)
    }

    /// Puts `value` in the place of the value that was read. Returns false if that value is
    /// not there any more; the value that is there now has then been read.
    pub async fn swap(&mut self, value: Vec<u8>) -> Result<bool, StoreError> {
        let (key, expected) = (self.key.clone(), self.current.clone());
        let swapped = self.store.swap(key, expected, value).await?;
        if !swapped {
            self.read().await?;
        }
        Ok(swapped)
    }
}
