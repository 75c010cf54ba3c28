//! The keys of an issuer that are at a URL.
//!
//! They are kept in the instance, for as long as the host keeps it, and in the store, for all
//! instances. So a host that makes an instance for each request, as Spin does, does not fetch for
//! each request. All instances learn the outcome of a fetch, also of a failed one, which no
//! instance repeats within a minute. A writer of the store could put other keys there and make
//! tokens of any scope, but can change every user anyway, without any token.

use std::cell::RefCell;
use std::rc::Rc;

use http::header::{AGE, CACHE_CONTROL};
use http::{HeaderMap, StatusCode, Uri};
use serde_json::json;

use super::Refusal;
use super::jws::Jws;
use super::keys::Keys;
use crate::json;
use crate::platform::Platform;
use crate::store::{Report, Store, StoreError};
use crate::timestamp::Timestamp;

/// The key of the store under which they are.
const KEY: &str = "issuer-keys";

/// The form of the value there.
const FORMAT: u64 = 1;

/// How long keys are used that were fetched, in seconds: where the answer does not
/// say, and at most. Also how long old ones serve while new ones can't be fetched.
const DEFAULT_AGE: i64 = 300;
const MAX_AGE: i64 = 24 * 3600;

/// The least time between two fetches, in seconds, whatever the answer says and
/// however many tokens name a key that is not known: those cost nothing to make up.
const FETCH_INTERVAL: i64 = 60;

/// After so many seconds a fetch has ended, or its instance has.
const FETCH_TIME: i64 = 2;

/// The state of the keys at a URL.
#[derive(Clone)]
struct Fetched {
    url: String,
    /// The JWK set; empty before it was fetched for the first time.
    jwks: String,
    /// When it was fetched, and for how many seconds it is fresh.
    at: Timestamp,
    age: i64,
    /// When it was last tried, and whether that has ended.
    tried: Timestamp,
    ended: bool,
    /// A random number of that attempt, so that an instance can tell its own.
    attempt: u64,
}

/// As it is in the store. By hand: `serde` would take 6 KB of the component.
impl Fetched {
    fn encode(&self) -> Vec<u8> {
        let value = json!({
            "format": FORMAT,
            "url": self.url,
            "jwks": self.jwks,
            "at": self.at.0,
            "age": self.age,
            "tried": self.tried.0,
            "ended": self.ended,
            "attempt": self.attempt,
        });
        value.to_string().into_bytes()
    }

    /// `None` if it is of another form.
    fn decode(stored: &[u8]) -> Option<Fetched> {
        let value = json::parse(stored).ok()?;
        let text = |name: &str| value[name].as_str().map(str::to_owned);
        let number = |name: &str| value[name].as_i64();
        Some(Fetched {
            url: text("url").filter(|_| value["format"] == FORMAT)?,
            jwks: text("jwks")?,
            at: Timestamp(number("at")?),
            age: number("age")?,
            tried: Timestamp(number("tried")?),
            ended: value["ended"].as_bool()?,
            attempt: value["attempt"].as_u64()?,
        })
    }
}

/// The knowledge of an instance, with the keys ready for use.
struct Known {
    fetched: Fetched,
    keys: Option<Rc<Keys>>,
}

thread_local! {
    static KNOWN: RefCell<Option<Known>> = const { RefCell::new(None) };
}

/// The keys at the URL. They are fetched if they are old or the key of `jws` is missing. Fails
/// without any keys.
pub async fn keys<S: Store, P: Platform>(
    url: &str,
    jws: &Jws<'_>,
    store: &S,
    platform: &P,
) -> Result<Rc<Keys>, Refusal> {
    let now = platform.now();
    // Taken out meanwhile: should the instance serve another request, that asks the store.
    let mut known = KNOWN.take().filter(|known| known.fetched.url == url);
    if !known
        .as_ref()
        .is_some_and(|known| known.is_good_for(jws, now))
    {
        known = read(url, known, store, platform).await;
    }
    let mut known = known.unwrap_or_else(|| Known::nothing(url));
    if !known.is_good_for(jws, now) && known.may_fetch(now) {
        known = fetch(known, url, store, platform).await;
    }
    let keys = known.keys.clone().filter(|_| known.is_of_use(now));
    let retry_after = known.retry_after(now);
    KNOWN.replace(Some(known));
    keys.ok_or(Refusal::NoKeys { retry_after })
}

impl Known {
    fn nothing(url: &str) -> Known {
        let long_ago = Timestamp(i64::MIN / 2);
        Known {
            fetched: Fetched {
                url: url.to_owned(),
                jwks: String::new(),
                at: long_ago,
                age: 0,
                tried: long_ago,
                ended: true,
                attempt: 0,
            },
            keys: None,
        }
    }

    /// Whether the keys are fresh, and that of the token is among them.
    fn is_good_for(&self, jws: &Jws, now: Timestamp) -> bool {
        let keys = self.keys.as_ref();
        is_within(self.fetched.at, self.fetched.age, now)
            && keys.is_some_and(|keys| keys.find(jws).is_some())
    }

    /// Whether the keys are not too old, while fresh ones are not available.
    fn is_of_use(&self, now: Timestamp) -> bool {
        is_within(self.fetched.at, MAX_AGE, now)
    }

    /// Whether a fetch is due.
    fn may_fetch(&self, now: Timestamp) -> bool {
        !is_within(self.fetched.tried, FETCH_INTERVAL, now)
    }

    /// After how many seconds there may be keys: when the attempt that runs has ended, or when
    /// another is due.
    fn retry_after(&self, now: Timestamp) -> i64 {
        let Fetched { tried, ended, .. } = self.fetched;
        if !ended && is_within(tried, FETCH_TIME, now) {
            return FETCH_TIME;
        }
        let passed = distance(tried, now) / 1000;
        (FETCH_INTERVAL - passed).clamp(1, FETCH_INTERVAL)
    }
}

/// How long it is from one time to the other, in milliseconds. Clocks differ, and are set back.
fn distance(time: Timestamp, now: Timestamp) -> i64 {
    now.0.saturating_sub(time.0).saturating_abs()
}

/// Whether that is less than so many seconds.
fn is_within(time: Timestamp, seconds: i64, now: Timestamp) -> bool {
    distance(time, now) < seconds.saturating_mul(1000)
}

/// The state in the store, if it is newer than the instance's. If the store fails, the instance
/// goes on alone.
async fn read<S: Store, P: Platform>(
    url: &str,
    known: Option<Known>,
    store: &S,
    platform: &P,
) -> Option<Known> {
    let stored = match store.get(KEY).await {
        Ok(stored) => stored?,
        Err(error) => {
            platform.log_error(&format!("the keys of the issuer were not read: {error}"));
            return known;
        }
    };
    let fetched = Fetched::decode(&stored);
    let Some(fetched) = fetched.filter(|fetched| fetched.url == url) else {
        return known;
    };
    let keys = match known {
        Some(known) if known.fetched.tried > fetched.tried => return Some(known),
        // They remember which tokens they have verified.
        Some(known) if known.fetched.jwks == fetched.jwks => known.keys,
        _ => Keys::read(fetched.jwks.as_bytes()).map(Rc::new),
    };
    Some(Known { fetched, keys })
}

/// Writes the state into the store, if the store works.
async fn write<S: Store, P: Platform>(fetched: &Fetched, store: &S, platform: &P) {
    if let Err(error) = store.set(KEY, &fetched.encode()).await {
        platform.log_error(&format!("the keys of the issuer were not kept: {error}"));
    }
}

/// Fetches the keys, unless another instance has just begun to. The store tells all instances of
/// the attempt, and then of its outcome.
async fn fetch<S: Store, P: Platform>(
    mut known: Known,
    url: &str,
    store: &S,
    platform: &P,
) -> Known {
    let before = known.fetched.clone();
    known.fetched.tried = platform.now();
    known.fetched.ended = false;
    known.fetched.attempt = platform.random();
    match claim(&known.fetched, before.tried, store).await {
        Ok(true) => {}
        Ok(false) => {
            known.fetched = before;
            let read = read(url, Some(known), store, platform).await;
            return read.unwrap_or_else(|| Known::nothing(url));
        }
        // The instance goes on alone.
        Err(error) => {
            platform.log_error(&format!("the keys of the issuer were not kept: {error}"));
        }
    }
    match get(url, platform).await {
        Ok((jwks, keys, age)) => {
            let at = platform.now();
            known.fetched = Fetched {
                jwks,
                at,
                age,
                ..known.fetched
            };
            known.keys = Some(Rc::new(keys));
        }
        Err(error) => {
            platform.log_error(&format!(
                "the keys at jwt_jwks_url could not be fetched: {error}"
            ));
        }
    }
    known.fetched.ended = true;
    write(&known.fetched, store, platform).await;
    known
}

/// Writes the attempt into the store. Answers whether it is the first since the attempt at
/// `before`: of several instances that try at the same moment, one does. Only where there is nothing
/// in the store yet, several may.
async fn claim<S: Store>(
    attempt: &Fetched,
    before: Timestamp,
    store: &S,
) -> Result<bool, StoreError> {
    let value = attempt.encode();
    let (stored, watch) = store.current(KEY).await?;
    let Some(stored) = stored else {
        store.set(KEY, &value).await?;
        return Ok(true);
    };
    let newer = |stored: Fetched| stored.url == attempt.url && stored.tried > before;
    if Fetched::decode(&stored).is_some_and(newer) {
        return Ok(false);
    }
    match store.swap(watch, &value).await? {
        Report::Swapped => Ok(true),
        Report::Unsure => Ok(store.get(KEY).await?.as_ref() == Some(&value)),
    }
}

/// The JWK set at the URL, and for how many seconds it may be used.
async fn get<P: Platform>(url: &str, platform: &P) -> Result<(String, Keys, i64), String> {
    let url: Uri = url.parse().map_err(|_| "it is not a URL")?;
    let response = platform.fetch(&url).await?;
    if response.status() != StatusCode::OK {
        return Err(format!("the answer was {}", response.status()));
    }
    let age = age(response.headers());
    let jwks = String::from_utf8(response.into_body()).ok();
    let read = jwks.and_then(|jwks| Keys::read(jwks.as_bytes()).map(|keys| (jwks, keys)));
    let (jwks, keys) = read.ok_or("the answer is not a JWK set")?;
    Ok((jwks, keys, age))
}

/// For how many seconds an answer may be used (RFC 9111, section 4.2.1), within bounds.
fn age(headers: &HeaderMap) -> i64 {
    let texts = |name| {
        headers
            .get_all(name)
            .iter()
            .filter_map(|text| text.to_str().ok())
    };
    let directives = texts(CACHE_CONTROL).flat_map(|text| text.split(',').map(str::trim));
    let mut age = DEFAULT_AGE;
    for directive in directives {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        match name.to_ascii_lowercase().as_str() {
            "no-store" | "no-cache" => return FETCH_INTERVAL,
            "max-age" => age = value.trim_matches('"').parse().unwrap_or(0),
            _ => {}
        }
    }
    let spent = texts(AGE).next().and_then(|text| text.trim().parse().ok());
    age.saturating_sub(spent.unwrap_or(0))
        .clamp(FETCH_INTERVAL, MAX_AGE)
}

#[cfg(test)]
mod tests;
