//! `edge-users export`: every user of a service, to a file.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde::Deserialize;
use tokio::fs::File;
use tokio::io::{AsyncWrite, AsyncWriteExt as _, BufWriter};

use crate::Outcome;
use crate::answer::{Again, Failure, Lines, Problem, export_ended};
use crate::backoff::Backoff;
use crate::options::ExportOptions;
use crate::progress::Progress;
use crate::service::Service;

/// A line of the answer: a user, or the last one.
#[derive(Deserialize)]
struct Line {
    id: Option<u64>,
    end: Option<String>,
    next: Option<String>,
    problem: Option<Problem>,
}

/// Writes all users, one a line, ascending by id. Goes on where an answer ends or breaks off.
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
        after: 0,
        users: 0,
    };
    let done = export.run().await;
    export
        .output
        .flush()
        .await
        .context("cannot write the users")?;
    let users = export.users;
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
            let after = export.after;
            export.progress.tell(&format!(
                "Error: the export is not complete: {error:#}. It has {users} users{place}, up to id {after}."
            ));
            return Ok(Outcome::Incomplete);
        }
    }
    export.progress.end(&format!("{users} users exported"));
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
    /// The last id that is done with.
    after: u64,
    users: u64,
}

impl Export {
    async fn run(&mut self) -> anyhow::Result<()> {
        loop {
            let before = self.after;
            let (why, again) = match self.request().await {
                Ok(None) => return Ok(()),
                Ok(Some(why)) => (why, Again::Later(None)),
                Err(Failure { why, again, .. }) => (why, again),
            };
            if self.after > before {
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
        let path = format!("/users/export?after={}", self.after);
        let mut lines = Lines::of(self.service.get_lines(&path).await?);
        while let Some((bytes, line)) = lines.next::<Line>().await? {
            if let Some(end) = line.end {
                let next = line.next.as_deref();
                return Ok(export_ended(&end, next, line.problem, &mut self.after));
            }
            if let Some(id) = line.id {
                self.after = id;
            }
            self.users += 1;
            let written = self.output.write_all(&bytes).await;
            written.map_err(|error| {
                Failure::refused(format!("cannot write the users: {error}"), Again::Never)
            })?;
            self.progress
                .advance(bytes.len() as u64, format!("{} users", self.users));
        }
        Err(Failure::broken_off("the answer broke off".to_owned()))
    }
}
