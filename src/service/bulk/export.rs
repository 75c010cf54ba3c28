//! Users that are read one by one while they are sent.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use http::{HeaderMap, Method};

use super::{Chunk, End, deadline};
use crate::directory::{Step, Walk};
use crate::message::content::{Part, Parts};
use crate::message::problem::Problem;
use crate::message::trace::Trace;
use crate::platform::Platform;
use crate::service::omissions::log_unreadable;
use crate::service::resource::Call;
use crate::store::Store;
use crate::timestamp::Timestamp;
use crate::user::User;

/// How users go.
pub trait Form {
    /// Adds a user, if it is one of the users that the client asked for; answers whether it is.
    fn push(&mut self, bytes: &mut Vec<u8>, user: User) -> bool;

    /// Adds what says how the export ended, after so many users, the last of which has the id
    /// `passed` or a lower one.
    fn push_end(&mut self, bytes: &mut Vec<u8>, end: End, users: u64, passed: u64, trace: &Trace);

    /// The fields that follow, if the protocol has any.
    fn trailers(&mut self) -> Option<HeaderMap> {
        None
    }
}

/// The users, read one by one while they are sent.
pub struct Export<'a, S, P, F> {
    platform: &'a P,
    /// `None` when the last of it is made.
    walk: Option<Walk<'a, S, P>>,
    form: F,
    /// What the request is, for the log.
    place: String,
    users: u64,
    deadline: Timestamp,
    trace: Rc<Trace>,
}

impl<'a, S: Store, P: Platform, F: Form> Export<'a, S, P, F> {
    /// The export that a request asks for, of the users of `walk`. It ends when the operator's
    /// time limit does, or the client's.
    pub fn new<B>(
        call: &Call<'a, S, P, B>,
        form: F,
        walk: Walk<'a, S, P>,
        limit: Option<Timestamp>,
    ) -> Self {
        let platform = call.directory.platform;
        let place = format!("{} {}", call.request.method(), call.request.uri().path());
        Export {
            platform,
            // The answer to HEAD has no content.
            walk: (call.request.method() != Method::HEAD).then_some(walk),
            form,
            place,
            users: 0,
            deadline: deadline(call, limit),
            trace: call.trace.clone(),
        }
    }

    async fn part(&mut self, unsent: usize) -> Part {
        let Some(walk) = &mut self.walk else {
            return Part::End;
        };
        let now = self.platform.now();
        // A client that reads slowly must not make the service hold its users in memory.
        if unsent > 0 && now < self.deadline {
            return Part::Later;
        }
        let mut chunk = Chunk::new(now);
        let end = loop {
            let now = self.platform.now();
            if chunk.is_due(now) {
                return Part::Bytes(chunk.bytes);
            }
            if now >= self.deadline {
                break End::TimeLimit(now);
            }
            match walk.next().await {
                Ok(Some(Step::User(user))) => {
                    let is_wanted = self.form.push(&mut chunk.bytes, user);
                    self.users += u64::from(is_wanted);
                }
                Ok(Some(Step::Unreadable(id))) => {
                    log_unreadable(self.platform, &self.trace, &self.place, &[id]);
                }
                Ok(Some(Step::Gap)) => {}
                Ok(None) => break End::Complete,
                Err(error) => {
                    let line = format!("{} {}: {error}", self.trace, self.place);
                    self.platform.log_error(&line);
                    break End::Problem(Problem::from(error));
                }
            }
        };
        let (bytes, trace) = (&mut chunk.bytes, &self.trace);
        self.form
            .push_end(bytes, end, self.users, walk.passed(), trace);
        self.walk = None;
        Part::Bytes(chunk.bytes)
    }
}

impl<S: Store, P: Platform, F: Form> Parts for Export<'_, S, P, F> {
    fn next(&mut self, unsent: usize) -> Pin<Box<dyn Future<Output = Part> + '_>> {
        Box::pin(self.part(unsent))
    }

    fn trailers(&mut self) -> Option<HeaderMap> {
        self.form.trailers()
    }
}
