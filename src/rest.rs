//! The interface over HTTP: which resources there are, and what each answers.
//!
//! - [`users`], [`collection`]: each user by itself, and several at once
//! - [`representation`], [`patch`]: how clients see a user, and change it
//! - [`service`]: what the service says of itself
//! - [`problem`]: every answer that is not what was asked for (RFC 9457)
//! - [`body`], [`query`], [`precondition`], [`accept`]: reading a request, with limits
//! - [`limits`], [`rate_limit`]: how much of a request is looked at, and how many of them
//! - [`trace`], [`audit`], [`cors`]: what goes for every request alike

mod accept;
mod audit;
pub mod body;
mod collection;
mod cors;
mod limits;
mod patch;
mod precondition;
mod problem;
mod query;
mod rate_limit;
mod representation;
mod service;
mod trace;
mod users;

use std::time::Duration;

use http::header::{ALLOW, VARY};
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};

use crate::directory::Directory;
use crate::platform::Platform;
use crate::store::Store;
use audit::Change;
use body::Body;
use cors::Cors;
use problem::Problem;
use rate_limit::Quota;
use trace::Trace;

/// A resource, named by the path of a request.
enum Resource {
    Root,
    Health,
    Readiness,
    Users,
    /// A user, by what stands in the place of the id.
    User(String),
}

impl Resource {
    fn at(path: &str) -> Option<Resource> {
        match path {
            "/" => Some(Resource::Root),
            "/healthz" => Some(Resource::Health),
            "/readyz" => Some(Resource::Readiness),
            "/users" => Some(Resource::Users),
            _ => match path.strip_prefix("/users/")? {
                "" => None,
                id if id.contains('/') => None,
                // What can't be decoded is no id, and names no user.
                id => Some(Resource::User(
                    query::percent_decode(id).unwrap_or_default(),
                )),
            },
        }
    }

    /// The methods that the resource has (RFC 9110, section 10.2.1).
    fn allow(&self) -> &'static str {
        match self {
            Resource::Root | Resource::Health | Resource::Readiness => "GET, HEAD, OPTIONS",
            Resource::Users => "GET, HEAD, POST, OPTIONS",
            Resource::User(_) => "GET, HEAD, PUT, PATCH, DELETE, OPTIONS",
        }
    }

    /// The media type of what is answered to a request that is fulfilled, unless that is sent
    /// whatever the client takes: what asks for a service's health often does not say.
    fn media_type(&self) -> Option<&'static str> {
        match self {
            Resource::Health | Resource::Readiness => None,
            _ => Some(representation::JSON),
        }
    }
}

/// What an answer depends on besides the URL (RFC 9110, section 12.5.5).
const VARIES: HeaderValue = HeaderValue::from_static("accept, authorization, origin");

/// Answers a request. A HEAD request gets the body that GET would get: HTTP
/// servers send its length and leave it out (RFC 9110, section 9.3.2).
pub async fn respond<S: Store, P: Platform, B: Body>(
    directory: &Directory<'_, S, P>,
    request: Request<B>,
) -> Response<Vec<u8>> {
    let trace = Trace::of(request.headers(), directory.platform);
    let cors = Cors::of(&request, directory.platform);
    let resource = Resource::at(request.uri().path());
    let change = resource.and_then(|resource| Change::of(request.method(), &resource));
    let quota = take_quota(directory, &request).await;
    // The query is left out of the log: it may hold an email.
    let name = format!("{} {}", request.method(), request.uri().path());
    let mut response = admit(directory, request, quota)
        .await
        .unwrap_or_else(|problem| {
            if let Some(cause) = problem.cause() {
                let line = format!("{trace} {name}: {cause}");
                directory.platform.log_error(&line);
            }
            problem.into_response(&trace)
        });
    let headers = response.headers_mut();
    headers.insert(trace::REQUEST_ID, trace.header());
    headers.insert(VARY, VARIES);
    cors.apply(headers);
    if let Some(quota) = quota {
        quota.apply(headers);
    }
    if let Some(change) = change {
        change.record(directory.platform, &trace, ANONYMOUS, &response);
    }
    response
}

/// Who asks, where nothing tells.
const ANONYMOUS: &str = "anonymous";

/// Counts the request, if there is a limit and the resource is not one that those
/// ask for who watch over the service.
async fn take_quota<S: Store, P: Platform, B>(
    directory: &Directory<'_, S, P>,
    request: &Request<B>,
) -> Option<Quota> {
    match Resource::at(request.uri().path()) {
        Some(Resource::Health | Resource::Readiness) => None,
        _ => Quota::take(directory, &rate_limit::address(request.headers())).await,
    }
}

async fn admit<S: Store, P: Platform, B: Body>(
    directory: &Directory<'_, S, P>,
    request: Request<B>,
    quota: Option<Quota>,
) -> Result<Response<Vec<u8>>, Problem> {
    quota.map_or(Ok(()), |quota| quota.check())?;
    limits::check(&request)?;
    route(directory, request).await
}

async fn route<S: Store, P: Platform, B: Body>(
    directory: &Directory<'_, S, P>,
    request: Request<B>,
) -> Result<Response<Vec<u8>>, Problem> {
    let resource = Resource::at(request.uri().path()).ok_or_else(Problem::no_such_resource)?;
    let method = match *request.method() {
        Method::OPTIONS => return Ok(options(&resource)),
        Method::HEAD => Method::GET,
        ref method => method.clone(),
    };
    if let Some(offered) = resource.media_type()
        && !accept::admits(request.headers(), offered)
    {
        return Err(Problem::not_acceptable(offered));
    }
    match (&resource, method) {
        (Resource::Root, Method::GET) => Ok(service::root()),
        (Resource::Health, Method::GET) => Ok(service::health()),
        (Resource::Readiness, Method::GET) => service::readiness(directory).await,
        (Resource::Users, Method::GET) => collection::list(directory, &request).await,
        (Resource::Users, Method::POST) => users::create(directory, request).await,
        (Resource::User(id), Method::GET) => users::get(directory, id, &request).await,
        (Resource::User(id), Method::PUT) => users::replace(directory, id, request).await,
        (Resource::User(id), Method::PATCH) => users::patch(directory, id, request).await,
        (Resource::User(id), Method::DELETE) => users::delete(directory, id, &request).await,
        _ => Err(Problem::method_not_allowed(resource.allow())),
    }
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
/// for how much of that it waited for the store.
pub fn add_server_timing(response: &mut Response<Vec<u8>>, total: Duration, store: Duration) {
    // In milliseconds.
    let duration = |time: Duration| {
        let micros = time.as_micros();
        format!("{}.{:03}", micros / 1000, micros % 1000)
    };
    let component = duration(total.saturating_sub(store));
    let store = duration(store);
    let value = format!("component;dur={component}, store;dur={store}");
    let value = HeaderValue::try_from(value).expect("letters and numbers");
    let name = HeaderName::from_static("server-timing");
    response.headers_mut().insert(name, value);
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
