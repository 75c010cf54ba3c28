//! The requests by which rows become users.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use super::{Batch, Row, Sync};
use crate::answer::{Again, Failure, Lines, Problem};
use crate::backoff::Backoff;

/// A line of the answer: the outcome of a row, or the last line.
#[derive(Deserialize)]
struct Line {
    line: Option<usize>,
    status: Option<u16>,
    outcome: Option<String>,
    id: Option<u64>,
    problem: Option<Problem>,
    end: Option<String>,
    /// In seconds.
    retry_after: Option<u64>,
}

/// How a request ended that was answered.
struct Ended {
    /// Why not all rows have their outcome; `None` if they have, or the time of the request was up.
    why: Option<String>,
    after: Option<Duration>,
}

impl Sync {
    /// Sends the rows of a batch until each has its outcome, or there is no use in going on.
    pub async fn send(&self, batch: Batch) {
        for bad in &batch.bad {
            self.state().unknown += 1;
            self.refuse(bad.line, &bad.why);
        }
        self.state().counts.rows += batch.rows.len() as u64;
        if let Err(why) = self.send_rows(batch.rows).await {
            self.stop(&why);
        }
        let counts = self.state().counts;
        self.progress.advance(batch.bytes, self.summary(counts));
    }

    /// Sends the rows once more that wanted what another user had, as long as that helps. Answers
    /// whether it is known of each.
    pub async fn send_taken(&self) -> bool {
        loop {
            let taken = std::mem::take(&mut self.state().taken);
            let before = taken.len();
            if before == 0 {
                return true;
            }
            let rows: Vec<Row> = taken.iter().map(|(row, _)| row.clone()).collect();
            if let Err(why) = self.send_rows(rows).await {
                self.state().taken = taken;
                self.stop(&why);
                return false;
            }
            if self.state().taken.len() == before {
                return true;
            }
        }
    }

    /// What another user has still is refused.
    pub fn refuse_taken(&self) {
        let taken = std::mem::take(&mut self.state().taken);
        for (row, why) in taken {
            self.refuse(row.line, &why);
        }
    }

    async fn send_rows(&self, rows: Vec<Row>) -> Result<(), String> {
        // By their numbers in the request.
        let mut rows: BTreeMap<usize, Row> = (1..).zip(rows).collect();
        let mut backoff = Backoff::new(self.options.service.retries);
        while !rows.is_empty() {
            let before = rows.len();
            let ended = self.request(&mut rows).await;
            let progressed = rows.len() < before;
            if progressed {
                backoff.reset();
            }
            let (why, again) = match ended {
                Ok(Ended { why: None, .. }) if progressed => continue,
                Ok(Ended { why, after }) => (
                    why.unwrap_or("no result came".to_owned()),
                    Again::Later(after),
                ),
                Err(Failure { why, again, .. }) => (why, again),
            };
            if !rows.is_empty() && !backoff.wait(again).await {
                return Err(why);
            }
        }
        Ok(())
    }

    /// Sends rows, and takes away those that have their outcome.
    async fn request(&self, rows: &mut BTreeMap<usize, Row>) -> Result<Ended, Failure> {
        let mut body = Vec::new();
        let mut numbers = Vec::new();
        for (number, row) in &*rows {
            numbers.push(*number);
            body.extend_from_slice(&row.patch);
            body.push(b'\n');
        }
        let matching = self.options.matching.name();
        let dry_run = if self.options.dry_run {
            "&dry_run=true"
        } else {
            ""
        };
        let path = format!("/users/import?match={matching}{dry_run}");
        let mut lines = Lines::of(self.service.post_lines(&path, body).await?);
        let mut failed = None;
        while let Some((_, line)) = lines.next::<Line>().await? {
            if let Some(end) = line.end {
                let why = match &end[..] {
                    "complete" | "time-limit" => failed,
                    _ => Some(failed.unwrap_or(format!("the service ended the request: {end}"))),
                };
                let after = line.retry_after.map(Duration::from_secs);
                return Ok(Ended { why, after });
            }
            let number = line.line.and_then(|line| numbers.get(line.checked_sub(1)?));
            let (Some(number), Some(status)) = (number, line.status) else {
                continue;
            };
            let detail = line
                .problem
                .as_ref()
                .map_or(String::new(), Problem::to_string);
            // Another time it may be done. An unreadable value stays as it is.
            if status == 429 || status > 500 {
                failed = Some(detail);
                continue;
            }
            if let Some(row) = rows.remove(number) {
                self.settle(row, status, &detail, line);
            }
        }
        Err(Failure::broken_off("the answer broke off".to_owned()))
    }

    /// Notes the outcome of a row.
    fn settle(&self, mut row: Row, status: u16, detail: &str, line: Line) {
        let Row {
            line: number, key, ..
        } = &row;
        let id = line.id;
        let is_new = id.is_none_or(|id| self.state().kept.insert(id)) || row.is_repeated;
        let counts = |which: fn(&mut super::Counts) -> &mut u64| {
            *which(&mut self.state().counts) += 1;
        };
        let of = || id.map_or(String::new(), |id| format!(" {id}"));
        match line.outcome.as_deref() {
            Some("created") => {
                counts(|counts| &mut counts.created);
                self.would(&format!("line {number}: create {key}"));
            }
            Some("updated") => {
                counts(|counts| &mut counts.updated);
                self.would(&format!("line {number}: update user{} {key}", of()));
            }
            Some("unchanged") => counts(|counts| &mut counts.unchanged),
            _ => {
                let why = format!("{key}: {status} {detail}");
                let kind = line.problem.map_or(String::new(), |problem| problem.kind);
                let is_taken = kind.ends_with("-taken");
                if is_taken {
                    row.is_repeated = true;
                    self.state().taken.push((row, why));
                    return;
                }
                if id.is_none() {
                    self.state().unknown += 1;
                }
                self.refuse(*number, &why);
                return;
            }
        }
        if !is_new {
            self.refuse(
                *number,
                &format!(
                    "{key}: another line is the same user{}, and both were written: keep one",
                    of()
                ),
            );
        }
    }
}
