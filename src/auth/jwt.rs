//! JSON Web Tokens (RFC 7519), signed and in the compact form (RFC 7515, section
//! 3.1), read as RFC 8725 advises: what is signed how is the verifier's decision.

use base64ct::{Base64UrlUnpadded, Encoding};
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

/// A token as it came. Nothing in it may be believed until its signature is verified.
#[derive(Debug)]
pub struct Jwt<'a> {
    /// How it claims to be signed.
    pub algorithm: Algorithm,
    /// Which key it claims to be signed with.
    pub key_id: Option<String>,
    /// What is signed.
    pub signed: &'a str,
    pub signature: Vec<u8>,
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
    scopes: Option<String>,
}

impl Claims {
    /// Those that count here (RFC 7519, section 4.1; RFC 9068, section 2.2.3). `None`
    /// if one is of another type than it should be.
    fn read(members: &Members) -> Option<Claims> {
        let audiences = match members.0.get("aud") {
            None => Vec::new(),
            Some(Value::Array(several)) => several.iter().map(text).collect::<Option<_>>()?,
            Some(one) => vec![text(one)?],
        };
        Some(Claims {
            audiences,
            issuer: members.get("iss", text)?,
            expires: members.get("exp", Value::as_f64)?,
            begins: members.get("nbf", Value::as_f64)?,
            subject: members.get("sub", text)?,
            scopes: members.get("scope", text)?,
        })
    }
}

impl<'a> Jwt<'a> {
    /// Reads a token. Fails with what is wrong with it, the rest of a sentence.
    pub fn read(token: &'a str) -> Result<Jwt<'a>, &'static str> {
        const MALFORMED: &str = "is neither one of this service's nor a JWT";
        if token.len() > MAX_BYTES {
            return Err("is longer than 8 KiB");
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(MALFORMED)?;
        let (header, claims) = signed.split_once('.').ok_or(MALFORMED)?;
        let header = Members::decode(header).ok_or(MALFORMED)?;
        let algorithm = header.get("alg", text).flatten().ok_or(MALFORMED)?;
        let algorithm = Algorithm::named(&algorithm)
            .ok_or("is signed otherwise than by RS256, ES256 or EdDSA")?;
        // An extension that must be understood is one too many (RFC 7515, section 4.1.11).
        if header.0.contains_key("crit") {
            return Err("has critical header parameters, of which the service knows none");
        }
        let typ = header.get("typ", text).ok_or(MALFORMED)?;
        if !typ.is_none_or(|typ| is_access_token(&typ)) {
            return Err("is a JWT for something else than access");
        }
        let claims = Members::decode(claims).and_then(|members| Claims::read(&members));
        Ok(Jwt {
            algorithm,
            key_id: header.get("kid", text).ok_or(MALFORMED)?,
            signed,
            signature: Base64UrlUnpadded::decode_vec(signature).map_err(|_| MALFORMED)?,
            claims: claims.ok_or("has malformed claims")?,
        })
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

    /// The scopes that it was given, separated by spaces (RFC 9068, section 2.2.3).
    pub fn scopes(&self) -> &str {
        self.claims.scopes.as_deref().unwrap_or_default()
    }
}

/// One of the JSON objects of a token. What is in it twice counts the second time
/// (RFC 7519, section 4).
struct Members(Map<String, Value>);

impl Members {
    fn decode(encoded: &str) -> Option<Members> {
        let json = Base64UrlUnpadded::decode_vec(encoded).ok()?;
        match serde_json::from_slice(&json).ok()? {
            Value::Object(members) => Some(Members(members)),
            _ => None,
        }
    }

    /// What `read` makes of a member, if it is there. `None` if it can't be read.
    fn get<T>(&self, name: &str, read: fn(&Value) -> Option<T>) -> Option<Option<T>> {
        match self.0.get(name) {
            Some(member) => read(member).map(Some),
            None => Some(None),
        }
    }
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
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
                r#"{"iss":"i","iss":"j","aud":"a","exp":1800000001}"#,
                Some("issuer"),
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
            (r#"{"alg":"ES256","alg":"none"}"#, "signed otherwise"),
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
