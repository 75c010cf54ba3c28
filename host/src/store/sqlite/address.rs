//! The name of a database, and connections to it.

use std::path::PathBuf;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

/// How long to wait for a lock that another process holds.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Statements kept prepared on each connection; there are fewer than this.
const STATEMENTS: usize = 32;

/// The name by which SQLite opens a database.
#[derive(Debug)]
pub(super) enum Address {
    /// A path and no URI, which would give some letters a meaning of their own.
    File(PathBuf),
    /// A URI.
    Memory(String),
}

impl Address {
    /// Opens a connection.
    pub(super) fn connect(&self) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            // Each connection is used by one thread at a time, which Rust sees to.
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = match self {
            Self::File(path) => Connection::open_with_flags(path, flags)?,
            Self::Memory(uri) => {
                Connection::open_with_flags(uri, flags | OpenFlags::SQLITE_OPEN_URI)?
            }
        };
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        rusqlite::vtab::array::load_module(&connection)?;
        Ok(connection)
    }
}
