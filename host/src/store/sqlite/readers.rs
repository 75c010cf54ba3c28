//! The connections that read, and their snapshots.
//!
//! To begin and end a transaction costs SQLite more than to find a value: it locks the
//! file, by calls to the system. So a reader keeps its transaction, and with it its
//! snapshot of the database, for the next reads. It does so until something is committed,
//! and for [`MAX_SNAPSHOT_AGE`] at the most, because another process may write, too.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::address::Address;
use crate::store::StoreError;

/// How old a snapshot may get: a commit of another process takes longer.
pub(super) const MAX_SNAPSHOT_AGE: Duration = Duration::from_micros(200);

/// The readers of a database.
#[derive(Debug)]
pub(super) struct Readers {
    address: Address,
    /// The readers that are not in use. A read takes one, without waiting, and puts it back.
    /// It awaits nothing meanwhile, so there are never more readers than threads.
    idle: Mutex<Vec<Reader>>,
    /// Each read holds it, shared. [`without`](Self::without) holds it alone.
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
    /// The value of [`Readers::commits`] before it was made.
    commits: u64,
    made: Instant,
    /// When all that it shows is durable.
    moment: Option<u64>,
}

/// What a read has seen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    /// When all of it is durable.
    pub moment: u64,
    /// The commits before it, as the readers count them. None in memory.
    commits: Option<u64>,
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
    /// Answers also when all that it saw is durable, which `moment` says of what has been in the
    /// log until now.
    pub fn read<T>(
        &self,
        operation: impl FnOnce(&Connection) -> Result<T, StoreError>,
        moment: impl FnOnce() -> u64,
    ) -> Result<(T, Seen), StoreError> {
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
        let seen = match &mut reader.snapshot {
            // The read has made the snapshot. It may show commits that came after `renew`.
            Some(snapshot) => Seen {
                moment: *snapshot.moment.get_or_insert_with(moment),
                commits: Some(snapshot.commits),
            },
            None => Seen {
                moment: 0,
                commits: None,
            },
        };
        self.lock().push(reader);
        Ok((result?, seen))
    }

    /// Runs `commit`. After it all reads see the database as it is then. While it runs, a read
    /// may see the old state or the new one, but not the old one after another read has seen
    /// the new one.
    pub fn across<T>(&self, commit: impl FnOnce() -> T) -> T {
        self.commits.fetch_add(1, Ordering::SeqCst);
        let result = commit();
        self.commits.fetch_add(1, Ordering::SeqCst);
        result
    }

    /// Whether nothing was committed since a read.
    pub fn is_current(&self, seen: Seen) -> bool {
        let commits = self.commits.load(Ordering::SeqCst);
        seen.commits == Some(commits) && commits.is_multiple_of(2)
    }

    /// Ends the snapshots of all idle readers.
    pub fn let_go(&self) {
        for reader in &mut *self.lock() {
            reader.let_go().ok();
        }
    }

    /// Runs `operation` while nothing is read and there is no snapshot.
    pub fn without<T>(&self, operation: impl FnOnce() -> T) -> T {
        let _closed = self.gate.write().unwrap_or_else(PoisonError::into_inner);
        self.let_go();
        operation()
    }

    /// Closes all idle readers.
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

    /// Makes sure that the next read sees all that was committed when `commits` was read.
    fn renew(&mut self, commits: u64) -> rusqlite::Result<()> {
        let is_fresh = |snapshot: Snapshot| {
            snapshot.commits == commits
                && commits.is_multiple_of(2)
                && snapshot.made.elapsed() < MAX_SNAPSHOT_AGE
        };
        if self.snapshot.is_some_and(is_fresh) {
            return Ok(());
        }
        self.let_go()?;
        let made = Instant::now();
        // The snapshot itself is made by the first read.
        self.connection.prepare_cached("BEGIN")?.execute([])?;
        self.snapshot = Some(Snapshot {
            commits,
            made,
            moment: None,
        });
        Ok(())
    }

    fn let_go(&mut self) -> rusqlite::Result<()> {
        if self.snapshot.take().is_some() && !self.connection.is_autocommit() {
            self.connection.prepare_cached("COMMIT")?.execute([])?;
        }
        Ok(())
    }
}
