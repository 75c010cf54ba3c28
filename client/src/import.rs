//! `edge-users import`: the lines of a file, to a service.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Context as _;
use http_body_util::BodyExt as _;
use serde::Deserialize;
use serde_json::Value;
use tokio::io::{AsyncBufRead, BufReader};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::Outcome;
use crate::batch::{Batch, Identity};
use crate::options::ImportOptions;
use crate::patience::Patience;
use crate::progress::Progress;
use crate::service::{Failure, Lines, Problem, Service, number_of};

/// A line of the answer: what became of a line, or the last one.
#[derive(Deserialize)]
struct Line {
    line: Option<u64>,
    status: Option<u16>,
    problem: Option<Problem>,
    end: Option<String>,
    next: Option<String>,
}

/// What became of the lines.
#[derive(Clone, Copy, Default)]
struct Counts {
    imported: u64,
    refused: u64,
    /// They may have been imported, or not.
    unsure: u64,
    /// They were not imported.
    left: u64,
}

/// Sends all lines, several batches of them at the same time, and again what gets no result.
///
/// Fails, with nothing sent, if the file can't be read or the service not be asked.
pub async fn import(options: ImportOptions) -> anyhow::Result<Outcome> {
    let service = Service::new(&options.service)?;
    let (file, length) = open(&options.file).await?;
    let import = Arc::new(Import {
        service,
        retries: options.service.retries,
        progress: Progress::new(length, options.service.quiet),
        counts: Mutex::default(),
    });
    let connections = usize::from(options.connections);
    let (queue, batches) = mpsc::channel(connections);
    let batches = Arc::new(tokio::sync::Mutex::new(batches));
    let mut workers = JoinSet::new();
    for _ in 0..connections {
        workers.spawn(import.clone().work(batches.clone()));
    }
    // The queue is closed when the last worker gives up.
    drop(batches);
    let read = import.read(file, queue).await;
    while let Some(worker) = workers.join_next().await {
        worker.context("a worker panicked")?;
    }
    let counts = *import.counts();
    let told = match read {
        Ok(told) => told,
        Err(error) => {
            import.progress.tell(&format!("Error: {error:#}"));
            true
        }
    };
    import.progress.end(&counts.summary());
    Ok(match counts {
        _ if told || counts.unsure + counts.left > 0 => Outcome::Incomplete,
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

struct Import {
    service: Service,
    retries: u32,
    progress: Progress,
    counts: Mutex<Counts>,
}

impl Import {
    /// Queues the batches of a file. Answers whether lines were left because nobody takes them
    /// any more.
    async fn read(&self, mut file: File, queue: mpsc::Sender<Batch>) -> anyhow::Result<bool> {
        let mut first = 1;
        loop {
            let batch = Batch::read(&mut file, first).await;
            let batch =
                batch.with_context(|| format!("the file can't be read from line {first} on"))?;
            let Some(batch) = batch else {
                return Ok(false);
            };
            first = batch.end();
            if let Err(mpsc::error::SendError(batch)) = queue.send(batch).await {
                let from = batch.end() - batch.len();
                let line = format!("Error: line {from} and all after it were not sent");
                self.progress.tell(&line);
                return Ok(true);
            }
        }
    }

    /// Imports batches until there are no more, or one can't be imported.
    async fn work(self: Arc<Self>, queue: Arc<tokio::sync::Mutex<mpsc::Receiver<Batch>>>) {
        loop {
            let next = queue.lock().await.recv().await;
            let Some(mut batch) = next else {
                return;
            };
            let Err(error) = self.import(&mut batch).await else {
                continue;
            };
            // The others won't fare better: the queue is left to nobody.
            queue.lock().await.close();
            let left = batch.give_up();
            self.counts().left += left.len() as u64;
            let line = format!("Error: {} not imported: {error:#}", numbers(&left));
            self.progress.tell(&line);
        }
    }

    /// Imports a batch, with as many requests as it takes.
    async fn import(&self, batch: &mut Batch) -> anyhow::Result<()> {
        let mut patience = Patience::new(self.retries);
        while let Some(next) = batch.next() {
            let sent = self.request(batch, next).await;
            let unsure = batch.give_up_unrepeatable();
            if !unsure.is_empty() {
                self.counts().unsure += unsure.len() as u64;
                let numbers = numbers(&unsure);
                self.progress
                    .tell(&format!("{numbers} may have been imported: no result came"));
            }
            let (why, asked) = match sent {
                Ok(None) => ("the service leaves lines out".to_owned(), None),
                Ok(Some(why)) => (why, None),
                Err(Failure::NotNow { why, after }) => (why, after),
                Err(Failure::BrokenOff(why)) => (why, None),
                Err(Failure::Never(error)) => return Err(error),
            };
            match batch.next() {
                None => break,
                Some(now) if now > next => {
                    patience.restore();
                    if why.is_empty() {
                        continue;
                    }
                }
                Some(_) => {}
            }
            match patience.pause(asked) {
                Some(pause) => tokio::time::sleep(pause).await,
                None => anyhow::bail!(why),
            }
        }
        self.progress.advance(batch.bytes, self.counts().summary());
        Ok(())
    }

    /// One request, with the lines from number `next` on. `None` if it was taken whole, or else why
    /// it was not: nothing if its time was up.
    async fn request(&self, batch: &mut Batch, next: u64) -> Result<Option<String>, Failure> {
        let mut read = next;
        let answered = self.results(batch, &mut read).await;
        if let Err(Failure::BrokenOff(_)) = answered {
            batch.doubt_all(read..=batch.end() - 1);
        }
        answered
    }

    /// Sends the lines from number `read` on, and reads what became of them. `read` is then the
    /// number of the first one of which it is not known.
    async fn results(&self, batch: &mut Batch, read: &mut u64) -> Result<Option<String>, Failure> {
        let path = format!("/users/import?line={read}");
        let sent = self.service.post_lines(&path, batch.body(*read)).await?;
        let mut lines = Lines::of(sent);
        let mut failed = None;
        while let Some(bytes) = lines.next().await? {
            let line: Line = serde_json::from_slice(&bytes)
                .context("the answer is no import's")
                .map_err(Failure::Never)?;
            if let Some(end) = line.end {
                if end == "complete" {
                    return Ok(failed);
                }
                let next = line
                    .next
                    .as_deref()
                    .and_then(|next| number_of(next, "line"));
                *read = next.unwrap_or(*read).max(*read);
                return Ok(Some(match end == "time-limit" {
                    true => failed.unwrap_or_default(),
                    false => failed.unwrap_or(end),
                }));
            }
            let (Some(number), Some(status)) = (line.line, line.status) else {
                continue;
            };
            *read = number + 1;
            let detail = line
                .problem
                .map_or(String::new(), |problem| problem.to_string());
            match status {
                200..=299 => self.count(batch, number, |counts| &mut counts.imported),
                500.. => {
                    batch.doubt(number);
                    failed = Some(detail);
                }
                409 if self.is_imported(batch, number).await? => {
                    self.count(batch, number, |counts| &mut counts.imported);
                }
                _ => {
                    self.progress
                        .tell(&format!("line {number}: {status} {detail}"));
                    self.count(batch, number, |counts| &mut counts.refused);
                }
            }
        }
        Err(Failure::BrokenOff("the answer broke off".to_owned()))
    }

    /// Whether the user who has the email of a line came from this line, by an earlier request.
    async fn is_imported(&self, batch: &mut Batch, number: u64) -> Result<bool, Failure> {
        let Some(text) = batch.doubted(number) else {
            return Ok(false);
        };
        let Ok(Identity { email: Some(email) }) = serde_json::from_slice(text) else {
            return Ok(false);
        };
        let Ok(line) = serde_json::from_slice::<Value>(text) else {
            return Ok(false);
        };
        let response = self.service.get(&query(&email)).await?;
        let body = response.into_body().collect().await;
        let body = body.map_err(|error| Failure::BrokenOff(error.to_string()))?;
        let users: Vec<Value> = serde_json::from_slice(&body.to_bytes()).unwrap_or_default();
        let is_same = |user: &Value| {
            let name = |value: &Value| value["name"].as_str().map(|name| name.trim().to_owned());
            name(user) == name(&line) && user["attributes"] == line["attributes"]
        };
        Ok(users.first().is_some_and(is_same))
    }

    fn count(&self, batch: &mut Batch, number: u64, which: impl Fn(&mut Counts) -> &mut u64) {
        if batch.settle(number) {
            *which(&mut self.counts()) += 1;
        }
    }

    // A std mutex: nothing is awaited while it is held.
    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    fn summary(&self) -> String {
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

/// The users with an email, as a path.
fn query(email: &str) -> String {
    let mut query = String::from("/users?email=");
    for byte in email.bytes() {
        // All but the unreserved characters (RFC 3986, section 2.3).
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                query.push(byte.into())
            }
            _ => query += &format!("%{byte:02X}"),
        }
    }
    query
}

/// Numbers of lines, ascending, as a person writes them.
fn numbers(lines: &[u64]) -> String {
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

    #[test]
    fn an_email_keeps_its_characters() {
        assert_eq!(
            query("a+b&ü@c.example"),
            "/users?email=a%2Bb%26%C3%BC%40c.example"
        );
    }
}
