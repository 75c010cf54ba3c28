//! The users: each by itself, and how they come into being.

use http::header::{ETAG, LOCATION};
use http::{HeaderValue, Request, Response, StatusCode};

use super::NewUser;
use super::access::Caller;
use super::patch::{self, Patch, without_read_only};
use super::representation::{Fields, Representation};
use crate::directory::{Created, Directory, Error, Idempotency};
use crate::message::body::{self, Body};
use crate::message::idempotency_key;
use crate::message::precondition::{Preconditions, Read, entity_tag};
use crate::message::problem::Problem;
use crate::message::query::Query;
use crate::message::response::{JSON, not_modified, private_json, set};
use crate::platform::Platform;
use crate::store::Store;
use crate::user::{Profile, User, UserId};

/// `POST /users`. With an `Idempotency-Key`, a repeat within 24 hours gets the first answer again
/// if that was 201 and the body is the same JSON value. Failures are not remembered: they changed
/// nothing, or may be repeated.
pub(super) async fn create<S: Store, P: Platform, B: Body>(
    directory: &Directory<'_, S, P>,
    request: Request<B>,
    caller: &Caller,
) -> Result<Response<Vec<u8>>, Problem> {
    Query::parse(request.uri().query(), &[])?;
    body::check_media_type(request.headers(), &[JSON])?;
    let key = idempotency_key::key(request.headers())?;
    let payload = body::json(request).await?;
    let idempotency = key.map(|key| Idempotency::new(caller.name(), &key, &payload));
    let profile = Profile::from_json(payload).map_err(Problem::invalid_user)?;
    let created = directory.create(profile, idempotency.as_ref()).await?;
    let Created { user, replayed } = created;
    let mut response = representation(&user, Fields::ALL);
    *response.status_mut() = StatusCode::CREATED;
    if replayed {
        set(&mut response, idempotency_key::REPLAYED, true);
    }
    set(&mut response, LOCATION, format!("/users/{}", user.id));
    response.extensions_mut().insert(NewUser(user.id));
    Ok(response)
}

/// `GET /users/{id}`
pub(super) async fn get<S: Store, P: Platform, B>(
    directory: &Directory<'_, S, P>,
    id: &str,
    request: &Request<B>,
) -> Result<Response<Vec<u8>>, Problem> {
    let query = Query::parse(request.uri().query(), &["fields"])?;
    let fields = Fields::of(&query)?;
    let preconditions = Preconditions::of(request.headers())?;
    let user = directory.get(parse(id)?).await?;
    match preconditions.check_read(&entity_tag(user.version))? {
        Read::Answer => Ok(representation(&user, fields)),
        Read::NotModified(tag) => Ok(not_modified(tag)),
    }
}

/// `PUT /users/{id}`
pub(super) async fn replace<S: Store, P: Platform, B: Body>(
    directory: &Directory<'_, S, P>,
    id: &str,
    request: Request<B>,
) -> Result<Response<Vec<u8>>, Problem> {
    Query::parse(request.uri().query(), &[])?;
    let preconditions = Preconditions::of_change(request.headers(), directory.platform)?;
    body::check_media_type(request.headers(), &[JSON])?;
    let profile = body::json(request).await.and_then(|members| {
        Profile::from_json(without_read_only(members)).map_err(Problem::invalid_user)
    });
    update(directory, id, &preconditions, profile, |profile, _| {
        Ok(profile.clone())
    })
    .await
}

/// `PATCH /users/{id}`
pub(super) async fn patch<S: Store, P: Platform, B: Body>(
    directory: &Directory<'_, S, P>,
    id: &str,
    request: Request<B>,
) -> Result<Response<Vec<u8>>, Problem> {
    Query::parse(request.uri().query(), &[])?;
    let preconditions = Preconditions::of_change(request.headers(), directory.platform)?;
    body::check_media_type(request.headers(), &Patch::media_types()).map_err(|problem| {
        let accepted = HeaderValue::from_static(patch::ACCEPT_PATCH);
        problem.with_header(patch::HEADER, accepted)
    })?;
    let patch = Patch::read(request).await;
    update(directory, id, &preconditions, patch, Patch::apply).await
}

/// Changes a user who meets the preconditions to what `change` makes of it by
/// `content`; answers the new version. Preconditions come before the content
/// (RFC 9110, section 13.2.1): they may refuse what could not be read.
async fn update<S: Store, P: Platform, C>(
    directory: &Directory<'_, S, P>,
    id: &str,
    preconditions: &Preconditions,
    content: Result<C, Problem>,
    change: impl Fn(&C, &User) -> Result<Profile, Problem>,
) -> Result<Response<Vec<u8>>, Problem> {
    let id = parse(id).map_err(|problem| preconditions.of_missing(problem))?;
    let content = match content {
        Err(unreadable) if preconditions.are_none() => return Err(unreadable),
        content => content,
    };
    let checked = |user: &User| {
        preconditions.check_change(&entity_tag(user.version))?;
        change(content.as_ref().map_err(Problem::clone)?, user)
    };
    let updated = directory.update(id, checked).await;
    let user = updated.map_err(|problem| preconditions.of_missing(problem))?;
    Ok(representation(&user, Fields::ALL))
}

/// `DELETE /users/{id}`
pub(super) async fn delete<S: Store, P: Platform, B>(
    directory: &Directory<'_, S, P>,
    id: &str,
    request: &Request<B>,
) -> Result<Response<Vec<u8>>, Problem> {
    Query::parse(request.uri().query(), &[])?;
    let preconditions = Preconditions::of_change(request.headers(), directory.platform)?;
    let id = parse(id).map_err(|problem| preconditions.of_missing(problem))?;
    let check = |user: &User| preconditions.check_change(&entity_tag(user.version));
    let deleted = directory.delete(id, check).await;
    deleted.map_err(|problem| preconditions.of_missing(problem))?;
    let mut response = Response::new(Vec::new());
    *response.status_mut() = StatusCode::NO_CONTENT;
    Ok(response)
}

/// What can't be an id names no user, like any other id that names none.
fn parse(id: &str) -> Result<UserId, Problem> {
    id.parse().map_err(|_| Error::NotFound.into())
}

fn representation(user: &User, fields: Fields) -> Response<Vec<u8>> {
    let mut response = private_json(&Representation { user, fields });
    set(&mut response, ETAG, entity_tag(user.version));
    response
}
