//! edge-host's form of a store, and a platform for the service's code beside it.

use std::cell::Cell;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use edge_users::platform::Platform;
use edge_users::store::{Report, Store, StoreError};
use edge_users::timestamp::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

/// A store in edge-host's form that no other process uses yet.
pub struct Sqlite(Connection);

impl Sqlite {
    pub fn create(file: &Path) -> Result<Sqlite> {
        let connection = Connection::open(file)?;
        // If it breaks off, the file is made anew.
        connection.pragma_update(None, "journal_mode", "off")?;
        connection.pragma_update(None, "synchronous", "off")?;
        connection.pragma_update(None, "cache_size", -1_000_000)?;
        connection.execute_batch(
            "CREATE TABLE spin_key_value (
               store TEXT NOT NULL,
               key   TEXT NOT NULL,
               value BLOB NOT NULL,

               PRIMARY KEY (store, key)
            );
            BEGIN",
        )?;
        Ok(Sqlite(connection))
    }

    pub fn finish(self) -> Result<()> {
        self.0.execute_batch("COMMIT")?;
        self.0.pragma_update(None, "journal_mode", "wal")?;
        let closed = self.0.close();
        closed
            .map_err(|(_, error)| error)
            .context("cannot close the store")
    }

    fn read(&self, key: &str) -> rusqlite::Result<Option<Vec<u8>>> {
        const SELECT: &str =
            "SELECT value FROM spin_key_value WHERE store = 'default' AND key = ?1";
        let mut select = self.0.prepare_cached(SELECT)?;
        select.query_row([key], |row| row.get(0)).optional()
    }

    fn write(&self, key: &str, value: &[u8]) -> rusqlite::Result<()> {
        const UPSERT: &str = "INSERT INTO spin_key_value VALUES ('default', ?1, ?2)
            ON CONFLICT (store, key) DO UPDATE SET value = ?2";
        let mut upsert = self.0.prepare_cached(UPSERT)?;
        upsert.execute(params![key, value]).map(drop)
    }
}

fn failure(error: impl ToString) -> StoreError {
    StoreError(error.to_string())
}

impl Store for Sqlite {
    type Watch = String;

    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.read(key).map_err(failure)
    }

    async fn set(&self, key: &str, value: &[u8]) -> Result<(), StoreError> {
        self.write(key, value).map_err(failure)
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        const DELETE: &str = "DELETE FROM spin_key_value WHERE store = 'default' AND key = ?1";
        let mut delete = self.0.prepare_cached(DELETE).map_err(failure)?;
        delete.execute([key]).map(drop).map_err(failure)
    }

    async fn increment(&self, key: &str, delta: i64) -> Result<i64, StoreError> {
        let before = match self.read(key).map_err(failure)? {
            Some(value) => value.try_into().map(i64::from_le_bytes),
            None => Ok(0),
        };
        let before = before.map_err(|_| failure("not a counter"))?;
        let after = before + delta;
        self.write(key, &after.to_le_bytes()).map_err(failure)?;
        Ok(after)
    }

    async fn current(&self, key: &str) -> Result<(Option<Vec<u8>>, String), StoreError> {
        let value = self.read(key).map_err(failure)?;
        Ok((value, key.to_owned()))
    }

    /// There are no other writers, so every swap takes effect.
    async fn swap(&self, key: String, value: &[u8]) -> Result<Report, StoreError> {
        self.write(&key, value).map_err(failure)?;
        Ok(Report::Swapped)
    }
}

/// The machine's clock, and numbers that are drawn only once in this store.
pub struct Native {
    drawn: Cell<u64>,
    has_indexes: bool,
}

impl Native {
    /// `has_indexes`: users can be found by their team.
    pub fn new(has_indexes: bool) -> Native {
        Native {
            drawn: Cell::new(0),
            has_indexes,
        }
    }
}

impl Platform for Native {
    fn now(&self) -> Timestamp {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        Timestamp(now.expect("a clock after 1970").as_millis() as i64)
    }

    /// Nobody sets the clock of a benchmark.
    fn monotonic(&self) -> Duration {
        Duration::from_millis(self.now().0 as u64)
    }

    fn random(&self) -> u64 {
        // SplitMix64: each number once, evenly distributed.
        let state = self.drawn.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.drawn.set(state);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn variable(&self, name: &str) -> Result<Option<String>, String> {
        let value = match name {
            "auth" => Some("off"),
            "indexed_attributes" if self.has_indexes => Some("team"),
            _ => None,
        };
        Ok(value.map(str::to_owned))
    }

    fn log_error(&self, line: &str) {
        eprintln!("{line}");
    }

    /// These users need no audit trail.
    fn audit(&self, _line: &str) {}
}
