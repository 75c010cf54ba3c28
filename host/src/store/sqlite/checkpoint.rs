//! The thread that moves the log into the database, so that the log doesn't grow for ever.
//!
//! SQLite syncs the log before it moves anything of it, and the database before the log begins
//! anew. So what the database has is durable, and what the log lost with the power was not moved.

use std::sync::mpsc::Receiver;
use std::sync::{Arc, Weak};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rusqlite::Connection;

use super::readers::Readers;
use super::writer::Writer;
use crate::store::durability::Durability;

/// Starts the thread. It makes a checkpoint each time that one is due, and ends when none will be.
pub(super) fn start(
    connection: Connection,
    due: Receiver<()>,
    readers: Arc<Readers>,
    writer: Weak<Writer>,
    durability: Arc<Durability>,
) -> std::io::Result<JoinHandle<()>> {
    let thread = thread::Builder::new().name("store checkpoints".to_owned());
    thread.spawn(move || {
        for () in due {
            // What may not be on the disk would be moved from memory, or read from the disk.
            if !durability.has_failed() {
                checkpoint(&connection, &readers, &writer).ok();
            }
        }
    })
}

/// Moves the log into the database, and has it begin anew.
fn checkpoint(
    connection: &Connection,
    readers: &Readers,
    writer: &Weak<Writer>,
) -> rusqlite::Result<()> {
    // The greater part is moved while others read and write. Passive: it takes no lock for which
    // anybody would wait. The pages that it could not move now are moved by the next one.
    readers.let_go();
    passive(connection)?;
    let mut begun = Ok(());
    if let Some(writer) = writer.upgrade() {
        writer.without(|| begun = begin_anew(connection, readers));
    }
    begun
}

/// Has the log begin anew, while nobody writes.
fn begin_anew(connection: &Connection, readers: &Readers) -> rusqlite::Result<()> {
    readers.let_go();
    passive(connection)?;
    // A reader of the log keeps it from beginning anew, so readers are kept out. They wait
    // for a moment only, as nothing is left to move. Other processes don't wait at all.
    connection.busy_timeout(Duration::ZERO)?;
    readers.without(|| connection.query_row("PRAGMA wal_checkpoint(RESTART)", [], |_| Ok(())))
}

fn passive(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
}
