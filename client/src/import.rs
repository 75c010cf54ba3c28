//! `edge-users import`: the lines of a file, to a service.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde::Deserialize;
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, BufReader};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::Outcome;
use crate::answer::{Again, Failure, Lines};
use crate::backoff::Backoff;
use crate::batch::Batch;
use crate::kind::Kind;
use crate::options::ImportOptions;
use crate::progress::Progress;
use crate::service::Service;

/// How long an import that stops waits to see whether the file goes on.
const END_TIMEOUT: Duration = Duration::from_secs(1);

/// Sends all lines, several batches of them at the same time, and again those that were not
/// imported, if that certainly makes no user twice.
///
/// Fails, with nothing sent, if the file can't be read or the options name no service.
pub async fn import(options: ImportOptions) -> anyhow::Result<Outcome> {
    let service = Service::new(&options.service)?;
    let (file, length) = open(&options.file).await?;
    let import = Arc::new(Import {
        service,
        kind: match options.groups {
            true => Kind::Groups,
            false => Kind::Users,
        },
        retries: options.service.retries,
        progress: Progress::new(length, options.service.quiet),
        counts: Mutex::default(),
        source: tokio::sync::Mutex::new(Source {
            file,
            next: 1,
            is_whole: true,
        }),
        stopped: watch::Sender::new(false),
    });
    if options.if_empty && import.has_users().await? {
        import.progress.end("nothing sent: there are users already");
        return Ok(Outcome::Complete);
    }
    let mut workers = JoinSet::new();
    for _ in 0..options.connections {
        workers.spawn(import.clone().work());
    }
    while let Some(worker) = workers.join_next().await {
        worker.context("a worker panicked")?;
    }
    let is_whole = import.end().await;
    let counts = *import.counts();
    import.progress.end(&counts.summary());
    Ok(match counts {
        _ if !is_whole || counts.unsure + counts.left > 0 => Outcome::Incomplete,
        Counts { refused: 0, .. } => Outcome::Complete,
        _ => Outcome::Refused,
    })
}

type File = Box<dyn AsyncBufRead + Send + Unpin>;

/// The file, and how long it is.
async fn open(path: &Path) -> anyhow::Result<(File, Option<u64>)> {
    if path == Path::new("-") {
        return Ok((Box::new(BufReader::new(tokio::io::stdin())), None));
    }
    let open = async {
        let file = tokio::fs::File::open(path).await?;
        let metadata = file.metadata().await?;
        let length = metadata.is_file().then_some(metadata.len());
        std::io::Result::Ok((file, length))
    };
    let opened = open.await;
    let (file, length) = opened.with_context(|| format!("cannot read {}", path.display()))?;
    Ok((Box::new(BufReader::with_capacity(64 * 1024, file)), length))
}

/// An import, as its workers share it.
pub struct Import {
    pub service: Service,
    pub kind: Kind,
    pub retries: u32,
    pub progress: Progress,
    counts: Mutex<Counts>,
    source: tokio::sync::Mutex<Source>,
    /// Whether a batch could not be imported or read: no others are sent.
    stopped: watch::Sender<bool>,
}

/// Where batches come from.
struct Source {
    file: File,
    /// The number of the first line that was not read yet.
    next: u64,
    /// Whether the file has all that it was made for. Not if it is an export that was cut off.
    is_whole: bool,
}

/// The outcomes of the lines.
#[derive(Clone, Copy, Default)]
pub struct Counts {
    pub imported: u64,
    pub refused: u64,
    /// They may have been imported, or not.
    pub unsure: u64,
    /// They were not imported.
    left: u64,
}

/// A line of an export.
#[derive(Deserialize)]
struct ExportLine {
    /// In the last one.
    end: Option<String>,
}

impl Import {
    /// Whether the service has users. Fails if it does not say so.
    async fn has_users(&self) -> anyhow::Result<bool> {
        let mut backoff = Backoff::new(self.retries);
        loop {
            let (why, again) = match self.begin_export().await {
                Ok(Some(ExportLine { end: None })) => return Ok(true),
                Ok(Some(ExportLine { end: Some(end) })) if end == "complete" => return Ok(false),
                Ok(_) => ("its export broke off".to_owned(), Again::Later(None)),
                Err(Failure { why, again, .. }) => (why, again),
            };
            if !backoff.wait(again).await {
                bail!("nothing was sent, as the service does not say whether it has users: {why}");
            }
        }
    }

    /// The first line of an export.
    async fn begin_export(&self) -> Result<Option<ExportLine>, Failure> {
        let export = self.service.get_lines("/users/export?fields=id").await?;
        let line = Lines::of(export).next().await?;
        Ok(line.map(|(_, line)| line))
    }

    /// Imports batches until there are no more, or one can't be imported.
    async fn work(self: Arc<Self>) {
        let mut stopped = self.stopped.subscribe();
        loop {
            let batch = tokio::select! {
                biased;
                _ = stopped.wait_for(|stopped| *stopped) => return,
                batch = self.next() => batch,
            };
            let Some(mut batch) = batch else {
                return;
            };
            let Err(why) = self.send(&mut batch).await else {
                continue;
            };
            self.stopped.send_replace(true);
            self.look_up_all(&mut batch).await;
            let (left, unsure) = batch.give_up();
            self.counts().left += left.len() as u64;
            self.counts().unsure += unsure.len() as u64;
            for (lines, fate) in [(unsure, "may have been imported"), (left, "not imported")] {
                if !lines.is_empty() {
                    let line = format!("Error: {} {fate}: {why}", numbers(&lines));
                    self.progress.tell(&line);
                }
            }
        }
    }

    /// The next batch; `None` if there is no other, or it can't be read.
    async fn next(&self) -> Option<Batch> {
        let mut source = self.source.lock().await;
        let first = source.next;
        match Batch::read(&mut source.file, first, self.kind).await {
            Ok(batch) => {
                let mut batch = batch?;
                source.next = batch.end();
                if let Some((number, end)) = batch.cut_off.take() {
                    source.is_whole = false;
                    self.progress.tell(&format!(
                        "Error: line {number} says that the export was cut off ({end}): it \
                         is not whole"
                    ));
                }
                Some(batch)
            }
            Err(error) => {
                self.stopped.send_replace(true);
                self.progress.tell(&format!(
                    "Error: the file can't be read from line {first} on: {error}"
                ));
                None
            }
        }
    }

    /// Tells where the workers stopped. Answers whether that was at the end.
    async fn end(&self) -> bool {
        let mut source = self.source.lock().await;
        if !*self.stopped.borrow() {
            return source.is_whole;
        }
        // A pipe may have nothing more for long.
        let rest = timeout(END_TIMEOUT, source.file.fill_buf()).await;
        if !matches!(rest, Ok(Ok([]))) {
            let line = format!("Error: line {} and all after it were not sent", source.next);
            self.progress.tell(&line);
        }
        false
    }

    /// The outcomes of the lines so far.
    // A std mutex: nothing is awaited while it is held.
    pub fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    pub fn summary(&self) -> String {
        let mut summary = format!("{} imported, {} refused", self.imported, self.refused);
        if self.unsure > 0 {
            summary += &format!(", {} unsure", self.unsure);
        }
        if self.left > 0 {
            summary += &format!(", {} left", self.left);
        }
        summary
    }
}

/// Numbers of lines, ascending, as a person writes them.
pub fn numbers(lines: &[u64]) -> String {
    let mut ranges: Vec<(u64, u64)> = Vec::new();
    for &number in lines {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            _ => ranges.push((number, number)),
        }
    }
    let range = |(first, last): &(u64, u64)| match first == last {
        true => first.to_string(),
        false => format!("{first}-{last}"),
    };
    let ranges: Vec<String> = ranges.iter().map(range).collect();
    let noun = if lines.len() == 1 { "line" } else { "lines" };
    format!("{noun} {}", ranges.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_lines_are_ranges() {
        assert_eq!(numbers(&[7]), "line 7");
        assert_eq!(numbers(&[1, 2, 3, 5, 9, 10]), "lines 1-3, 5, 9-10");
    }
}
