//! Which keys are used, and when they are asked for.

use std::cell::Cell;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use base64ct::{Base64UrlUnpadded, Encoding};
use http::Response;

use super::*;

const URL: &str = "https://login.example/keys";

/// A platform on which nothing happens by itself.
struct Fake {
    variables: Vec<(&'static str, &'static str)>,
    /// In seconds.
    now: Cell<i64>,
    /// The names of the keys at the URL, and what `Cache-Control` says of them; none
    /// if the URL can't be reached.
    keys: Cell<Option<(&'static [&'static str], &'static str)>>,
    fetches: Cell<u32>,
}

impl Platform for Fake {
    fn now(&self) -> Timestamp {
        Timestamp(self.now.get() * 1000)
    }

    fn random(&self) -> u64 {
        0
    }

    fn variable(&self, name: &str) -> Option<String> {
        let mut variables = self.variables.iter();
        let (_, value) = variables.find(|(known, _)| *known == name)?;
        Some((*value).to_owned())
    }

    async fn fetch(&self, url: &Uri) -> Result<Response<Vec<u8>>, String> {
        assert_eq!(url, URL);
        self.fetches.set(self.fetches.get() + 1);
        let (names, caching) = self.keys.get().ok_or("nobody answers")?;
        let keys: Vec<_> = names.iter().map(|name| jwk(name)).collect();
        let response = Response::builder().header(CACHE_CONTROL, caching);
        let body = format!("{{\"keys\":[{}]}}", keys.join(","));
        Ok(response.body(body.into_bytes()).expect("a response"))
    }

    fn log_error(&self, _: &str) {}

    fn audit(&self, _: &str) {}
}

fn fake(variables: &[(&'static str, &'static str)]) -> Fake {
    Fake {
        variables: variables.to_vec(),
        now: Cell::new(1_800_000_000),
        keys: Cell::new(Some((&["a"], "max-age=600"))),
        fetches: Cell::new(0),
    }
}

fn with_url() -> Fake {
    fake(&[(NAME, "i"), (AUDIENCE, "us"), (KEYS_URL, URL)])
}

fn jwk(name: &str) -> String {
    let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x}","kid":"{name}"}}"#)
}

/// What becomes of a token that names that key. All are signed badly, for it does
/// not come to the signature without a key.
fn outcome(platform: &Fake, key: &str) -> Refusal {
    let encode = |text: &str| Base64UrlUnpadded::encode_string(text.as_bytes());
    let header = encode(&format!(r#"{{"alg":"EdDSA","kid":"{key}"}}"#));
    let claims = encode(r#"{"iss":"i","aud":"us","exp":1900000000}"#);
    let token = format!("{header}.{claims}.AAAA");
    let issuer = Issuer::configured(platform).expect("an issuer");
    let verified = pin!(issuer.verify(&token, platform));
    match verified.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(verified) => verified.expect_err("a bad signature"),
        Poll::Pending => unreachable!("the platform answers at once"),
    }
}

const FOUND: Refusal = Refusal::Invalid("has a signature that does not match");
const UNKNOWN: Refusal = Refusal::Invalid("is signed with a key that is not known");

/// Steps: at what second which key is asked for, what comes of it, and how many
/// fetches there were by then.
fn walk(platform: &Fake, steps: &[(i64, &str, Refusal, u32)]) {
    let begun = platform.now.get();
    for (second, key, expected, fetches) in steps {
        platform.now.set(begun + second);
        assert_eq!(outcome(platform, key), *expected, "{key} at {second} s");
        assert_eq!(platform.fetches.get(), *fetches, "{key} at {second} s");
    }
    platform.now.set(begun);
}

#[test]
fn keys_are_fetched_again_when_their_time_is_over() {
    let steps = [
        (0, "a", FOUND, 1),
        (599, "a", FOUND, 1),
        (600, "a", FOUND, 2),
        (1199, "a", FOUND, 2),
    ];
    walk(&with_url(), &steps);
}

#[test]
fn a_key_that_is_not_known_is_looked_for_once_a_minute() {
    let platform = with_url();
    let steps = [
        (0, "b", UNKNOWN, 1),
        (59, "b", UNKNOWN, 1),
        (59, "c", UNKNOWN, 1),
        (59, "a", FOUND, 1),
        (60, "b", UNKNOWN, 2),
    ];
    walk(&platform, &steps);
    platform.keys.set(Some((&["b"], "")));
    walk(&platform, &[(120, "b", FOUND, 3), (121, "a", UNKNOWN, 3)]);
}

#[test]
fn keys_serve_for_a_day_while_new_ones_cannot_be_fetched() {
    let platform = with_url();
    walk(&platform, &[(0, "a", FOUND, 1)]);
    platform.keys.set(None);
    let steps = [
        (600, "a", FOUND, 2),
        (659, "a", FOUND, 2),
        (660, "b", UNKNOWN, 3),
        (MAX_AGE, "a", Refusal::NoKeys, 4),
        (MAX_AGE + 59, "a", Refusal::NoKeys, 4),
    ];
    walk(&platform, &steps);
    platform.keys.set(Some((&["a"], "no-store")));
    walk(&platform, &[(MAX_AGE + 60, "a", FOUND, 5)]);
}

#[test]
fn an_answer_is_used_as_long_as_it_says_within_bounds() {
    for (headers, seconds) in [
        (&[][..], 300),
        (
            &[("cache-control", "public, max-age=3600, must-revalidate")][..],
            3600,
        ),
        (
            &[("cache-control", "Max-Age=\"3600\""), ("age", "600")],
            3000,
        ),
        (&[("cache-control", "max-age=0")], 60),
        (&[("cache-control", "max-age=soon")], 60),
        (
            &[
                ("cache-control", "max-age=3600"),
                ("cache-control", "no-cache"),
            ],
            60,
        ),
        (&[("cache-control", "max-age=99999999999")], 86_400),
        (
            &[
                ("cache-control", "max-age=3600"),
                ("age", "-9223372036854775808"),
            ],
            86_400,
        ),
    ] {
        let read = |(name, value): &(&'static str, &'static str)| {
            (
                name.parse().expect("a name"),
                value.parse().expect("a value"),
            )
        };
        let mut map = HeaderMap::<http::HeaderValue>::new();
        for (name, value) in headers.iter().map(read) {
            let name: http::HeaderName = name;
            map.append(name, value);
        }
        assert_eq!(age(&map), seconds, "{headers:?}");
    }
}

#[test]
fn an_issuer_takes_a_name_an_audience_and_keys() {
    let all = [(NAME, "i"), (AUDIENCE, "us"), (KEYS_URL, URL)];
    assert!(Issuer::configured(&fake(&all)).is_some());
    for left_out in 0..all.len() {
        let mut variables = all.to_vec();
        variables[left_out].1 = " ";
        assert!(
            Issuer::configured(&fake(&variables)).is_none(),
            "{variables:?}"
        );
    }
}

#[test]
fn keys_in_the_configuration_are_asked_of_nobody() {
    let set = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a",
        "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
    let variables = [(NAME, "i"), (AUDIENCE, "us"), (KEYS, set), (KEYS_URL, URL)];
    walk(
        &fake(&variables),
        &[(0, "a", FOUND, 0), (1, "b", UNKNOWN, 0)],
    );
    let variables = [(NAME, "i"), (AUDIENCE, "us"), (KEYS, "[]")];
    assert_eq!(outcome(&fake(&variables), "a"), Refusal::NoKeys);
}

#[test]
fn keys_come_by_a_way_on_which_nobody_can_change_them() {
    for (url, private) in [
        ("https://login.example/keys", true),
        ("http://localhost:8080/keys", true),
        ("http://127.0.0.1/keys", true),
        ("http://login.example/keys", false),
        ("http://localhost.example/keys", false),
        ("http://127.0.0.1@login.example/keys", false),
        ("ftp://login.example/keys", false),
        ("/keys", false),
    ] {
        let url: Uri = url.parse().expect("a URL");
        assert_eq!(is_private(&url), private, "{url}");
    }
}
