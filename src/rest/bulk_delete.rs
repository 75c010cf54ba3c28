//! `/users/delete`: deletes up to 1,000 users, one after the other, and answers the outcome of each.

use http::{Method, Response, StatusCode};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::auth::{Permission, Scope};
use crate::directory::Directory;
use crate::message::body::{self, Body};
use crate::message::precondition::Preconditions;
use crate::message::problem::{Details, Problem, types};
use crate::message::query::Query;
use crate::message::response::{JSON, private_json};
use crate::platform::Platform;
use crate::service::bulk::{End, FAILURES, deadline};
use crate::service::resource::{Call, Operation, Resource, handled};
use crate::store::Store;
use crate::user::{User, UserId, Violation};

/// The most users in one request.
const MAX_USERS: usize = 1000;

pub(super) const fn resource<S: Store, P: Platform, B: Body>() -> Resource<S, P, B> {
    Resource {
        path: "/users/delete",
        is_counted: true,
        operations: &[Operation {
            method: Method::POST,
            permission: Permission::Scope(Scope::Write),
            change: Some("bulk-delete"),
            accepts: &[JSON],
            offers: &[JSON],
            handler: |call| handled(delete(call)),
        }],
    }
}

/// A user to be deleted.
struct Wanted {
    id: UserId,
    /// The version to be deleted; `None` if any is.
    preconditions: Option<Preconditions>,
}

/// The answer. What the results don't tell of was not reached.
#[derive(Serialize)]
struct Outcomes<'a> {
    /// `complete`, or why the other users were not reached.
    end: &'static str,
    deleted: usize,
    results: Vec<Outcome<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    not_reached: Vec<UserId>,
    /// After how many seconds the client may go on, if it has to wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<i64>,
}

/// The outcome for one user.
#[derive(Serialize)]
struct Outcome<'a> {
    id: UserId,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<Details<'a>>,
}

/// Each delete is made as `DELETE /users/{id}` makes it, in the order of the body: an id that is
/// there twice has no user the second time. A repeat of the whole request does no harm.
async fn delete<S: Store, P: Platform, B: Body>(
    call: Box<Call<'_, S, P, B>>,
) -> Result<Response<Vec<u8>>, Problem> {
    Query::parse(call.request.uri().query(), &[])?;
    let deadline = deadline(&call, None);
    let Call {
        directory,
        configuration,
        request,
        client,
        change,
        trace,
        ..
    } = *call;
    let mut wanted = read(body::json(*request).await?)?.into_iter();
    let mut results: Vec<(UserId, Result<(), Problem>)> = Vec::new();
    let mut failed_in_a_row = 0;
    let end = loop {
        let now = directory.platform.now();
        if wanted.as_slice().is_empty() {
            break End::Complete;
        } else if now >= deadline {
            break End::TimeLimit(now);
        } else if failed_in_a_row == FAILURES {
            break End::Failures;
        }
        if let Some(client) = &client
            && let Some(quota) = client.count(directory).await
            && quota.is_exceeded()
        {
            break End::RateLimit(quota.reset);
        }
        let Some(user) = wanted.next() else {
            break End::Complete;
        };
        let id = user.id;
        let deleted = delete_one(directory, user, configuration.require_preconditions).await;
        let status = status(&deleted);
        if let Some(change) = &change {
            change.end_one(directory.platform, "bulk-delete-user", Some(id), status);
        }
        if let Some(cause) = deleted.as_ref().err().and_then(Problem::cause) {
            let line = format!("{trace} POST /users/delete: user {id}: {cause}");
            directory.platform.log_error(&line);
        }
        failed_in_a_row = match status.is_server_error() {
            true => failed_in_a_row + 1,
            false => 0,
        };
        results.push((id, deleted));
    };
    let outcomes = results.iter().map(|(id, deleted)| Outcome {
        id: *id,
        status: status(deleted).as_u16(),
        problem: deleted
            .as_ref()
            .err()
            .map(|problem| problem.details(&trace)),
    });
    Ok(private_json(&Outcomes {
        end: end.name(),
        deleted: results
            .iter()
            .filter(|(_, deleted)| deleted.is_ok())
            .count(),
        results: outcomes.collect(),
        not_reached: wanted.map(|user| user.id).collect(),
        retry_after: end.retry_after(),
    }))
}

async fn delete_one<S: Store, P: Platform>(
    directory: &Directory<'_, S, P>,
    user: Wanted,
    is_version_required: bool,
) -> Result<(), Problem> {
    let Some(preconditions) = user.preconditions else {
        return match is_version_required {
            true => Err(Problem::precondition_required()),
            false => directory.delete(user.id, |_| Ok::<_, Problem>(())).await,
        };
    };
    let check = |user: &User| preconditions.check_change(&user.version.entity_tag());
    let deleted = directory.delete(user.id, check).await;
    deleted.map_err(|problem| preconditions.of_missing(problem))
}

fn status(deleted: &Result<(), Problem>) -> StatusCode {
    match deleted {
        Ok(()) => StatusCode::NO_CONTENT,
        Err(problem) => problem.status(),
    }
}

/// Reads `{"ids": [7]}` or `{"users": [{"id": 7, "etag": "…"}]}`.
fn read(body: Value) -> Result<Vec<Wanted>, Problem> {
    let violation = |pointer: String, detail: &'static str| Violation {
        pointer,
        detail: detail.into(),
    };
    let list = |body: Value| match body {
        Value::Object(members) if members.len() == 1 => members.into_iter().next(),
        _ => None,
    };
    let (name, elements) = match list(body) {
        Some((name, Value::Array(elements))) if name == "ids" || name == "users" => {
            (name, elements)
        }
        _ => {
            let rule = "must be an object with one member: either ids or users, an array";
            return Err(invalid(vec![violation(String::new(), rule)]));
        }
    };
    if elements.len() > MAX_USERS {
        let rule = "must have at most 1000 elements";
        return Err(invalid(vec![violation(format!("/{name}"), rule)]));
    }
    let has_tags = name == "users";
    let mut wanted = Vec::new();
    let mut violations = Vec::new();
    for (index, element) in elements.into_iter().enumerate() {
        let read = match element {
            Value::Object(members) if has_tags => versioned(members),
            id if !has_tags => user(&id, None).ok_or(("", "must be the id of a user")),
            _ => Err(("", "must be an object with the members id and etag")),
        };
        match read {
            Ok(user) => wanted.push(user),
            Err((member, rule)) if violations.len() < Violation::MAX => {
                violations.push(violation(format!("/{name}/{index}{member}"), rule));
            }
            Err(_) => break,
        }
    }
    match violations.is_empty() {
        true => Ok(wanted),
        false => Err(invalid(violations)),
    }
}

/// Reads a user with the version that is to be deleted. Fails with the member that breaks a rule,
/// and the rule.
fn versioned(mut members: Map<String, Value>) -> Result<Wanted, (&'static str, &'static str)> {
    let (id, tag) = (members.remove("id"), members.remove("etag"));
    if !members.is_empty() {
        return Err(("", "must have no members but id and etag"));
    }
    let preconditions = match tag {
        Some(Value::String(tag)) => Preconditions::if_match(&tag),
        _ => None,
    };
    let preconditions = preconditions.ok_or(("/etag", "must be an entity tag of the user"))?;
    let user = user(&id.unwrap_or_default(), Some(preconditions));
    user.ok_or(("/id", "must be the id of a user"))
}

fn user(id: &Value, preconditions: Option<Preconditions>) -> Option<Wanted> {
    let id = UserId::try_from(id.as_u64()?).ok()?;
    Some(Wanted { id, preconditions })
}

fn invalid(violations: Vec<Violation>) -> Problem {
    let detail = "The body breaks a rule; see errors. Nothing was changed.";
    Problem::new(types::INVALID_BATCH, detail).with_errors(violations)
}
