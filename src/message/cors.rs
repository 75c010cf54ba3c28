//! Requests from pages of other origins (Fetch Standard, section 3.2): which
//! may read the answers, by the operator's choice.

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, ALLOW,
    ORIGIN,
};
use http::{HeaderMap, HeaderValue, Method, Request};

use crate::platform::Platform;

/// The variable that lists the allowed origins, separated by spaces or commas;
/// `*` for all. Without it no page of another origin can read an answer.
const ORIGINS: &str = "cors_origins";

/// The request headers that a page may send.
const ALLOWED_HEADERS: &str = "authorization, content-type, idempotency-key, if-match, \
    if-none-match, traceparent, x-request-id";

/// The response headers that a page may read, beyond those that it always may.
const EXPOSED_HEADERS: &str = "accept-patch, etag, idempotency-replayed, link, location, \
    ratelimit, ratelimit-policy, retry-after, server-timing, x-request-id, x-total-count";

/// How long a browser may remember a preflight's answer, in seconds.
const MAX_AGE: &str = "600";

/// What a page of another origin may do with the answer to its request.
#[derive(Debug, PartialEq)]
pub enum Cors {
    /// Nothing; or no page sent the request.
    Nothing,
    /// Read it. The value of `Access-Control-Allow-Origin`.
    Read(HeaderValue),
    /// Learn from it which requests it may send.
    Preflight(HeaderValue),
}

impl Cors {
    /// What the page may do that sent this request.
    pub fn of<B>(request: &Request<B>, platform: &impl Platform) -> Cors {
        let headers = request.headers();
        let allowed = headers.get(ORIGIN).and_then(|origin| {
            let origins = platform.variable(ORIGINS)?;
            let mut origins = origins.split([',', ' ']);
            let listed = origins.find(|listed| *listed == "*" || listed.as_bytes() == origin)?;
            Some(match listed {
                "*" => HeaderValue::from_static("*"),
                _ => origin.clone(),
            })
        });
        let asks = headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
        match allowed {
            None => Cors::Nothing,
            Some(origin) if asks && request.method() == Method::OPTIONS => Cors::Preflight(origin),
            Some(origin) => Cors::Read(origin),
        }
    }

    /// Tells the browser, in the headers of the response.
    pub fn apply(self, response: &mut HeaderMap) {
        match self {
            Cors::Nothing => {}
            Cors::Read(origin) => {
                response.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
                let exposed = HeaderValue::from_static(EXPOSED_HEADERS);
                response.insert(ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
            }
            Cors::Preflight(origin) => {
                response.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
                if let Some(methods) = response.get(ALLOW).cloned() {
                    response.insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
                }
                let allowed = HeaderValue::from_static(ALLOWED_HEADERS);
                response.insert(ACCESS_CONTROL_ALLOW_HEADERS, allowed);
                let age = HeaderValue::from_static(MAX_AGE);
                response.insert(ACCESS_CONTROL_MAX_AGE, age);
            }
        }
    }
}
