//! `/users/delete`: deletes up to 1,000 users, one after the other, and answers the outcome of each.

use http::{Method, Response};
use serde_json::{Map, Value};

use crate::auth::{Permission, Scope};
use crate::message::body::{self, Body};
use crate::message::precondition::Preconditions;
use crate::message::problem::{Problem, types};
use crate::message::query::Query;
use crate::message::response::JSON;
use crate::platform::Platform;
use crate::service::bulk::batch::Batch;
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

/// A user to be deleted, and the version to be deleted; `None` if any is.
type Wanted = (UserId, Option<Preconditions>);

/// Each delete is made as `DELETE /users/{id}` makes it, in the order of the body: an id that is
/// there twice has no user the second time. A repeat of the whole request does no harm.
async fn delete<S: Store, P: Platform, B: Body>(
    call: Box<Call<'_, S, P, B>>,
) -> Result<Response<Vec<u8>>, Problem> {
    Query::parse(call.request.uri().query(), &[])?;
    let (directory, configuration) = (call.directory, call.configuration);
    let (batch, request) = Batch::new(*call);
    let wanted = read(body::json(request).await?)?;
    let is_version_required = configuration.require_preconditions;
    let delete = async |id, preconditions: &Option<Preconditions>| match preconditions {
        None if is_version_required => Err(Problem::precondition_required()),
        None => directory.delete(id, &|_| Ok::<_, Problem>(())).await,
        Some(preconditions) => {
            let check = |user: &User| preconditions.check_change(&user.version.entity_tag());
            let deleted = directory.delete(id, &check).await;
            deleted.map_err(|problem| preconditions.of_missing(problem))
        }
    };
    let done = batch.run(wanted, |_| "bulk-delete-user", delete).await;
    let deleted = Some(done.count());
    Ok(batch.answer(done, "id", deleted))
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
            return Err(invalid(vec![Violation::of_all(rule)]));
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
    Some((id, preconditions))
}

fn invalid(violations: Vec<Violation>) -> Problem {
    let detail = "The body breaks a rule; see errors. Nothing was changed.";
    Problem::new(types::INVALID_BATCH, detail).with_errors(violations)
}
