//! `/admin/…`: the page for the people who look after users.
//!
//! It has files and no more: it reads no store, and two variables that are no secrets. The script in the page
//! talks to the interface of the users like any other client, so the page can do nothing that its token
//! can't.
//!
//! - [`session`]: a token that the browser keeps in a cookie

mod session;

use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, ETAG,
    REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use serde_json::json;

use crate::configuration::elements;
use crate::message::cacheable::{publish_version, tag_of};
use crate::message::compression::{SUFFIX, admits_gzip, decompressed};
use crate::message::problem::Problem;
use crate::message::response::{NO_STORE, json, no_content, set};
use crate::platform::Platform;

/// The request headers that only this page reads.
pub const HEADERS: [HeaderName; 2] = [session::COOKIE, session::FETCH_SITE];

/// A file of the page.
pub struct File {
    /// Empty for the page itself.
    pub path: &'static str,
    pub media_type: &'static str,
    /// By gzip, without a name in its head.
    pub compressed: &'static [u8],
}

/// The views of the page. The page itself finds out by the path what to show.
const VIEWS: [&str; 5] = ["", "users", "groups", "import", "overview"];

/// What a browser may do with the page: run its files, and talk to this service. `form-action` stops
/// a form that the script has not taken; `trusted-types 'none'`, that a script writes markup at all.
const POLICY: &str = "default-src 'none'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'; connect-src 'self'; img-src 'self'; script-src 'self'; \
    style-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'";

const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// A path with a hash of the files has the same content for good.
const FOR_GOOD: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// The page names the files, so a browser has to ask whether it is still the same.
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("no-cache");

/// Answers a request for a path under `/admin`.
pub fn respond(
    files: &'static [File],
    request: &Request<()>,
    platform: &impl Platform,
) -> Result<Response<Vec<u8>>, Problem> {
    let path = request.uri().path();
    let rest = path.strip_prefix("/admin").unwrap_or_default();
    let first = rest
        .trim_start_matches('/')
        .split('/')
        .next()
        .unwrap_or_default();
    if rest == "/session" {
        return session::respond(request);
    }
    let is_settings = rest == "/settings";
    let wanted = if VIEWS.contains(&first) { "" } else { path };
    let file = files.iter().find(|file| file.path == wanted);
    if file.is_none() && !is_settings {
        return Err(Problem::no_such_resource());
    }
    if let Some(refusal) = other_method(request, "GET, HEAD, OPTIONS") {
        return refusal;
    }
    let mut response = match file {
        Some(file) => file.publish(request.headers())?,
        None => settings(platform),
    };
    protect(response.headers_mut());
    Ok(response)
}

/// The answer to a method that is neither GET nor HEAD, of a resource with the methods `allow`.
fn other_method(
    request: &Request<()>,
    allow: &'static str,
) -> Option<Result<Response<Vec<u8>>, Problem>> {
    let allow = HeaderValue::from_static(allow);
    match *request.method() {
        Method::GET | Method::HEAD => None,
        Method::OPTIONS => {
            let mut response = no_content();
            response.headers_mut().insert(http::header::ALLOW, allow);
            Some(Ok(response))
        }
        _ => Some(Err(Problem::method_not_allowed(allow))),
    }
}

impl File {
    fn publish(&self, request: &HeaderMap) -> Result<Response<Vec<u8>>, Problem> {
        let gzip = admits_gzip(request);
        let content = match gzip {
            true => self.compressed.to_vec(),
            false => decompressed(self.compressed),
        };
        let tag = tag_of(self.media_type, self.compressed);
        let mut response = publish_version(request, self.media_type, tag.clone(), content)?;
        if gzip && response.status() == StatusCode::OK {
            // Another representation has another tag; the precondition takes both for one.
            let tag = format!("\"{}{SUFFIX}\"", tag.trim_matches('"'));
            set(&mut response, ETAG, tag);
            set(&mut response, CONTENT_ENCODING, "gzip");
        }
        let headers = response.headers_mut();
        let caching = if self.path.is_empty() {
            ASK_AGAIN
        } else {
            FOR_GOOD
        };
        headers.insert(CACHE_CONTROL, caching);
        headers.insert(VARY, HeaderValue::from(ACCEPT_ENCODING));
        Ok(response)
    }
}

/// What the page has to know of the configuration, and nobody has to keep secret.
fn settings(platform: &impl Platform) -> Response<Vec<u8>> {
    // A value that can't be read is reported by the service itself.
    let variable = |name| platform.variable(name).ok().flatten().unwrap_or_default();
    let auth = match variable("auth").as_str() {
        "off" => "off",
        _ => "token",
    };
    let paths = variable("indexed_attributes");
    let mut response = json(&json!({ "auth": auth, "indexed_attributes": elements(&paths) }));
    response.headers_mut().insert(CACHE_CONTROL, NO_STORE);
    response
}

fn protect(headers: &mut HeaderMap) {
    for (name, value) in [
        (CONTENT_SECURITY_POLICY, POLICY),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (OPENER_POLICY, "same-origin"),
        (RESOURCE_POLICY, "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::FakePlatform;
    use crate::message::compression::gzip as compressed;
    use http::header::ALLOW;
    use std::sync::LazyLock;

    /// A page and a script.
    static FILES: LazyLock<[File; 2]> = LazyLock::new(|| {
        let file = |path, media_type, text: &str| {
            let compressed: &[u8] = compressed(text.as_bytes()).leak();
            File {
                path,
                media_type,
                compressed,
            }
        };
        [
            file("", "text/html; charset=utf-8", "<p>page"),
            file("/admin/files/1/a.js", "text/javascript", "a()"),
        ]
    });

    fn answer(method: &str, path: &str, headers: &[(&str, &str)]) -> Response<Vec<u8>> {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(()).expect("a request");
        respond(&*FILES, &request, &FakePlatform::default()).unwrap_or_else(|problem| {
            let mut response = Response::new(problem.detail().as_bytes().to_vec());
            *response.status_mut() = problem.status();
            response
        })
    }

    #[test]
    fn every_view_is_the_page_and_other_paths_are_not_found() {
        for path in [
            "/admin",
            "/admin/",
            "/admin/users",
            "/admin/users/7",
            "/admin/groups/3?after=2",
            "/admin/import",
            "/admin/overview",
        ] {
            let page = answer("GET", path, &[]);
            assert_eq!(
                (page.status().as_u16(), &page.body()[..]),
                (200, &b"<p>page"[..]),
                "{path}"
            );
            assert_eq!(page.headers()[CACHE_CONTROL], "no-cache");
            let policy = page.headers()[CONTENT_SECURITY_POLICY]
                .to_str()
                .expect("a text");
            assert!(!policy.contains("unsafe"), "{policy}");
        }
        for path in [
            "/admin/other",
            "/admin/files/0/a.js",
            "/admin/files/1",
            "/administrator",
        ] {
            assert_eq!(answer("GET", path, &[]).status(), 404, "{path}");
        }
        let refused = answer("POST", "/admin/users", &[]);
        assert_eq!(refused.status(), 405);
        let options = answer("OPTIONS", "/admin/files/1/a.js", &[]);
        assert_eq!(options.headers()[ALLOW], "GET, HEAD, OPTIONS");
    }

    #[test]
    fn a_file_is_compressed_for_who_takes_that_and_kept_for_good() {
        let path = "/admin/files/1/a.js";
        let plain = answer("GET", path, &[]);
        assert_eq!(plain.body(), b"a()");
        let gzip = answer("GET", path, &[("accept-encoding", "gzip, br")]);
        assert_eq!(gzip.headers()[CONTENT_ENCODING], "gzip");
        assert_eq!(gzip.body(), FILES[1].compressed);
        assert!(
            gzip.headers()[CACHE_CONTROL]
                .to_str()
                .is_ok_and(|value| value.contains("immutable"))
        );
        assert_ne!(plain.headers()[ETAG], gzip.headers()[ETAG]);
        let tag = gzip.headers()[ETAG].to_str().expect("a tag");
        let known = [("accept-encoding", "gzip"), ("if-none-match", tag)];
        assert_eq!(answer("GET", path, &known).status(), 304);
    }
}
