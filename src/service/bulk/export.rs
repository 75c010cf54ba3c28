//! Users, or groups with their users, that are read one by one while they are sent.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use http::{HeaderMap, Method};

use super::{Chunk, End, deadline};
use crate::directory::{Error, Gather, GroupPlace, GroupStep, GroupWalk, Roster, Step, Walk};
use crate::message::content::{Part, Parts};
use crate::message::problem::Problem;
use crate::message::trace::Trace;
use crate::platform::Platform;
use crate::service::omissions::{log_unreadable, log_unreadable_groups};
use crate::service::resource::Call;
use crate::store::Store;
use crate::timestamp::Timestamp;
use crate::user::User;

/// How what is read goes.
pub trait Form {
    /// What is read at once: a user, or a group with some of its users.
    type Item;
    /// Where an export goes on.
    type Place;

    /// Adds what was read, if the client asked for it; answers whether it counts.
    fn push(&mut self, bytes: &mut Vec<u8>, item: Self::Item) -> bool;

    /// Adds what says how the export ended, after so many that count, the last of which is at the place
    /// `passed` or before.
    fn push_end(
        &mut self,
        bytes: &mut Vec<u8>,
        end: End,
        count: u64,
        passed: Self::Place,
        trace: &Trace,
    );

    /// The fields that follow, if the protocol has any.
    fn trailers(&mut self) -> Option<HeaderMap> {
        None
    }
}

/// Where what goes is read.
#[allow(async_fn_in_trait)]
pub trait Source<I> {
    type Place;

    /// Takes a step; `None` at the end, and nothing for what is left out.
    async fn next(&mut self, log: &Log<'_, impl Platform>) -> Result<Option<Option<I>>, Error>;

    /// The place that was passed last.
    fn passed(&self) -> Self::Place;
}

/// Where it is told what was left out, as it can't be read.
pub struct Log<'l, P> {
    platform: &'l P,
    trace: &'l Trace,
    /// What the request is.
    place: &'l str,
}

impl<S: Store, P: Platform> Source<User> for Walk<'_, S, P> {
    /// An id.
    type Place = u64;

    async fn next(&mut self, log: &Log<'_, impl Platform>) -> Result<Option<Option<User>>, Error> {
        Ok(match Walk::next(self).await? {
            None => None,
            Some(Step::User(user)) => Some(Some(user)),
            Some(Step::Unreadable(id)) => {
                log_unreadable(log.platform, log.trace, log.place, &[id]);
                Some(None)
            }
            Some(Step::Gap) => Some(None),
        })
    }

    fn passed(&self) -> u64 {
        self.passed()
    }
}

impl<S: Store, P: Platform, G: Gather + Default> Source<Roster<G>> for GroupWalk<'_, S, P> {
    type Place = GroupPlace;

    async fn next(
        &mut self,
        log: &Log<'_, impl Platform>,
    ) -> Result<Option<Option<Roster<G>>>, Error> {
        Ok(match GroupWalk::next(self, G::default()).await? {
            None => None,
            Some(GroupStep::Roster(roster)) => {
                log_unreadable(log.platform, log.trace, log.place, &roster.unreadable);
                Some(Some(roster))
            }
            Some(GroupStep::Unreadable(id)) => {
                log_unreadable_groups(log.platform, log.trace, log.place, &[id]);
                Some(None)
            }
            Some(GroupStep::Gap) => Some(None),
        })
    }

    fn passed(&self) -> GroupPlace {
        self.passed().clone()
    }
}

/// What is read one by one while it is sent.
pub struct Export<'a, P, W, F> {
    platform: &'a P,
    /// `None` when the last of it is made.
    source: Option<W>,
    form: F,
    /// What the request is, for the log.
    place: String,
    /// How many were sent that count.
    count: u64,
    deadline: Timestamp,
    trace: Rc<Trace>,
}

impl<'a, P: Platform, W, F> Export<'a, P, W, F>
where
    F: Form,
    W: Source<F::Item, Place = F::Place>,
{
    /// The export that a request asks for, of what `source` reads. It ends when the operator's
    /// time limit does, or the client's.
    pub fn new<S, B>(
        call: &Call<'a, S, P, B>,
        form: F,
        source: W,
        limit: Option<Timestamp>,
    ) -> Self {
        let platform = call.directory.platform;
        let place = format!("{} {}", call.request.method(), call.request.uri().path());
        Export {
            platform,
            // The answer to HEAD has no content.
            source: (call.request.method() != Method::HEAD).then_some(source),
            form,
            place,
            count: 0,
            deadline: deadline(call, limit),
            trace: call.trace.clone(),
        }
    }

    async fn part(&mut self, unsent: usize) -> Part {
        let Some(source) = &mut self.source else {
            return Part::End;
        };
        let now = self.platform.now();
        // A client that reads slowly must not make the service hold it all in memory.
        if unsent > 0 && now < self.deadline {
            return Part::Later;
        }
        let log = Log {
            platform: self.platform,
            trace: &self.trace,
            place: &self.place,
        };
        let mut chunk = Chunk::new(now);
        let end = loop {
            let now = self.platform.now();
            if chunk.is_due(now) {
                return Part::Bytes(chunk.bytes);
            }
            if now >= self.deadline {
                break End::TimeLimit(now);
            }
            match source.next(&log).await {
                Ok(Some(Some(item))) => {
                    let counts = self.form.push(&mut chunk.bytes, item);
                    self.count += u64::from(counts);
                }
                Ok(Some(None)) => {}
                Ok(None) => break End::Complete,
                Err(error) => {
                    let line = format!("{} {}: {error}", self.trace, self.place);
                    self.platform.log_error(&line);
                    break End::Problem(Problem::from(error));
                }
            }
        };
        let (bytes, passed) = (&mut chunk.bytes, source.passed());
        self.form
            .push_end(bytes, end, self.count, passed, &self.trace);
        self.source = None;
        Part::Bytes(chunk.bytes)
    }
}

impl<P: Platform, W, F> Parts for Export<'_, P, W, F>
where
    F: Form,
    W: Source<F::Item, Place = F::Place>,
{
    fn next(&mut self, unsent: usize) -> Pin<Box<dyn Future<Output = Part> + '_>> {
        Box::pin(self.part(unsent))
    }

    fn trailers(&mut self) -> Option<HeaderMap> {
        self.form.trailers()
    }
}
