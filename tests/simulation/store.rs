//! The simulated store: it behaves like Spin's key-value backends, operation by operation, at the
//! instant at which the scheduler lets an operation happen.
//!
//! It can remember what keys held before, for late reads: `get` of Spin's DynamoDB store is
//! eventually consistent unless it is told otherwise; its `current` and `increment` never are.

use std::collections::BTreeMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::rc::Rc;

use crate::backend::Backend;
use crate::operation::{Answer, Operation, Watch};
use crate::sabotage::Sabotage;

#[derive(Clone, Debug)]
struct Entry {
    value: Vec<u8>,
    /// Redis: how often the key was written. DynamoDB: the version, `None` after a set.
    stamp: Option<u64>,
    hash: u64,
}

/// A whole store.
#[derive(Clone, Debug)]
pub struct SimStore {
    pub backend: Backend,
    /// The sabotage, if there is one, and its state.
    pub sabotage: Option<Sabotage>,
    pub deferred: Vec<(usize, Operation)>,
    pub written: Vec<(usize, String)>,
    pub first_lows: BTreeMap<String, serde_json::Value>,
    /// The true time.
    pub now: i64,
    entries: BTreeMap<Rc<str>, Rc<Entry>>,
    hash: u64,
    /// Whether it keeps what keys held before,
    pub keeps_past: bool,
    /// the oldest first.
    past: BTreeMap<String, Vec<Option<Vec<u8>>>>,
    /// An operation of a client that breaks a real store.
    pub ruined: Option<String>,
}

impl SimStore {
    /// An empty store.
    pub fn new(backend: Backend) -> SimStore {
        SimStore {
            backend,
            sabotage: None,
            deferred: Vec::new(),
            written: Vec::new(),
            first_lows: BTreeMap::new(),
            now: 0,
            entries: BTreeMap::new(),
            hash: 0,
            keeps_past: false,
            past: BTreeMap::new(),
            ruined: None,
        }
    }

    /// Lets an operation of a client happen.
    pub fn apply(&mut self, client: usize, operation: &Operation) -> Answer {
        match self.sabotage {
            Some(sabotage) => sabotage.apply(self, client, operation),
            None => self.perform(operation),
        }
    }

    /// Lets an operation happen as the backend does it.
    pub fn perform(&mut self, operation: &Operation) -> Answer {
        match operation {
            Operation::Get(key) => Answer::Value(self.value(key)),
            Operation::Set(key, value) => {
                self.write(key, value.clone(), None);
                Answer::Done
            }
            Operation::Delete(key) => {
                self.remember(key);
                if let Some(entry) = self.entries.remove(key.as_str()) {
                    self.hash ^= entry.hash;
                }
                Answer::Done
            }
            Operation::Increment(key, delta) => self.increment(key, *delta),
            Operation::Current(key) => {
                let entry = self.entries.get(key.as_str());
                let watch = Watch {
                    key: key.clone(),
                    value: entry.map(|entry| entry.value.clone()),
                    stamp: entry.and_then(|entry| entry.stamp),
                };
                Answer::Watched(watch.value.clone(), watch)
            }
            Operation::Swap(watch, value) => {
                let wins = self.unchanged(watch);
                if wins {
                    let entry = self.entries.get(watch.key.as_str());
                    let version = entry.and_then(|entry| entry.stamp).unwrap_or(0) + 1;
                    self.write(&watch.key, value.clone(), Some(version));
                }
                Answer::Swap(wins && self.backend != Backend::Redis)
            }
            Operation::Count(key) => match self.value(key) {
                None => Answer::Value(None),
                Some(_) => self.clone().increment(key, 0),
            },
            Operation::Overwrite(key, number) => {
                self.write(key, self.backend.encode(*number), None);
                Answer::Done
            }
            Operation::Create(key, number) => {
                if self.value(key).is_none() {
                    self.increment(key, *number);
                }
                Answer::Done
            }
        }
    }

    /// Whether a swap of this watch would happen.
    fn unchanged(&self, watch: &Watch) -> bool {
        let entry = self.entries.get(watch.key.as_str());
        let value = entry.map(|entry| &entry.value);
        let stamp = entry.and_then(|entry| entry.stamp);
        match self.backend {
            Backend::Sqlite => watch.value.is_none() || value == watch.value.as_ref(),
            Backend::Redis => stamp == watch.stamp,
            Backend::DynamoDb if watch.stamp.is_some() => stamp == watch.stamp,
            Backend::DynamoDb => value == watch.value.as_ref(),
        }
    }

    /// The value of a key.
    pub fn value(&self, key: &str) -> Option<Vec<u8>> {
        self.entries.get(key).map(|entry| entry.value.clone())
    }

    /// All keys with their values.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let entries = self.entries.iter();
        entries.map(|(key, entry)| (&**key, entry.value.as_slice()))
    }

    /// The number that a counter would have as this backend's value.
    pub fn encode(&self, number: i64) -> Vec<u8> {
        self.backend.encode(number)
    }

    /// The number that a value is, less one.
    pub fn count_down(&self, value: &[u8]) -> Vec<u8> {
        let number = self.backend.decode(value).expect("a number");
        self.encode(number - 1)
    }

    fn increment(&mut self, key: &str, delta: i64) -> Answer {
        let before = match self.entries.get(key) {
            None => 0,
            Some(entry) => match self.backend.decode(&entry.value) {
                Some(number) => number,
                None => {
                    self.ruined = Some(format!("{key} is no counter and was incremented"));
                    return Answer::Failed;
                }
            },
        };
        let sum = before + delta;
        let version = self.entries.get(key).and_then(|entry| entry.stamp);
        self.write(key, self.backend.encode(sum), version);
        Answer::Sum(sum)
    }

    /// Writes; `version` is kept beside the value by DynamoDB.
    fn write(&mut self, key: &str, value: Vec<u8>, version: Option<u64>) {
        self.remember(key);
        let before = self.entries.get(key);
        let stamp = match self.backend {
            Backend::Sqlite => None,
            Backend::Redis => Some(before.and_then(|entry| entry.stamp).unwrap_or(0) + 1),
            Backend::DynamoDb => version,
        };
        let hash = hash(&(key, &value, stamp));
        self.hash ^= before.map_or(0, |entry| entry.hash) ^ hash;
        let entry = Rc::new(Entry { value, stamp, hash });
        match self.entries.get_mut(key) {
            Some(held) => *held = entry,
            None => drop(self.entries.insert(key.into(), entry)),
        }
    }

    /// Keeps what a key holds, which is about to be written.
    fn remember(&mut self, key: &str) {
        if self.keeps_past {
            let value = self.value(key);
            let past = self.past.entry(key.to_owned()).or_default();
            self.hash ^= hash(&(key, past.len(), &value));
            past.push(value);
        }
    }

    /// What a key held before, as far as that is kept: the oldest first.
    pub fn past(&self, key: &str) -> &[Option<Vec<u8>>] {
        self.past.get(key).map_or(&[], Vec::as_slice)
    }

    /// The answer to a `get` that is late by so many writes.
    pub fn outdated(&self, operation: &Operation, writes: usize) -> Answer {
        let past = self.past(operation.key());
        Answer::Value(past[past.len() - writes].clone())
    }

    /// From now on, no read is late.
    pub fn forget_past(&mut self) {
        self.keeps_past = false;
        self.past.clear();
    }

    /// A number for all that the store holds.
    pub fn fingerprint(&self) -> u64 {
        match self.sabotage {
            None => self.hash,
            Some(_) => hash(&(
                self.hash,
                format!("{:?}{:?}", self.deferred, self.first_lows),
                &self.written,
            )),
        }
    }
}

/// A hash of anything.
pub fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watch(store: &mut SimStore, key: &str) -> Watch {
        match store.perform(&Operation::Current(key.into())) {
            Answer::Watched(_, watch) => watch,
            answer => panic!("{answer:?}"),
        }
    }

    fn set(store: &mut SimStore, value: &str) {
        store.perform(&Operation::Set("k".into(), value.into()));
    }

    fn swap(store: &mut SimStore, watch: Watch, value: &str) -> Answer {
        store.perform(&Operation::Swap(watch, value.into()))
    }

    #[test]
    fn a_swap_happens_unless_others_wrote_whatever_is_reported() {
        for backend in Backend::ALL {
            let mut store = SimStore::new(backend);
            set(&mut store, "a");
            let (first, second) = (watch(&mut store, "k"), watch(&mut store, "k"));
            let report = swap(&mut store, first, "b");
            assert_eq!(report, Answer::Swap(backend != Backend::Redis));
            assert_eq!(swap(&mut store, second, "c"), Answer::Swap(false));
            assert_eq!(store.value("k"), Some(b"b".to_vec()), "{backend:?}");
        }
    }

    #[test]
    fn only_redis_notices_that_an_equal_value_was_written() {
        for backend in Backend::ALL {
            let mut store = SimStore::new(backend);
            set(&mut store, "a");
            let before = watch(&mut store, "k");
            set(&mut store, "a");
            swap(&mut store, before, "b");
            let noticed = store.value("k") == Some(b"a".to_vec());
            assert_eq!(noticed, backend == Backend::Redis, "{backend:?}");
        }
    }

    #[test]
    fn only_sqlite_overwrites_what_came_to_an_absent_key() {
        for backend in Backend::ALL {
            let mut store = SimStore::new(backend);
            let absent = watch(&mut store, "k");
            set(&mut store, "a");
            swap(&mut store, absent, "b");
            let overwritten = store.value("k") == Some(b"b".to_vec());
            assert_eq!(overwritten, backend == Backend::Sqlite, "{backend:?}");
        }
    }

    #[test]
    fn counting_up_what_is_no_counter_ruins_the_store() {
        for backend in Backend::ALL {
            let mut store = SimStore::new(backend);
            store.perform(&Operation::Increment("n".into(), 2));
            assert_eq!(
                store.perform(&Operation::Increment("n".into(), 0)),
                Answer::Sum(2)
            );
            assert_eq!(store.ruined, None);
            set(&mut store, "{}");
            store.perform(&Operation::Increment("k".into(), 1));
            assert!(store.ruined.is_some(), "{backend:?}");
        }
    }
}
