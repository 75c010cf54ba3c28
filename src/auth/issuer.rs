//! The issuer whose JSON Web Tokens the operator trusts.

use std::rc::Rc;

use http::Uri;

use super::jwt::Jwt;
use super::keys::Keys;
use super::permission::Principal;
use super::{Refusal, fetched};
use crate::platform::Platform;
use crate::remembered::Remembered;
use crate::store::Store;

/// An issuer.
#[derive(Debug)]
pub struct Issuer {
    name: String,
    audience: String,
    keys: Source,
}

/// The source of an issuer's keys.
#[derive(Debug)]
enum Source {
    Configuration(Rc<Keys>),
    Url(String),
}

thread_local! {
    static CONFIGURED: Remembered<Keys> = const { Remembered::new() };
}

impl Issuer {
    /// The variables: `iss` and `aud` of the tokens, and the keys, as a JWK set or as the URL of
    /// one.
    pub const VARIABLES: [&str; 4] = ["jwt_issuer", "jwt_audience", "jwt_jwks", "jwt_jwks_url"];

    /// The issuer of these values of the variables; none if there are no values. Fails with a
    /// variable and the rule that it breaks.
    pub fn read([name, audience, jwks, url]: [Option<String>; 4]) -> Result<Option<Issuer>, Fault> {
        let [of_name, of_audience, of_jwks, of_url] = Issuer::VARIABLES;
        let missing = |variable, other: &str| (variable, format!("must be set, for {other} is"));
        let Some(name) = name else {
            let others = [(of_audience, audience), (of_jwks, jwks), (of_url, url)];
            let mut set = others.iter().filter(|(_, value)| value.is_some());
            return match set.next() {
                None => Ok(None),
                Some((other, _)) => Err(missing(of_name, other)),
            };
        };
        let audience = audience.ok_or_else(|| missing(of_audience, of_name))?;
        let keys = match (jwks, url) {
            (Some(jwks), _) => {
                let keys = CONFIGURED
                    .with(|keys| keys.of(&jwks, |jwks| Keys::read(jwks.as_bytes()).ok_or(())));
                let rule = "must be a JWK set with a key for RS256, ES256 or EdDSA";
                let keys = keys.ok().filter(|keys| !keys.is_empty());
                Source::Configuration(keys.ok_or_else(|| (of_jwks, rule.to_owned()))?)
            }
            (None, Some(url)) => {
                let rule = "must be a URL that begins with https://";
                let is_private = url.parse().is_ok_and(|url| is_private(&url));
                match is_private {
                    true => Source::Url(url),
                    false => return Err((of_url, rule.to_owned())),
                }
            }
            (None, None) => {
                let (variable, rule) = missing(of_jwks, of_name);
                return Err((variable, format!("or {of_url} {rule}")));
            }
        };
        Ok(Some(Issuer {
            name,
            audience,
            keys,
        }))
    }

    /// The subject of a token, if the token is valid.
    pub async fn verify<S: Store, P: Platform>(
        &self,
        token: &str,
        store: &S,
        platform: &P,
    ) -> Result<Principal, Refusal> {
        let jwt = Jwt::read(token).map_err(Refusal::Invalid)?;
        // Before the keys, which may have to be fetched.
        jwt.check(&self.name, &self.audience, platform.now())
            .map_err(Refusal::Invalid)?;
        let keys = match &self.keys {
            Source::Configuration(keys) => keys.clone(),
            Source::Url(url) => fetched::keys(url, &jwt.jws, store, platform).await?,
        };
        keys.verify(&jwt.jws).map_err(Refusal::Invalid)?;
        Ok(Principal::subject(&self.name, jwt.subject(), jwt.scopes()))
    }
}

/// A variable, and the rule that it breaks: the rest of a sentence about it.
type Fault = (&'static str, String);

/// Whether the keys at the URL can't be replaced on the way.
fn is_private(url: &Uri) -> bool {
    let loopback = matches!(url.host(), Some("localhost" | "127.0.0.1" | "[::1]"));
    match url.scheme_str() {
        Some("https") => true,
        Some("http") => loopback,
        _ => false,
    }
}

#[cfg(test)]
mod tests;
