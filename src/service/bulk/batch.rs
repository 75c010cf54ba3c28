//! Changes of up to 1,000 users that one request asks for: they are made one after the other,
//! and the answer tells the outcome of each.

use std::rc::Rc;

use http::{Request, Response, StatusCode};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::{End, FAILURES, deadline};
use crate::directory::Directory;
use crate::message::problem::{Details, Problem};
use crate::message::response::private_json;
use crate::message::trace::Trace;
use crate::platform::Platform;
use crate::service::audit::Change;
use crate::service::quota::Client;
use crate::service::resource::Call;
use crate::store::Store;
use crate::timestamp::Timestamp;
use crate::user::UserId;

/// What a request with many changes has, beside the changes.
pub struct Batch<'a, S, P> {
    directory: &'a Directory<'a, S, P>,
    /// What the request is, for the log.
    place: String,
    deadline: Timestamp,
    /// The client, whose changes are counted if there is a limit.
    client: Option<Client>,
    change: Option<Change>,
    trace: Rc<Trace>,
}

/// What became of the changes.
pub struct Done {
    end: End,
    results: Vec<(UserId, Result<(), Problem>)>,
    not_reached: Vec<UserId>,
}

impl Done {
    /// How many changes were made.
    pub fn count(&self) -> usize {
        let made = self.results.iter().filter(|(_, result)| result.is_ok());
        made.count()
    }
}

/// The answer. What the results don't tell of was not reached.
#[derive(Serialize)]
struct Outcomes<'a> {
    /// `complete`, or why the other users were not reached.
    end: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted: Option<usize>,
    results: Vec<Outcome<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    not_reached: Vec<UserId>,
    /// After how many seconds the client may go on, if it has to wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<i64>,
}

/// The outcome of one change.
struct Outcome<'a> {
    /// The member that has the user's id.
    member: &'static str,
    user: UserId,
    status: StatusCode,
    problem: Option<Details<'a>>,
}

impl Serialize for Outcome<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = serializer.serialize_map(None)?;
        members.serialize_entry(self.member, &self.user)?;
        members.serialize_entry("status", &self.status.as_u16())?;
        if let Some(problem) = &self.problem {
            members.serialize_entry("problem", problem)?;
        }
        members.end()
    }
}

impl<'a, S: Store, P: Platform> Batch<'a, S, P> {
    /// The batch of a request, and the request. It ends when the operator's time limit does.
    pub fn new<B>(call: Call<'a, S, P, B>) -> (Self, Request<B>) {
        let batch = Batch {
            directory: call.directory,
            place: format!("{} {}", call.request.method(), call.request.uri().path()),
            deadline: deadline(&call, None),
            client: call.client,
            change: call.change,
            trace: call.trace,
        };
        (batch, *call.request)
    }

    /// Makes the changes, in order. Each is made or not by itself. `action` is its name in the audit
    /// trail.
    pub async fn run<C>(
        &self,
        changes: Vec<(UserId, C)>,
        action: impl Fn(&C) -> &'static str,
        make: impl AsyncFn(UserId, &C) -> Result<(), Problem>,
    ) -> Done {
        let platform = self.directory.platform;
        let mut changes = changes.into_iter();
        let mut results = Vec::new();
        let mut failed_in_a_row = 0;
        let end = loop {
            let Some((user, change)) = changes.as_slice().first() else {
                break End::Complete;
            };
            let now = platform.now();
            if now >= self.deadline {
                break End::TimeLimit(now);
            }
            if failed_in_a_row == FAILURES {
                break End::Failures;
            }
            if let Some(client) = &self.client
                && let Some(quota) = client.count(self.directory).await
                && quota.is_exceeded()
            {
                break End::RateLimit(quota.reset);
            }
            let result = make(*user, change).await;
            let status = status(&result);
            if let Some(trail) = &self.change {
                trail.end_one(platform, action(change), Some(*user), status);
            }
            if let Some(cause) = result.as_ref().err().and_then(Problem::cause) {
                let (trace, place) = (&self.trace, &self.place);
                platform.log_error(&format!("{trace} {place}: user {user}: {cause}"));
            }
            failed_in_a_row = match status.is_server_error() {
                true => failed_in_a_row + 1,
                false => 0,
            };
            results.push((*user, result));
            changes.next();
        };
        Done {
            end,
            results,
            not_reached: changes.map(|(user, _)| user).collect(),
        }
    }

    /// The answer, with the users' ids in the member `member`. `deleted` is the number of users that
    /// were deleted, if the changes are such.
    pub fn answer(
        &self,
        done: Done,
        member: &'static str,
        deleted: Option<usize>,
    ) -> Response<Vec<u8>> {
        let outcomes = done.results.iter().map(|(user, result)| Outcome {
            member,
            user: *user,
            status: status(result),
            problem: result
                .as_ref()
                .err()
                .map(|problem| problem.details(&self.trace)),
        });
        private_json(&Outcomes {
            end: done.end.name(),
            deleted,
            results: outcomes.collect(),
            not_reached: done.not_reached,
            retry_after: done.end.retry_after(),
        })
    }
}

fn status(result: &Result<(), Problem>) -> StatusCode {
    match result {
        Ok(()) => StatusCode::NO_CONTENT,
        Err(problem) => problem.status(),
    }
}
