//! Pages for people. A page is complete in itself: no script, and nothing from
//! another host.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderMap, Response};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

use super::problem::Problem;
use super::publication::publish;
use super::representation::set;

/// The media type of pages.
pub(super) const HTML: &str = "text/html";

const STYLE: &str = include_str!("page/style.css");

/// Answers with the page of that title.
pub(super) fn respond(
    request: &HeaderMap,
    title: &str,
    content: &Markup,
) -> Result<Response<Vec<u8>>, Problem> {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body { (content) }
        }
    };
    let mut response = publish(
        request,
        "text/html; charset=utf-8",
        page.into_string().into(),
    )?;
    protect(&mut response);
    Ok(response)
}

/// Lets a browser do with the response what a page needs, and nothing else
/// (Content Security Policy, level 3).
pub(super) fn protect(response: &mut Response<Vec<u8>>) {
    let style = BASE64.encode(Sha256::digest(STYLE));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'"
    );
    set(response, CONTENT_SECURITY_POLICY, policy);
    set(response, REFERRER_POLICY, "no-referrer");
    set(response, X_CONTENT_TYPE_OPTIONS, "nosniff");
}

/// Text whose paragraphs are apart by an empty line, with code between backticks.
pub(super) fn prose(text: &str) -> Markup {
    html! {
        @for paragraph in text.split("\n\n") { p { (phrase(paragraph)) } }
    }
}

/// Text with code between backticks.
pub(super) fn phrase(text: &str) -> Markup {
    html! {
        @for (number, part) in text.split('`').enumerate() {
            @if number % 2 == 0 { (part) } @else { code { (part) } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped_and_code_is_marked() {
        let expected = "<p>a &lt;b&gt;</p><p>c <code>&amp;d</code> e</p>";
        assert_eq!(prose("a <b>\n\nc `&d` e").into_string(), expected);
    }
}
