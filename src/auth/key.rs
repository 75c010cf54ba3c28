//! A public key of the issuer, and its signatures.

use base64ct::{Base64UrlUnpadded, Encoding};
use p256::ecdsa::signature::Verifier;
use serde_json::Value;

use super::jws::Algorithm;
use super::rsa;

/// A public key, with the one algorithm that it is used with (RFC 8725, section 3.1).
#[derive(Debug)]
pub struct PublicKey(Kind);

#[derive(Debug)]
enum Kind {
    Rsa(Box<rsa::PublicKey>),
    P256(Box<p256::ecdsa::VerifyingKey>),
    Ed25519(Box<ed25519_dalek::VerifyingKey>),
}

impl PublicKey {
    /// The key of a JWK (RFC 7517, section 4; RFC 7518, section 6; RFC 8037, section
    /// 2); `None` if it is for something else, or can't be read.
    pub fn of(jwk: &Value) -> Option<PublicKey> {
        let text = |name: &str| jwk[name].as_str();
        let bytes = |name| Base64UrlUnpadded::decode_vec(text(name)?).ok();
        let kind = match (text("kty")?, text("crv")) {
            ("RSA", None) => {
                let key = rsa::PublicKey::new(&bytes("n")?, &bytes("e")?)?;
                Kind::Rsa(Box::new(key))
            }
            ("EC", Some("P-256")) => {
                // An uncompressed point (SEC 1, section 2.3.4): both coordinates.
                let point = [vec![4], bytes("x")?, bytes("y")?].concat();
                let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(&point).ok()?;
                Kind::P256(Box::new(key))
            }
            ("OKP", Some("Ed25519")) => {
                let point = bytes("x")?.try_into().ok()?;
                let key = ed25519_dalek::VerifyingKey::from_bytes(&point).ok()?;
                Kind::Ed25519(Box::new(key))
            }
            _ => return None,
        };
        let key = PublicKey(kind);
        key.is_meant_for_this(jwk).then_some(key)
    }

    /// Whether its owner lets it verify tokens of its algorithm (RFC 7517, sections
    /// 4.2 to 4.4), as far as that is said.
    fn is_meant_for_this(&self, jwk: &Value) -> bool {
        let is = |name: &str, admitted: &dyn Fn(&Value) -> bool| jwk.get(name).is_none_or(admitted);
        is("use", &|purpose| purpose == "sig")
            && is("key_ops", &|operations| {
                operations
                    .as_array()
                    .is_some_and(|operations| operations.iter().any(|one| one == "verify"))
            })
            && is("alg", &|algorithm| {
                let algorithm = algorithm.as_str().and_then(Algorithm::named);
                algorithm == Some(self.algorithm())
            })
    }

    pub fn algorithm(&self) -> Algorithm {
        match self.0 {
            Kind::Rsa(_) => Algorithm::Rs256,
            Kind::P256(_) => Algorithm::Es256,
            Kind::Ed25519(_) => Algorithm::EdDsa,
        }
    }

    /// Whether the signature is the key's of that message.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.0 {
            Kind::Rsa(key) => key.verifies(message, signature),
            // Both numbers in 64 bytes (RFC 7518, section 3.4).
            Kind::P256(key) => p256::ecdsa::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
            // Strict: a key of small order would take one signature for any message.
            Kind::Ed25519(key) => ed25519_dalek::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_strict(message, &signature).is_ok()),
        }
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod vectors;
