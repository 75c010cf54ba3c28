//! Signed texts in the compact form (JSON Web Signature, RFC 7515, section 3.1), read as RFC 8725
//! advises: the verifier decides which algorithms it accepts.

use base64ct::{Base64UrlUnpadded, Encoding};
use serde_json::{Map, Value};

use crate::json;

/// The longest text that is read, in bytes.
pub const MAX_BYTES: usize = 8 * 1024;

/// How a token may be signed. No algorithm here takes a secret that verifies: a
/// public key can't be mistaken for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// Ed25519 (RFC 8037, section 3.1; named anew by RFC 9864).
    EdDsa,
}

impl Algorithm {
    /// The algorithm of that name in JOSE.
    pub fn named(name: &str) -> Option<Algorithm> {
        match name {
            "RS256" => Some(Algorithm::Rs256),
            "ES256" => Some(Algorithm::Es256),
            "EdDSA" | "Ed25519" => Some(Algorithm::EdDsa),
            _ => None,
        }
    }
}

/// A signed text (RFC 7515), as it came. Nothing in it may be believed until its signature is
/// verified.
#[derive(Debug)]
pub struct Jws<'a> {
    /// How it claims to be signed.
    pub algorithm: Algorithm,
    /// Which key it claims to be signed with.
    pub key_id: Option<String>,
    /// The kind of text that it claims to be.
    pub kind: Option<String>,
    /// The signed part.
    pub signed: &'a str,
    pub signature: Vec<u8>,
    /// The text, encoded.
    payload: &'a str,
}

/// The fault of a text that is not a token at all.
const MALFORMED: &str = "is neither one of this service's nor a JWT";

impl<'a> Jws<'a> {
    /// Reads a signed text. Fails with its fault, the rest of a sentence about it.
    pub fn read(text: &'a str) -> Result<Jws<'a>, &'static str> {
        if text.len() > MAX_BYTES {
            return Err("is longer than 8 KiB");
        }
        let (signed, signature) = text.rsplit_once('.').ok_or(MALFORMED)?;
        let (header, payload) = signed.split_once('.').ok_or(MALFORMED)?;
        let header = Members::decode(header).ok_or(MALFORMED)?;
        let algorithm = header.get("alg", text_of).flatten().ok_or(MALFORMED)?;
        let algorithm = Algorithm::named(&algorithm)
            .ok_or("is signed otherwise than by RS256, ES256 or EdDSA")?;
        // An extension that must be understood is one too many (RFC 7515, section 4.1.11).
        if header.0.contains_key("crit") {
            return Err("has critical header parameters, of which the service knows none");
        }
        Ok(Jws {
            algorithm,
            key_id: header.get("kid", text_of).ok_or(MALFORMED)?,
            kind: header.get("typ", text_of).ok_or(MALFORMED)?,
            signed,
            signature: Base64UrlUnpadded::decode_vec(signature).map_err(|_| MALFORMED)?,
            payload,
        })
    }

    /// The members of its payload; `None` if that is no JSON object.
    pub fn members(&self) -> Option<Members> {
        Members::decode(self.payload)
    }
}

/// One of the JSON objects of a token. An object with a duplicate name is malformed (RFC 7519,
/// section 4): two readers could read different values.
pub struct Members(Map<String, Value>);

impl Members {
    fn decode(encoded: &str) -> Option<Members> {
        match json::parse(&Base64UrlUnpadded::decode_vec(encoded).ok()?) {
            Ok(Value::Object(members)) => Some(Members(members)),
            _ => None,
        }
    }

    /// A member as `read` reads it, if it is there. `None` if it can't be read.
    pub fn get<T>(&self, name: &str, read: fn(&Value) -> Option<T>) -> Option<Option<T>> {
        match self.0.get(name) {
            Some(member) => read(member).map(Some),
            None => Some(None),
        }
    }
}

pub fn text_of(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

/// A text, or several.
pub fn texts(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::Array(several) => several.iter().map(text_of).collect(),
        one => Some(vec![text_of(one)?]),
    }
}
