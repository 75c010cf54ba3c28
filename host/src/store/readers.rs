//! The connections that read, and what they see.
//!
//! To begin and end a transaction costs SQLite more than to find a value: it locks the
//! file, by calls to the system. So a reader keeps its transaction, and with it its
//! snapshot of the database, for the reads that come next: until something is
//! committed, and for [`SNAPSHOT`] at the most, as another process may write too.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::StoreError;
use super::database::Address;

/// How old a snapshot may get: less than what a commit of another process takes.
pub(super) const SNAPSHOT: Duration = Duration::from_micros(200);

/// The readers of a database.
#[derive(Debug)]
pub(super) struct Readers {
    address: Address,
    /// Those nobody is using. A read takes one, without waiting, and puts it back; as it
    /// doesn't await meanwhile, there are never more than threads.
    idle: Mutex<Vec<Reader>>,
    /// Held by each read, and against all of them.
    gate: RwLock<()>,
    /// Counts up before each commit and after it: it is odd while one is under way.
    commits: AtomicU64,
}

#[derive(Debug)]
struct Reader {
    connection: Connection,
    snapshot: Option<Snapshot>,
}

#[derive(Clone, Copy, Debug)]
struct Snapshot {
    /// What [`Readers::commits`] was before it was made.
    commits: u64,
    made: Instant,
}

impl Readers {
    pub fn new(address: Address) -> Self {
        Self {
            address,
            idle: Mutex::default(),
            gate: RwLock::default(),
            commits: AtomicU64::new(0),
        }
    }

    /// Runs `operation` on a connection of its own, which sees all that was committed before.
    pub fn read<T>(
        &self,
        operation: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let _entered = self.gate.read().unwrap_or_else(PoisonError::into_inner);
        let idle = self.lock().pop();
        let mut reader = match idle {
            Some(reader) => reader,
            None => Reader::new(&self.address)?,
        };
        // A transaction on a database in memory would keep the writer out.
        if matches!(self.address, Address::File(_)) {
            reader.renew(self.commits.load(Ordering::SeqCst))?;
        }
        let result = operation(&reader.connection);
        self.lock().push(reader);
        result
    }

    /// Runs `commit`, after which nobody sees the database as it was before. Others may
    /// see either while it runs, but the old one no more once somebody saw the new one.
    pub fn across<T>(&self, commit: impl FnOnce() -> T) -> T {
        self.commits.fetch_add(1, Ordering::SeqCst);
        let result = commit();
        self.commits.fetch_add(1, Ordering::SeqCst);
        result
    }

    /// Has those who are idle let go of what they see.
    pub fn let_go(&self) {
        for reader in &mut *self.lock() {
            reader.let_go().ok();
        }
    }

    /// Runs `operation` while nobody reads, or holds on to what was read.
    pub fn without<T>(&self, operation: impl FnOnce() -> T) -> T {
        let _closed = self.gate.write().unwrap_or_else(PoisonError::into_inner);
        self.let_go();
        operation()
    }

    /// Closes those who are idle.
    pub fn close(&self) {
        self.lock().clear();
    }

    // A std mutex: nothing is awaited while it is held, nor the disk waited for.
    fn lock(&self) -> MutexGuard<'_, Vec<Reader>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reader {
    fn new(address: &Address) -> Result<Self, StoreError> {
        let connection = address.connect()?;
        connection.pragma_update(None, "query_only", true)?;
        Ok(Self {
            connection,
            snapshot: None,
        })
    }

    /// Sees to it that the next read finds what was committed when `commits` was read.
    fn renew(&mut self, commits: u64) -> rusqlite::Result<()> {
        let is_fresh = |snapshot: Snapshot| {
            snapshot.commits == commits
                && commits.is_multiple_of(2)
                && snapshot.made.elapsed() < SNAPSHOT
        };
        if self.snapshot.is_some_and(is_fresh) {
            return Ok(());
        }
        self.let_go()?;
        let made = Instant::now();
        // The snapshot itself is made by the first read.
        self.connection.prepare_cached("BEGIN")?.execute([])?;
        self.snapshot = Some(Snapshot { commits, made });
        Ok(())
    }

    fn let_go(&mut self) -> rusqlite::Result<()> {
        if self.snapshot.take().is_some() && !self.connection.is_autocommit() {
            self.connection.prepare_cached("COMMIT")?.execute([])?;
        }
        Ok(())
    }
}
