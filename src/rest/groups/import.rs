//! `/groups/import`: changes or makes a group of each line, adds users to it, and answers a line with
//! each outcome.

use std::future::ready;

use http::{Method, Response};
use serde_json::Value;

use super::super::import::{Closing, Outcome, first_line, item};
use super::super::patch::merged;
use super::reference::{self, MAX_USERS};
use crate::auth::{Permission, Scope};
use crate::group::{Group, GroupName};
use crate::message::body::Body;
use crate::message::content::Content;
use crate::message::ndjson::{self, Line, Lines, NDJSON};
use crate::message::problem::Problem;
use crate::message::query::Query;
use crate::message::trace::Trace;
use crate::platform::Platform;
use crate::service::bulk::End;
use crate::service::bulk::group::{GroupWork, Reference};
use crate::service::bulk::import::{Form, Import, Item};
use crate::service::bulk::outcome::{Done, How, Results};
use crate::service::bulk::work::OutcomeOf;
use crate::service::resource::{Call, Operation, Resource, handled};
use crate::store::Store;
use crate::user::{Violation, object};

pub(super) const fn resource<S: Store, P: Platform, B: Body>() -> Resource<S, P, B> {
    Resource {
        path: "/groups/import",
        is_counted: true,
        operations: &[Operation {
            method: Method::POST,
            permission: Permission::Scope(Scope::Write),
            change: Some("import-groups"),
            accepts: &[NDJSON],
            offers: &[NDJSON],
            handler: |call| handled(ready(import(*call))),
        }],
    }
}

fn import<'a, S: Store, P: Platform, B: Body + 'a>(
    call: Call<'a, S, P, B>,
) -> Result<Response<Content<'a>>, Problem> {
    let query = Query::parse(call.request.uri().query(), &["line", "dry_run"])?;
    let number = first_line(&query)?;
    let groups = Groups {
        lines: Lines::default(),
        is_dry_run: query.flag("dry_run")?.unwrap_or(false),
    };
    Ok(ndjson::response(Import::new(call, groups, number, None)))
}

/// The lines of an import.
struct Groups {
    lines: Lines,
    is_dry_run: bool,
}

/// Reads a line. What its group has besides the name is read when it is known which group that is.
fn work(is_dry_run: bool, line: Line) -> Item<GroupWork> {
    item(line, |value| {
        let mut members = object(value).map_err(Problem::invalid_group)?;
        // An export has it.
        members.remove("after");
        let users = users(members.remove("members"));
        let name = match members.get("name") {
            Some(Value::String(name)) => GroupName::try_from(name.clone()),
            Some(Value::Null) | None => Err("is required".into()),
            Some(_) => Err("must be a string".into()),
        };
        let violation = |rule| vec![Violation::new("name", rule)];
        match (name.map_err(violation), users) {
            (Ok(name), Ok(users)) => Ok(GroupWork {
                name,
                change: {
                    let patch = Value::Object(members);
                    Box::new(move |profile| merged::<Group>(profile, &patch))
                },
                members: users,
                is_dry_run,
            }),
            (name, users) => {
                let violations = name.err().into_iter().chain(users.err()).flatten();
                let violations = violations.take(Violation::MAX).collect();
                Err(Problem::invalid_group(violations))
            }
        }
    })
}

/// Reads the users of a line.
fn users(value: Option<Value>) -> Result<Vec<Reference>, Vec<Violation>> {
    let values = match value {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(values)) if values.len() <= MAX_USERS => values,
        Some(_) => {
            let rule = "must be an array of at most 1000 users";
            return Err(vec![Violation::new("members", rule)]);
        }
    };
    let mut users = Vec::new();
    let mut violations = Vec::new();
    for (index, value) in values.iter().enumerate() {
        match reference::read(value) {
            Ok(user) => users.push(user),
            Err(detail) => {
                let pointer = format!("/members/{index}");
                violations.push(Violation { pointer, detail });
            }
        }
    }
    match violations.is_empty() {
        true => Ok(users),
        false => Err(violations),
    }
}

impl Form for Groups {
    type Work = GroupWork;

    fn push(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        self.lines.push(bytes);
        Ok(())
    }

    fn next(&mut self) -> Result<Option<Item<GroupWork>>, Problem> {
        let is_dry_run = self.is_dry_run;
        Ok(self.lines.next().map(|line| work(is_dry_run, line)))
    }

    fn last(&mut self) -> Result<Option<Item<GroupWork>>, Problem> {
        let is_dry_run = self.is_dry_run;
        Ok(self.lines.last().map(|line| work(is_dry_run, line)))
    }

    fn push_result(
        &mut self,
        bytes: &mut Vec<u8>,
        line: u64,
        outcome: OutcomeOf<GroupWork>,
        trace: &Trace,
    ) {
        let (status, how, is, problem) = match &outcome.result {
            Ok(Done { is, how }) => (how.status(), Some(*how), Some(is), None),
            Err(problem) => (problem.status(), None, None, Some(problem.details(trace))),
        };
        let outcome = Outcome {
            line,
            status: status.as_u16(),
            outcome: how.map(How::name),
            id: is.map_or(outcome.found, |is| is.id),
            added: is.map(|is| is.added),
            problem,
        };
        ndjson::push(bytes, &outcome);
    }

    fn push_end(&mut self, bytes: &mut Vec<u8>, end: End, results: Results, next: u64) {
        let mut path = format!("/groups/import?line={next}");
        if self.is_dry_run {
            path += "&dry_run=true";
        }
        ndjson::push(bytes, &Closing::new(&end, &results, true, path));
    }
}
