//! JSON Web Tokens (RFC 7519) that are signed.

use serde_json::Value;

use super::jws::{Jws, Members, text_of, texts};
use crate::timestamp::Timestamp;

/// How far clocks may differ, in seconds.
const LEEWAY: f64 = 60.0;

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
    /// Reads the claims that matter here (RFC 7519, section 4.1; RFC 9068, section 2.2.3). `None` if
    /// one of them has a wrong type.
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

impl<'a> Jwt<'a> {
    /// Reads a token. Fails with its fault, the rest of a sentence about it.
    pub fn read(token: &'a str) -> Result<Jwt<'a>, &'static str> {
        let jws = Jws::read(token)?;
        if !jws.kind.as_deref().is_none_or(is_access_token) {
            return Err("is a JWT for something else than access");
        }
        let claims = jws.members().and_then(|members| Claims::read(&members));
        let claims = claims.ok_or("has malformed claims")?;
        Ok(Jwt { jws, claims })
    }

    /// Checks issuer, audience and times. Fails with the fault, the rest of a sentence about the
    /// token.
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

    /// Its subject; empty if it has none.
    pub fn subject(&self) -> &str {
        self.claims.subject.as_deref().unwrap_or_default()
    }

    /// The scopes that it was given: of the claims `scope` (RFC 9068, section 2.2.3) and `scp`,
    /// each of which may be a text with spaces, or an array.
    pub fn scopes(&self) -> &[String] {
        &self.claims.scopes
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
    use base64ct::{Base64UrlUnpadded, Encoding};

    use super::*;
    use crate::auth::jws::MAX_BYTES;

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
            (
                r#"{"iss":"i","aud":"a","exp":1800000001,"act":{"sub":"b","sub":"c"}}"#,
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
