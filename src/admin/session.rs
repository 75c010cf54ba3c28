//! `/admin/session`: a token that the browser keeps in a cookie, if the user asks for that.
//!
//! The cookie goes to this path alone, so it opens nothing by itself: requests for users need the token in
//! their own header, which no other site can send. Only a script of this origin gets the token back.

use http::header::{AUTHORIZATION, CACHE_CONTROL, SET_COOKIE};
use http::{HeaderMap, HeaderName, Method, Request, Response};
use serde_json::json;

use crate::message::problem::Problem;
use crate::message::response::{NO_STORE, no_content, private_json, set};

pub const COOKIE: HeaderName = http::header::COOKIE;

/// Where the request comes from, by the browser itself (Fetch Metadata Request Headers). Scripts can't
/// set it, and browsers don't send it to an origin to which they send no `Secure` cookies.
pub const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// A header that forms and links can't send.
const ASKED: HeaderName = HeaderName::from_static("edge-users-session");

/// Browsers take a name that begins so only with `Secure` (RFC 6265bis, section 4.1.3.1).
const NAME: &str = "__Secure-edge-users";

/// A working day. The token itself may end before.
const MAX_AGE: &str = "43200";

/// With its name and attributes a cookie has 4,096 bytes at most.
const MAX_TOKEN_BYTES: usize = 3800;

pub fn respond(request: &Request<()>) -> Result<Response<Vec<u8>>, Problem> {
    let headers = request.headers();
    let mut response = match *request.method() {
        Method::GET | Method::HEAD => {
            check_origin(headers)?;
            match kept(headers) {
                Some(token) => private_json(&json!({ "token": token })),
                None => no_content(),
            }
        }
        Method::POST => {
            check_origin(headers)?;
            let mut response = no_content();
            keep(&mut response, token(headers)?, MAX_AGE);
            response
        }
        Method::DELETE => {
            check_origin(headers)?;
            let mut response = no_content();
            keep(&mut response, "", "0");
            response
        }
        _ => {
            let refusal = super::other_method(request, "GET, HEAD, POST, DELETE, OPTIONS");
            return refusal.expect("it is another method");
        }
    };
    response.headers_mut().insert(CACHE_CONTROL, NO_STORE);
    super::protect(response.headers_mut());
    Ok(response)
}

/// Refuses what does not come from the page's own script.
fn check_origin(headers: &HeaderMap) -> Result<(), Problem> {
    for (name, value) in [(FETCH_SITE, "same-origin"), (ASKED, "1")] {
        if headers.get(&name).is_none_or(|sent| sent != value) {
            return Err(Problem::malformed_header(
                &name,
                &format!("must be {value}"),
            ));
        }
    }
    Ok(())
}

/// The token that is to be kept.
fn token(headers: &HeaderMap) -> Result<&str, Problem> {
    let value = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let token = value.and_then(|value| value.strip_prefix("Bearer "));
    token.filter(|token| is_token(token)).ok_or_else(|| {
        let rule = format!("must be Bearer and a token of at most {MAX_TOKEN_BYTES} bytes");
        Problem::malformed_header(&AUTHORIZATION, &rule)
    })
}

/// As RFC 6750, section 2.1, spells it. None of these signs ends a cookie.
fn is_token(text: &str) -> bool {
    let spelled = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    (1..=MAX_TOKEN_BYTES).contains(&text.len()) && text.bytes().all(spelled)
}

fn kept(headers: &HeaderMap) -> Option<&str> {
    let fields = headers.get_all(COOKIE).iter();
    let cookies = fields.filter_map(|field| field.to_str().ok());
    let mut pairs = cookies.flat_map(|field| field.split(';'));
    pairs.find_map(|pair| {
        let (name, token) = pair.trim().split_once('=')?;
        (name == NAME && is_token(token)).then_some(token)
    })
}

fn keep(response: &mut Response<Vec<u8>>, token: &str, max_age: &str) {
    let attributes = "Path=/admin/session; HttpOnly; Secure; SameSite=Strict";
    let cookie = format!("{NAME}={token}; Max-Age={max_age}; {attributes}");
    set(response, SET_COOKIE, cookie);
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: [(&str, &str); 2] = [
        ("sec-fetch-site", "same-origin"),
        ("edge-users-session", "1"),
    ];

    fn answer(method: &str, headers: &[(&str, &str)]) -> Result<Response<Vec<u8>>, Problem> {
        let mut request = Request::builder().method(method).uri("/admin/session");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        respond(&request.body(()).expect("a request"))
    }

    fn with(others: &[(&'static str, &'static str)]) -> Vec<(&'static str, &'static str)> {
        [&OWN[..], others].concat()
    }

    #[test]
    fn a_token_comes_back_to_a_script_of_this_origin_alone() {
        let kept = answer("POST", &with(&[("authorization", "Bearer eu_1")])).expect("an answer");
        let cookie = kept.headers()[SET_COOKIE].to_str().expect("a text");
        for attribute in [
            "HttpOnly",
            "Secure",
            "SameSite=Strict",
            "Path=/admin/session",
        ] {
            assert!(cookie.contains(attribute), "{cookie}");
        }
        let (pair, _) = cookie.split_once(';').expect("attributes");
        let pair: &'static str = String::leak(format!("a=b; {pair}"));
        let told = answer("GET", &with(&[("cookie", pair)])).expect("an answer");
        assert_eq!(told.body(), br#"{"token":"eu_1"}"#);
        assert_eq!(told.headers()[CACHE_CONTROL], "no-store");
        assert_eq!(answer("GET", &with(&[])).expect("an answer").status(), 204);
        for method in ["GET", "POST", "DELETE"] {
            for headers in [
                &[("cookie", pair), OWN[0]][..],
                &[("cookie", pair), OWN[1]],
                &[("cookie", pair), OWN[1], ("sec-fetch-site", "same-site")],
                &[("cookie", pair), OWN[1], ("sec-fetch-site", "cross-site")],
                &[("cookie", pair), OWN[1], ("sec-fetch-site", "none")],
            ] {
                let refused = answer(method, headers).expect_err("it is refused");
                assert_eq!(refused.status(), 400, "{method} {headers:?}");
            }
        }
    }

    #[test]
    fn what_is_no_token_is_not_kept() {
        let long: &'static str = String::leak(format!("Bearer {}", "a".repeat(3801)));
        for value in [
            "",
            "Bearer ",
            "Basic YTpi",
            "Bearer a;b",
            "Bearer a b",
            "Bearer \"a\"",
            long,
        ] {
            let refused = answer("POST", &with(&[("authorization", value)]));
            assert_eq!(refused.expect_err("it is refused").status(), 400, "{value}");
        }
        assert_eq!(answer("POST", &OWN).expect_err("no token").status(), 400);
        let ended = answer("DELETE", &OWN).expect("an answer");
        assert!(
            ended.headers()[SET_COOKIE]
                .to_str()
                .is_ok_and(|text| text.contains("Max-Age=0"))
        );
        assert_eq!(
            answer("PUT", &OWN).expect_err("no such method").status(),
            405
        );
    }
}
