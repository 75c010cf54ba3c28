//! The users, as a collection and each by itself.

use http::header::{CONTENT_TYPE, ETAG, LINK, LOCATION};
use http::{HeaderName, HeaderValue, Request, Response, StatusCode};
use serde::Serialize;
use serde_json::Value;

use super::body::{self, Body};
use super::precondition::{Precondition, entity_tag};
use super::problem::Problem;
use super::query::Query;
use crate::directory::{Directory, Error};
use crate::platform::Platform;
use crate::store::Store;
use crate::user::{Attributes, Email, Name, Profile, READ_ONLY, User, UserId};

const JSON: &[&str] = &["application/json"];

/// What a patch may be sent as. Both mean a merge patch (RFC 7396): to send
/// plain JSON is common, and can mean nothing else here.
const MERGE_PATCH: &[&str] = &["application/merge-patch+json", "application/json"];

/// The most users on a page.
const MAX_LIMIT: u64 = 1000;

/// The variable that says how many users a page has where the client does not, and its default.
const PAGE_SIZE: (&str, u64) = ("page_size", 100);

const TOTAL_COUNT: HeaderName = HeaderName::from_static("x-total-count");

/// A user as clients see it.
#[derive(Serialize)]
struct Representation<'a> {
    id: UserId,
    name: &'a Name,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a Email>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attributes: Option<&'a Attributes>,
    created_at: String,
    updated_at: String,
}

impl<'a> From<&'a User> for Representation<'a> {
    fn from(user: &'a User) -> Self {
        Representation {
            id: user.id,
            name: &user.profile.name,
            email: user.profile.email.as_ref(),
            attributes: user.profile.attributes.as_ref(),
            created_at: user.created_at.to_rfc3339(),
            updated_at: user.updated_at.to_rfc3339(),
        }
    }
}

/// `GET /users`
pub(super) async fn list<S: Store, P: Platform, B>(
    directory: &Directory<'_, S, P>,
    request: &Request<B>,
) -> Result<Response<Vec<u8>>, Problem> {
    let query = Query::parse(request.uri().query(), &["limit", "after", "email"])?;
    if let Some(email) = query.get("email") {
        if query.get("limit").or(query.get("after")).is_some() {
            return Err(Problem::invalid_query("goes without others", "email"));
        }
        let email = Email::try_from(email.to_owned())
            .map_err(|rule| Problem::invalid_query(rule, "email"))?;
        let user = directory.find(&email).await?;
        return Ok(collection(user.as_slice(), user.iter().count() as u64));
    }
    let after = query.number("after", 0, u64::MAX)?.unwrap_or(0);
    let limit = match query.number("limit", 1, MAX_LIMIT)? {
        Some(limit) => limit,
        None => page_size(directory.platform),
    };
    let page = directory.list(after, limit as usize).await?;
    for id in page.unreadable {
        let line = format!("GET /users: user {id} is left out, for its record can't be read");
        directory.platform.log_error(&line);
    }
    let mut response = collection(&page.users, page.total);
    if let Some(next) = page.next {
        let link = format!("</users?limit={limit}&after={next}>; rel=\"next\"");
        set(&mut response, LINK, link);
    }
    Ok(response)
}

fn page_size(platform: &impl Platform) -> u64 {
    let (variable, default) = PAGE_SIZE;
    let configured = platform.variable(variable);
    let configured = configured.and_then(|text| text.parse().ok());
    configured
        .filter(|size| (1..=MAX_LIMIT).contains(size))
        .unwrap_or(default)
}

/// `POST /users`
pub(super) async fn create<S: Store, P: Platform, B: Body>(
    directory: &Directory<'_, S, P>,
    request: Request<B>,
) -> Result<Response<Vec<u8>>, Problem> {
    Query::parse(request.uri().query(), &[])?;
    let profile = Profile::from_json(body::json(request, JSON).await?).map_err(Error::Invalid)?;
    let user = directory.create(profile).await?;
    let mut response = representation(&user);
    *response.status_mut() = StatusCode::CREATED;
    set(&mut response, LOCATION, format!("/users/{}", user.id));
    Ok(response)
}

/// `GET /users/{id}`
pub(super) async fn get<S: Store, P: Platform, B>(
    directory: &Directory<'_, S, P>,
    id: &str,
    request: &Request<B>,
) -> Result<Response<Vec<u8>>, Problem> {
    Query::parse(request.uri().query(), &[])?;
    Ok(representation(&directory.get(parse(id)?).await?))
}

/// `PUT /users/{id}`
pub(super) async fn replace<S: Store, P: Platform, B: Body>(
    directory: &Directory<'_, S, P>,
    id: &str,
    request: Request<B>,
) -> Result<Response<Vec<u8>>, Problem> {
    Query::parse(request.uri().query(), &[])?;
    let precondition = Precondition::of(request.headers())?;
    let id = parse(id).map_err(|error| precondition.of_missing(error))?;
    let members = without_read_only(body::json(request, JSON).await?);
    let profile = Profile::from_json(members).map_err(Error::Invalid)?;
    update(directory, id, &precondition, |_| Ok(profile.clone())).await
}

/// `PATCH /users/{id}`
pub(super) async fn patch<S: Store, P: Platform, B: Body>(
    directory: &Directory<'_, S, P>,
    id: &str,
    request: Request<B>,
) -> Result<Response<Vec<u8>>, Problem> {
    Query::parse(request.uri().query(), &[])?;
    let precondition = Precondition::of(request.headers())?;
    let id = parse(id).map_err(|error| precondition.of_missing(error))?;
    let patch = without_read_only(body::json(request, MERGE_PATCH).await?);
    let change = |user: &User| merge(&user.profile, &patch);
    update(directory, id, &precondition, change).await
}

/// Changes a user who meets the precondition; answers the new version.
async fn update<S: Store, P: Platform>(
    directory: &Directory<'_, S, P>,
    id: UserId,
    precondition: &Precondition,
    change: impl Fn(&User) -> Result<Profile, Error>,
) -> Result<Response<Vec<u8>>, Problem> {
    let checked = |user: &User| {
        precondition.check(user)?;
        change(user)
    };
    let updated = directory.update(id, checked).await;
    let user = updated.map_err(|error| precondition.of_missing(error))?;
    Ok(representation(&user))
}

/// `DELETE /users/{id}`
pub(super) async fn delete<S: Store, P: Platform, B>(
    directory: &Directory<'_, S, P>,
    id: &str,
    request: &Request<B>,
) -> Result<Response<Vec<u8>>, Problem> {
    Query::parse(request.uri().query(), &[])?;
    let precondition = Precondition::of(request.headers())?;
    let id = parse(id).map_err(|error| precondition.of_missing(error))?;
    let deleted = directory.delete(id, |user| precondition.check(user)).await;
    deleted.map_err(|error| precondition.of_missing(error))?;
    let mut response = Response::new(Vec::new());
    *response.status_mut() = StatusCode::NO_CONTENT;
    Ok(response)
}

/// What can't be an id names no user, like any other id that names none.
fn parse(id: &str) -> Result<UserId, Error> {
    id.parse().map_err(|_| Error::NotFound)
}

/// Clients send back what they got: members that only the service sets are not
/// an error, they have no effect.
fn without_read_only(mut value: Value) -> Value {
    if let Some(members) = value.as_object_mut() {
        members.retain(|member, _| !READ_ONLY.contains(&member.as_str()));
    }
    value
}

/// Applies a JSON merge patch (RFC 7396).
fn merge(profile: &Profile, patch: &Value) -> Result<Profile, Error> {
    let mut value = serde_json::to_value(profile).expect("a profile has string keys only");
    json_patch::merge(&mut value, patch);
    Profile::from_json(value).map_err(Error::Invalid)
}

fn collection(users: &[User], total: u64) -> Response<Vec<u8>> {
    let mut response = json(&users.iter().map(Representation::from).collect::<Vec<_>>());
    set(&mut response, TOTAL_COUNT, total);
    response
}

fn representation(user: &User) -> Response<Vec<u8>> {
    let mut response = json(&Representation::from(user));
    set(&mut response, ETAG, entity_tag(user.version));
    response
}

fn json(value: &impl Serialize) -> Response<Vec<u8>> {
    let body = serde_json::to_vec(value).expect("representations have string keys only");
    let mut response = Response::new(body);
    set(&mut response, CONTENT_TYPE, JSON[0]);
    response
}

fn set(response: &mut Response<Vec<u8>>, name: HeaderName, value: impl ToString) {
    let value = HeaderValue::try_from(value.to_string()).expect("no control characters are set");
    response.headers_mut().insert(name, value);
}
