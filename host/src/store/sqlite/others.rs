//! Other processes that have the database open.
//!
//! A process that has a database with a write-ahead log open holds a shared lock on one byte of the
//! file `-shm`, by which SQLite learns who is the last to leave (`UNIX_SHM_DMS`, the dead man's
//! switch, in its `os_unix.c`). The kernel says whether another process has it.

use std::fs::File;
use std::io;
use std::path::Path;

use rustix::process::{Flock, FlockType, fcntl_getlk};

/// Where the lock is in the file.
const DEAD_MANS_SWITCH: u64 = 128;

/// Tells whether another process has a database open.
#[derive(Debug)]
pub(super) struct Others {
    /// Never closed: a process that closes a file loses all the locks that it has on it, those of
    /// SQLite too. None of a database in memory.
    shared_memory: Option<&'static File>,
}

impl Others {
    /// Those of a database, by its file `-shm`, which is there.
    pub fn of_file(shared_memory: &Path) -> io::Result<Self> {
        let file = File::open(shared_memory)?;
        Ok(Self {
            shared_memory: Some(Box::leak(Box::new(file))),
        })
    }

    /// Of a database in memory there are none, but its readers are locked out by its writer.
    pub fn of_memory() -> Self {
        Self {
            shared_memory: None,
        }
    }

    /// Whether nobody else would have to wait for a transaction that is open.
    pub fn are_none(&self) -> bool {
        let mut lock = Flock::from(FlockType::WriteLock);
        lock.start = DEAD_MANS_SWITCH;
        lock.length = 1;
        self.shared_memory
            .is_some_and(|file| matches!(fcntl_getlk(file, &lock), Ok(None)))
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader, stdin};
    use std::process::{Command, Stdio};

    use rusqlite::Connection;

    use super::*;

    /// The file that the other process is to open, in its environment.
    const FILE: &str = "EDGE_HOST_TEST_OTHER_PROCESS";

    fn open(path: &Path) -> Connection {
        let connection = Connection::open(path).unwrap();
        connection
            .pragma_update(None, "journal_mode", "wal")
            .unwrap();
        let create = "CREATE TABLE IF NOT EXISTS t (x)";
        connection.execute_batch(create).unwrap();
        connection
    }

    #[test]
    fn another_process_is_noticed_for_as_long_as_it_has_the_file_open() {
        if let Some(path) = std::env::var_os(FILE) {
            let _open = open(Path::new(&path));
            println!("opened");
            stdin().lines().next();
            return;
        }
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("store.db");
        let _open = open(&path);
        let others = Others::of_file(&directory.path().join("store.db-shm")).unwrap();
        assert!(others.are_none());
        let this = "another_process_is_noticed_for_as_long_as_it_has_the_file_open";
        let mut other = Command::new(std::env::current_exe().unwrap())
            .args([this, "--nocapture"])
            .env(FILE, &path)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(other.stdout.take().unwrap()).lines();
        let mut lines = lines.map_while(Result::ok);
        assert!(lines.any(|line| line.ends_with("opened")));
        assert!(!others.are_none());
        drop(other.stdin.take());
        assert!(other.wait().unwrap().success());
        assert!(others.are_none());
    }
}
