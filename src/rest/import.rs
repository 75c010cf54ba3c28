//! `/users/import`: makes a user of each line, and answers a line with each outcome.

mod results;

use std::future::{Future, ready};
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use http::{Method, Response, StatusCode};

use super::patch::without_read_only;
use crate::auth::{Permission, Scope};
use crate::directory::Directory;
use crate::json;
use crate::message::body::{Body, Broken, MAX_BYTES};
use crate::message::content::{Content, Part, Parts, TURN};
use crate::message::ndjson::{self, Chunk, Line, Lines, NDJSON};
use crate::message::problem::Problem;
use crate::message::query::Query;
use crate::message::trace::Trace;
use crate::platform::Platform;
use crate::service::audit::Change;
use crate::service::quota::{Client, Quota};
use crate::service::resource::{Call, Operation, Resource, handled};
use crate::store::Store;
use crate::timestamp::Timestamp;
use crate::user::{Profile, User};
use results::{Closing, Outcome, Results};

pub(super) const fn resource<S: Store, P: Platform, B: Body>() -> Resource<S, P, B> {
    Resource {
        path: "/users/import",
        is_counted: true,
        operations: &[Operation {
            method: Method::POST,
            permission: Permission::Scope(Scope::Write),
            change: Some("import"),
            accepts: &[NDJSON],
            offers: &[NDJSON],
            handler: |call| handled(ready(import(call))),
        }],
    }
}

/// An import ends after the service failed at so many lines in a row.
const FAILURES: u32 = 3;

/// How many bytes of results wait in memory for a client that does not read them.
const MAX_UNSENT: usize = 1024 * 1024;

/// How long an import waits, in milliseconds, for a client to read when more results wait. Many
/// clients read only after they have sent all: without a limit both would wait for ever.
const MAX_UNREAD_TIME: i64 = 1000;

/// How long the rest of the body is read, in milliseconds, where the import ends before the body
/// does. A connection that is closed while the client sends may lose the answer.
const MAX_DISCARD_TIME: i64 = 5000;

/// Users, made one by one while their lines arrive.
struct Import<'a, S: Store, P: Platform, B: Body> {
    directory: &'a Directory<'a, S, P>,
    body: B,
    lines: Lines,
    /// The number of the next line.
    number: u64,
    results: Results,
    state: State,
    /// How many bytes of results waited, and since when, if they were too many.
    waiting: Option<(usize, Timestamp)>,
    deadline: Timestamp,
    /// The client, whose lines are counted if there is a limit.
    client: Option<Client>,
    change: Option<Change>,
    trace: Rc<Trace>,
}

enum State {
    /// Lines are read, and users made of them.
    Open,
    /// The last line of the answer is made. Further input is ignored until this time.
    Discarding(Timestamp),
    Over,
}

fn import<'a, S: Store, P: Platform, B: Body + 'a>(
    call: Call<'a, S, P, B>,
) -> Result<Response<Content<'a>>, Problem> {
    // The number of the first line of the body, for a client that goes on with a file.
    let query = Query::parse(call.request.uri().query(), &["line"])?;
    let number = query.number("line", 1, u64::from(u32::MAX))?.unwrap_or(1);
    let now = call.directory.platform.now();
    Ok(ndjson::response(Import {
        directory: call.directory,
        body: call.request.into_body(),
        lines: Lines::default(),
        number,
        results: Results::default(),
        state: State::Open,
        waiting: None,
        deadline: ndjson::deadline(now, call.configuration.bulk_time_limit),
        client: call.client,
        change: call.change,
        trace: call.trace,
    }))
}

impl<S: Store, P: Platform, B: Body> Parts for Import<'_, S, P, B> {
    fn next(&mut self, unsent: usize) -> Pin<Box<dyn Future<Output = Part> + '_>> {
        Box::pin(self.results(unsent))
    }
}

/// The client may go away before the end.
impl<S: Store, P: Platform, B: Body> Drop for Import<'_, S, P, B> {
    fn drop(&mut self) {
        if let State::Open = self.state {
            self.record_end("cut-off");
        }
    }
}

impl<S: Store, P: Platform, B: Body> Import<'_, S, P, B> {
    /// The next results.
    async fn results(&mut self, unsent: usize) -> Part {
        match self.state {
            State::Open => match self.is_to_wait(unsent) {
                true => Part::Later,
                false => Part::Bytes(self.go_on(unsent).await),
            },
            State::Discarding(until) => self.discard(until).await,
            State::Over => Part::End,
        }
    }

    /// Whether the import waits for the client to read. It ends if the client reads nothing for
    /// long.
    fn is_to_wait(&mut self, unsent: usize) -> bool {
        let now = self.directory.platform.now();
        if unsent <= MAX_UNSENT {
            self.waiting = None;
            return false;
        }
        match self.waiting {
            Some((waited, since)) if unsent >= waited => {
                now < self.deadline && (now.0 - since.0).abs() < MAX_UNREAD_TIME
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
                return self.close_early("time-limit", None, chunk);
            }
            if self.results.failed_in_a_row == FAILURES {
                return self.close_early("failures", None, chunk);
            }
            if unsent > MAX_UNSENT {
                return self.close_early("results-unread", None, chunk);
            }
            if chunk.is_due(now) {
                return chunk.bytes;
            }
            if let Some(line) = self.lines.next() {
                let profile = read(line);
                if let Err(quota) = self.take(profile, &mut chunk).await {
                    return self.close_early("rate-limit", Some(quota.reset), chunk);
                }
                continue;
            }
            // The client sees the results before more lines are waited for.
            let timeout = match chunk.bytes.is_empty() {
                false => Duration::ZERO,
                true if unsent > 0 => TURN,
                true => ndjson::until(self.deadline, now),
            };
            match self.body.next_within(timeout).await {
                Some(Ok(bytes)) if bytes.is_empty() => {
                    if unsent > 0 || !chunk.bytes.is_empty() {
                        return chunk.bytes;
                    }
                }
                Some(Ok(bytes)) => self.lines.push(&bytes),
                Some(Err(Broken)) => {
                    self.state = State::Over;
                    return self.close("incomplete-body", true, None, chunk);
                }
                None => {
                    let profile = self.lines.last().and_then(read);
                    if let Err(quota) = self.take(profile, &mut chunk).await {
                        return self.close_early("rate-limit", Some(quota.reset), chunk);
                    }
                    self.state = State::Over;
                    return self.close("complete", false, None, chunk);
                }
            }
        }
    }

    /// Makes the user of the next line, which may be blank, and adds the result. Fails, and leaves
    /// the line to another request, if the client has reached its limit of requests.
    async fn take(
        &mut self,
        profile: Option<Result<Profile, Problem>>,
        chunk: &mut Chunk,
    ) -> Result<(), Quota> {
        if let (Some(_), Some(client)) = (&profile, &self.client)
            && let Some(quota) = client.count(self.directory).await
            && quota.is_exceeded()
        {
            return Err(quota);
        }
        let line = self.number;
        self.number += 1;
        let created = match profile {
            None => return Ok(()),
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
        chunk.push(&Outcome::new(line, &created, &self.trace));
        Ok(())
    }

    /// Writes the outcome of a line into the audit trail.
    fn record(&self, created: &Result<User, Problem>) {
        let (user, outcome) = match created {
            Ok(user) => (Some(user.id), StatusCode::CREATED),
            Err(problem) => (None, problem.status()),
        };
        if let Some(change) = &self.change {
            change.end_line(self.directory.platform, user, outcome);
        }
    }

    fn record_end(&self, end: &'static str) {
        if let Some(change) = &self.change {
            change.end_content(self.directory.platform, end);
        }
    }

    /// Ends before the body does.
    fn close_early(
        &mut self,
        end: &'static str,
        retry_after: Option<i64>,
        chunk: Chunk,
    ) -> Vec<u8> {
        let now = self.directory.platform.now();
        self.state = State::Discarding(Timestamp(now.0 + MAX_DISCARD_TIME));
        self.close(end, true, retry_after, chunk)
    }

    fn close(
        &self,
        end: &'static str,
        goes_on: bool,
        retry_after: Option<i64>,
        mut chunk: Chunk,
    ) -> Vec<u8> {
        self.record_end(end);
        chunk.push(&Closing {
            end,
            results: self.results,
            next: goes_on.then(|| format!("/users/import?line={}", self.number)),
            retry_after,
        });
        chunk.bytes
    }

    /// Reads further input and ignores it.
    async fn discard(&mut self, until: Timestamp) -> Part {
        let is_over = self.directory.platform.now() >= until;
        match self.body.next_within(TURN).await {
            Some(Ok(_)) if !is_over => Part::Bytes(Vec::new()),
            _ => {
                self.state = State::Over;
                Part::End
            }
        }
    }
}

/// The profile of a line; `None` if the line is blank. Members that the service sets are ignored,
/// so that an exported file can be imported.
fn read(line: Line) -> Option<Result<Profile, Problem>> {
    let Line::Whole(bytes) = line else {
        return Some(Err(Problem::line_too_long(MAX_BYTES)));
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
