//! `/groups/{id}`: a group.

use http::{Method, Request, Response};

use super::super::patch::{self, Patch, without_read_only};
use super::super::user::with_tag;
use super::representation::Representation;
use crate::auth::{Permission, Scope};
use crate::directory::Error;
use crate::group::{Group, GroupId, GroupProfile};
use crate::message::body::{self, Body};
use crate::message::precondition::{Preconditions, Read};
use crate::message::problem::Problem;
use crate::message::query::Query;
use crate::message::response::{JSON, no_content, not_modified, private_json};
use crate::platform::Platform;
use crate::service::conditional::{Conditional, preconditions};
use crate::service::resource::{Call, Operation, Resource, handled};
use crate::store::Store;

pub(super) const fn resource<S: Store, P: Platform, B: Body>() -> Resource<S, P, B> {
    Resource {
        path: "/groups/{}",
        is_counted: true,
        operations: &[
            Operation {
                method: Method::GET,
                permission: Permission::Scope(Scope::Read),
                change: None,
                accepts: &[],
                offers: &[JSON],
                handler: |call| handled(get(call)),
            },
            Operation {
                method: Method::PUT,
                permission: Permission::Scope(Scope::Write),
                change: Some("replace-group"),
                accepts: &[JSON],
                offers: &[JSON],
                handler: |call| handled(replace(call)),
            },
            Operation {
                method: Method::PATCH,
                permission: Permission::Scope(Scope::Write),
                change: Some("patch-group"),
                accepts: &patch::MEDIA_TYPES,
                offers: &[JSON],
                handler: |call| handled(patch(call)),
            },
            Operation {
                method: Method::DELETE,
                permission: Permission::Scope(Scope::Write),
                change: Some("delete-group"),
                accepts: &[],
                // A delete answers without content.
                offers: &[],
                handler: |call| handled(delete(call)),
            },
        ],
    }
}

async fn get<S: Store, P: Platform, B>(
    call: Box<Call<'_, S, P, B>>,
) -> Result<Response<Vec<u8>>, Problem> {
    Query::parse(call.request.uri().query(), &[])?;
    let preconditions = Preconditions::of(call.request.headers())?;
    let group = call.directory.group(id(&call)?).await?;
    match preconditions.check_read(&group.version.entity_tag())? {
        Read::Answer => Ok(represent(&group)),
        Read::NotModified(tag) => Ok(not_modified(tag)),
    }
}

/// The answer has no `ETag`, as that of `PUT /users/{id}` has none.
async fn replace<S: Store, P: Platform, B: Body>(
    call: Box<Call<'_, S, P, B>>,
) -> Result<Response<Vec<u8>>, Problem> {
    let read = async |request| {
        let members = body::json(request).await?;
        GroupProfile::from_json(without_read_only(members)).map_err(Problem::invalid_group)
    };
    let group = update(call, read, |profile, _| Ok(profile.clone())).await?;
    Ok(private_json(&Representation(&group)))
}

async fn patch<S: Store, P: Platform, B: Body>(
    call: Box<Call<'_, S, P, B>>,
) -> Result<Response<Vec<u8>>, Problem> {
    let group = update(call, Patch::read, Patch::apply).await?;
    Ok(represent(&group))
}

/// Changes a group that meets the preconditions, as `PUT` and `PATCH` of a user do.
async fn update<S: Store, P: Platform, B: Body, C>(
    call: Box<Call<'_, S, P, B>>,
    read: impl AsyncFnOnce(Request<B>) -> Result<C, Problem>,
    change: impl Fn(&C, &Group) -> Result<GroupProfile, Problem>,
) -> Result<Group, Problem> {
    let preconditions = preconditions(&call)?;
    let id = id(&call).map_err(Problem::from);
    let (id, wanted) = Conditional::read(preconditions, id, read(*call.request)).await?;
    let checked = |group: &Group| change(wanted.content(group.version)?, group);
    let updated = call.directory.update_group(id, checked).await;
    updated.map_err(|problem| wanted.of_missing(problem))
}

async fn delete<S: Store, P: Platform, B>(
    call: Box<Call<'_, S, P, B>>,
) -> Result<Response<Vec<u8>>, Problem> {
    let preconditions = preconditions(&call)?;
    let id = id(&call).map_err(|error| preconditions.of_missing(error.into()))?;
    let check = |group: &Group| preconditions.check_change(&group.version.entity_tag());
    let deleted = call.directory.delete_group(id, check).await;
    deleted.map_err(|problem| preconditions.of_missing(problem))?;
    Ok(no_content())
}

/// The id in the path. A text that can't be an id gets the answer of an id without a group.
pub(super) fn id<S, P, B>(call: &Call<'_, S, P, B>) -> Result<GroupId, Error> {
    call.segment.parse().map_err(|_| Error::NoGroup)
}

pub(super) fn represent(group: &Group) -> Response<Vec<u8>> {
    let response = private_json(&Representation(group));
    with_tag(response, group.version.entity_tag())
}
