//! The issuer's public keys: a JWK set (RFC 7517, section 5).

use std::cell::RefCell;
use std::collections::VecDeque;

use sha2::{Digest, Sha256};

use super::jws::Jws;
use super::key::PublicKey;
use crate::json;

/// How many tokens are remembered as verified.
const MAX_VERIFIED: usize = 64;

/// Public keys, by their names.
#[derive(Debug)]
pub struct Keys {
    keys: Vec<(Option<String>, PublicKey)>,
    /// The SHA-256 of tokens whose signature was verified with one of the keys, the
    /// last of them last. A signature takes a millisecond or two, and a caller sends
    /// the same token many times.
    verified: RefCell<VecDeque<[u8; 32]>>,
}

impl Keys {
    /// The usable keys of a JWK set. Others are ignored, as the standard says. `None` if it is no
    /// JWK set.
    pub fn read(json: &[u8]) -> Option<Keys> {
        let set = json::parse(json).ok()?;
        let keys = set["keys"].as_array()?.iter().filter_map(|jwk| {
            let name = jwk["kid"].as_str().map(str::to_owned);
            Some((name, PublicKey::of(jwk)?))
        });
        Some(Keys {
            keys: keys.collect(),
            verified: RefCell::default(),
        })
    }

    /// Whether there is no usable key.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The key that a token says it is signed with. Without a name that is the only
    /// one there is: to try several would let one stand in for another.
    pub fn find(&self, jws: &Jws) -> Option<&PublicKey> {
        let named = |(name, key): &&(Option<String>, PublicKey)| {
            key.algorithm() == jws.algorithm && *name == jws.key_id
        };
        match (&jws.key_id, &*self.keys) {
            (None, [(_, key)]) => Some(key).filter(|key| key.algorithm() == jws.algorithm),
            (None, _) => None,
            (Some(_), keys) => keys.iter().find(named).map(|(_, key)| key),
        }
    }

    /// Checks that the token is signed by its key. Fails with its fault, the rest of a sentence
    /// about it.
    pub fn verify(&self, jws: &Jws) -> Result<(), &'static str> {
        let digest = Sha256::new()
            .chain_update(jws.signed)
            .chain_update([0])
            .chain_update(&jws.signature)
            .finalize()
            .into();
        if self.verified.borrow().contains(&digest) {
            return Ok(());
        }
        let key = self.find(jws);
        let key = key.ok_or("is signed with a key that is not known")?;
        if !key.verifies(jws.signed.as_bytes(), &jws.signature) {
            return Err("has a signature that does not match");
        }
        let mut verified = self.verified.borrow_mut();
        if verified.len() == MAX_VERIFIED {
            verified.pop_front();
        }
        verified.push_back(digest);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8037, appendix A.4.
    const SET: &str = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"k",
        "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

    #[test]
    fn what_was_verified_once_is_remembered_and_nothing_else() {
        let keys = Keys::read(SET.as_bytes()).expect("a set");
        let header = r#"{"alg":"EdDSA"}"#;
        let token = |signature: &str| {
            use base64ct::{Base64UrlUnpadded, Encoding};
            let header = Base64UrlUnpadded::encode_string(header.as_bytes());
            let claims = Base64UrlUnpadded::encode_string(b"{}");
            format!("{header}.{claims}.{signature}")
        };
        // Signed by somebody else, as often as they like.
        let forged = token(&"A".repeat(86));
        for _ in 0..2 {
            let jws = Jws::read(&forged).expect("a token");
            assert!(keys.verify(&jws).is_err());
            assert!(keys.verified.borrow().is_empty());
        }
        // The standard's message is not a JWT, but is signed like one.
        let signed = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
        let signature = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
        let good = token(signature);
        let mut jws = Jws::read(&good).expect("a token");
        jws.signed = signed;
        for _ in 0..2 {
            assert_eq!(keys.verify(&jws), Ok(()));
            assert_eq!(keys.verified.borrow().len(), 1);
        }
        jws.signature[0] ^= 1;
        assert!(keys.verify(&jws).is_err());
        // Other keys have verified nothing yet.
        let none = Keys::read(br#"{"keys":[]}"#).expect("a set");
        jws.signature[0] ^= 1;
        assert!(none.verify(&jws).is_err());
    }
}
