//! What is left when the power fails: the file, and of the log what was synced, with any part of
//! what came after.

use std::fs;
use std::io::{self, Read as _, Seek as _};
use std::sync::Mutex;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use super::*;

/// A store in a directory, whose log is synced by a function.
fn store_syncing(
    directory: &Path,
    sync: impl Fn(&File) -> io::Result<()> + Send + Sync + 'static,
) -> SqliteStore {
    let location = Location::File(directory.join("store.db"));
    SqliteStore::new(
        "default",
        Database::open(&location, &log(), &(Arc::new(sync) as LogSync)).unwrap(),
    )
}

/// What the disk has for sure: the log, and what the file was at that time.
#[derive(Clone, Default)]
struct Disk {
    log: Vec<u8>,
    file: Vec<u8>,
}

struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound.max(1) as u64) as usize
    }
}

/// What a crash leaves of the log: each piece as it is, or as it was when it was synced.
fn crashed(synced: &[u8], log: &[u8], random: &mut Random) -> Vec<u8> {
    const HEADER: usize = 32;
    // Half of the time a prefix is left, up to any byte; else any sectors.
    let end = (random.below(2) == 0).then(|| HEADER + random.below(log.len() + 1 - HEADER));
    let mut left = log.to_vec();
    for (number, sector) in left.chunks_mut(512).enumerate() {
        let keeps = random.below(2) == 0;
        for (offset, byte) in sector.iter_mut().enumerate() {
            let at = number * 512 + offset;
            let is_kept = end.map_or(keeps, |end| at < end);
            // SQLite syncs the header by itself, before anything that comes after it.
            if !is_kept && at >= HEADER {
                *byte = synced.get(at).copied().unwrap_or_default();
            }
        }
    }
    left
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_takes_back_nothing_that_was_durable() {
    let mut random = Random(0x2545_F491_4F6C_DD1D);
    let mut lost = 0;
    for round in 0..30 {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("store.db");
        let disk: Arc<Mutex<Disk>> = Arc::default();
        let store = store_syncing(directory.path(), {
            let (disk, path) = (disk.clone(), path.clone());
            move |mut log| {
                let file = fs::read(&path)?;
                let mut bytes = Vec::new();
                log.rewind()?;
                log.read_to_end(&mut bytes)?;
                *disk.lock().unwrap() = Disk { log: bytes, file };
                Ok(())
            }
        });
        let heard = Arc::new(AtomicU64::new(0));
        let mut tasks = JoinSet::new();
        for task in 0..4 {
            let (store, heard) = (store.clone(), heard.clone());
            tasks.spawn(async move {
                loop {
                    // One of four only reads.
                    let store = store.newcomer();
                    let counted = match task {
                        0 => store
                            .get("n")
                            .unwrap()
                            .map_or(0, |value| u64::from_le_bytes(value.try_into().unwrap())),
                        _ => store.increment("n".into(), 1).await.unwrap() as u64,
                    };
                    if task != 0 {
                        store
                            .set(format!("seen/{counted}"), vec![7; 3000])
                            .await
                            .unwrap();
                    }
                    store.durable().await.unwrap();
                    heard.fetch_max(counted, Ordering::SeqCst);
                    tokio::task::yield_now().await;
                }
            });
        }
        tokio::time::sleep(Duration::from_millis(5 + 7 * round)).await;
        // What is not committed at this moment is in none of the files.
        let (heard, synced, log, file) = store.database.writer.hold(|_| {
            // In this order: what was heard was durable by then.
            let heard = heard.load(Ordering::SeqCst);
            let synced = disk.lock().unwrap().clone();
            let log = fs::read(directory.path().join("store.db-wal")).unwrap();
            (heard, synced, log, fs::read(&path).unwrap())
        });
        tasks.shutdown().await;
        // A checkpoint has synced the log since, as SQLite does by itself.
        let log = match synced.file == file {
            true => crashed(&synced.log, &log, &mut random),
            false => log,
        };

        let left = tempfile::tempdir().unwrap();
        fs::write(left.path().join("store.db"), file).unwrap();
        fs::write(left.path().join("store.db-wal"), log).unwrap();
        let left = open(&left.path().join("store.db"));
        let newest = store.increment("n".into(), 0).await.unwrap();
        let counted = left.increment("n".into(), 0).await.unwrap();
        assert!(
            counted >= heard as i64,
            "round {round}: {counted} of {heard}"
        );
        lost += newest - counted;
        // An order: nothing is left of what came after something that is lost.
        for key in left.list_keys().await.unwrap() {
            if let Some(number) = key.strip_prefix("seen/") {
                let number: i64 = number.parse().unwrap();
                assert!(number <= counted, "round {round}: {key}, but {counted}");
            }
        }
    }
    assert!(lost > 0, "nothing was ever lost: the test tests nothing");
}

#[tokio::test]
async fn after_a_sync_that_failed_nothing_is_durable_any_more() {
    let directory = tempfile::tempdir().unwrap();
    let is_well = Arc::new(AtomicBool::new(true));
    let store = store_syncing(directory.path(), {
        let is_well = is_well.clone();
        move |_| match is_well.load(Ordering::SeqCst) {
            true => Ok(()),
            false => Err(io::Error::other("no disk")),
        }
    });
    store.set("before".into(), bytes("v")).await.unwrap();
    store.durable().await.unwrap();
    is_well.store(false, Ordering::SeqCst);
    let writer = store.newcomer();
    writer.set("after".into(), bytes("v")).await.unwrap();
    assert_eq!(writer.durable().await, Err(NotDurable));
    // The next sync would succeed, and mean nothing.
    is_well.store(true, Ordering::SeqCst);
    assert_eq!(writer.durable().await, Err(NotDurable));
    let reader = store.newcomer();
    assert_eq!(reader.get("after").unwrap(), Some(bytes("v")));
    assert_eq!(reader.durable().await, Err(NotDurable));
    let error = store.set("k".into(), bytes("v")).await.unwrap_err();
    assert!(
        error.to_string().contains("start the host again"),
        "{error}"
    );
}

#[tokio::test]
async fn a_read_of_what_is_durable_waits_for_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let store = store_syncing(directory.path(), |_| Ok(()));
    store.set("k".into(), bytes("v")).await.unwrap();
    store.durable().await.unwrap();
    let reader = store.newcomer();
    assert_eq!(reader.get("k").unwrap(), Some(bytes("v")));
    assert!(reader.basis.is_durable());
    store.set("k".into(), bytes("new")).await.unwrap();
    let reader = store.newcomer();
    assert_eq!(reader.get("k").unwrap(), Some(bytes("new")));
    assert!(!reader.basis.is_durable());
}

#[tokio::test]
async fn all_that_wait_while_the_disk_is_busy_share_the_next_sync() {
    let directory = tempfile::tempdir().unwrap();
    let syncs = Arc::new(AtomicUsize::new(0));
    let store = store_syncing(directory.path(), {
        let syncs = syncs.clone();
        move |_| {
            syncs.fetch_add(1, Ordering::SeqCst);
            thread::sleep(Duration::from_millis(50));
            Ok(())
        }
    });
    let mut tasks = JoinSet::new();
    for number in 0..50 {
        let store = store.newcomer();
        tasks.spawn(async move {
            for step in 0..5 {
                store
                    .set(format!("{number}/{step}"), bytes("v"))
                    .await
                    .unwrap();
            }
            store.durable().await.unwrap();
        });
    }
    tasks.join_all().await;
    let syncs = syncs.load(Ordering::SeqCst);
    assert!(syncs <= 10, "{syncs} syncs");
}

#[tokio::test]
async fn what_another_process_wrote_is_brought_to_the_disk_before_it_is_durable() {
    let (store, directory) = store();
    store.set("k".into(), bytes("before")).await.unwrap();
    store.durable().await.unwrap();
    let other = rusqlite::Connection::open(directory.path().join("store.db")).unwrap();
    let update = "PRAGMA synchronous = off; UPDATE spin_key_value SET value = x'00'";
    other.execute_batch(update).unwrap();
    thread::sleep(readers::MAX_SNAPSHOT_AGE);
    let reader = store.newcomer();
    assert_eq!(reader.get("k").unwrap(), Some(vec![0]));
    assert!(!reader.basis.is_durable());
    reader.durable().await.unwrap();
}

#[tokio::test]
async fn what_a_killed_host_left_is_brought_to_the_disk_before_it_is_durable() {
    let (store, directory) = store();
    store.set("k".into(), bytes("v")).await.unwrap();
    let copy = tempfile::tempdir().unwrap();
    store.database.writer.without(|| {
        for name in ["store.db", "store.db-wal"] {
            fs::copy(directory.path().join(name), copy.path().join(name)).unwrap();
        }
    });
    let store = store_syncing(copy.path(), |_| Err(io::Error::other("no disk")));
    assert_eq!(store.get("k").unwrap(), Some(bytes("v")));
    assert_eq!(store.durable().await, Err(NotDurable));
}
