//! Which keys are used, and when they are asked for.

use base64ct::{Base64UrlUnpadded, Encoding};
use http::Response;

use super::*;
use crate::auth::issuer::Issuer;
use crate::fake::{FakePlatform, FakeStore, ready};

const URL: &str = "https://login.example/keys";

/// The service, and the issuer's keys at the URL.
struct Setting {
    platform: FakePlatform,
    store: FakeStore,
}

fn setting() -> Setting {
    let setting = Setting {
        platform: FakePlatform::default(),
        store: FakeStore::default(),
    };
    setting.platform.now.set(1_800_000_000);
    setting.publish(&["a"], "max-age=600");
    setting
}

impl Setting {
    /// There are keys of these names at the URL, and `Cache-Control` says that of them.
    fn publish(&self, names: &'static [&'static str], caching: &'static str) {
        let answer = move |url: &Uri| {
            assert_eq!(*url, *URL);
            let keys: Vec<_> = names.iter().map(|name| jwk(name)).collect();
            let response = Response::builder().header(CACHE_CONTROL, caching);
            let body = format!("{{\"keys\":[{}]}}", keys.join(","));
            Ok(response.body(body.into_bytes()).expect("a response"))
        };
        self.platform.answer.replace(Some(Box::new(answer)));
    }

    /// Nobody answers at the URL.
    fn fall_silent(&self) {
        self.platform.answer.take();
    }

    /// What becomes of a token that names that key. All are signed badly, for without a key it
    /// does not come to the signature.
    fn outcome(&self, key: &str) -> Refusal {
        let encode = |text: &str| Base64UrlUnpadded::encode_string(text.as_bytes());
        let header = encode(&format!(r#"{{"alg":"EdDSA","kid":"{key}"}}"#));
        let claims = encode(r#"{"iss":"i","aud":"us","exp":1900000000}"#);
        let token = format!("{header}.{claims}.AAAA");
        let values = [Some("i"), Some("us"), None, Some(URL)];
        let issuer = Issuer::read(values.map(|value| value.map(str::to_owned)));
        let issuer = issuer.expect("good values").expect("an issuer");
        let verified = ready(issuer.verify(&token, &self.store, &self.platform));
        verified.expect_err("a bad signature")
    }

    /// Steps: at what second which key is asked for, what comes of it, and how many
    /// fetches there were by then.
    fn walk(&self, steps: &[(i64, &str, Refusal, u32)]) {
        let begun = self.platform.now.get();
        for (second, key, expected, fetches) in steps {
            self.platform.now.set(begun + second);
            assert_eq!(self.outcome(key), *expected, "{key} at {second} s");
            assert_eq!(self.platform.fetches.get(), *fetches, "{key} at {second} s");
        }
        self.platform.now.set(begun);
    }
}

fn jwk(name: &str) -> String {
    let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x}","kid":"{name}"}}"#)
}

/// The instance is gone; the next request gets a new one.
fn end_instance() {
    KNOWN.take();
}

const FOUND: Refusal = Refusal::Invalid("has a signature that does not match");
const UNKNOWN: Refusal = Refusal::Invalid("is signed with a key that is not known");

fn no_keys(retry_after: i64) -> Refusal {
    Refusal::NoKeys { retry_after }
}

#[test]
fn keys_are_fetched_again_when_their_time_is_over() {
    setting().walk(&[
        (0, "a", FOUND, 1),
        (599, "a", FOUND, 1),
        (600, "a", FOUND, 2),
        (1199, "a", FOUND, 2),
    ]);
}

#[test]
fn a_key_that_is_not_known_is_looked_for_once_a_minute() {
    let setting = setting();
    setting.walk(&[
        (0, "b", UNKNOWN, 1),
        (59, "b", UNKNOWN, 1),
        (59, "c", UNKNOWN, 1),
        (59, "a", FOUND, 1),
        (60, "b", UNKNOWN, 2),
    ]);
    setting.publish(&["b"], "");
    setting.walk(&[(120, "b", FOUND, 3), (121, "a", UNKNOWN, 3)]);
}

#[test]
fn keys_serve_for_a_day_while_new_ones_cannot_be_fetched() {
    let setting = setting();
    setting.walk(&[(0, "a", FOUND, 1)]);
    setting.fall_silent();
    setting.walk(&[
        (600, "a", FOUND, 2),
        (659, "a", FOUND, 2),
        (660, "b", UNKNOWN, 3),
        (MAX_AGE, "a", no_keys(60), 4),
        (MAX_AGE + 59, "a", no_keys(1), 4),
    ]);
    setting.publish(&["a"], "no-store");
    setting.walk(&[(MAX_AGE + 60, "a", FOUND, 5)]);
}

#[test]
fn an_instance_learns_from_the_store_what_others_fetched() {
    let setting = setting();
    for second in 0..5 {
        end_instance();
        setting.walk(&[(second, "a", FOUND, 1), (second, "b", UNKNOWN, 1)]);
    }
    // And what they tried in vain, on a host that makes an instance for each request.
    setting.fall_silent();
    for (second, fetches) in [(600, 2), (601, 2), (659, 2), (660, 3), (661, 3)] {
        end_instance();
        setting.walk(&[(second, "a", FOUND, fetches)]);
    }
}

#[test]
fn a_fetch_that_failed_is_tried_again_when_retry_after_says() {
    let setting = setting();
    setting.fall_silent();
    for (second, retry_after, fetches) in [(0, 60, 1), (1, 59, 1), (59, 1, 1), (60, 60, 2)] {
        end_instance();
        setting.walk(&[(second, "a", no_keys(retry_after), fetches)]);
    }
    setting.publish(&["a"], "");
    end_instance();
    setting.walk(&[(119, "a", no_keys(1), 2), (120, "a", FOUND, 3)]);
}

#[test]
fn while_one_instance_fetches_no_other_does_nor_after_it_died() {
    let setting = setting();
    setting.fall_silent();
    assert_eq!(setting.outcome("a"), no_keys(60));
    // As if it had not ended.
    let mut values = setting.store.values.borrow_mut();
    let stored = values.get_mut(KEY).expect("a value");
    let text = String::from_utf8(stored.clone()).expect("text");
    *stored = text
        .replace("\"ended\":true", "\"ended\":false")
        .into_bytes();
    drop(values);
    setting.publish(&["a"], "");
    for (second, expected, fetches) in [
        (0, no_keys(2), 1),
        (1, no_keys(2), 1),
        (2, no_keys(58), 1),
        (59, no_keys(1), 1),
        (60, FOUND, 2),
    ] {
        end_instance();
        setting.walk(&[(second, "a", expected, fetches)]);
    }
}

#[test]
fn of_instances_that_try_at_the_same_moment_one_fetches() {
    let now = Timestamp(1_800_000_000_000);
    let attempt = |number: u64| Fetched {
        tried: now,
        ended: false,
        attempt: number,
        ..Known::nothing(URL).fetched
    };
    let long_ago = Known::nothing(URL).fetched.tried;
    for is_unsure in [false, true] {
        let store = FakeStore::default();
        store.is_unsure.set(is_unsure);
        let claim = |number| ready(claim(&attempt(number), long_ago, &store)).expect("it works");
        // What is left of an earlier fetch, which all of them have read.
        let stored = Known::nothing(URL).fetched.encode();
        store.values.borrow_mut().insert(KEY.to_owned(), stored);
        assert!(claim(1));
        assert!(!claim(2) && !claim(3));
        // Keys at another URL are nobody's attempt at this one.
        let other = Fetched {
            url: "https://other.example/keys".to_owned(),
            ..attempt(4)
        };
        store
            .values
            .borrow_mut()
            .insert(KEY.to_owned(), other.encode());
        assert!(claim(5));
    }
}

#[test]
fn known_keys_take_no_store_operation() {
    let setting = setting();
    setting.walk(&[(0, "a", FOUND, 1)]);
    let operations = setting.store.operations.get();
    setting.walk(&[(1, "a", FOUND, 1), (599, "a", FOUND, 1)]);
    assert_eq!(setting.store.operations.get(), operations);
}

#[test]
fn an_instance_goes_on_by_itself_where_the_store_fails_or_holds_something_else() {
    let setting = setting();
    setting.store.fails.set(true);
    setting.walk(&[(0, "a", FOUND, 1), (1, "b", UNKNOWN, 1), (2, "a", FOUND, 1)]);
    for value in [&b"nonsense"[..], b"{}", br#"{"format":2}"#] {
        end_instance();
        let fetches = setting.platform.fetches.get();
        setting.store.fails.set(false);
        let value = (KEY.to_owned(), value.to_owned());
        setting.store.values.borrow_mut().extend([value]);
        setting.walk(&[(0, "a", FOUND, fetches + 1)]);
    }
}

#[test]
fn a_clock_that_was_set_back_keeps_no_keys_for_longer() {
    let setting = setting();
    setting.walk(&[(0, "a", FOUND, 1)]);
    setting.walk(&[(-3600, "a", FOUND, 2), (-3600, "b", UNKNOWN, 2)]);
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
