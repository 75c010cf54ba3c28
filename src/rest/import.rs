//! `POST /users/import`: a user from each line, and a line on what became of it.

use std::time::Duration;

use http::{Request, Response, StatusCode};
use serde::Serialize;

use super::access::Caller;
use super::audit;
use super::content::{GLANCE, Part};
use super::patch::without_read_only;
use crate::directory::Directory;
use crate::json;
use crate::message::body::{self, Body, Broken};
use crate::message::ndjson::{self, Chunk, Line, Lines, NDJSON};
use crate::message::problem::{Details, Problem};
use crate::message::query::Query;
use crate::message::trace::Trace;
use crate::platform::Platform;
use crate::store::Store;
use crate::timestamp::Timestamp;
use crate::user::{Profile, User, UserId};

/// How many lines in a row the service may fail at before an import ends.
const FAILURES: u32 = 3;

/// How many bytes of results wait in memory for a client that does not read them.
const MAX_UNSENT: usize = 1024 * 1024;

/// How long an import waits for a client to read when there are more, in milliseconds. Many
/// clients read only when they have sent all: both would wait for ever.
const PATIENCE: i64 = 1000;

/// How long what a client still sends is read, in milliseconds, after the import has ended before
/// the body did. A connection that is closed on a client that sends may lose what it was answered.
const LINGER: i64 = 5000;

/// Users, made one by one while their lines arrive.
pub struct Import<'a, S, P, B> {
    directory: &'a Directory<'a, S, P>,
    body: B,
    lines: Lines,
    /// The number of the next line.
    number: u64,
    results: Results,
    state: State,
    /// How many bytes of results waited, since when, if they were too many.
    waiting: Option<(usize, Timestamp)>,
    deadline: Timestamp,
    /// Who imports, where that is known.
    principal: Option<String>,
    trace: Trace,
}

/// What became of the lines.
#[derive(Clone, Copy, Default, Serialize)]
struct Results {
    created: u64,
    /// Through no fault of the service.
    refused: u64,
    /// Through a fault of the service. These may or may not have been made.
    failed: u64,
    #[serde(skip)]
    failed_in_a_row: u32,
}

enum State {
    /// Lines are read, and users made of them.
    Open,
    /// The last line of the answer is made; what still arrives until then is ignored.
    Lingering(Timestamp),
    Over,
}

/// The result of one line.
#[derive(Serialize)]
struct Outcome<'a> {
    line: u64,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<UserId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<Details<'a>>,
}

/// The last line. By it a client knows that all lines have their results, or where to go on.
#[derive(Serialize)]
struct Closing {
    /// `complete`, or why it ends here.
    end: &'static str,
    #[serde(flatten)]
    results: Results,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// `POST /users/import`
pub(super) fn import<'a, S: Store, P: Platform, B: Body>(
    directory: &'a Directory<'a, S, P>,
    request: Request<B>,
    caller: &Caller,
    trace: &Trace,
) -> Result<Response<Import<'a, S, P, B>>, Problem> {
    // What the first line of the body is called, for a client that goes on with a file.
    let query = Query::parse(request.uri().query(), &["line"])?;
    let number = query.number("line", 1, u64::from(u32::MAX))?.unwrap_or(1);
    body::check_media_type(request.headers(), &[NDJSON])?;
    Ok(ndjson::response(Import {
        directory,
        body: request.into_body(),
        lines: Lines::default(),
        number,
        results: Results::default(),
        state: State::Open,
        waiting: None,
        deadline: ndjson::deadline(directory.platform),
        principal: caller.name().map(str::to_owned),
        trace: trace.clone(),
    }))
}

impl<S: Store, P: Platform, B: Body> Import<'_, S, P, B> {
    /// The next results.
    pub(super) async fn next(&mut self, unsent: usize) -> Part {
        match self.state {
            State::Open => match self.is_to_wait(unsent) {
                true => Part::Later,
                false => Part::Bytes(self.go_on(unsent).await),
            },
            State::Lingering(until) => self.linger(until).await,
            State::Over => Part::End,
        }
    }

    /// Whether the client is to read before more is made. Not if it has read nothing for long:
    /// then the import ends.
    fn is_to_wait(&mut self, unsent: usize) -> bool {
        let now = self.directory.platform.now();
        if unsent <= MAX_UNSENT {
            self.waiting = None;
            return false;
        }
        match self.waiting {
            Some((waited, since)) if unsent >= waited => {
                now < self.deadline && (now.0 - since.0).abs() < PATIENCE
            }
            _ => {
                self.waiting = Some((unsent, now));
                true
            }
        }
    }

    async fn go_on(&mut self, unsent: usize) -> Vec<u8> {
        let platform = self.directory.platform;
        let mut chunk = Chunk::new(platform.now());
        loop {
            let now = platform.now();
            if now >= self.deadline {
                return self.close_early("time-limit", chunk);
            }
            if self.results.failed_in_a_row == FAILURES {
                return self.close_early("failures", chunk);
            }
            if unsent > MAX_UNSENT {
                return self.close_early("results-unread", chunk);
            }
            if chunk.is_due(now) {
                return chunk.bytes;
            }
            if let Some(line) = self.lines.next() {
                let profile = read(line);
                self.take(profile, &mut chunk).await;
                continue;
            }
            // The client sees what was done before more is waited for.
            let patience = match chunk.bytes.is_empty() {
                false => Duration::ZERO,
                true if unsent > 0 => GLANCE,
                true => ndjson::until(self.deadline, now),
            };
            match self.body.next_within(patience).await {
                Some(Ok(bytes)) if bytes.is_empty() => {
                    if unsent > 0 || !chunk.bytes.is_empty() {
                        return chunk.bytes;
                    }
                }
                Some(Ok(bytes)) => self.lines.push(&bytes),
                Some(Err(Broken)) => {
                    self.state = State::Over;
                    return self.close("incomplete-body", true, chunk);
                }
                None => {
                    if let Some(line) = self.lines.last() {
                        let profile = read(line);
                        self.take(profile, &mut chunk).await;
                    }
                    self.state = State::Over;
                    return self.close("complete", false, chunk);
                }
            }
        }
    }

    /// Makes the user of the next line, which may be blank, and tells what became of it.
    async fn take(&mut self, profile: Option<Result<Profile, Problem>>, chunk: &mut Chunk) {
        let line = self.number;
        self.number += 1;
        let created = match profile {
            None => return,
            Some(Err(problem)) => Err(problem),
            Some(Ok(profile)) => {
                let created = self.directory.create(profile, None).await;
                created.map(|created| created.user).map_err(Problem::from)
            }
        };
        self.results.count(created.as_ref().map(|_| ()));
        self.record(&created);
        if let Ok(user) = &created {
            self.directory.merge_names(user.id).await;
        }
        if let Some(cause) = created.as_ref().err().and_then(Problem::cause) {
            let place = format!("{} POST /users/import: line {line}", self.trace);
            let log = format!("{place}: {cause}");
            self.directory.platform.log_error(&log);
        }
        chunk.push(&match &created {
            Ok(user) => Outcome {
                line,
                status: StatusCode::CREATED.as_u16(),
                id: Some(user.id),
                problem: None,
            },
            Err(problem) => Outcome {
                line,
                status: problem.status().as_u16(),
                id: None,
                problem: Some(problem.details(&self.trace)),
            },
        });
    }

    /// Keeps in the audit trail what became of a line.
    fn record(&self, created: &Result<User, Problem>) {
        let (user, outcome) = match created {
            Ok(user) => (Some(user.id), StatusCode::CREATED),
            Err(problem) => (None, problem.status()),
        };
        let (platform, principal) = (self.directory.platform, self.principal.as_deref());
        audit::record_line(platform, &self.trace, principal, user, outcome);
    }

    fn close_early(&mut self, end: &'static str, chunk: Chunk) -> Vec<u8> {
        let now = self.directory.platform.now();
        self.state = State::Lingering(Timestamp(now.0 + LINGER));
        self.close(end, true, chunk)
    }

    fn close(&self, end: &'static str, goes_on: bool, mut chunk: Chunk) -> Vec<u8> {
        chunk.push(&Closing {
            end,
            results: self.results,
            next: goes_on.then(|| format!("/users/import?line={}", self.number)),
        });
        chunk.bytes
    }

    /// Ignores what arrives.
    async fn linger(&mut self, until: Timestamp) -> Part {
        let is_over = self.directory.platform.now() >= until;
        match self.body.next_within(GLANCE).await {
            Some(Ok(_)) if !is_over => Part::Bytes(Vec::new()),
            _ => {
                self.state = State::Over;
                Part::End
            }
        }
    }
}

impl Results {
    fn count(&mut self, result: Result<(), &Problem>) {
        let failed = result.is_err_and(|problem| problem.status().is_server_error());
        match result {
            Ok(()) => self.created += 1,
            Err(_) if failed => self.failed += 1,
            Err(_) => self.refused += 1,
        }
        self.failed_in_a_row = if failed { self.failed_in_a_row + 1 } else { 0 };
    }
}

/// What a line asks for; `None` if it is blank. Members that the service sets are ignored, so
/// that what was exported can be imported.
fn read(line: Line) -> Option<Result<Profile, Problem>> {
    let Line::Whole(bytes) = line else {
        return Some(Err(Problem::line_too_long()));
    };
    if bytes.trim_ascii().is_empty() {
        return None;
    }
    let profile = json::parse(bytes)
        .map_err(Problem::from)
        .and_then(|members| {
            Profile::from_json(without_read_only(members)).map_err(Problem::invalid_user)
        });
    Some(profile)
}
