//! `edge-users export`: every user or every group of a service, to a file.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde::Deserialize;
use tokio::fs::File;
use tokio::io::{AsyncWrite, AsyncWriteExt as _, BufWriter};

use crate::Outcome;
use crate::answer::{Again, Failure, Lines, Problem, export_ended};
use crate::backoff::Backoff;
use crate::kind::Kind;
use crate::options::ExportOptions;
use crate::progress::Progress;
use crate::service::Service;

/// A line of the answer: a user, a group, or the last one.
#[derive(Deserialize)]
struct Line {
    id: Option<u64>,
    /// Where the other members of a group are, if they are in lines that follow.
    after: Option<String>,
    end: Option<String>,
    next: Option<String>,
    problem: Option<Problem>,
}

/// Writes all users or groups, line by line, ascending by id. Goes on where an answer ends or breaks off.
///
/// Fails, with nothing written, if the service can't be asked or the file not be written.
pub async fn export(options: ExportOptions) -> anyhow::Result<Outcome> {
    let service = Service::new(&options.service)?;
    let backoff = Backoff::new(options.service.retries);
    let progress = Progress::new(None, options.service.quiet);
    let part = options.output.as_deref().map(partial);
    let output: Box<dyn AsyncWrite + Unpin> = match &part {
        Some(path) => Box::new(
            File::create(path)
                .await
                .with_context(|| format!("cannot write {}", path.display()))?,
        ),
        None => Box::new(tokio::io::stdout()),
    };
    let mut export = Export {
        service,
        backoff,
        progress,
        output: BufWriter::with_capacity(64 * 1024, output),
        kind: match options.groups {
            true => Kind::Groups,
            false => Kind::Users,
        },
        after: "0".to_owned(),
        last: 0,
        count: 0,
    };
    let done = export.run().await;
    export
        .output
        .flush()
        .await
        .context("cannot write the file")?;
    let exported = export.kind.counted(export.count);
    match (done, &options.output, &part) {
        (Ok(()), Some(output), Some(part)) => {
            tokio::fs::rename(part, output)
                .await
                .with_context(|| format!("cannot rename {}", part.display()))?;
        }
        (Ok(()), ..) => {}
        (Err(error), _, part) => {
            let place = part.as_ref().map(|part| format!(" in {}", part.display()));
            let place = place.unwrap_or_default();
            let last = export.last;
            let error = format!("{error:#}");
            // What the service says ends with a full stop.
            let error = error.trim_end_matches('.');
            export.progress.tell(&format!(
                "Error: the export is not complete: {error}. It has {exported}{place}, up to id {last}."
            ));
            return Ok(Outcome::Incomplete);
        }
    }
    export.progress.end(&format!("{exported} exported"));
    Ok(Outcome::Complete)
}

/// The name of a file while it is not complete.
fn partial(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    name.into()
}

struct Export {
    service: Service,
    backoff: Backoff,
    progress: Progress,
    output: BufWriter<Box<dyn AsyncWrite + Unpin>>,
    kind: Kind,
    /// Behind which place the export goes on: an id, or what the service says.
    after: String,
    /// The last id that was written.
    last: u64,
    /// How many users or groups were written.
    count: u64,
}

impl Export {
    async fn run(&mut self) -> anyhow::Result<()> {
        loop {
            let before = self.after.clone();
            let (why, again) = match self.request().await {
                Ok(None) => return Ok(()),
                Ok(Some(why)) => (why, Again::Later(None)),
                Err(Failure { why, again, .. }) => (why, again),
            };
            if self.after != before {
                self.backoff.reset();
                if why.is_empty() {
                    continue;
                }
            }
            if !self.backoff.wait(again).await {
                bail!(why);
            }
        }
    }

    /// One request; `None` if the export is complete, or else why it is not: nothing if its time
    /// was up.
    async fn request(&mut self) -> Result<Option<String>, Failure> {
        let path = format!("{}/export?after={}", self.kind.path(), self.after);
        let mut lines = Lines::of(self.service.get_lines(&path).await?);
        while let Some((bytes, line)) = lines.next::<Line>().await? {
            if let Some(end) = line.end {
                let next = line.next.as_deref();
                return Ok(export_ended(&end, next, line.problem, &mut self.after));
            }
            if let Some(id) = line.id {
                self.after = line.after.unwrap_or(id.to_string());
                // A group may have several lines.
                self.count += u64::from(id != self.last);
                self.last = id;
            }
            let written = self.output.write_all(&bytes).await;
            written.map_err(|error| {
                Failure::refused(format!("cannot write the file: {error}"), Again::Never)
            })?;
            let count = self.kind.counted(self.count);
            self.progress.advance(bytes.len() as u64, count);
        }
        Err(Failure::broken_off("the answer broke off".to_owned()))
    }
}
