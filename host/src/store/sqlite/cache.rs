//! Values in memory, so that a read that finds its value here needs no SQLite.
//!
//! What is written and not committed yet is found here alone, and all of it is. Of what is
//! committed the cache has nothing that a reader of the file would not find there. A reader puts in
//! what it found, unless something was committed since. A commit of another process
//! empties it.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hashlink::LruCache;

/// The most bytes of keys and values, with what they take beside.
const MAX_BYTES: usize = 32 << 20;

/// What an entry takes beside its key and its value, about.
const ENTRY_BYTES: usize = 160;

/// Once it is full, one of so many values that readers find is put in. One that is read often gets in
/// soon; those that are read once, as by an export, don't take the place of all others. And to make
/// room takes about as long as a search in the file.
const ADMITTED: usize = 8;

/// A longer value is not kept: it would take the place of too many others.
const MAX_VALUE_BYTES: usize = 64 << 10;

/// Values of the stores in one database. The one that was used longest ago makes room.
#[derive(Debug)]
pub(super) struct Cache(Mutex<Values>);

#[derive(Debug)]
struct Values {
    values: LruCache<Key, Found>,
    bytes: usize,
    /// How many values readers have found since it was full.
    found: usize,
    /// Not committed yet. They come before the others, and none makes room.
    uncommitted: HashMap<Key, Found>,
}

/// What is under a key.
#[derive(Clone, Debug)]
pub(super) struct Found {
    /// None if nothing is.
    pub value: Option<Arc<[u8]>>,
    /// When that is durable.
    pub moment: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Key {
    store: Arc<str>,
    key: Box<str>,
}

/// A label and a key in its store. So that a value is found without a copy of both.
trait Name {
    fn name(&self) -> (&str, &str);
}

impl Key {
    fn new(store: &Arc<str>, key: &str) -> Self {
        Self {
            store: store.clone(),
            key: key.into(),
        }
    }
}

impl Name for Key {
    fn name(&self) -> (&str, &str) {
        (&self.store, &self.key)
    }
}

impl Name for (&str, &str) {
    fn name(&self) -> (&str, &str) {
        *self
    }
}

impl Hash for dyn Name + '_ {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name().hash(state);
    }
}

impl PartialEq for dyn Name + '_ {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for dyn Name + '_ {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name().hash(state);
    }
}

impl<'a> Borrow<dyn Name + 'a> for Key {
    fn borrow(&self) -> &(dyn Name + 'a) {
        self
    }
}

impl Cache {
    pub fn new() -> Self {
        Self(Mutex::new(Values {
            values: LruCache::new_unbounded(),
            bytes: 0,
            found: 0,
            uncommitted: HashMap::new(),
        }))
    }

    /// What is under `key`, if that is known. `is_current` says that nobody else has committed
    /// anything.
    pub fn get(&self, store: &str, key: &str, is_current: bool) -> Option<Found> {
        let name: &dyn Name = &(store, key);
        let mut values = self.lock();
        if let Some(found) = values.uncommitted.get(name) {
            return Some(found.clone());
        }
        match is_current {
            true => values.values.get(name).cloned(),
            false => None,
        }
    }

    /// Puts in what is under `key` as long as the transaction that is open is not committed.
    pub fn write(&self, store: &Arc<str>, key: &str, found: Found) {
        let mut values = self.lock();
        values.remove(&(&**store, key));
        values.uncommitted.insert(Key::new(store, key), found);
    }

    /// The transaction is committed, and all readers see it.
    pub fn commit(&self) {
        let mut values = self.lock();
        let mut uncommitted = std::mem::take(&mut values.uncommitted);
        for (key, found) in uncommitted.drain() {
            values.put(key, found);
        }
        // Its room is used again.
        values.uncommitted = uncommitted;
    }

    /// The transaction is gone.
    pub fn roll_back(&self) {
        self.lock().uncommitted.clear();
    }

    /// Takes out what is under this key. To be called before a commit that changes it can be
    /// seen, while [`fill`](Self::fill) puts nothing in.
    pub fn forget(&self, store: &str, key: &str) {
        self.lock().remove(&(store, key));
    }

    /// Takes out everything that is committed.
    pub fn clear(&self) {
        let mut values = self.lock();
        values.values.clear();
        values.bytes = 0;
    }

    /// Puts in what is under `key`, as the writer knows while nobody else writes.
    pub fn put(&self, store: &Arc<str>, key: &str, found: Found) {
        self.lock().put(Key::new(store, key), found);
    }

    /// Puts in what a reader has found, if `is_current` says that it may still be found.
    pub fn fill(
        &self,
        store: &Arc<str>,
        key: &str,
        found: Found,
        is_current: impl FnOnce() -> bool,
    ) {
        let mut values = self.lock();
        if !values.admits(&found) {
            return;
        }
        let key = Key::new(store, key);
        if is_current() {
            values.put(key, found);
        }
    }

    // A std mutex: nothing is awaited while it is held, nor the disk waited for. It is held for
    // less time than a request takes by far, so that more of them would win nothing.
    fn lock(&self) -> MutexGuard<'_, Values> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Values {
    /// Whether a value that a reader has found is put in.
    fn admits(&mut self, found: &Found) -> bool {
        let is_full = self.bytes + ENTRY_BYTES + length(found) > MAX_BYTES - MAX_VALUE_BYTES;
        if is_full {
            self.found = (self.found + 1) % ADMITTED;
        }
        !is_full || self.found == 0
    }

    fn put(&mut self, key: Key, found: Found) {
        self.remove(&key.name());
        if length(&found) > MAX_VALUE_BYTES {
            return;
        }
        self.bytes += size(&key, &found);
        self.values.insert(key, found);
        while self.bytes > MAX_BYTES
            && let Some((key, found)) = self.values.remove_lru()
        {
            self.bytes -= size(&key, &found);
        }
    }

    fn remove(&mut self, name: &(&str, &str)) {
        let name: &dyn Name = name;
        if let Some((key, found)) = self.values.remove_entry(name) {
            self.bytes -= size(&key, &found);
        }
    }
}

fn size(key: &Key, found: &Found) -> usize {
    ENTRY_BYTES + key.key.len() + length(found)
}

fn length(found: &Found) -> usize {
    found.value.as_ref().map_or(0, |value| value.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(length: usize) -> Found {
        Found {
            value: Some(vec![0; length].into()),
            moment: 0,
        }
    }

    #[test]
    fn it_is_bounded_and_keeps_what_is_used() {
        let (cache, store) = (Cache::new(), Arc::from("s"));
        for number in 0..2000 {
            cache.put(&store, &number.to_string(), found(MAX_VALUE_BYTES));
            assert!(cache.get("s", "0", true).is_some());
        }
        assert!(cache.get("s", "1", true).is_none());
        assert!(cache.get("s", "1999", true).is_some());
        assert!(cache.lock().bytes <= MAX_BYTES);
        cache.put(&store, "0", found(MAX_VALUE_BYTES + 1));
        assert!(cache.get("s", "0", true).is_none());
        cache.clear();
        assert_eq!(cache.lock().bytes, 0);
    }

    #[test]
    fn stores_keep_to_themselves() {
        let cache = Cache::new();
        cache.put(&Arc::from("a"), "bc", found(1));
        assert!(cache.get("ab", "c", true).is_none());
        cache.forget("a", "bc");
        assert!(cache.get("a", "bc", true).is_none());
        assert_eq!(cache.lock().bytes, 0);
    }

    #[test]
    fn what_is_read_once_does_not_take_the_place_of_all_others() {
        let (cache, store) = (Cache::new(), Arc::from("s"));
        let fits = MAX_BYTES / (ENTRY_BYTES + MAX_VALUE_BYTES);
        for number in 0..fits {
            cache.put(&store, &format!("kept/{number}"), found(MAX_VALUE_BYTES));
        }
        for number in 0..fits {
            let key = format!("once/{number}");
            cache.fill(&store, &key, found(MAX_VALUE_BYTES), || true);
        }
        let is_kept = |number: &usize| cache.get("s", &format!("kept/{number}"), true).is_some();
        let kept = (0..fits).filter(is_kept).count();
        assert!(kept > fits / 2, "{kept} of {fits}");
        let mut tries = 0..;
        while cache.get("s", "often", true).is_none() {
            cache.fill(&store, "often", found(1), || true);
            assert!(tries.next() < Some(ADMITTED));
        }
    }

    #[test]
    fn what_is_not_committed_is_found_until_it_is_gone() {
        let (cache, store) = (Cache::new(), Arc::from("s"));
        cache.put(&store, "k", found(1));
        cache.write(&store, "k", found(2));
        let length = |is_current| {
            let found = cache.get("s", "k", is_current)?;
            found.value.map(|value| value.len())
        };
        assert_eq!(length(false), Some(2));
        // A reader that began before the write has found the value from before.
        cache.fill(&store, "k", found(1), || true);
        cache.clear();
        assert_eq!(length(true), Some(2));
        cache.roll_back();
        assert_eq!(length(true), None);
        cache.write(&store, "k", found(3));
        cache.commit();
        assert_eq!(length(false), None);
        assert_eq!(length(true), Some(3));
    }
}
