//! Users or groups that are made one by one while they arrive, and the result of each.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use http::HeaderMap;

use super::outcome::{Outcome, Results};
use super::work::{LINE, OutcomeOf, Site, Work};
use super::{Chunk, End, FAILURES, deadline, until};
use crate::message::body::{Body, Broken};
use crate::message::content::{Part, Parts, TURN};
use crate::message::problem::Problem;
use crate::message::trace::Trace;
use crate::platform::Platform;
use crate::service::resource::Call;
use crate::store::Store;
use crate::timestamp::Timestamp;

/// How users or groups arrive, and how their results go.
pub trait Form {
    type Work: Work;

    /// Adds bytes that arrived.
    fn push(&mut self, bytes: &[u8]) -> Result<(), Problem>;

    /// The next one, if all of it has arrived.
    fn next(&mut self) -> Result<Option<Item<Self::Work>>, Problem>;

    /// What is left when no more bytes come.
    fn last(&mut self) -> Result<Option<Item<Self::Work>>, Problem>;

    /// Adds the result of what arrived under that number.
    fn push_result(
        &mut self,
        bytes: &mut Vec<u8>,
        number: u64,
        outcome: OutcomeOf<Self::Work>,
        trace: &Trace,
    );

    /// Adds what says how the import ended, before what has the number `next`.
    fn push_end(&mut self, bytes: &mut Vec<u8>, end: End, results: Results, next: u64);

    /// The fields that follow, if the protocol has any. They end the request too.
    fn trailers(&mut self) -> Option<HeaderMap> {
        None
    }

    /// Whether a client learns of the end before it has sent all.
    fn ends_at_once(&self) -> bool {
        false
    }
}

/// What arrived; `None` if that is nothing.
pub type Item<W> = Option<Result<W, Problem>>;

/// How many bytes of results wait in memory for a client that does not read them.
const MAX_UNSENT: usize = 1024 * 1024;

/// How long an import waits, in milliseconds, for a client to read when more results wait. Many
/// clients read only after they have sent all: without a limit both would wait for ever.
const MAX_UNREAD_TIME: i64 = 1000;

/// How long the rest of the body is read, in milliseconds, where the import ends before the body
/// does. A connection that is closed while the client sends may lose the answer.
const MAX_DISCARD_TIME: i64 = 5000;

/// Users or groups, made one by one while they arrive.
pub struct Import<'a, S: Store, P: Platform, B: Body, F: Form> {
    site: Site<'a, S, P>,
    body: B,
    form: F,
    /// What the request is, for the log.
    place: String,
    /// The number of what is next.
    number: u64,
    results: Results,
    state: State,
    /// How many bytes of results waited, and since when, if they were too many.
    waiting: Option<(usize, Timestamp)>,
    trace: Rc<Trace>,
}

enum State {
    /// What arrives is read and made.
    Open,
    /// The end of the answer is made. Further input is ignored until this time.
    Discarding(Timestamp),
    Over,
}

impl<'a, S: Store, P: Platform, B: Body, F: Form> Import<'a, S, P, B, F> {
    /// The import that a request asks for, in which what arrives is counted from `number` on. It ends
    /// when the operator's time limit does, or the client's.
    pub fn new(call: Call<'a, S, P, B>, form: F, number: u64, limit: Option<Timestamp>) -> Self {
        let place = format!("{} {}", call.request.method(), call.request.uri().path());
        let deadline = deadline(&call, limit);
        Import {
            site: Site {
                directory: call.directory,
                attributes: &call.configuration.indexed_attributes.0,
                deadline,
                client: call.client,
                change: call.change,
            },
            body: call.request.into_body(),
            form,
            place,
            number,
            results: Results::default(),
            state: State::Open,
            waiting: None,
            trace: call.trace,
        }
    }
}

impl<S: Store, P: Platform, B: Body, F: Form> Parts for Import<'_, S, P, B, F> {
    fn next(&mut self, unsent: usize) -> Pin<Box<dyn Future<Output = Part> + '_>> {
        Box::pin(self.results(unsent))
    }

    fn trailers(&mut self) -> Option<HeaderMap> {
        self.form.trailers()
    }
}

/// The client may go away before the end.
impl<S: Store, P: Platform, B: Body, F: Form> Drop for Import<'_, S, P, B, F> {
    fn drop(&mut self) {
        if let State::Open = self.state {
            self.record_end("cut-off");
        }
    }
}

impl<S: Store, P: Platform, B: Body, F: Form> Import<'_, S, P, B, F> {
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
        let now = self.site.directory.platform.now();
        if unsent <= MAX_UNSENT {
            self.waiting = None;
            return false;
        }
        match self.waiting {
            Some((waited, since)) if unsent >= waited => {
                now < self.site.deadline && (now.0 - since.0).abs() < MAX_UNREAD_TIME
            }
            _ => {
                self.waiting = Some((unsent, now));
                true
            }
        }
    }

    async fn go_on(&mut self, unsent: usize) -> Vec<u8> {
        let platform = self.site.directory.platform;
        let mut chunk = Chunk::new(platform.now());
        match self.fill(&mut chunk, unsent).await {
            None => chunk.bytes,
            Some(end) => self.close(end, chunk),
        }
    }

    /// Makes what arrives until there are enough results to be sent. Answers why the import ends, if it
    /// does.
    async fn fill(&mut self, chunk: &mut Chunk, unsent: usize) -> Option<End> {
        loop {
            let now = match self.site.check_time() {
                Err(end) => return Some(end),
                Ok(now) => now,
            };
            if self.results.failed_in_a_row == FAILURES {
                return Some(End::Failures);
            }
            if unsent > MAX_UNSENT {
                return Some(End::ResultsUnread);
            }
            if chunk.is_due(now) {
                return None;
            }
            match self.form.next() {
                Err(problem) => return Some(End::Problem(problem)),
                Ok(Some(item)) => {
                    if let Err(end) = self.take(item, chunk).await {
                        return Some(end);
                    }
                    continue;
                }
                Ok(None) => {}
            }
            // The client sees the results before more is waited for.
            let timeout = match chunk.bytes.is_empty() {
                false => Duration::ZERO,
                true if unsent > 0 => TURN,
                true => until(self.site.deadline, now),
            };
            match self.body.next_within(timeout).await {
                Some(Ok(bytes)) if bytes.is_empty() => {
                    if unsent > 0 || !chunk.bytes.is_empty() {
                        return None;
                    }
                }
                Some(Ok(bytes)) => {
                    if let Err(problem) = self.form.push(&bytes) {
                        return Some(End::Problem(problem));
                    }
                }
                Some(Err(Broken)) => return Some(End::IncompleteBody),
                None => {
                    return Some(match self.form.last() {
                        Err(problem) => End::Problem(problem),
                        Ok(item) => match self.take(item.flatten(), chunk).await {
                            Err(end) => end,
                            Ok(()) => End::Complete,
                        },
                    });
                }
            }
        }
    }

    /// Makes what is next, if there is anything, and adds the result. Fails, and leaves it to another
    /// request, if the import ends before.
    async fn take(&mut self, item: Item<F::Work>, chunk: &mut Chunk) -> Result<(), End> {
        let number = self.number;
        let site = &self.site;
        let platform = site.directory.platform;
        if let Some(item) = item {
            site.count().await?;
            let outcome = match item {
                Ok(work) => work.run(site).await?,
                Err(problem) => {
                    if let Some(change) = &site.change {
                        change.end_one(platform, LINE, None, problem.status());
                    }
                    let (found, result) = (None, Err(problem));
                    Outcome { found, result }
                }
            };
            let result = outcome.result.as_ref();
            self.results.count(result.map(|done| done.how));
            if let Some(cause) = result.err().and_then(Problem::cause) {
                let (trace, place) = (&self.trace, &self.place);
                platform.log_error(&format!("{trace} {place}: line {number}: {cause}"));
            }
            let bytes = &mut chunk.bytes;
            self.form.push_result(bytes, number, outcome, &self.trace);
        }
        self.number += 1;
        Ok(())
    }

    fn record_end(&self, end: &'static str) {
        if let Some(change) = &self.site.change {
            change.end_content(self.site.directory.platform, end);
        }
    }

    fn close(&mut self, end: End, mut chunk: Chunk) -> Vec<u8> {
        self.record_end(end.name());
        let is_body_over = matches!(end, End::Complete | End::IncompleteBody);
        self.state = match is_body_over || self.form.ends_at_once() {
            true => State::Over,
            false => {
                let now = self.site.directory.platform.now();
                State::Discarding(Timestamp(now.0 + MAX_DISCARD_TIME))
            }
        };
        let bytes = &mut chunk.bytes;
        self.form.push_end(bytes, end, self.results, self.number);
        chunk.bytes
    }

    /// Reads further input and ignores it.
    async fn discard(&mut self, until: Timestamp) -> Part {
        let is_over = self.site.directory.platform.now() >= until;
        match self.body.next_within(TURN).await {
            Some(Ok(_)) if !is_over => Part::Bytes(Vec::new()),
            _ => {
                self.state = State::Over;
                Part::End
            }
        }
    }
}
