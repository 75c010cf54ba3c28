//! The issuer whose JSON Web Tokens the operator trusts, and where its keys come from.

use std::cell::RefCell;
use std::rc::Rc;

use http::header::{AGE, CACHE_CONTROL};
use http::{HeaderMap, StatusCode, Uri};

use super::Refusal;
use super::jwt::Jwt;
use super::keys::Keys;
use super::permission::Principal;
use super::remembered::Remembered;
use crate::platform::Platform;
use crate::timestamp::Timestamp;

/// The variables: `iss` and `aud` of the tokens, and the keys, as a JWK set or as the
/// URL of one.
const NAME: &str = "jwt_issuer";
const AUDIENCE: &str = "jwt_audience";
const KEYS: &str = "jwt_jwks";
const KEYS_URL: &str = "jwt_jwks_url";

/// How long keys are used that were fetched, in seconds: where the answer does not
/// say, and at most. Also how long old ones serve while new ones can't be fetched.
const DEFAULT_AGE: i64 = 300;
const MAX_AGE: i64 = 24 * 3600;

/// The least time between two fetches, in seconds, whatever the answer says and
/// however many tokens name a key that is not known: those cost nothing to make up.
const PAUSE: i64 = 60;

/// An issuer.
#[derive(Debug)]
pub struct Issuer {
    name: String,
    audience: String,
    keys: Source,
}

/// Where an issuer's keys come from.
#[derive(Debug)]
enum Source {
    /// A JWK set in the configuration.
    Text(String),
    Url(String),
}

/// The keys at a URL, as far as they are known.
struct Fetched {
    url: String,
    keys: Option<Rc<Keys>>,
    /// When they were fetched, when that is to be done again, and when it was last tried.
    at: Timestamp,
    fresh_until: Timestamp,
    tried: Timestamp,
}

thread_local! {
    static WRITTEN: Remembered<Option<Rc<Keys>>> = const { Remembered::new() };
    /// For as long as the host keeps the instance.
    static FETCHED: RefCell<Option<Fetched>> = const { RefCell::new(None) };
}

impl Issuer {
    /// The one that the operator configured, if any. It takes a name, an audience
    /// and keys.
    pub fn configured(platform: &impl Platform) -> Option<Issuer> {
        let text = |name| {
            let text = platform.variable(name)?;
            let text = text.trim();
            (!text.is_empty()).then(|| text.to_owned())
        };
        let name = text(NAME)?;
        let audience = text(AUDIENCE);
        let keys = text(KEYS).map(Source::Text);
        let keys = keys.or_else(|| text(KEYS_URL).map(Source::Url));
        let (Some(audience), Some(keys)) = (audience, keys) else {
            let missing = format!("{NAME} needs {AUDIENCE} and either {KEYS} or {KEYS_URL}");
            platform.log_error(&missing);
            return None;
        };
        Some(Issuer {
            name,
            audience,
            keys,
        })
    }

    /// Who the bearer of a token is.
    pub async fn verify<P: Platform>(
        &self,
        token: &str,
        platform: &P,
    ) -> Result<Principal, Refusal> {
        let jwt = Jwt::read(token).map_err(Refusal::Invalid)?;
        // Before the keys, for which others may have to be asked.
        jwt.check(&self.name, &self.audience, platform.now())
            .map_err(Refusal::Invalid)?;
        let keys = match &self.keys {
            Source::Text(text) => written(text, platform),
            Source::Url(url) => fetched(url, &jwt, platform).await,
        };
        let keys = keys.ok_or(Refusal::NoKeys)?;
        keys.verify(&jwt).map_err(Refusal::Invalid)?;
        Ok(Principal::subject(jwt.subject(), jwt.scopes()))
    }
}

/// The keys in the configuration.
fn written(text: &str, platform: &impl Platform) -> Option<Rc<Keys>> {
    let read = |text: &str| {
        let keys = Keys::read(text.as_bytes()).map(Rc::new);
        if keys.is_none() {
            platform.log_error(&format!("the variable {KEYS} is not a JWK set"));
        }
        keys
    };
    let keys = WRITTEN.with(|keys| keys.of(text.to_owned(), read));
    (*keys).clone()
}

/// The keys at the URL: those that are known, or new ones if it is time for them or
/// the key of `jwt` is not among them.
async fn fetched<P: Platform>(url: &str, jwt: &Jwt<'_>, platform: &P) -> Option<Rc<Keys>> {
    let now = platform.now();
    let known = FETCHED.take().filter(|known| known.url == url);
    let known = match known {
        Some(known) if known.is_good_for(jwt, now) => known,
        // Taken out meanwhile: should the instance serve another request, that
        // fetches for itself.
        known => {
            let fetched = fetch(url, platform).await;
            if let Err(error) = &fetched {
                platform.log_error(&format!("the keys at {KEYS_URL} can't be had: {error}"));
            }
            Fetched::new(url, fetched.ok(), known, now)
        }
    };
    let keys = known.keys.clone();
    FETCHED.replace(Some(known));
    keys
}

impl Fetched {
    /// What is known after fetching: the keys and for how many seconds they may be
    /// used; or, where that failed, those before for a while longer.
    fn new(
        url: &str,
        fetched: Option<(Keys, i64)>,
        before: Option<Fetched>,
        now: Timestamp,
    ) -> Fetched {
        let url = url.to_owned();
        let after = |time: Timestamp, seconds| Timestamp(time.0 + seconds * 1000);
        match (fetched, before) {
            (Some((keys, age)), _) => Fetched {
                url,
                keys: Some(Rc::new(keys)),
                at: now,
                fresh_until: after(now, age),
                tried: now,
            },
            (None, Some(before)) if now < after(before.at, MAX_AGE) => Fetched {
                tried: now,
                ..before
            },
            (None, _) => Fetched {
                url,
                keys: None,
                at: now,
                fresh_until: now,
                tried: now,
            },
        }
    }

    fn is_good_for(&self, jwt: &Jwt, now: Timestamp) -> bool {
        let fresh = now < self.fresh_until;
        let known = self
            .keys
            .as_ref()
            .is_some_and(|keys| keys.find(jwt).is_some());
        (fresh && known) || now.0 < self.tried.0 + PAUSE * 1000
    }
}

/// Fetches the keys; also for how long they may be used, in seconds.
async fn fetch<P: Platform>(url: &str, platform: &P) -> Result<(Keys, i64), String> {
    let url: Uri = url.parse().map_err(|_| "it is not a URL".to_owned())?;
    if !is_private(&url) {
        return Err("it does not begin with https://".to_owned());
    }
    let response = platform.fetch(&url).await?;
    if response.status() != StatusCode::OK {
        return Err(format!("the answer was {}", response.status()));
    }
    let keys = Keys::read(response.body()).ok_or("the answer is not a JWK set")?;
    Ok((keys, age(response.headers())))
}

/// Whether nobody on the way can put other keys in the place of those at the URL.
fn is_private(url: &Uri) -> bool {
    let loopback = matches!(url.host(), Some("localhost" | "127.0.0.1" | "[::1]"));
    match url.scheme_str() {
        Some("https") => true,
        Some("http") => loopback,
        _ => false,
    }
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
            "no-store" | "no-cache" => return PAUSE,
            "max-age" => age = value.trim_matches('"').parse().unwrap_or(0),
            _ => {}
        }
    }
    let spent = texts(AGE).next().and_then(|text| text.trim().parse().ok());
    age.saturating_sub(spent.unwrap_or(0)).clamp(PAUSE, MAX_AGE)
}

#[cfg(test)]
mod tests;
