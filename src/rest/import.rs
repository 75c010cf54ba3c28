//! `/users/import`: makes a user of each line, or changes the user that the line matches, and
//! answers a line with each outcome.

use std::future::ready;

use http::{Method, Response};
use serde::Serialize;
use serde_json::Value;

use super::patch::{merged, without_read_only};
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
use crate::service::bulk::import::{Form, Import, Item};
use crate::service::bulk::outcome::{Done, How, Results};
use crate::service::bulk::upsert::{Key, Upsert};
use crate::service::bulk::user::UserWork;
use crate::service::bulk::work::OutcomeOf;
use crate::service::resource::{Call, Operation, Resource, handled};
use crate::store::Store;
use crate::user::{Email, ExternalId, Profile, Rule, User, Username, Violation};

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
pub(super) struct Outcome<'a, I: Serialize> {
    pub line: u64,
    pub status: u16,
    /// How the user or the group came about, if the line could have changed one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<&'static str>,
    /// Also of what a refused line would have changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<I>,
    /// How many users a group got.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub added: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<Details<'a>>,
}

/// The last line. By it a client knows that all lines have their results, or where to go on.
#[derive(Serialize)]
pub(super) struct Closing {
    /// `complete`, or why it ends here.
    end: &'static str,
    created: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unchanged: Option<u64>,
    refused: u64,
    failed: u64,
    /// The path of the request that goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    /// After how many seconds the client may go on, if it has to wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<i64>,
}

impl Closing {
    /// The closing of an import that ended so. `path` leads to one that goes on, and `is_upsert` says whether
    /// lines could change what was there.
    pub fn new(end: &End, results: &Results, is_upsert: bool, path: String) -> Closing {
        let goes_on = !matches!(end, End::Complete);
        Closing {
            end: end.name(),
            created: results.created,
            updated: is_upsert.then_some(results.updated),
            unchanged: is_upsert.then_some(results.unchanged),
            refused: results.refused,
            failed: results.failed,
            next: goes_on.then_some(path),
            retry_after: end.retry_after(),
        }
    }
}

/// The number of the first line of the body, for a client that goes on with a file.
pub(super) fn first_line(query: &Query) -> Result<u64, Problem> {
    let number = query.number("line", 1, u64::from(u32::MAX))?;
    Ok(number.unwrap_or(1))
}

/// What is to be done for a line, as `read` reads its JSON; nothing for a blank one.
pub(super) fn item<W>(line: Line, read: impl FnOnce(Value) -> Result<W, Problem>) -> Item<W> {
    let Line::Whole(bytes) = line else {
        return Some(Err(Problem::line_too_long(MAX_BYTES)));
    };
    if bytes.trim_ascii().is_empty() {
        return None;
    }
    let value = json::parse(bytes).map_err(Problem::from);
    // Members that the service sets are ignored, so that an exported file can be imported.
    Some(value.and_then(|value| read(without_read_only(value))))
}

fn import<'a, S: Store, P: Platform, B: Body + 'a>(
    call: Call<'a, S, P, B>,
) -> Result<Response<Content<'a>>, Problem> {
    let query = Query::parse(call.request.uri().query(), &["line", "match", "dry_run"])?;
    let number = first_line(&query)?;
    let matching = match query.get("match") {
        None => None,
        Some("email") => Some("email"),
        Some("username") => Some("username"),
        Some("external_id") => Some("external_id"),
        Some(_) => {
            let rule = "must be email, username or external_id";
            return Err(Problem::invalid_query(rule, "match"));
        }
    };
    let is_dry_run = query.flag("dry_run")?.unwrap_or(false);
    let users = Users {
        lines: Lines::default(),
        matching,
        is_dry_run,
    };
    Ok(ndjson::response(Import::new(call, users, number, None)))
}

/// The lines of an import.
struct Users {
    lines: Lines,
    /// The member by which users are looked up; `None` if each line makes a user.
    matching: Option<&'static str>,
    is_dry_run: bool,
}

impl Users {
    fn work(matching: Option<&'static str>, is_dry_run: bool, line: Line) -> Item<UserWork> {
        item(line, |members| match matching {
            None => {
                let profile = Profile::from_json(members).map_err(Problem::invalid_user);
                profile.map(match is_dry_run {
                    true => UserWork::TryCreate,
                    false => UserWork::Create,
                })
            }
            Some(member) => Ok(UserWork::Upsert(Upsert {
                key: needed_key(member, &members[member])?,
                change: Box::new(move |profile| merged::<User>(profile, &members)),
                is_dry_run,
            })),
        })
    }
}

/// The value of the member by which users are looked up, which a line must have.
fn needed_key(member: &'static str, value: &Value) -> Result<Key, Problem> {
    let key = match value {
        Value::Null => Err("is needed to look up the user".into()),
        value => key(member, value),
    };
    key.map_err(|rule| Problem::invalid_user(vec![Violation::new(member, rule)]))
}

/// The value of a member by which a user can be looked up: email, username or external_id.
pub(super) fn key(member: &str, value: &Value) -> Result<Key, Rule> {
    let Value::String(text) = value else {
        return Err("must be a string".into());
    };
    let text = text.clone();
    match member {
        "email" => Email::try_from(text).map(Key::Email),
        "username" => Username::try_from(text).map(Key::Username),
        _ => ExternalId::try_from(text).map(Key::ExternalId),
    }
}

impl Form for Users {
    type Work = UserWork;

    fn push(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        self.lines.push(bytes);
        Ok(())
    }

    fn next(&mut self) -> Result<Option<Item<UserWork>>, Problem> {
        let (matching, is_dry_run) = (self.matching, self.is_dry_run);
        let line = self.lines.next();
        Ok(line.map(|line| Users::work(matching, is_dry_run, line)))
    }

    fn last(&mut self) -> Result<Option<Item<UserWork>>, Problem> {
        let (matching, is_dry_run) = (self.matching, self.is_dry_run);
        let line = self.lines.last();
        Ok(line.map(|line| Users::work(matching, is_dry_run, line)))
    }

    fn push_result(
        &mut self,
        bytes: &mut Vec<u8>,
        line: u64,
        outcome: OutcomeOf<UserWork>,
        trace: &Trace,
    ) {
        let (status, how, user, problem) = match &outcome.result {
            Ok(Done { is, how }) => (how.status(), Some(*how), is.as_ref(), None),
            Err(problem) => (problem.status(), None, None, Some(problem.details(trace))),
        };
        let how = how.filter(|_| self.matching.is_some());
        let outcome = Outcome {
            line,
            status: status.as_u16(),
            outcome: how.map(How::name),
            id: user.map(|user| user.id).or(outcome.found),
            added: None,
            problem,
        };
        ndjson::push(bytes, &outcome);
    }

    fn push_end(&mut self, bytes: &mut Vec<u8>, end: End, results: Results, next: u64) {
        let is_upsert = self.matching.is_some();
        let mut path = format!("/users/import?line={next}");
        if let Some(member) = self.matching {
            path += "&match=";
            path += member;
        }
        if self.is_dry_run {
            path += "&dry_run=true";
        }
        let closing = Closing::new(&end, &results, is_upsert, path);
        ndjson::push(bytes, &closing);
    }
}
