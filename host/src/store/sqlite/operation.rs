//! The SQL of each operation.

use std::rc::Rc;
use std::sync::Arc;

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, params};

use crate::store::{Entry, StoreError};

const SELECT: &str = "SELECT value FROM spin_key_value WHERE store=?1 AND key=?2";
const EXISTS: &str = "SELECT 1 FROM spin_key_value WHERE store=?1 AND key=?2";
const KEYS: &str = "SELECT key FROM spin_key_value WHERE store=?1";
const VALUES: &str = "SELECT key, value FROM spin_key_value WHERE store=?1 AND key IN rarray(?2)";
const UPSERT: &str = "INSERT INTO spin_key_value (store, key, value) VALUES (?1, ?2, ?3)
    ON CONFLICT(store, key) DO UPDATE SET value=?3";
const UPDATE: &str = "UPDATE spin_key_value SET value=?4 WHERE store=?1 AND key=?2 AND value=?3";
const DELETE: &str = "DELETE FROM spin_key_value WHERE store=?1 AND key=?2";
const DELETE_MANY: &str = "DELETE FROM spin_key_value WHERE store=?1 AND key IN rarray(?2)";

pub(super) fn value(
    connection: &Connection,
    store: &str,
    key: &str,
) -> rusqlite::Result<Option<Vec<u8>>> {
    connection
        .prepare_cached(SELECT)?
        .query_row([store, key], |row| row.get(0))
        .optional()
}

pub(super) fn exists(connection: &Connection, store: &str, key: &str) -> rusqlite::Result<bool> {
    connection.prepare_cached(EXISTS)?.exists([store, key])
}

pub(super) fn keys(
    connection: &Connection,
    store: &str,
    limit: usize,
) -> Result<Vec<String>, StoreError> {
    let mut statement = connection.prepare_cached(KEYS)?;
    let mut rows = statement.query([store])?;
    let mut keys = Vec::new();
    let mut size = 0;
    while let Some(row) = rows.next()? {
        let key: String = row.get(0)?;
        size += size_of::<String>() + key.len();
        if size > limit {
            return Err(StoreError::ResultTooLarge);
        }
        keys.push(key);
    }
    Ok(keys)
}

pub(super) fn values(
    connection: &Connection,
    store: &str,
    keys: Vec<String>,
    limit: usize,
) -> Result<Vec<Entry>, StoreError> {
    // One statement, and so one snapshot, for all keys.
    let mut statement = connection.prepare_cached(VALUES)?;
    let mut rows = statement.query(params![store, array(keys)])?;
    let mut entries = Vec::new();
    let mut size = 0;
    while let Some(row) = rows.next()? {
        let (key, value): Entry = row.try_into()?;
        size += size_of::<Entry>() + key.len() + value.len();
        if size > limit {
            return Err(StoreError::ResultTooLarge);
        }
        entries.push((key, value));
    }
    Ok(entries)
}

fn array(keys: Vec<String>) -> Rc<Vec<Value>> {
    Rc::new(keys.into_iter().map(Value::from).collect())
}

/// A write, without the label of its store.
#[derive(Debug)]
pub(super) enum Write {
    Set {
        key: String,
        value: Vec<u8>,
    },
    SetMany {
        entries: Vec<Entry>,
    },
    Delete {
        key: String,
    },
    DeleteMany {
        keys: Vec<String>,
    },
    Increment {
        key: String,
        delta: i64,
    },
    Swap {
        key: String,
        expected: Option<Vec<u8>>,
        value: Vec<u8>,
    },
}

/// The result of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Done,
    Counter(i64),
    Swapped(bool),
}

impl Write {
    /// Carries the write out, within whatever transaction the connection is in.
    pub(super) fn execute(
        &self,
        connection: &Connection,
        store: &str,
    ) -> Result<Outcome, StoreError> {
        match self {
            Self::Set { key, value } => set(connection, store, key, value)?,
            Self::SetMany { entries } => {
                for (key, value) in entries {
                    set(connection, store, key, value)?;
                }
            }
            Self::Delete { key } => {
                connection.prepare_cached(DELETE)?.execute([store, key])?;
            }
            Self::DeleteMany { keys } => {
                connection
                    .prepare_cached(DELETE_MANY)?
                    .execute(params![store, array(keys.clone())])?;
            }
            Self::Increment { key, delta } => {
                let before = match value(connection, store, key)? {
                    Some(value) => counter(&value)?,
                    None => 0,
                };
                let after = before
                    .checked_add(*delta)
                    .ok_or(StoreError::CounterOverflow)?;
                set(connection, store, key, &after.to_le_bytes())?;
                return Ok(Outcome::Counter(after));
            }
            Self::Swap {
                key,
                expected: None,
                value,
            } => {
                set(connection, store, key, value)?;
                return Ok(Outcome::Swapped(true));
            }
            Self::Swap {
                key,
                expected: Some(expected),
                value,
            } => {
                let changed = connection
                    .prepare_cached(UPDATE)?
                    .execute(params![store, key, expected, value])?;
                return Ok(Outcome::Swapped(changed == 1));
            }
        }
        Ok(Outcome::Done)
    }

    /// The keys that it may change.
    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        let (one, entries, keys): (Option<&String>, &[Entry], &[String]) = match self {
            Self::Set { key, .. }
            | Self::Delete { key }
            | Self::Increment { key, .. }
            | Self::Swap { key, .. } => (Some(key), &[], &[]),
            Self::SetMany { entries } => (None, entries, &[]),
            Self::DeleteMany { keys } => (None, &[], keys),
        };
        let entries = entries.iter().map(|(key, _)| key);
        let keys = one.into_iter().chain(entries).chain(keys);
        keys.map(String::as_str)
    }

    /// Tells `put` what the write has left under each key that it changed.
    pub(super) fn leaves(&self, outcome: Outcome, mut put: impl FnMut(&str, Option<Arc<[u8]>>)) {
        match (self, outcome) {
            (Self::Swap { .. }, Outcome::Swapped(false)) => {}
            (Self::Set { key, value } | Self::Swap { key, value, .. }, _) => {
                put(key, Some(value.as_slice().into()));
            }
            (Self::Increment { key, .. }, Outcome::Counter(counter)) => {
                put(key, Some(counter.to_le_bytes().as_slice().into()));
            }
            (Self::Increment { .. }, _) => unreachable!("an increment answers its sum"),
            (Self::Delete { key }, _) => put(key, None),
            (Self::SetMany { entries }, _) => {
                for (key, value) in entries {
                    put(key, Some(value.as_slice().into()));
                }
            }
            (Self::DeleteMany { keys }, _) => {
                for key in keys {
                    put(key, None);
                }
            }
        }
    }

    /// Whether it is several statements, so that failing half-way could leave the
    /// first of them done. One statement alone takes itself back when it fails.
    pub(super) fn has_parts(&self) -> bool {
        matches!(self, Self::SetMany { .. })
    }

    /// About how many pages of the database it changes.
    pub(super) fn pages(&self) -> usize {
        const PAGE_BYTES: usize = 4096;
        let pages = |bytes: usize| 2 + bytes / PAGE_BYTES;
        match self {
            Self::Set { value, .. } | Self::Swap { value, .. } => pages(value.len()),
            Self::SetMany { entries } => entries.iter().map(|(_, value)| pages(value.len())).sum(),
            Self::Delete { .. } | Self::Increment { .. } => pages(0),
            Self::DeleteMany { keys } => keys.len() * pages(0),
        }
    }
}

fn set(connection: &Connection, store: &str, key: &str, value: &[u8]) -> rusqlite::Result<()> {
    connection
        .prepare_cached(UPSERT)?
        .execute(params![store, key, value])?;
    Ok(())
}

/// A counter is eight bytes, the least significant first.
fn counter(value: &[u8]) -> Result<i64, StoreError> {
    let bytes = value.try_into().map_err(|_| StoreError::NotACounter {
        length: value.len(),
    })?;
    Ok(i64::from_le_bytes(bytes))
}
