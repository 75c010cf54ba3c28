//! Stores with users in them, made once and kept under `target/bench/stores`.
//!
//! The component's are made by the service's own code, natively, on SQLite without
//! its waits for the disk: the same requests that would come over HTTP, `POST /users`
//! for each user, and as many pages as settle what creates leave open.

use std::cell::Cell;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use edge_users::configuration::Configuration;
use edge_users::directory::{Directory, Sizes};
use edge_users::platform::Platform;
use edge_users::rest;
use edge_users::store::{Report, Store, StoreError};
use edge_users::timestamp::Timestamp;
use http::Request;
use http::header::CONTENT_TYPE;
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::json;
use tokio::runtime::Handle;

use crate::contestant::Contestant;
use crate::place::Place;
use crate::plan::Group;
use crate::service::Start;

/// How many creates a page settles (`ARCHITECTURE.md`, the total).
const SETTLED_BY_ONE_PAGE: u64 = 16;

/// Makes the stores that the groups need and that aren't there.
pub async fn prepare(place: &Place, groups: &[Group]) -> Result<()> {
    for group in groups {
        let Some(directory) = directory(place, group.contestant, group.users)? else {
            continue;
        };
        if directory.exists() {
            continue;
        }
        let unfinished = directory.with_extension("unfinished");
        fs::remove_dir_all(&unfinished).ok();
        fs::create_dir_all(&unfinished)?;
        let users = group.users;
        eprintln!("making {}", directory.display());
        if group.contestant.has_component_store() {
            let file = unfinished.join("sqlite_key_value.db");
            tokio::task::spawn_blocking(move || fill(&file, users)).await??;
        } else {
            let start = Start::new(group.contestant, users, &unfinished)?;
            start.start(place).await?.stop().await?;
        }
        fs::rename(unfinished, directory)?;
    }
    Ok(())
}

/// The path of the store with that many users; none for services without a store.
pub fn directory(place: &Place, contestant: Contestant, users: u64) -> Result<Option<PathBuf>> {
    let name = if contestant.has_component_store() {
        format!("component-{users}-{:08x}", format_of_records(place)? as u32)
    } else if contestant == Contestant::NativeSqlite {
        format!("native-{users}")
    } else {
        return Ok(None);
    };
    Ok(Some(place.work().join("stores").join(name)))
}

/// Tells stores apart that other versions of the service, or of this, have made.
fn format_of_records(place: &Place) -> Result<u64> {
    let mut hasher = DefaultHasher::new();
    let mut files = ["src/user.rs", "bench/src/seed.rs"]
        .map(|file| place.root.join(file))
        .to_vec();
    for entry in fs::read_dir(place.root.join("src/directory"))? {
        files.push(entry?.path());
    }
    files.sort();
    for file in files.iter().filter(|file| file.is_file()) {
        fs::read(file)?.hash(&mut hasher);
    }
    Ok(hasher.finish())
}

/// Creates users in a new file. Blocks.
fn fill(file: &Path, users: u64) -> Result<()> {
    const PROGRESS: u64 = 100_000;
    let begun = Instant::now();
    let store = Sqlite::create(file)?;
    let platform = Native::default();
    let directory = Directory {
        store: &store,
        platform: &platform,
        sizes: Sizes::SERVICE,
    };
    let configuration = Configuration::read(&platform, None);
    // Every operation is done when it returns, so that nothing is waited for.
    let answer = |request: Request<Vec<u8>>, status: u16| {
        let answer = rest::respond(&directory, &configuration, request);
        let answered = Handle::current().block_on(answer).response.status();
        ensure!(answered == status, "not {status}: {answered}");
        Ok(())
    };
    for number in 1..=users {
        let (name, email) = (
            format!("User {number:07}"),
            format!("user{number:07}@example.com"),
        );
        let body = json!({ "name": name, "email": email }).to_string();
        let request = Request::post("/users")
            .header(CONTENT_TYPE, "application/json")
            .body(body.into_bytes())?;
        answer(request, 201)?;
        if number % PROGRESS == 0 {
            eprintln!("  {number} users, {:.0?}", begun.elapsed());
        }
    }
    for _ in 0..=users / SETTLED_BY_ONE_PAGE {
        answer(Request::get("/users?limit=1").body(Vec::new())?, 200)?;
    }
    store.finish()
}

/// A store in edge-host's form that no other process uses yet.
struct Sqlite(Connection);

impl Sqlite {
    fn create(file: &Path) -> Result<Sqlite> {
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

    fn finish(self) -> Result<()> {
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
#[derive(Default)]
struct Native {
    drawn: Cell<u64>,
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
        Ok((name == "auth").then(|| "off".to_owned()))
    }

    fn log_error(&self, line: &str) {
        eprintln!("{line}");
    }

    /// These users need no audit trail.
    fn audit(&self, _line: &str) {}
}
