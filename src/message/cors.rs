//! Requests from pages of other origins (Fetch Standard, section 3.2). The operator chooses which
//! pages may read answers.

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, ALLOW,
    ORIGIN,
};
use http::{HeaderMap, HeaderValue, Method, Request};

/// The response headers that a page may read, besides the headers that every page may read.
const EXPOSED_HEADERS: &str = "accept-patch, etag, idempotency-replayed, link, location, \
    ratelimit, ratelimit-policy, retry-after, server-timing, x-request-id, x-total-count";

/// How long a browser may remember a preflight's answer, in seconds.
const MAX_AGE: &str = "600";

/// The origins whose pages may read answers; by default none.
#[derive(Debug, Default, PartialEq)]
pub struct Origins(Vec<Origin>);

#[derive(Debug, PartialEq)]
enum Origin {
    Any,
    /// As browsers write it.
    One(HeaderValue),
}

impl Origins {
    /// Reads origins; `*` is any. Fails with the rule that one of them breaks.
    pub fn read(origins: &[&str]) -> Result<Origins, &'static str> {
        let origins: Option<_> = origins.iter().map(|origin| Origin::read(origin)).collect();
        let rule = "must list origins such as https://app.example, without a path and separated \
            by commas, or be *";
        origins.map(Origins).ok_or(rule)
    }

    /// The value of `Access-Control-Allow-Origin` for a page of that origin.
    fn allow(&self, origin: &HeaderValue) -> Option<HeaderValue> {
        self.0.iter().find_map(|allowed| match allowed {
            Origin::Any => Some(HeaderValue::from_static("*")),
            Origin::One(one) => (one == origin).then(|| one.clone()),
        })
    }
}

impl Origin {
    /// The serialization of an origin is a scheme, a host and perhaps a port (RFC 6454, section 6.2).
    fn read(text: &str) -> Option<Origin> {
        if text == "*" {
            return Some(Origin::Any);
        }
        let (scheme, host) = text.split_once("://")?;
        let is_scheme = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
        let is_host = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:[]".contains(&byte);
        let is_origin = !scheme.is_empty()
            && scheme.bytes().all(is_scheme)
            && !host.is_empty()
            && host.bytes().all(is_host);
        is_origin.then(|| {
            let origin = HeaderValue::try_from(text.to_ascii_lowercase());
            Origin::One(origin.expect("letters, digits and little else"))
        })
    }
}

/// The right of a page of another origin to the answer of its request.
#[derive(Debug, PartialEq)]
pub enum Cors {
    /// Nothing; or no page sent the request.
    Nothing,
    /// Read it. The value of `Access-Control-Allow-Origin`.
    Read(HeaderValue),
    /// The answer to a preflight: it lists the requests that the page may send.
    Preflight(HeaderValue),
}

impl Cors {
    /// The right of the page that sent this request.
    pub fn of<B>(request: &Request<B>, origins: &Origins) -> Cors {
        let headers = request.headers();
        let origin = headers.get(ORIGIN);
        let allowed = origin.and_then(|origin| origins.allow(origin));
        let asks = || headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
        match allowed {
            None => Cors::Nothing,
            Some(origin) if request.method() == Method::OPTIONS && asks() => {
                Cors::Preflight(origin)
            }
            Some(origin) => Cors::Read(origin),
        }
    }

    /// Tells the browser, in the headers of the response. `allowed` are the request headers that
    /// a page may send.
    pub fn apply(self, response: &mut HeaderMap, allowed: &'static str) {
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
                let allowed = HeaderValue::from_static(allowed);
                response.insert(ACCESS_CONTROL_ALLOW_HEADERS, allowed);
                let age = HeaderValue::from_static(MAX_AGE);
                response.insert(ACCESS_CONTROL_MAX_AGE, age);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_listed_as_browsers_write_them() {
        for text in [
            "*",
            "https://a.example",
            "http://localhost:8080",
            "http://[::1]:80",
            "capacitor://localhost",
        ] {
            assert!(Origins::read(&[text]).is_ok(), "{text}");
        }
        for text in [
            "a.example",
            "https://",
            "://a.example",
            "https://a.example/",
            "https://a.example/path",
            "https://*.example",
            "https://user@a.example",
            "null",
        ] {
            assert!(Origins::read(&[text]).is_err(), "{text}");
        }
        let origins = Origins::read(&["https://App.Example"]).expect("an origin");
        let browser = HeaderValue::from_static("https://app.example");
        assert_eq!(origins.allow(&browser), Some(browser.clone()));
    }
}
