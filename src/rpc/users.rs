//! `edgeusers.v1.UserService`, but for its streams.

use edge_users_proto::edgeusers::v1;
use http::Method;
use serde_json::Value;

use super::code;
use super::list::Gathered;
use super::unary::{Answered, Reply, unary};
use super::user::{Change, members, message, profile};
use crate::auth::{Permission, Scope};
use crate::directory::{Error, Idempotency, MAX_IDS};
use crate::message::body::Body;
use crate::message::idempotency_key::is_key;
use crate::message::precondition::Preconditions;
use crate::message::problem::{Problem, types};
use crate::platform::Platform;
use crate::service::omissions::log_unreadable;
use crate::service::resource::{Call, Operation, Resource, handled};
use crate::store::Store;
use crate::user::{User, UserId};

/// What a method does.
macro_rules! operation {
    ($method:ident, $permission:expr, $change:expr, $run:path) => {
        Operation {
            method: Method::$method,
            permission: $permission,
            change: $change,
            accepts: &[],
            offers: &[],
            handler: |call| handled(unary(call, $run)),
        }
    };
}

/// A procedure that changes nothing: with Connect it is also there as GET.
macro_rules! reads {
    ($name:literal, $permission:expr, $run:path) => {
        Resource {
            path: concat!("/edgeusers.v1.UserService/", $name),
            is_counted: true,
            operations: &[
                operation!(POST, $permission, None, $run),
                operation!(GET, $permission, None, $run),
            ],
        }
    };
}

/// A procedure that changes a user.
macro_rules! changes {
    ($name:literal, $permission:expr, $change:literal, $run:path) => {
        Resource {
            path: concat!("/edgeusers.v1.UserService/", $name),
            is_counted: true,
            operations: &[operation!(POST, $permission, Some($change), $run)],
        }
    };
}

pub const fn get<S: Store, P: Platform, B: Body>() -> Resource<S, P, B> {
    reads!("GetUser", Permission::ByContent, get_user)
}

pub const fn list<S: Store, P: Platform, B: Body>() -> Resource<S, P, B> {
    reads!(
        "ListUsers",
        Permission::Scope(Scope::Read),
        super::list::list_users
    )
}

pub const fn batch_get<S: Store, P: Platform, B: Body>() -> Resource<S, P, B> {
    reads!(
        "BatchGetUsers",
        Permission::Scope(Scope::Read),
        batch_get_users
    )
}

pub const fn create<S: Store, P: Platform, B: Body>() -> Resource<S, P, B> {
    changes!(
        "CreateUser",
        Permission::Scope(Scope::Write),
        "create",
        create_user
    )
}

pub const fn update<S: Store, P: Platform, B: Body>() -> Resource<S, P, B> {
    changes!("UpdateUser", Permission::ByContent, "patch", update_user)
}

pub const fn delete<S: Store, P: Platform, B: Body>() -> Resource<S, P, B> {
    changes!("DeleteUser", Permission::ByContent, "delete", delete_user)
}

async fn get_user<S: Store, P: Platform>(
    call: Call<'_, S, P, ()>,
    request: v1::GetUserRequest,
) -> Result<Reply<v1::GetUserResponse>, Problem> {
    let id = UserId::try_from(request.id).ok();
    call.admit(Permission::ScopeOrSelf(Scope::Read), id)?;
    let user = call.directory.get(named("id", id, request.id)?).await?;
    call.caller.check_own(Scope::Read, &user)?;
    let user = Some(message(user));
    Ok(v1::GetUserResponse { user }.into())
}

async fn batch_get_users<S: Store, P: Platform>(
    call: Call<'_, S, P, ()>,
    request: v1::BatchGetUsersRequest,
) -> Result<Reply<v1::BatchGetUsersResponse>, Problem> {
    let refused = || code::invalid("ids", format!("must be 1 to {MAX_IDS} ids of users"));
    if !(1..=MAX_IDS).contains(&request.ids.len()) {
        return Err(refused());
    }
    let ids: Result<Vec<UserId>, _> = request.ids.into_iter().map(UserId::try_from).collect();
    let ids = ids.map_err(|_| refused())?;
    let mut gathered = Gathered::new(&call, MAX_IDS);
    let unreadable = call.directory.get_some(&ids, &mut gathered).await?;
    let path = call.request.uri().path();
    log_unreadable(call.directory.platform, &call.trace, path, &unreadable);
    Ok(gathered.finish(v1::BatchGetUsersResponse::default()))
}

async fn create_user<S: Store, P: Platform>(
    call: Call<'_, S, P, ()>,
    request: v1::CreateUserRequest,
) -> Result<Reply<v1::CreateUserResponse>, Problem> {
    let members = members(required(request.user)?)?;
    let key = request.request_id;
    if !key.is_empty() && !is_key(&key) {
        let rule = "must be 1 to 255 visible ASCII characters";
        return Err(code::invalid("request_id", rule));
    }
    // The same as the body of a POST, so that either of the two interfaces repeats the other.
    let payload = Value::Object(members.clone());
    let idempotency =
        (!key.is_empty()).then(|| Idempotency::new(call.caller.name(), &key, &payload));
    let profile = profile(members)?;
    let created = call.directory.create(profile, idempotency.as_ref()).await?;
    let id = created.user.id;
    let user = Some(message(created.user));
    Ok(Reply {
        answer: Answered::Message(v1::CreateUserResponse { user }),
        created: Some(id),
    })
}

async fn update_user<S: Store, P: Platform>(
    call: Call<'_, S, P, ()>,
    request: v1::UpdateUserRequest,
) -> Result<Reply<v1::UpdateUserResponse>, Problem> {
    let user = request.user.unwrap_or_default();
    let id = UserId::try_from(user.id).ok();
    call.admit(Permission::ScopeOrSelf(Scope::Write), id)?;
    let id = named("user.id", id, user.id)?;
    let precondition = precondition(&call, "user.etag", &user.etag)?;
    let change = Change::of(user, request.update_mask)?;
    let checked = |user: &User| {
        call.caller.check_own(Scope::Write, user)?;
        check(precondition.as_ref(), user)?;
        let profile = change.apply(user)?;
        call.caller.check_own_change(&user.profile, &profile)?;
        Ok::<_, Problem>(profile)
    };
    let updated = call.directory.update(id, &checked).await?;
    let user = Some(message(updated));
    Ok(v1::UpdateUserResponse { user }.into())
}

async fn delete_user<S: Store, P: Platform>(
    call: Call<'_, S, P, ()>,
    request: v1::DeleteUserRequest,
) -> Result<Reply<v1::DeleteUserResponse>, Problem> {
    let id = UserId::try_from(request.id).ok();
    call.admit(Permission::Scope(Scope::Write), id)?;
    let id = named("id", id, request.id)?;
    let precondition = precondition(&call, "etag", &request.etag)?;
    let checked = |user: &User| check(precondition.as_ref(), user);
    call.directory.delete(id, &checked).await?;
    Ok(v1::DeleteUserResponse {}.into())
}

/// The id that a request has to have. One that no user can have is that of no user.
fn named(field: &str, id: Option<UserId>, sent: u64) -> Result<UserId, Problem> {
    match sent {
        0 => Err(code::invalid(field, "is required")),
        _ => Ok(id.ok_or(Error::NotFound)?),
    }
}

/// The user that a request has to have.
pub fn required(user: Option<v1::User>) -> Result<v1::User, Problem> {
    user.ok_or_else(|| code::invalid("user", "is required"))
}

/// The precondition that an entity tag is. Fails if the operator asks for one and there is none.
fn precondition<S, P>(
    call: &Call<'_, S, P, ()>,
    field: &str,
    tag: &str,
) -> Result<Option<Preconditions>, Problem> {
    if tag.is_empty() {
        return match call.configuration.require_preconditions {
            true => {
                let detail = format!(
                    "Send the user's etag as {field}: without it this service takes no change."
                );
                Err(Problem::new(types::PRECONDITION_REQUIRED, detail))
            }
            false => Ok(None),
        };
    }
    let rule = "must be the etag of a user as it was answered, with its quotes";
    let precondition = Preconditions::if_match(tag);
    precondition
        .map(Some)
        .ok_or_else(|| code::invalid(field, rule))
}

fn check(precondition: Option<&Preconditions>, user: &User) -> Result<(), Problem> {
    let tag = user.version.entity_tag();
    match precondition.is_none_or(|precondition| precondition.check_change(&tag).is_ok()) {
        true => Ok(()),
        false => {
            let detail = "The user has another version than the etag names. Nothing was changed.";
            Err(Problem::new(types::PRECONDITION_FAILED, detail))
        }
    }
}
