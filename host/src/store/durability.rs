//! How much of a database's log is on the disk.
//!
//! A write is answered before it is committed, and a commit before it is on the disk. Whoever makes
//! an effect outside of the host waits here first, until the log is on the disk as far as the
//! effect rests on it. One thread commits and then syncs the log, for all that wait: those that
//! come while the disk is busy share the next commit and the next sync.
//!
//! *Moments* order transactions and syncs: 1, 2, 3 … A transaction is given a moment when it
//! begins. A sync makes everything durable that was given a moment before the sync began, as
//! whatever was open is committed first. The log is kept in order, so what is durable is always a
//! prefix of it.
//!
//! A commit that fails, on a full disk, takes back what instances may have seen already. They rest
//! on a moment that is *lost*: nothing of theirs leaves the host, and they write nothing more.
//!
//! After a sync that failed nobody knows what is on the disk, and a second one may succeed without
//! having written anything: the kernel has already taken the pages for clean. So there is none.
//! Nothing becomes durable any more, until the host is started again and reads what is there.

use std::fs::File;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::time::timeout;

use super::StoreError;
use super::lost::Lost;
use super::reports::Reports;

/// Brings a log to the disk: [`File::sync_data`], or what a test has in its place.
pub type LogSync = Arc<dyn Fn(&File) -> io::Result<()> + Send + Sync>;

/// How long to wait for a sync. A disk that takes longer is out of order.
const MAX_WAIT: Duration = Duration::from_secs(30);

/// How long a transaction stays open for writes that come later, unless the disk takes longer.
const MAX_OPEN: Duration = Duration::from_millis(2);

/// What an effect rests on may not be on the disk: the disk failed or takes too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotDurable;

/// How much of a log is on the disk.
#[derive(Debug)]
pub struct Durability {
    /// The last moment that was given.
    now: AtomicU64,
    /// The moment of the last commit that is known.
    latest: AtomicU64,
    /// Everything up to this moment is on the disk.
    durable: AtomicU64,
    has_failed: AtomicBool,
    lost: Lost,
    /// Told when one of the three above changes, and when the thread ends.
    changed: watch::Sender<()>,
    orders: Mutex<Orders>,
    ordered: Condvar,
    /// None where nothing outlives the host.
    thread: Mutex<Option<JoinHandle<()>>>,
    is_volatile: bool,
}

/// What the thread is to do.
#[derive(Debug, Default)]
struct Orders {
    /// Somebody waits until everything up to this moment is on the disk.
    wanted: u64,
    /// When the transaction that is open is to be committed, though nobody waits for it.
    commit: Option<Instant>,
    stop: bool,
}

impl Durability {
    /// Of a database in memory: nothing is durable, and nobody waits.
    pub(super) fn of_memory() -> Arc<Self> {
        Arc::new(Self::new(true))
    }

    /// Of a log. What is in it already is not on the disk for sure: a host that was killed may
    /// have left it.
    pub(super) fn of_log() -> Arc<Self> {
        let durability = Self::new(false);
        durability.committed(durability.moment());
        Arc::new(durability)
    }

    /// Starts the thread. `commit` commits what is open, and gives a moment when nothing is;
    /// `sync` brings the log to the disk.
    pub(super) fn start(
        self: &Arc<Self>,
        commit: impl FnMut() -> u64 + Send + 'static,
        sync: impl FnMut() -> io::Result<()> + Send + 'static,
        reports: Arc<Reports>,
    ) -> io::Result<()> {
        let thread = thread::Builder::new().name("store log".to_owned()).spawn({
            let durability = self.clone();
            move || durability.run(commit, sync, &reports)
        })?;
        *lock(&self.thread) = Some(thread);
        Ok(())
    }

    fn new(is_volatile: bool) -> Self {
        Self {
            now: AtomicU64::new(0),
            latest: AtomicU64::new(0),
            durable: AtomicU64::new(0),
            has_failed: AtomicBool::new(false),
            lost: Lost::default(),
            changed: watch::Sender::new(()),
            orders: Mutex::default(),
            ordered: Condvar::new(),
            thread: Mutex::default(),
            is_volatile,
        }
    }

    /// A new moment: whatever is in the log now is on the disk once this moment is durable.
    pub fn moment(&self) -> u64 {
        if self.is_volatile {
            return 0;
        }
        self.now.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// Has the transaction that has just been opened committed soon. Only one can be open at a
    /// time.
    pub fn opened(&self) {
        lock(&self.orders).commit = Some(Instant::now() + MAX_OPEN);
        self.ordered.notify_one();
    }

    /// Notes that everything up to a moment is in the log. Only one thread at a time may do so.
    pub fn committed(&self, moment: u64) {
        self.latest.store(moment, Ordering::SeqCst);
    }

    /// Notes that the transaction of a moment, which was open until now, is gone.
    pub fn lose(&self, moment: u64) {
        if !self.is_volatile {
            self.lost.add(moment, || self.moment());
            self.changed.send_replace(());
        }
    }

    /// Whether what rests on a moment is gone.
    pub fn is_lost(&self, moment: u64) -> bool {
        self.lost.contains(moment)
    }

    /// The moment of the last commit.
    pub fn latest(&self) -> u64 {
        self.latest.load(Ordering::SeqCst)
    }

    /// Whether everything up to a moment is on the disk.
    pub fn is_durable(&self, moment: u64) -> bool {
        // In this order: what is lost is so before later moments are durable.
        moment <= self.durable.load(Ordering::SeqCst) && !self.is_lost(moment)
    }

    /// Whether a sync failed. Then nothing more is to be written.
    pub fn has_failed(&self) -> bool {
        self.has_failed.load(Ordering::SeqCst)
    }

    /// Waits until everything up to a moment is on the disk.
    pub async fn durable(&self, moment: u64) -> Result<(), NotDurable> {
        if self.is_durable(moment) {
            return Ok(());
        }
        let mut changed = self.changed.subscribe();
        let durable = async {
            loop {
                if self.is_durable(moment) {
                    return Ok(());
                }
                let is_hopeless = self.has_failed() || self.is_lost(moment);
                if is_hopeless || !self.order(moment) || changed.changed().await.is_err() {
                    return Err(NotDurable);
                }
            }
        };
        timeout(MAX_WAIT, durable).await.unwrap_or(Err(NotDurable))
    }

    /// Has the thread bring everything up to a moment to the disk; false if it has ended.
    fn order(&self, moment: u64) -> bool {
        let mut orders = lock(&self.orders);
        if moment > orders.wanted {
            orders.wanted = moment;
            self.ordered.notify_one();
        }
        !orders.stop
    }

    /// Syncs the log a last time, and ends the thread.
    pub fn stop(&self) {
        lock(&self.orders).stop = true;
        self.ordered.notify_one();
        if let Some(thread) = lock(&self.thread).take() {
            thread.join().ok();
        }
    }

    fn run(
        &self,
        mut commit: impl FnMut() -> u64,
        mut sync: impl FnMut() -> io::Result<()>,
        reports: &Reports,
    ) {
        let mut stop = false;
        while !stop && !self.has_failed() {
            let task = self.next_task();
            stop = task == Task::Stop;
            let now = commit();
            if task == Task::Commit {
                continue;
            }
            match sync() {
                Ok(()) => self.durable.store(now, Ordering::SeqCst),
                Err(error) => {
                    self.has_failed.store(true, Ordering::SeqCst);
                    reports.failed(&unsynced(&error.to_string()), 0);
                }
            }
            self.changed.send_replace(());
        }
        // Takes back what has been opened while the last sync failed.
        commit();
    }

    /// Waits until there is something to do.
    fn next_task(&self) -> Task {
        let mut orders = lock(&self.orders);
        loop {
            let left = orders
                .commit
                .map(|at| at.saturating_duration_since(Instant::now()));
            let task = if orders.stop {
                Some(Task::Stop)
            } else if !self.is_durable(orders.wanted) && !self.is_lost(orders.wanted) {
                Some(Task::Sync)
            } else {
                left.filter(Duration::is_zero).map(|_| Task::Commit)
            };
            if let Some(task) = task {
                orders.commit = None;
                return task;
            }
            orders = match left {
                Some(left) => {
                    let waited = self.ordered.wait_timeout(orders, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => {
                    let waited = self.ordered.wait(orders);
                    waited.unwrap_or_else(PoisonError::into_inner)
                }
            };
        }
    }
}

/// What the thread does next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Task {
    Commit,
    /// Commit, and bring the log to the disk.
    Sync,
    /// The same, and end.
    Stop,
}

/// Why a write is refused after a sync that failed.
pub(super) fn unsynced(reason: &str) -> StoreError {
    StoreError::Backend(format!(
        "its log could not be brought to the disk ({reason}): start the host again when the disk \
         is well"
    ))
}

// Std mutexes: nothing is awaited while one is held, nor the disk waited for.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
