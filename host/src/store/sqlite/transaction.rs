//! The transactions of the connection that writes.

use rusqlite::Connection;

use super::operation::{Outcome, Write};
use crate::store::StoreError;

/// Begins one. Immediate: it would be too late to learn of another process's lock half-way.
pub(super) fn begin(connection: &Connection) -> rusqlite::Result<()> {
    connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
    Ok(())
}

/// SQLite's count of the commits of others that this connection has met.
pub(super) fn commits_of_others(connection: &Connection) -> rusqlite::Result<i64> {
    let mut statement = connection.prepare_cached("PRAGMA data_version")?;
    statement.query_row([], |row| row.get(0))
}

/// Commits the one that is open.
pub(super) fn commit(connection: &Connection) -> rusqlite::Result<()> {
    connection.prepare_cached("COMMIT")?.execute([])?;
    Ok(())
}

/// Takes back the one that is open, if SQLite has not done so.
pub(super) fn roll_back(connection: &Connection) {
    if !connection.is_autocommit() {
        connection.execute_batch("ROLLBACK").ok();
    }
}

/// Carries out one write such that, if it fails, nothing of it stays in the
/// transaction that it shares with others.
pub(super) fn execute(
    connection: &Connection,
    store: &str,
    write: &Write,
) -> Result<Outcome, StoreError> {
    if !write.has_parts() {
        return write.execute(connection, store);
    }
    connection.prepare_cached("SAVEPOINT write")?.execute([])?;
    let outcome = write.execute(connection, store);
    if outcome.is_err() && !connection.is_autocommit() {
        connection
            .prepare_cached("ROLLBACK TO write")?
            .execute([])?;
    }
    if !connection.is_autocommit() {
        connection.prepare_cached("RELEASE write")?.execute([])?;
    }
    outcome
}
