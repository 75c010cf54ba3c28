//! Copies of a database: made while hosts serve it, and put back in its place.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, bail};
use rusqlite::{Connection, OpenFlags};

use super::address::BUSY_TIMEOUT;
use super::database::{beside, create_directory_of};

/// What a restore did.
#[derive(Debug)]
pub struct Restored {
    /// How many keys there are now.
    pub keys: u64,
    /// Where the former database is, if there was one.
    pub former: Option<PathBuf>,
}

/// Writes the state of a database at one moment to a new file, durably, and answers how many keys
/// there are. Others may serve the database meanwhile.
///
/// Fails if there is no database, or if there is a file already.
pub fn back_up(database: &Path, file: &Path) -> anyhow::Result<u64> {
    if file.exists() {
        bail!("{} exists: give the backup another name", file.display());
    }
    let partial = beside(file, ".partial");
    let keys = copy(database, &partial)?;
    // Unlike a rename, a link never replaces a file that came meanwhile.
    let linked = fs::hard_link(&partial, file);
    fs::remove_file(&partial).ok();
    linked.with_context(|| format!("cannot write {}", file.display()))?;
    sync_directory_of(file)?;
    Ok(keys)
}

/// Replaces a database by a backup of it, durably. The former one is kept beside it.
///
/// Fails if the backup is none, or if a host has the database open.
pub fn restore(backup: &Path, database: &Path) -> anyhow::Result<Restored> {
    create_directory_of(database)?;
    let partial = beside(database, ".partial");
    let keys = copy(backup, &partial)?;
    let replaced = replace(database, &partial);
    fs::remove_file(&partial).ok();
    let former = replaced?;
    sync_directory_of(database)?;
    Ok(Restored { keys, former })
}

/// Puts the new file in the place of the database, and answers where the former one is.
fn replace(database: &Path, new: &Path) -> anyhow::Result<Option<PathBuf>> {
    let describe = || format!("cannot replace {}", database.display());
    if !database.exists() {
        fs::hard_link(new, database).with_context(describe)?;
        return Ok(None);
    }
    let lock = lock(database).with_context(|| {
        let database = database.display();
        format!("{database} is in use: stop the host that serves it, and try again")
    })?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let former = beside(database, &format!(".before-restore-{}", now.as_secs()));
    // At each moment there is a database at the path.
    fs::hard_link(database, &former).with_context(describe)?;
    fs::rename(new, database).with_context(describe)?;
    drop(lock);
    Ok(Some(former))
}

/// Empties the log of a database into it, and keeps others away from it. Fails if others have it
/// open.
fn lock(database: &Path) -> rusqlite::Result<Connection> {
    let connection = open(database)?;
    connection.pragma_update(None, "journal_mode", "delete")?;
    connection.execute_batch("BEGIN EXCLUSIVE")?;
    Ok(connection)
}

/// Writes the state of a database at one moment to a file, which only its owner may read, and
/// answers how many keys there are.
fn copy(database: &Path, file: &Path) -> anyhow::Result<u64> {
    if !database.is_file() {
        bail!("there is no file {}", database.display());
    }
    let written = || format!("cannot write {}", file.display());
    // One that was left by a backup that was ended.
    fs::remove_file(file).ok();
    let new = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)
        .with_context(written)?;
    let keys = vacuum(database, file)
        .with_context(|| format!("cannot copy {}", database.display()))
        .and_then(|()| check(file).with_context(|| format!("{} is damaged", database.display())))
        .and_then(|keys| new.sync_all().with_context(written).map(|()| keys));
    if keys.is_err() {
        fs::remove_file(file).ok();
    }
    keys
}

fn vacuum(database: &Path, file: &Path) -> anyhow::Result<()> {
    let file = file.to_str().context("its name is no UTF-8")?;
    open(database)?.execute("VACUUM INTO ?1", [file])?;
    Ok(())
}

/// Fails if a file has no whole database of key-value stores, and answers its number of keys.
fn check(file: &Path) -> anyhow::Result<u64> {
    let connection = open(file)?;
    let verdict: String =
        connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if verdict != "ok" {
        bail!("{verdict}");
    }
    let count = "SELECT count(*) FROM spin_key_value";
    let keys: i64 = connection.query_row(count, [], |row| row.get(0))?;
    Ok(keys as u64)
}

/// Opens a database that is there.
fn open(database: &Path) -> rusqlite::Result<Connection> {
    // To read beside others takes writes to the index of the log.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(database, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    Ok(connection)
}

fn sync_directory_of(path: &Path) -> anyhow::Result<()> {
    let directory = std::path::absolute(path)?;
    if let Some(directory) = directory.parent() {
        File::open(directory)?.sync_all()?;
    }
    Ok(())
}
