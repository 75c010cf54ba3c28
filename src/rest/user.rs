//! `/users/{id}`: a user.

use http::header::ETAG;
use http::{Method, Request, Response};

use super::patch::{self, Patch, without_read_only};
use super::representation::{Fields, Representation};
use crate::auth::{Permission, Scope};
use crate::directory::Error;
use crate::message::body::{self, Body};
use crate::message::precondition::{Preconditions, Read};
use crate::message::problem::Problem;
use crate::message::query::Query;
use crate::message::response::{JSON, no_content, not_modified, private_json_text, set};
use crate::platform::Platform;
use crate::service::conditional::{Conditional, preconditions};
use crate::service::resource::{Call, Operation, Resource, handled};
use crate::store::Store;
use crate::user::{Profile, User, UserId};

pub(super) const fn resource<S: Store, P: Platform, B: Body>() -> Resource<S, P, B> {
    Resource {
        path: "/users/{}",
        is_counted: true,
        operations: &[
            Operation {
                method: Method::GET,
                permission: Permission::ScopeOrSelf(Scope::Read),
                change: None,
                accepts: &[],
                offers: &[JSON],
                handler: |call| handled(get(call)),
            },
            Operation {
                method: Method::PUT,
                permission: Permission::ScopeOrSelf(Scope::Write),
                change: Some("replace"),
                accepts: &[JSON],
                offers: &[JSON],
                handler: |call| handled(replace(call)),
            },
            Operation {
                method: Method::PATCH,
                permission: Permission::ScopeOrSelf(Scope::Write),
                change: Some("patch"),
                accepts: &patch::MEDIA_TYPES,
                offers: &[JSON],
                handler: |call| handled(patch(call)),
            },
            Operation {
                method: Method::DELETE,
                permission: Permission::Scope(Scope::Write),
                change: Some("delete"),
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
    let query = Query::parse(call.request.uri().query(), &["fields"])?;
    let fields = Fields::of(&query)?;
    let preconditions = Preconditions::of(call.request.headers())?;
    let user = call.directory.get(id(&call)?).await?;
    call.caller.check_own(Scope::Read, &user)?;
    let tag = user.version.entity_tag();
    match preconditions.check_read(&tag)? {
        Read::Answer => Ok(with_tag(represent(&user, fields), tag)),
        Read::NotModified(tag) => Ok(not_modified(tag)),
    }
}

/// The answer has no `ETag`, as the stored user has members that the client did not send: the tag
/// would not be that of the client's own content (RFC 9110, section 9.3.4).
async fn replace<S: Store, P: Platform, B: Body>(
    call: Box<Call<'_, S, P, B>>,
) -> Result<Response<Vec<u8>>, Problem> {
    let read = async |request| {
        let members = body::json(request).await?;
        Profile::from_json(without_read_only(members)).map_err(Problem::invalid_user)
    };
    let user = update(call, read, |profile, _| Ok(profile.clone())).await?;
    Ok(represent(&user, Fields::ALL))
}

async fn patch<S: Store, P: Platform, B: Body>(
    call: Box<Call<'_, S, P, B>>,
) -> Result<Response<Vec<u8>>, Problem> {
    let user = update(call, Patch::read, Patch::apply).await?;
    let tag = user.version.entity_tag();
    Ok(with_tag(represent(&user, Fields::ALL), tag))
}

/// Changes a user who meets the preconditions to what `change` makes of it by the content that
/// `read` reads, if the caller may do that; answers the new version.
async fn update<S: Store, P: Platform, B: Body, C>(
    call: Box<Call<'_, S, P, B>>,
    read: impl AsyncFnOnce(Request<B>) -> Result<C, Problem>,
    change: impl Fn(&C, &User) -> Result<Profile, Problem>,
) -> Result<User, Problem> {
    let preconditions = preconditions(&call)?;
    let id = id(&call);
    let Call {
        directory,
        request,
        caller,
        ..
    } = *call;
    let (id, wanted) = Conditional::read(preconditions, id, read(*request)).await?;
    let checked = |user: &User| {
        caller.check_own(Scope::Write, user)?;
        let profile = change(wanted.content(user.version)?, user)?;
        caller.check_own_change(&user.profile, &profile)?;
        Ok(profile)
    };
    let updated = directory.update(id, &checked).await;
    updated.map_err(|problem| wanted.of_missing(problem))
}

async fn delete<S: Store, P: Platform, B>(
    call: Box<Call<'_, S, P, B>>,
) -> Result<Response<Vec<u8>>, Problem> {
    let preconditions = preconditions(&call)?;
    let id = id(&call).map_err(|problem| preconditions.of_missing(problem))?;
    let check = |user: &User| preconditions.check_change(&user.version.entity_tag());
    let deleted = call.directory.delete(id, &check).await;
    deleted.map_err(|problem| preconditions.of_missing(problem))?;
    Ok(no_content())
}

/// The id in the path. A text that can't be an id gets the answer of an id without a user.
fn id<S, P, B>(call: &Call<'_, S, P, B>) -> Result<UserId, Problem> {
    call.segment.parse().map_err(|_| Error::NotFound.into())
}

/// The user, or the part of it that was asked for.
pub(super) fn represent(user: &User, fields: Fields) -> Response<Vec<u8>> {
    private_json_text(Representation { user, fields }.text())
}

pub(super) fn with_tag(mut response: Response<Vec<u8>>, tag: String) -> Response<Vec<u8>> {
    set(&mut response, ETAG, tag);
    response
}
