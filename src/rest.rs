//! The interface over HTTP: which resources there are, and what each answers.
//!
//! - [`users`]: the users, as a collection and each by itself
//! - [`service`]: what the service says of itself
//! - [`problem`]: every answer that is not what was asked for (RFC 9457)
//! - [`body`], [`query`], [`precondition`]: reading a request, with limits

pub mod body;
mod precondition;
mod problem;
mod query;
mod service;
mod users;

use http::header::ALLOW;
use http::{HeaderValue, Method, Request, Response, StatusCode};

use crate::directory::Directory;
use crate::platform::Platform;
use crate::store::Store;
use body::Body;
use problem::Problem;

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
}

/// Answers a request. A HEAD request gets the body that GET would get: HTTP
/// servers send its length and leave it out (RFC 9110, section 9.3.2).
pub async fn respond<S: Store, P: Platform, B: Body>(
    directory: &Directory<'_, S, P>,
    request: Request<B>,
) -> Response<Vec<u8>> {
    // The query is left out of the log: it may hold an email.
    let name = format!("{} {}", request.method(), request.uri().path());
    route(directory, request).await.unwrap_or_else(|problem| {
        if let Some(cause) = problem.cause() {
            directory.platform.log_error(&format!("{name}: {cause}"));
        }
        problem.into_response()
    })
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
    match (&resource, method) {
        (Resource::Root, Method::GET) => Ok(service::root()),
        (Resource::Health, Method::GET) => Ok(service::health()),
        (Resource::Readiness, Method::GET) => service::readiness(directory).await,
        (Resource::Users, Method::GET) => users::list(directory, &request).await,
        (Resource::Users, Method::POST) => users::create(directory, request).await,
        (Resource::User(id), Method::GET) => users::get(directory, id, &request).await,
        (Resource::User(id), Method::PUT) => users::replace(directory, id, request).await,
        (Resource::User(id), Method::PATCH) => users::patch(directory, id, request).await,
        (Resource::User(id), Method::DELETE) => users::delete(directory, id, &request).await,
        _ => Err(Problem::method_not_allowed(resource.allow())),
    }
}

/// The answer to a request whose target is not a path (RFC 9112, section 3.2).
pub fn malformed_target() -> Response<Vec<u8>> {
    Problem::malformed_target().into_response()
}

fn options(resource: &Resource) -> Response<Vec<u8>> {
    let mut response = Response::new(Vec::new());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let allow = HeaderValue::from_static(resource.allow());
    response.headers_mut().insert(ALLOW, allow);
    response
}
