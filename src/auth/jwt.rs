//! JSON Web Tokens (RFC 7519), signed and in the compact form (RFC 7515, section
//! 3.1), read as RFC 8725 advises: what is signed how is the verifier's decision.

use std::fmt;

use base64ct::{Base64UrlUnpadded, Encoding};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::{Map, Value};

use crate::timestamp::Timestamp;

/// The longest token that is read, in bytes.
pub const MAX_BYTES: usize = 8 * 1024;

/// How far clocks may differ, in seconds.
const LEEWAY: f64 = 60.0;

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
    /// What kind of text it claims to be.
    kind: Option<String>,
    /// What is signed.
    pub signed: &'a str,
    pub signature: Vec<u8>,
    /// The text, encoded.
    payload: &'a str,
}

/// A token, as it came.
#[derive(Debug)]
pub struct Jwt<'a> {
    pub jws: Jws<'a>,
    claims: Claims,
}

#[derive(Debug)]
struct Claims {
    issuer: Option<String>,
    audiences: Vec<String>,
    /// In seconds, like all times here.
    expires: Option<f64>,
    begins: Option<f64>,
    subject: Option<String>,
    scopes: Vec<String>,
}

impl Claims {
    /// Those that count here (RFC 7519, section 4.1; RFC 9068, section 2.2.3). `None`
    /// if one is of another type than it should be.
    fn read(members: &Members) -> Option<Claims> {
        // Issuers differ in the name of the scopes, and in their form.
        let mut scopes = Vec::new();
        for name in ["scope", "scp"] {
            for text in members.get(name, texts)?.unwrap_or_default() {
                scopes.extend(text.split(' ').map(str::to_owned));
            }
        }
        Some(Claims {
            audiences: members.get("aud", texts)?.unwrap_or_default(),
            issuer: members.get("iss", text_of)?,
            expires: members.get("exp", Value::as_f64)?,
            begins: members.get("nbf", Value::as_f64)?,
            subject: members.get("sub", text_of)?,
            scopes,
        })
    }
}

/// What is wrong with a text that is not a token at all.
const MALFORMED: &str = "is neither one of this service's nor a JWT";

impl<'a> Jws<'a> {
    /// Reads a signed text. Fails with what is wrong with it, the rest of a sentence.
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
}

impl<'a> Jwt<'a> {
    /// Reads a token. Fails with what is wrong with it, the rest of a sentence.
    pub fn read(token: &'a str) -> Result<Jwt<'a>, &'static str> {
        let jws = Jws::read(token)?;
        if !jws.kind.as_deref().is_none_or(is_access_token) {
            return Err("is a JWT for something else than access");
        }
        let claims = Members::decode(jws.payload).and_then(|members| Claims::read(&members));
        let claims = claims.ok_or("has malformed claims")?;
        Ok(Jwt { jws, claims })
    }

    /// Checks whom it is from, whom it is for, and when. Fails with what is wrong
    /// with it, the rest of a sentence.
    pub fn check(&self, issuer: &str, audience: &str, now: Timestamp) -> Result<(), &'static str> {
        let claims = &self.claims;
        let now = now.0 as f64 / 1000.0;
        if claims.issuer.as_deref() != Some(issuer) {
            return Err("is from another issuer");
        }
        if !claims.audiences.iter().any(|one| one == audience) {
            return Err("is for another audience");
        }
        let expires = claims.expires.ok_or("does not say when it expires")?;
        if expires + LEEWAY <= now {
            return Err("has expired");
        }
        if claims.begins.is_some_and(|begins| begins - LEEWAY > now) {
            return Err("is not valid yet");
        }
        Ok(())
    }

    /// Whom it names; empty if nobody.
    pub fn subject(&self) -> &str {
        self.claims.subject.as_deref().unwrap_or_default()
    }

    /// The scopes that it was given: of the claims `scope` (RFC 9068, section 2.2.3) and `scp`,
    /// each of which may be a text with spaces, or an array.
    pub fn scopes(&self) -> &[String] {
        &self.claims.scopes
    }
}

/// One of the JSON objects of a token. A name that is in it twice makes it none (RFC 7519,
/// section 4): two readers could take different values for its meaning.
struct Members(Map<String, Value>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Members, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Members, A::Error> {
        let mut members = Map::new();
        while let Some((name, value)) = access.next_entry()? {
            if members.insert(name, value).is_some() {
                return Err(A::Error::custom("a name is there twice"));
            }
        }
        Ok(Members(members))
    }
}

impl Members {
    fn decode(encoded: &str) -> Option<Members> {
        let json = Base64UrlUnpadded::decode_vec(encoded).ok()?;
        serde_json::from_slice(&json).ok()
    }

    /// What `read` makes of a member, if it is there. `None` if it can't be read.
    fn get<T>(&self, name: &str, read: fn(&Value) -> Option<T>) -> Option<Option<T>> {
        match self.0.get(name) {
            Some(member) => read(member).map(Some),
            None => Some(None),
        }
    }
}

fn text_of(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

/// A text, or several.
fn texts(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::Array(several) => several.iter().map(text_of).collect(),
        one => Some(vec![text_of(one)?]),
    }
}

/// Whether a JWT of that type may be an access token (RFC 8725, section 3.11; RFC
/// 9068, section 2.1).
fn is_access_token(typ: &str) -> bool {
    let typ = typ.to_ascii_lowercase();
    let typ = typ.strip_prefix("application/").unwrap_or(&typ);
    matches!(typ, "jwt" | "at+jwt")
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000_000);

    fn token(header: &str, claims: &str) -> String {
        let encode = |text: &str| Base64UrlUnpadded::encode_string(text.as_bytes());
        format!("{}.{}.AA", encode(header), encode(claims))
    }

    fn check(claims: &str) -> Result<(), &'static str> {
        let token = token(r#"{"alg":"ES256"}"#, claims);
        Jwt::read(&token)?.check("i", "a", NOW)
    }

    #[test]
    fn claims_are_about_this_issuer_this_audience_and_now() {
        for (claims, flaw) in [
            (r#"{"iss":"i","aud":"a","exp":1800000000}"#, None),
            (r#"{"iss":"i","aud":["b","a"],"exp":1799999940.5}"#, None),
            (
                r#"{"iss":"i","aud":"a","exp":1800000001,"nbf":1800000060}"#,
                None,
            ),
            (r#"{"iss":"i","aud":"a","exp":1799999940}"#, Some("expired")),
            (
                r#"{"iss":"i","aud":"a","exp":1800000001,"nbf":1800000061}"#,
                Some("yet"),
            ),
            (r#"{"iss":"i","aud":"a"}"#, Some("when")),
            (r#"{"iss":"i","aud":"a","exp":null}"#, Some("malformed")),
            (
                r#"{"iss":"i","aud":"a","exp":"1800000001"}"#,
                Some("malformed"),
            ),
            (r#"{"iss":"j","aud":"a","exp":1800000001}"#, Some("issuer")),
            (r#"{"aud":"a","exp":1800000001}"#, Some("issuer")),
            (
                r#"{"iss":["i"],"aud":"a","exp":1800000001}"#,
                Some("malformed"),
            ),
            (
                r#"{"iss":"i","aud":"b","exp":1800000001}"#,
                Some("audience"),
            ),
            (r#"{"iss":"i","aud":[],"exp":1800000001}"#, Some("audience")),
            (r#"{"iss":"i","exp":1800000001}"#, Some("audience")),
            (
                r#"{"iss":"i","iss":"i","aud":"a","exp":1800000001}"#,
                Some("malformed"),
            ),
            (r#"[]"#, Some("malformed")),
            (r#"{"iss":"i""#, Some("malformed")),
        ] {
            match (check(claims), flaw) {
                (Ok(()), None) => {}
                (Err(told), Some(flaw)) => assert!(told.contains(flaw), "{claims}: {told}"),
                (told, _) => panic!("{claims}: {told:?}"),
            }
        }
    }

    #[test]
    fn scopes_come_under_two_names_and_in_two_forms() {
        for (claims, scopes) in [
            (r#"{}"#, &[][..]),
            (r#"{"scope":"read write"}"#, &["read", "write"]),
            (r#"{"scope":["read","write"]}"#, &["read", "write"]),
            (r#"{"scp":["read"]}"#, &["read"]),
            (r#"{"scp":"read self"}"#, &["read", "self"]),
            (r#"{"scope":"openid","scp":["read"]}"#, &["openid", "read"]),
        ] {
            let token = token(r#"{"alg":"ES256"}"#, claims);
            let jwt = Jwt::read(&token).expect("a token");
            assert_eq!(jwt.scopes(), scopes, "{claims}");
        }
        for claims in [r#"{"scope":1}"#, r#"{"scp":[1]}"#, r#"{"scp":null}"#] {
            let token = token(r#"{"alg":"ES256"}"#, claims);
            assert_eq!(
                Jwt::read(&token).map(|_| ()),
                Err("has malformed claims"),
                "{claims}"
            );
        }
    }

    #[test]
    fn a_header_has_a_known_algorithm_and_type_and_nothing_critical() {
        let read = |header: &str| Jwt::read(&token(header, "{}")).map(|_| ()).err();
        for header in [
            r#"{"alg":"RS256"}"#,
            r#"{"alg":"EdDSA","typ":"JWT","kid":"k","x5u":"https://keys.example"}"#,
            r#"{"alg":"Ed25519","typ":"application/at+jwt"}"#,
        ] {
            assert_eq!(read(header), None, "{header}");
        }
        for (header, flaw) in [
            (r#"{"alg":"none"}"#, "signed otherwise"),
            (r#"{"alg":"NONE"}"#, "signed otherwise"),
            (r#"{"alg":""}"#, "signed otherwise"),
            (r#"{"alg":"HS256"}"#, "signed otherwise"),
            (r#"{"alg":"RS512"}"#, "signed otherwise"),
            (r#"{"alg":"ES256","crit":["exp"],"exp":1}"#, "critical"),
            (r#"{"alg":"ES256","crit":[]}"#, "critical"),
            (r#"{"alg":"ES256","typ":"secevent+jwt"}"#, "something else"),
            (r#"{"alg":"ES256","alg":"ES256"}"#, "neither"),
            (r#"{"alg":"ES256","crit":null}"#, "critical"),
            (r#"{}"#, "neither"),
            (r#"{"alg":"ES256","kid":1}"#, "neither"),
        ] {
            let told = read(header).unwrap_or_default();
            assert!(told.contains(flaw), "{header}: {told}");
        }
    }

    #[test]
    fn a_token_has_three_parts_and_at_most_8_kib() {
        let whole = token(r#"{"alg":"ES256"}"#, "{}");
        assert!(Jwt::read(&whole).is_ok());
        let long = format!("{whole}{}", "A".repeat(MAX_BYTES));
        for text in [
            "",
            "..",
            "a.b.c",
            &whole[..whole.len() - 3],
            &format!("{whole}="),
            &format!("{whole}.AA"),
            &format!("{whole} "),
            &format!("\u{e9}{whole}"),
            &long,
        ] {
            assert!(Jwt::read(text).is_err(), "{text:.100}");
        }
    }
}
