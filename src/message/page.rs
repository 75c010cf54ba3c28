//! Pages for people. A page loads nothing from another host, and runs only its own script.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderMap, Response, StatusCode};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

use super::cacheable::publish;
use super::problem::Problem;
use super::response::set;

/// The media type of pages.
pub const HTML: &str = "text/html";

const STYLE: &str = include_str!("page/style.css");

/// A page.
pub struct Page {
    pub title: &'static str,
    pub content: Markup,
    /// The page's script. It may send requests to this service.
    pub script: Option<&'static str>,
}

impl Page {
    /// Answers with the page.
    pub fn respond(self, request: &HeaderMap) -> Result<Response<Vec<u8>>, Problem> {
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { (self.title) }
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    (self.content)
                    @if let Some(script) = self.script { script { (PreEscaped(script)) } }
                }
            }
        };
        let body = page.into_string().into_bytes();
        let mut response = publish(request, "text/html; charset=utf-8", body)?;
        protect(&mut response, self.script);
        Ok(response)
    }
}

/// Allows the browser only what a page with that script needs (Content Security Policy, level 3).
pub fn protect(response: &mut Response<Vec<u8>>, script: Option<&str>) {
    // A browser that has the page has these headers with it (RFC 9110, section 15.4.5).
    if response.status() == StatusCode::NOT_MODIFIED {
        return;
    }
    let hash = |text: &str| BASE64.encode(Sha256::digest(text));
    let mut policy = format!(
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
         require-trusted-types-for 'script'; style-src 'sha256-{}'",
        hash(STYLE)
    );
    if let Some(script) = script {
        policy += &format!("; script-src 'sha256-{}'; connect-src 'self'", hash(script));
    }
    set(response, CONTENT_SECURITY_POLICY, policy);
    set(response, REFERRER_POLICY, "no-referrer");
    set(response, X_CONTENT_TYPE_OPTIONS, "nosniff");
}
