//! `/users/import`: makes a user of each line, and answers a line with each outcome.

use std::future::ready;

use http::{Method, Response, StatusCode};
use serde::Serialize;

use super::patch::without_read_only;
use crate::auth::{Permission, Scope};
use crate::json;
use crate::message::body::{Body, MAX_BYTES};
use crate::message::content::Content;
use crate::message::ndjson::{self, Line, Lines, NDJSON};
use crate::message::problem::{Details, Problem};
use crate::message::query::Query;
use crate::message::trace::Trace;
use crate::platform::Platform;
use crate::service::bulk::End;
use crate::service::bulk::import::{Form, Import, Item, Results};
use crate::service::resource::{Call, Operation, Resource, handled};
use crate::store::Store;
use crate::user::{Profile, User, UserId};

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
            handler: |call| handled(ready(import(*call))),
        }],
    }
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
    created: u64,
    refused: u64,
    failed: u64,
    /// The path of the request that goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    /// After how many seconds the client may go on, if it has to wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<i64>,
}

fn import<'a, S: Store, P: Platform, B: Body + 'a>(
    call: Call<'a, S, P, B>,
) -> Result<Response<Content<'a>>, Problem> {
    // The number of the first line of the body, for a client that goes on with a file.
    let query = Query::parse(call.request.uri().query(), &["line"])?;
    let number = query.number("line", 1, u64::from(u32::MAX))?.unwrap_or(1);
    let import = Import::new(call, Lines::default(), number, None);
    Ok(ndjson::response(import))
}

impl Form for Lines {
    fn push(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        self.push(bytes);
        Ok(())
    }

    fn next(&mut self) -> Result<Option<Item>, Problem> {
        Ok(self.next().map(read))
    }

    fn last(&mut self) -> Result<Option<Item>, Problem> {
        Ok(self.last().map(read))
    }

    fn push_result(
        &mut self,
        bytes: &mut Vec<u8>,
        line: u64,
        created: Result<User, Problem>,
        trace: &Trace,
    ) {
        let (status, id, problem) = match &created {
            Ok(user) => (StatusCode::CREATED, Some(user.id), None),
            Err(problem) => (problem.status(), None, Some(problem.details(trace))),
        };
        let status = status.as_u16();
        ndjson::push(
            bytes,
            &Outcome {
                line,
                status,
                id,
                problem,
            },
        );
    }

    fn push_end(&mut self, bytes: &mut Vec<u8>, end: End, results: Results, next: u64) {
        let goes_on = !matches!(end, End::Complete);
        let closing = Closing {
            end: end.name(),
            created: results.created,
            refused: results.refused,
            failed: results.failed,
            next: goes_on.then(|| format!("/users/import?line={next}")),
            retry_after: match end {
                End::RateLimit(reset) => Some(reset),
                _ => None,
            },
        };
        ndjson::push(bytes, &closing);
    }
}

/// The profile of a line; `None` if the line is blank. Members that the service sets are ignored,
/// so that an exported file can be imported.
fn read(line: Line) -> Item {
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
