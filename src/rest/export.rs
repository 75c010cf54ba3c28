//! `GET /users/export`: every user, a line each.

use http::{Method, Request, Response};
use serde::Serialize;

use super::content::Part;
use super::representation::{Fields, Representation};
use crate::directory::{Directory, Order, Step, Walk};
use crate::message::ndjson::{self, Chunk};
use crate::message::problem::{Details, Problem};
use crate::message::query::Query;
use crate::message::trace::Trace;
use crate::platform::Platform;
use crate::store::Store;
use crate::timestamp::Timestamp;

/// The users, read one by one while they are sent.
pub struct Export<'a, S, P> {
    platform: &'a P,
    /// `None` when the last line is made.
    walk: Option<Walk<'a, S, P>>,
    fields: Fields,
    /// The parameter `fields`, for the continuation.
    query: String,
    users: u64,
    deadline: Timestamp,
    trace: Trace,
}

/// The last line. By it a client knows that it has all, or where to go on.
#[derive(Serialize)]
struct Closing<'a> {
    /// `complete`, or why it ends here.
    end: &'static str,
    users: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<Details<'a>>,
}

/// `GET /users/export`
pub(super) async fn export<'a, S: Store, P: Platform, B>(
    directory: &'a Directory<'a, S, P>,
    request: &Request<B>,
    trace: &Trace,
) -> Result<Response<Export<'a, S, P>>, Problem> {
    let query = Query::parse(request.uri().query(), &["after", "fields"])?;
    let after = query.number("after", 0, u64::MAX)?;
    let fields = Fields::of(&query)?;
    let deadline = ndjson::deadline(directory.platform);
    let walk = directory.walk(after, Order::Ascending).await?;
    Ok(ndjson::response(Export {
        platform: directory.platform,
        // To HEAD only the head is answered: nobody would see the users.
        walk: (request.method() != Method::HEAD).then_some(walk),
        fields,
        query: match query.get("fields") {
            Some(fields) => format!("&fields={fields}"),
            None => String::new(),
        },
        users: 0,
        deadline,
        trace: trace.clone(),
    }))
}

impl<S: Store, P: Platform> Export<'_, S, P> {
    /// The next lines.
    pub(super) async fn next(&mut self, unsent: usize) -> Part {
        let Some(walk) = &mut self.walk else {
            return Part::End;
        };
        let now = self.platform.now();
        // A client that reads slowly must not make the service hold its users in memory.
        if unsent > 0 && now < self.deadline {
            return Part::Later;
        }
        let mut chunk = Chunk::new(now);
        let (end, problem) = loop {
            let now = self.platform.now();
            if chunk.is_due(now) {
                return Part::Bytes(chunk.bytes);
            }
            if now >= self.deadline {
                break ("time-limit", None);
            }
            match walk.next().await {
                Ok(Some(Step::User(user))) => {
                    self.users += 1;
                    let fields = self.fields;
                    let user = &user;
                    chunk.push(&Representation { user, fields });
                }
                Ok(Some(Step::Unreadable(id))) => self.platform.log_error(&format!(
                    "{} GET /users/export: user {id} is left out, for its record can't be read",
                    self.trace
                )),
                Ok(Some(Step::Gap)) => {}
                Ok(None) => break ("complete", None),
                Err(error) => {
                    let line = format!("{} GET /users/export: {error}", self.trace);
                    self.platform.log_error(&line);
                    break ("problem", Some(Problem::from(error)));
                }
            }
        };
        let goes_on = end != "complete";
        let next = format!("/users/export?after={}{}", walk.passed(), self.query);
        chunk.push(&Closing {
            end,
            users: self.users,
            next: goes_on.then_some(next),
            problem: problem.as_ref().map(|problem| problem.details(&self.trace)),
        });
        self.walk = None;
        Part::Bytes(chunk.bytes)
    }
}
