//! `/users/export`: every user, a line each.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use http::{Method, Response};
use serde::Serialize;

use super::representation::{Fields, Representation};
use crate::auth::{Permission, Scope};
use crate::directory::{Order, Step, Walk};
use crate::message::content::{Content, Part, Parts};
use crate::message::ndjson::{self, Chunk, NDJSON};
use crate::message::problem::{Details, Problem};
use crate::message::query::Query;
use crate::message::trace::Trace;
use crate::platform::Platform;
use crate::service::resource::{Call, Operation, Resource, handled};
use crate::store::Store;
use crate::timestamp::Timestamp;

pub(super) const fn resource<S: Store, P: Platform, B>() -> Resource<S, P, B> {
    Resource {
        path: "/users/export",
        is_counted: true,
        operations: &[Operation {
            method: Method::GET,
            permission: Permission::Scope(Scope::Read),
            change: None,
            accepts: &[],
            offers: &[NDJSON],
            handler: |call| handled(export(call)),
        }],
    }
}

/// The users, read one by one while they are sent.
struct Export<'a, S, P> {
    platform: &'a P,
    /// `None` when the last line is made.
    walk: Option<Walk<'a, S, P>>,
    fields: Fields,
    /// The parameter `fields`, for the continuation.
    query: String,
    users: u64,
    deadline: Timestamp,
    trace: Rc<Trace>,
}

/// The last line. It tells a client that it has all users, or where to go on.
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

async fn export<'a, S: Store, P: Platform, B>(
    call: Call<'a, S, P, B>,
) -> Result<Response<Content<'a>>, Problem> {
    let platform = call.directory.platform;
    let query = Query::parse(call.request.uri().query(), &["after", "fields"])?;
    let after = query.number("after", 0, u64::MAX)?;
    let fields = Fields::of(&query)?;
    let deadline = ndjson::deadline(platform.now(), call.configuration.bulk_time_limit);
    let walk = call.directory.walk(after, Order::Ascending).await?;
    Ok(ndjson::response(Export {
        platform,
        // The answer to HEAD has no content.
        walk: (call.request.method() != Method::HEAD).then_some(walk),
        fields,
        query: match query.get("fields") {
            Some(fields) => format!("&fields={fields}"),
            None => String::new(),
        },
        users: 0,
        deadline,
        trace: call.trace,
    }))
}

impl<S: Store, P: Platform> Parts for Export<'_, S, P> {
    fn next(&mut self, unsent: usize) -> Pin<Box<dyn Future<Output = Part> + '_>> {
        Box::pin(self.lines(unsent))
    }
}

impl<S: Store, P: Platform> Export<'_, S, P> {
    async fn lines(&mut self, unsent: usize) -> Part {
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
                    "{} GET /users/export: user {id} is left out, as its record can't be read",
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
