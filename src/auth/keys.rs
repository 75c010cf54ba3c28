//! The issuer's public keys: a JWK set (RFC 7517, section 5).

use serde_json::Value;

use super::jwt::Jwt;
use super::key::PublicKey;

/// Public keys, by their names.
pub struct Keys(Vec<(Option<String>, PublicKey)>);

impl Keys {
    /// The keys of a JWK set that are of use here, the others being ignored as the
    /// standard says; `None` if it is no JWK set.
    pub fn read(json: &[u8]) -> Option<Keys> {
        let set: Value = serde_json::from_slice(json).ok()?;
        let keys = set["keys"].as_array()?.iter().filter_map(|jwk| {
            let name = jwk["kid"].as_str().map(str::to_owned);
            Some((name, PublicKey::of(jwk)?))
        });
        Some(Keys(keys.collect()))
    }

    /// The key that a token says it is signed with. Without a name that is the only
    /// one there is: to try several would let one stand in for another.
    pub fn find(&self, jwt: &Jwt) -> Option<&PublicKey> {
        let named = |(name, key): &&(Option<String>, PublicKey)| {
            key.algorithm() == jwt.algorithm && *name == jwt.key_id
        };
        match (&jwt.key_id, &*self.0) {
            (None, [(_, key)]) => Some(key).filter(|key| key.algorithm() == jwt.algorithm),
            (None, _) => None,
            (Some(_), keys) => keys.iter().find(named).map(|(_, key)| key),
        }
    }
}
