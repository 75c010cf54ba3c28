//! `edge-users sync`: a directory in step with a file, such as a spreadsheet.
//!
//! Each row is sent as a merge patch, and the service matches, compares and changes in one step: so no
//! two users are made of one row, however often it is sent, and a change of somebody else is never
//! taken back unseen. Users who are not in the file are those of an export, made before, whom no row
//! has matched.

mod columns;
mod csv;
mod file;
mod leavers;
mod upserts;

use std::collections::HashSet;
use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Context as _;
use printable::Printable;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::Outcome;
use crate::options::SyncOptions;
use crate::progress::Progress;
use crate::service::Service;
use file::{Bad, Row, Rows};
use leavers::Leaver;
pub use leavers::Limit;

/// How many rows are sent in one request.
const BATCH: usize = 256;

/// Rows that stand together in the file, and parts of it that are none.
#[derive(Default)]
struct Batch {
    rows: Vec<Row>,
    bad: Vec<Bad>,
    /// How many bytes of the file they are.
    bytes: u64,
}

/// A sync, as its workers share it.
struct Sync {
    service: Service,
    options: SyncOptions,
    progress: Progress,
    state: Mutex<State>,
    /// Whether something could not be done, so that nothing more is begun.
    stopped: AtomicBool,
}

/// What is known so far.
#[derive(Default)]
struct State {
    counts: Counts,
    /// The ids of the users in the file.
    kept: HashSet<u64>,
    /// Rows that want an email or a username that another user has. That user may be about to end.
    taken: Vec<(Row, String)>,
    /// Rows and lines of which it is not known whether a user in the directory is meant.
    unknown: u64,
}

#[derive(Clone, Copy, Default)]
struct Counts {
    rows: u64,
    created: u64,
    updated: u64,
    unchanged: u64,
    ended: u64,
    refused: u64,
}

/// Makes, changes and ends users, so that the directory is as the file says.
///
/// Fails, with nothing changed, if the file can't be read or the service not be asked.
pub async fn sync(options: SyncOptions) -> anyhow::Result<Outcome> {
    let service = Service::new(&options.service)?;
    let (rows, unused, length) = Rows::open(&options)?;
    let sync = Arc::new(Sync {
        service,
        progress: Progress::new(length, options.service.quiet),
        options,
        state: Mutex::default(),
        stopped: AtomicBool::new(false),
    });
    if !unused.is_empty() {
        let unused = unused.join(", ");
        sync.progress
            .tell(&format!("columns that are not used: {unused}"));
    }
    // Before anything is changed: users that others make meanwhile are not ended.
    let before = match sync.options.ends() {
        true => sync.all_users().await?,
        false => Vec::new(),
    };
    sync.send_all(rows).await?;
    let mut is_whole = !sync.is_stopped();
    if is_whole && sync.options.ends() {
        is_whole = sync.end(before).await;
    }
    if is_whole {
        is_whole = sync.send_taken().await;
    }
    sync.refuse_taken();
    let counts = sync.state().counts;
    sync.progress.end(&sync.summary(counts));
    Ok(match counts.refused {
        _ if !is_whole => Outcome::Incomplete,
        0 => Outcome::Complete,
        _ => Outcome::Refused,
    })
}

impl Sync {
    /// Sends all rows, over several connections.
    async fn send_all(self: &Arc<Self>, rows: Rows) -> anyhow::Result<()> {
        let connections = usize::from(self.options.connections);
        let (batches, received) = mpsc::channel(connections);
        let received = Arc::new(tokio::sync::Mutex::new(received));
        let reader = tokio::task::spawn_blocking({
            let sync = self.clone();
            move || sync.read(rows, &batches)
        });
        let mut workers = JoinSet::new();
        for _ in 0..connections {
            let (sync, received) = (self.clone(), received.clone());
            workers.spawn(async move {
                while !sync.is_stopped() {
                    let batch: Option<Batch> = received.lock().await.recv().await;
                    let Some(batch) = batch else { return };
                    sync.send(batch).await;
                }
            });
        }
        while let Some(worker) = workers.join_next().await {
            worker.context("a worker panicked")?;
        }
        drop(received);
        reader.await.context("the reader panicked")
    }

    /// Reads the file to its end, or until nobody takes its rows.
    fn read(&self, mut rows: Rows, batches: &mpsc::Sender<Batch>) {
        let mut position = 0;
        let mut batch = Batch::default();
        loop {
            let next = rows.next();
            let is_last = !matches!(next, Ok(Some(_)));
            match next {
                Ok(Some(Ok(row))) => batch.rows.push(row),
                Ok(Some(Err(bad))) => batch.bad.push(bad),
                Ok(None) => {}
                Err(error) => self.stop(&format!("the file can't be read on: {error}")),
            }
            if is_last || batch.rows.len() + batch.bad.len() >= BATCH {
                batch.bytes = rows.position() - position;
                position = rows.position();
                let full = std::mem::take(&mut batch);
                if batches.blocking_send(full).is_err() || is_last {
                    return;
                }
            }
        }
    }

    /// Nothing more is begun, for that reason.
    fn stop(&self, why: &str) {
        self.stopped.store(true, Ordering::Relaxed);
        // What the service says ends with a full stop.
        let why = why.trim_end_matches('.');
        self.progress.tell(&format!(
            "Error: {why}. Run the command again: it does the rest"
        ));
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// Notes a row or a line that is not done, and never will be as it is.
    fn refuse(&self, line: u64, why: &str) {
        self.state().counts.refused += 1;
        self.progress.tell(&format!("line {line}: {why}"));
    }

    /// Says on standard output what would be done.
    fn would(&self, what: &str) {
        if self.options.dry_run {
            // Not println!, which panics when standard output is closed.
            writeln!(std::io::stdout(), "{}", Printable(what)).ok();
        }
    }

    // A std mutex: nothing is awaited while it is held.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn summary(&self, counts: Counts) -> String {
        let Counts {
            created,
            updated,
            unchanged,
            ended,
            refused,
            ..
        } = counts;
        let mut summary = format!("{created} created, {updated} updated, {unchanged} unchanged");
        if self.options.ends() {
            summary += &format!(", {ended} {}", Leaver::fate(&self.options));
        }
        summary += &format!(", {refused} refused");
        match self.options.dry_run {
            true => format!("dry run, nothing was changed: {summary}"),
            false => summary,
        }
    }
}
