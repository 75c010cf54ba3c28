//! Failures of the power, which a kill alone is not: the kernel keeps what a killed process wrote.
//!
//! A host notes how much of its store's log is on the disk, each time that it has brought the log
//! there. After a kill, any part of what the log has beyond that is taken away.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, UNIX_EPOCH};

use edge_host::LogSync;

use crate::random::Random;

/// The form of the log: <https://www.sqlite.org/fileformat2.html#walformat>.
const HEADER: u64 = 32;
const FRAME: u64 = 24 + 4096;

/// A disk writes a sector whole or not at all.
const SECTOR: usize = 512;

/// How long a slow disk takes. Where a sync takes no time, next to nothing is answered too early,
/// even by a host that does not wait for it.
const SLOW: Duration = Duration::from_millis(10);

/// How much of a log was on the disk at some moment.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Synced {
    /// Tells apart the logs that one file has had, one after the other.
    salt: u64,
    /// The frames of the log up to here.
    end: u64,
    /// When the database was last written to: SQLite has synced its log by itself before that.
    moved: u64,
}

impl Synced {
    /// Of what is in the log now; the frames up to those of `before` are there.
    fn look(log: &File, database: &Path, before: Synced) -> io::Result<Synced> {
        let salt = number_at(log, 16)?;
        let mut end = if salt == before.salt {
            before.end
        } else {
            HEADER
        };
        // Each frame has the salt of its log.
        while number_at(log, end + 8).is_ok_and(|of_frame| of_frame == salt) {
            end += FRAME;
        }
        let moved = modified(database)?;
        Ok(Synced { salt, end, moved })
    }

    fn read(file: &Path) -> io::Result<Synced> {
        let file = File::open(file)?;
        Ok(Synced {
            salt: number_at(&file, 0)?,
            end: number_at(&file, 8)?,
            moved: number_at(&file, 16)?,
        })
    }

    fn write(&self, file: &File) -> io::Result<()> {
        let numbers = [self.salt, self.end, self.moved];
        file.write_all_at(&numbers.map(u64::to_be_bytes).concat(), 0)
    }
}

fn number_at(file: &File, offset: u64) -> io::Result<u64> {
    let mut bytes = [0; 8];
    file.read_exact_at(&mut bytes, offset)?;
    Ok(u64::from_be_bytes(bytes))
}

fn modified(file: &Path) -> io::Result<u64> {
    let modified = file.metadata()?.modified()?.duration_since(UNIX_EPOCH);
    Ok(modified.map_or(0, |since| since.as_nanos() as u64))
}

fn files(state: &Path) -> [PathBuf; 3] {
    ["sqlite_key_value.db", "sqlite_key_value.db-wal", "synced"].map(|name| state.join(name))
}

/// Syncs the log of a host with this state, and notes how much of it is on the disk. Half of the
/// hosts have a slow disk.
pub fn sync(state: &Path) -> io::Result<LogSync> {
    let [database, _, noted] = files(state);
    let note = OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .open(noted)?;
    Synced::default().write(&note)?;
    let last = Mutex::new(Synced::default());
    let delay = if fastrand::bool() {
        SLOW
    } else {
        Duration::ZERO
    };
    Ok(Arc::new(move |log| {
        let mut last = last.lock().expect("no sync panics");
        let synced = Synced::look(log, &database, *last)?;
        thread::sleep(delay);
        log.sync_data()?;
        synced.write(&note)?;
        *last = synced;
        Ok(())
    }))
}

/// Takes away what a failure of the power could take, after the host of this state was killed.
/// Answers whether there was anything.
pub fn fail(state: &Path, random: &mut Random) -> io::Result<bool> {
    let [database, log, noted] = files(state);
    let synced = Synced::read(&noted)?;
    let file = OpenOptions::new().read(true).write(true).open(log)?;
    let length = file.metadata()?.len();
    if length <= HEADER || number_at(&file, 16)? != synced.salt {
        return Ok(false);
    }
    if modified(&database)? != synced.moved || length <= synced.end {
        return Ok(false);
    }
    let mut rest = vec![0; (length - synced.end) as usize];
    file.read_exact_at(&mut rest, synced.end)?;
    let frames = Synced::look(&file, &database, synced)?.end;
    // Half of the time a beginning is left, up to any byte; else any sectors.
    if random.percent(50) {
        let kept = random.below(rest.len() as u64 + 1) as usize;
        rest[kept..].fill(0);
    } else {
        for sector in rest.chunks_mut(SECTOR) {
            if random.percent(50) {
                sector.fill(0);
            }
        }
    }
    file.write_all_at(&rest, synced.end)?;
    Ok(frames > synced.end)
}
