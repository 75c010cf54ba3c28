//! An issuer of JSON Web Tokens, with a key of each algorithm.

use base64ct::{Base64UrlUnpadded, Encoding};
use crypto_bigint::U4096;
use crypto_bigint::modular::{FixedMontyForm, FixedMontyParams};
use edge_host::VariableSource;
use p256::ecdsa::signature::Signer;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::variable;

pub const ISSUER: &str = "https://login.example";
pub const AUDIENCE: &str = "edge-users";

/// A key that signs.
pub enum Key {
    Rsa,
    P256(p256::ecdsa::SigningKey),
    Ed25519(ed25519_dalek::SigningKey),
}

impl Key {
    /// The RSA key of RFC 7515, appendix A.2.
    pub fn rsa() -> Key {
        Key::Rsa
    }

    pub fn p256() -> Key {
        Key::P256(p256::ecdsa::SigningKey::from_slice(&[1; 32]).expect("a key"))
    }

    pub fn ed25519() -> Key {
        Key::Ed25519(ed25519_dalek::SigningKey::from_bytes(&[2; 32]))
    }

    /// Ed25519 too, and not the issuer's.
    pub fn of_somebody_else() -> Key {
        Key::Ed25519(ed25519_dalek::SigningKey::from_bytes(&[3; 32]))
    }

    /// The name of its algorithm in `alg`.
    pub fn algorithm(&self) -> &'static str {
        match self {
            Key::Rsa => "RS256",
            Key::P256(_) => "ES256",
            Key::Ed25519(_) => "EdDSA",
        }
    }

    /// Its public half, under that name.
    pub fn jwk(&self, name: &str) -> Value {
        let mut jwk = match self {
            Key::Rsa => json!({ "kty": "RSA", "n": MODULUS, "e": "AQAB" }),
            Key::P256(key) => {
                let point = key.verifying_key().to_sec1_point(false);
                let (x, y) = point.as_bytes()[1..].split_at(32);
                json!({ "kty": "EC", "crv": "P-256", "x": base64(x), "y": base64(y) })
            }
            Key::Ed25519(key) => {
                let x = base64(key.verifying_key().as_bytes());
                json!({ "kty": "OKP", "crv": "Ed25519", "x": x })
            }
        };
        jwk["kid"] = json!(name);
        jwk
    }

    /// A token with that header, but for the algorithm where it has none, and those claims.
    pub fn sign(&self, mut header: Value, claims: &Value) -> String {
        if header.get("alg").is_none() {
            header["alg"] = json!(self.algorithm());
        }
        let parts = [header.to_string(), claims.to_string()];
        let signed = parts.map(|part| base64(part.as_bytes())).join(".");
        let signature = match self {
            Key::Rsa => rsa_signature(signed.as_bytes()),
            Key::P256(key) => {
                let signature: p256::ecdsa::Signature = key.sign(signed.as_bytes());
                signature.to_bytes().to_vec()
            }
            Key::Ed25519(key) => key.sign(signed.as_bytes()).to_bytes().to_vec(),
        };
        format!("{signed}.{}", base64(&signature))
    }
}

/// The claims of a token for that subject and those scopes, for an hour.
pub fn claims(subject: &str, scopes: &str) -> Value {
    json!({
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": subject,
        "scope": scopes,
        "exp": now() + 3600,
    })
}

/// In seconds.
pub fn now() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.expect("a clock after 1970").as_secs()
}

/// A JWK set.
pub fn jwks(keys: &[Value]) -> String {
    json!({ "keys": keys }).to_string()
}

/// The configuration of a service that trusts the issuer by these keys.
pub fn trusting(keys: &[Value]) -> Vec<VariableSource> {
    vec![
        variable("auth", "token"),
        variable("jwt_issuer", ISSUER),
        variable("jwt_audience", AUDIENCE),
        variable("jwt_jwks", &jwks(keys)),
    ]
}

pub fn base64(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

const MODULUS: &str = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-\
    Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzj\
    b_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZ\
    lxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb\
    54h4FRWyuXpoQ";

const PRIVATE_EXPONENT: &str = "Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA\
    7_GQ5sLKMgvfTeXZx9SE-7YwVol2NXOoAJe46sui395IW_GO-pWJ1O0BkTGoVEn2bKVRUCgu-GjBVaYLU6f3l9kJ\
    fFNS3E0QbVdxzubSu3Mkqzjkn439X0M_V51gfpRLI9JYanrC4D4qAdGcopV_0ZHHzQlBjudU2QvXt4ehNYTCBr6X\
    CLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl_x_jTj3ccPDVZFD9pIuhLhBOneufuBiB4cS98l2SR_RQyGWSeWjnczT0Q\
    U91p1DhOVRuOopznQ";

/// RSASSA-PKCS1-v1_5 with SHA-256.
fn rsa_signature(message: &[u8]) -> Vec<u8> {
    let number = |bytes: &[u8]| {
        let padded = [vec![0; U4096::BYTES - bytes.len()], bytes.to_vec()].concat();
        U4096::from_be_slice(&padded)
    };
    let decode = |text: &str| number(&Base64UrlUnpadded::decode_vec(text).expect("base64"));
    let modulus = decode(MODULUS).to_odd().expect("an odd number");
    let mut encoded = vec![0xff; 256];
    encoded[..2].copy_from_slice(&[0, 1]);
    let hash = Sha256::digest(message);
    let digest_info =
        b"\x00\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20";
    let tail = [&digest_info[..], &hash].concat();
    encoded[256 - tail.len()..].copy_from_slice(&tail);
    let modulo = FixedMontyParams::new_vartime(modulus);
    let signature = FixedMontyForm::new(&number(&encoded), &modulo).pow(&decode(PRIVATE_EXPONENT));
    signature.retrieve().to_be_bytes()[U4096::BYTES - 256..].to_vec()
}
