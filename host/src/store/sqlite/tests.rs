mod crash;
mod group;

use std::fs::File;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::thread;

use tempfile::TempDir;
use tokio::task::JoinSet;

use super::*;
use crate::log::Log;
use crate::store::{LogSync, NotDurable};

fn log() -> Log {
    Log::new(true, true, None).unwrap()
}

fn sync() -> LogSync {
    Arc::new(File::sync_data)
}

fn open(path: &Path) -> SqliteStore {
    let database = Database::open(&Location::File(path.to_owned()), &log(), &sync()).unwrap();
    SqliteStore::new("default", database)
}

fn store() -> (SqliteStore, TempDir) {
    let directory = tempfile::tempdir().unwrap();
    (open(&directory.path().join("store.db")), directory)
}

fn bytes(text: &str) -> Vec<u8> {
    text.as_bytes().to_vec()
}

impl SqliteStore {
    /// The same store, for somebody who has not seen anything of it.
    fn newcomer(&self) -> Self {
        SqliteStore::new("default", self.database.clone())
    }

    async fn durable(&self) -> Result<(), NotDurable> {
        self.basis.durable().await
    }
}

#[tokio::test]
async fn a_write_is_read_by_whoever_reads_next() {
    let (store, _directory) = store();
    // More readers than one, each with a snapshot of its own to forget.
    for number in 0..100 {
        let value = number.to_string();
        store.set("k".into(), bytes(&value)).await.unwrap();
        assert_eq!(store.get("k").unwrap(), Some(bytes(&value)));
    }
}

#[tokio::test]
async fn stores_in_one_database_keep_to_themselves() {
    let (store, _directory) = store();
    let other = SqliteStore::new("other", store.database.clone());
    store.set("k".into(), bytes("mine")).await.unwrap();
    assert_eq!(other.get("k").unwrap(), None);
    assert_eq!(other.list_keys().await.unwrap(), Vec::<String>::new());
    other.delete("k".into()).await.unwrap();
    assert_eq!(store.get("k").unwrap(), Some(bytes("mine")));
}

#[tokio::test]
async fn an_empty_value_is_a_value() {
    let (store, _directory) = store();
    store.set("k".into(), Vec::new()).await.unwrap();
    assert_eq!(store.get("k").unwrap(), Some(Vec::new()));
    assert!(store.exists("k").unwrap());
}

#[tokio::test]
async fn a_failure_spoils_nothing_of_what_is_committed_with_it() {
    let (store, _directory) = store();
    store.set("text".into(), bytes("x")).await.unwrap();
    let mut tasks = JoinSet::new();
    for number in 0..50_i64 {
        let store = store.clone();
        tasks.spawn(async move {
            if number % 5 == 0 {
                let error = store.increment("text".into(), 1).await.unwrap_err();
                assert!(matches!(error, StoreError::NotACounter { length: 1 }));
            } else {
                store.increment("n".into(), 1).await.unwrap();
            }
        });
    }
    tasks.join_all().await;
    assert_eq!(store.increment("n".into(), 0).await.unwrap(), 40);
    assert_eq!(store.get("text").unwrap(), Some(bytes("x")));
}

#[tokio::test]
async fn exactly_one_of_many_claims_wins() {
    let (store, _directory) = store();
    let mut tasks = JoinSet::new();
    for _ in 0..50 {
        let store = store.clone();
        tasks.spawn(async move { store.increment("claim".into(), 1).await.unwrap() == 1 });
    }
    let won = tasks.join_all().await.into_iter().filter(|won| *won);
    assert_eq!(won.count(), 1);
}

#[tokio::test]
async fn exactly_one_of_many_swaps_of_the_same_value_wins() {
    let (store, _directory) = store();
    store.set("k".into(), bytes("old")).await.unwrap();
    let mut tasks = JoinSet::new();
    for number in 0..50 {
        let store = store.clone();
        tasks.spawn(async move {
            let value = bytes(&number.to_string());
            store
                .swap("k".into(), Some(bytes("old")), value)
                .await
                .unwrap()
        });
    }
    let won = tasks.join_all().await.into_iter().filter(|won| *won);
    assert_eq!(won.count(), 1);
}

#[tokio::test]
async fn reads_do_not_wait_for_a_transaction_of_somebody_else() {
    let (store, directory) = store();
    store.set("k".into(), bytes("before")).await.unwrap();
    let other = rusqlite::Connection::open(directory.path().join("store.db")).unwrap();
    other
        .execute_batch("BEGIN IMMEDIATE; UPDATE spin_key_value SET value = x'00'")
        .unwrap();
    assert_eq!(store.get("k").unwrap(), Some(bytes("before")));
    other.execute_batch("COMMIT").unwrap();
    // That is how long it may take until what another process wrote is seen.
    thread::sleep(readers::MAX_SNAPSHOT_AGE);
    assert_eq!(store.get("k").unwrap(), Some(vec![0]));
}

/// Has `reader` called again and again by some threads, while `write` goes on.
async fn beside_readers(reader: impl Fn() + Sync, write: impl Future<Output = ()>) {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    reader();
                }
            });
        }
        let runtime = tokio::runtime::Handle::current();
        tokio::task::block_in_place(|| runtime.block_on(write));
        done.store(true, Ordering::Relaxed);
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_has_seen_nobody_reads_as_it_was_before() {
    let (store, _directory) = store();
    let newest = AtomicI64::new(0);
    let read = || {
        let seen_before = newest.load(Ordering::SeqCst);
        let value = store.get("k").unwrap().unwrap_or(vec![0; 8]);
        let value = i64::from_le_bytes(value.try_into().unwrap());
        assert!(value >= seen_before, "{value} after {seen_before}");
        newest.fetch_max(value, Ordering::SeqCst);
    };
    beside_readers(read, async {
        for _ in 0..500 {
            let answered = store.increment("k".into(), 1).await.unwrap();
            newest.fetch_max(answered, Ordering::SeqCst);
        }
    })
    .await;
    assert_eq!(newest.into_inner(), 500);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_begins_anew_though_somebody_always_reads() {
    let (store, directory) = store();
    const WRITES: usize = 600;
    let value = vec![7; 64 * 1024];
    let read = || drop(store.get("0").unwrap());
    beside_readers(read, async {
        for number in 0..WRITES {
            store.set(number.to_string(), value.clone()).await.unwrap();
        }
    })
    .await;
    let log = directory.path().join("store.db-wal").metadata().unwrap();
    assert!(log.len() < (WRITES * value.len()) as u64, "{}", log.len());
}

#[tokio::test]
async fn what_queues_up_behind_a_commit_shares_the_next_one() {
    let (store, directory) = store();
    store.set("k".into(), Vec::new()).await.unwrap();
    let log = directory.path().join("store.db-wal");
    let before = log.metadata().unwrap().len();
    // While somebody else holds the lock nothing can be committed.
    let other = rusqlite::Connection::open(directory.path().join("store.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let queued = Arc::new(AtomicUsize::new(0));
    let mut tasks = JoinSet::new();
    for number in 0..100 {
        let (store, queued) = (store.clone(), queued.clone());
        tasks.spawn(async move {
            queued.fetch_add(1, Ordering::Relaxed);
            store.set("k".into(), bytes(&number.to_string())).await
        });
    }
    // A task that has counted itself has queued its write before it awaits.
    while queued.load(Ordering::Relaxed) < 100 {
        tokio::task::yield_now().await;
    }
    other.execute_batch("ROLLBACK").unwrap();
    for answered in tasks.join_all().await {
        answered.unwrap();
    }
    // Each commit adds to the log every page it changed, once: a hundred commits
    // would add a hundred pages and more.
    let pages = (log.metadata().unwrap().len() - before) / 4096;
    assert!(pages < 50, "{pages} pages");
}

#[tokio::test]
async fn what_is_queued_when_a_store_closes_is_written() {
    let (store, directory) = store();
    let mut tasks = JoinSet::new();
    for number in 0..50 {
        let store = store.clone();
        tasks.spawn(async move { store.set(number.to_string(), bytes("v")).await });
    }
    // Each has queued its write before it waits for the answer.
    tokio::task::yield_now().await;
    let database = store.database.clone();
    tokio::task::spawn_blocking(move || database.close())
        .await
        .unwrap();
    let answered = tasks.join_all().await.into_iter().filter(Result::is_ok);
    let answered = answered.count();
    assert!(matches!(
        store.set("late".into(), Vec::new()).await,
        Err(StoreError::Closed)
    ));
    let keys = open(&directory.path().join("store.db"))
        .list_keys()
        .await
        .unwrap();
    assert_eq!(keys.len(), answered);
}

#[tokio::test]
async fn a_log_that_grew_long_is_moved_into_the_database() {
    let (store, directory) = store();
    let value = vec![7; 64 * 1024];
    let size = |name: &str| directory.path().join(name).metadata().unwrap().len();
    let mut written = 0;
    // A thread of its own moves it, while writes go on.
    while size("store.db-wal") >= written {
        let key = (written % 200).to_string();
        store.set(key, value.clone()).await.unwrap();
        store.basis.durable().await.unwrap();
        written += value.len() as u64;
        assert!(written < 1 << 30, "the log was never begun anew");
    }
    assert!(size("store.db") > 0);
}

#[tokio::test]
async fn a_store_in_memory_is_a_store() {
    let database = Database::open(&Location::Memory, &log(), &sync()).unwrap();
    let store = SqliteStore::new("default", database);
    store.set("k".into(), bytes("v")).await.unwrap();
    assert_eq!(store.get("k").unwrap(), Some(bytes("v")));
    let other = Database::open(&Location::Memory, &log(), &sync()).unwrap();
    let other = SqliteStore::new("default", other);
    assert_eq!(other.get("k").unwrap(), None);
}

#[test]
fn a_file_that_is_no_database_is_refused_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store.db");
    std::fs::write(&path, "no database, ".repeat(1000)).unwrap();
    let error = Database::open(&Location::File(path), &log(), &sync()).unwrap_err();
    assert!(format!("{error:#}").contains("store.db"), "{error:#}");
}

#[tokio::test]
async fn odd_paths_are_paths() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a?b=1#c%20d/store.db");
    open(&path).set("k".into(), bytes("v")).await.unwrap();
    assert!(path.exists());
    // To SQLite this would be a URI with an authority, were it a URI.
    let path = format!("/{}", directory.path().join("double/store.db").display());
    open(Path::new(&path))
        .set("k".into(), bytes("v"))
        .await
        .unwrap();
    assert!(Path::new(&path).exists());
}
