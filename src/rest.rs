//! The interface over HTTP: which resources there are, and what each answers.
//!
//! - [`users`], [`collection`]: each user by itself, and several at once
//! - [`representation`], [`patch`]: how clients see a user, and change it
//! - [`search`]: the users whose names begin alike
//! - [`import`], [`export`]: very many users, line by line
//! - [`service`], [`catalog`]: what the service says of itself, and where that is found
//! - [`openapi`], [`docs`], [`problems`]: the description of all this, for programs and for people
//! - [`access`], [`rate_limit`]: who may do what, and how often
//! - [`content`]: what a response carries, whole or made while it is sent
//! - [`audit`]: a record of what changed users

mod access;
mod audit;
mod catalog;
mod collection;
pub mod content;
mod docs;
mod export;
mod import;
mod openapi;
mod patch;
mod problems;
mod rate_limit;
mod representation;
mod search;
mod service;
mod users;

use std::time::Duration;

use http::header::{ALLOW, VARY};
use http::{Extensions, HeaderName, HeaderValue, Method, Request, Response, StatusCode};

use crate::directory::Directory;
use crate::message::body::Body;
use crate::message::cors::Cors;
use crate::message::problem::Problem;
use crate::message::response::JSON;
use crate::message::trace::{self, Trace};
use crate::message::{accept, compression, limits, ndjson, page, query};
use crate::platform::Platform;
use crate::store::Store;
use crate::user::UserId;
use access::Caller;
use audit::Change;
use content::Content;
pub use openapi::DESCRIPTION;
pub use rate_limit::CLIENT_ADDRESS;
use rate_limit::Quota;

/// A resource, named by the path of a request.
enum Resource {
    Root,
    Health,
    Readiness,
    Users,
    Import,
    Export,
    /// A user, by what stands in the place of the id.
    User(String),
    Description,
    Documentation,
    Problems,
    /// A type of problems, by what stands in the place of the slug.
    Problem(String),
    Catalog,
}

impl Resource {
    fn at(path: &str) -> Option<Resource> {
        match path {
            "/" => Some(Resource::Root),
            "/healthz" => Some(Resource::Health),
            "/readyz" => Some(Resource::Readiness),
            "/users" => Some(Resource::Users),
            "/users/import" => Some(Resource::Import),
            "/users/export" => Some(Resource::Export),
            "/openapi.json" => Some(Resource::Description),
            "/docs" => Some(Resource::Documentation),
            "/problems" => Some(Resource::Problems),
            "/.well-known/api-catalog" => Some(Resource::Catalog),
            _ => {
                let (collection, segment) = path.strip_prefix('/')?.split_once('/')?;
                if segment.is_empty() || segment.contains('/') {
                    return None;
                }
                // What can't be decoded is no id and no slug, and names nothing.
                let segment = query::percent_decode(segment).unwrap_or_default();
                match collection {
                    "users" => Some(Resource::User(segment)),
                    "problems" => Some(Resource::Problem(segment)),
                    _ => None,
                }
            }
        }
    }

    /// The methods that the resource has (RFC 9110, section 10.2.1).
    fn allow(&self) -> &'static str {
        match self {
            Resource::Root
            | Resource::Health
            | Resource::Readiness
            | Resource::Export
            | Resource::Description
            | Resource::Documentation
            | Resource::Problems
            | Resource::Problem(_)
            | Resource::Catalog => "GET, HEAD, OPTIONS",
            Resource::Import => "POST, OPTIONS",
            Resource::Users => "GET, HEAD, POST, OPTIONS",
            Resource::User(_) => "GET, HEAD, PUT, PATCH, DELETE, OPTIONS",
        }
    }

    /// The media types of what is answered to a request that is fulfilled, the usual one first.
    /// `None` if that is sent whatever the client takes: what asks for a service's health often
    /// does not say.
    fn media_types(&self) -> Option<&'static [&'static str]> {
        match self {
            Resource::Health | Resource::Readiness => None,
            Resource::Import | Resource::Export => Some(&[ndjson::NDJSON]),
            Resource::Root | Resource::Users | Resource::User(_) => Some(&[JSON]),
            Resource::Description => Some(openapi::MEDIA_TYPES),
            Resource::Documentation => Some(&[page::HTML]),
            Resource::Problems | Resource::Problem(_) => Some(problems::MEDIA_TYPES),
            Resource::Catalog => Some(&[catalog::MEDIA_TYPE]),
        }
    }
}

/// What an answer depends on besides the URL (RFC 9110, section 12.5.5).
const VARIES: HeaderValue =
    HeaderValue::from_static("accept, accept-encoding, authorization, origin");

/// Goes with the response to a create: the user that it made.
#[derive(Clone, Copy)]
struct NewUser(UserId);

/// Answers a request. A HEAD request gets the body that GET would get: HTTP
/// servers send its length and leave it out (RFC 9110, section 9.3.2).
pub async fn respond<'a, S: Store, P: Platform, B: Body>(
    directory: &'a Directory<'a, S, P>,
    request: Request<B>,
) -> Response<Content<'a, S, P, B>> {
    let trace = Trace::of(request.headers(), directory.platform);
    let cors = Cors::of(&request, directory.platform);
    let resource = Resource::at(request.uri().path());
    let caller = Caller::of(&request, resource.as_ref(), directory.platform).await;
    let change = resource
        .as_ref()
        .and_then(|resource| Change::of(request.method(), resource));
    let quota = take_quota(directory, &request, resource.as_ref(), &caller).await;
    let gzip = compression::admits_gzip(request.headers());
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let routed = route(directory, resource, request, &caller, quota, &trace).await;
    let mut response = routed.unwrap_or_else(|problem| {
        if let Some(cause) = problem.cause() {
            // The query is left out of the log: it may hold an email.
            let path = uri.path();
            let line = format!("{trace} {method} {path}: {cause}");
            directory.platform.log_error(&line);
        }
        problem.into_response(&trace).map(Content::Whole)
    });
    if gzip {
        compress(&mut response);
    }
    let headers = response.headers_mut();
    headers.insert(trace::REQUEST_ID, trace.header());
    headers.insert(VARY, VARIES);
    cors.apply(headers);
    if let Some(quota) = quota {
        quota.apply(headers);
    }
    if let Some(change) = change {
        change.record(directory.platform, &trace, &caller, &response);
    }
    response
}

/// What is left to do once a response was sent: its `extensions` tell. It is only
/// to spare others the time, and may come to nothing.
pub async fn tend<S: Store, P: Platform>(directory: &Directory<'_, S, P>, extensions: &Extensions) {
    if let Some(NewUser(id)) = extensions.get() {
        directory.merge_names(*id).await;
    }
}

/// Counts the request, if there is a limit and the resource is not one that those
/// ask for who watch over the service. Who is known is counted by name, others by address.
async fn take_quota<S: Store, P: Platform, B>(
    directory: &Directory<'_, S, P>,
    request: &Request<B>,
    resource: Option<&Resource>,
    caller: &Caller,
) -> Option<Quota> {
    if let Some(Resource::Health | Resource::Readiness) = resource {
        return None;
    }
    let identity = || match caller.name() {
        Some(name) => format!("principal {name}"),
        None => rate_limit::address(request.headers()),
    };
    Quota::take(directory, identity).await
}

async fn route<'a, S: Store, P: Platform, B: Body>(
    directory: &'a Directory<'a, S, P>,
    resource: Option<Resource>,
    request: Request<B>,
    caller: &Caller,
    quota: Option<Quota>,
    trace: &Trace,
) -> Result<Response<Content<'a, S, P, B>>, Problem> {
    quota.map_or(Ok(()), |quota| quota.check())?;
    limits::check(&request)?;
    caller.check(resource.as_ref(), request.method())?;
    let resource = resource.ok_or_else(Problem::no_such_resource)?;
    let method = match *request.method() {
        Method::OPTIONS => return Ok(options(&resource).map(Content::Whole)),
        Method::HEAD => Method::GET,
        ref method => method.clone(),
    };
    let media_type = match resource.media_types() {
        None => JSON,
        Some(offered) => accept::preferred(request.headers(), offered)
            .ok_or_else(|| Problem::not_acceptable(offered))?,
    };
    let whole = match (&resource, method) {
        (Resource::Import, Method::POST) => {
            let import = import::import(directory, request, caller, trace)?;
            return Ok(import.map(Box::new).map(Content::Import));
        }
        (Resource::Export, Method::GET) => {
            let export = export::export(directory, &request, trace).await?;
            return Ok(export.map(Box::new).map(Content::Export));
        }
        (Resource::Root, Method::GET) => Ok(service::root()),
        (Resource::Health, Method::GET) => Ok(service::health()),
        (Resource::Readiness, Method::GET) => service::readiness(directory).await,
        (Resource::Users, Method::GET) => collection::list(directory, &request).await,
        (Resource::Users, Method::POST) => users::create(directory, request, caller).await,
        (Resource::User(id), Method::GET) => users::get(directory, id, &request).await,
        (Resource::User(id), Method::PUT) => users::replace(directory, id, request).await,
        (Resource::User(id), Method::PATCH) => users::patch(directory, id, request).await,
        (Resource::User(id), Method::DELETE) => users::delete(directory, id, &request).await,
        (Resource::Description, Method::GET) => openapi::get(request.headers(), media_type),
        (Resource::Documentation, Method::GET) => docs::get(request.headers()),
        (Resource::Problems, Method::GET) => problems::all(request.headers(), media_type),
        (Resource::Problem(slug), Method::GET) => {
            problems::one(request.headers(), media_type, slug)
        }
        (Resource::Catalog, Method::GET) => catalog::get(request.headers()),
        _ => Err(Problem::method_not_allowed(resource.allow())),
    };
    Ok(whole?.map(Content::Whole))
}

/// The answer to a request whose target is not a path (RFC 9112, section 3.2).
pub fn malformed_target(platform: &impl Platform) -> Response<Vec<u8>> {
    let trace = Trace::of(&Default::default(), platform);
    let mut response = Problem::malformed_target().into_response(&trace);
    let headers = response.headers_mut();
    headers.insert(trace::REQUEST_ID, trace.header());
    response
}

/// Says where the time went (Server Timing): how long the component had the request, `total`, and
/// for how much of that it waited for the store. What is made while it is sent doesn't count.
pub fn add_server_timing<C>(response: &mut Response<C>, total: Duration, store: Duration) {
    let component = total.saturating_sub(store).as_micros();
    let store = store.as_micros();
    // In milliseconds.
    let value = format!(
        "component;dur={}.{:03}, store;dur={}.{:03}",
        component / 1000,
        component % 1000,
        store / 1000,
        store % 1000
    );
    let value = HeaderValue::try_from(value).expect("letters and numbers");
    let name = HeaderName::from_static("server-timing");
    response.headers_mut().insert(name, value);
}

/// Compresses what is there as a whole.
fn compress<S, P, B>(response: &mut Response<Content<'_, S, P, B>>) {
    let mut headers = std::mem::take(response.headers_mut());
    if let Content::Whole(body) = response.body_mut() {
        compression::compress(&mut headers, body);
    }
    *response.headers_mut() = headers;
}

/// What can be done with a resource.
fn options(resource: &Resource) -> Response<Vec<u8>> {
    let mut response = Response::new(Vec::new());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.insert(ALLOW, HeaderValue::from_static(resource.allow()));
    if let Resource::User(_) = resource {
        let patches = HeaderValue::from_static(patch::ACCEPT_PATCH);
        headers.insert(patch::HEADER, patches);
    }
    response
}
