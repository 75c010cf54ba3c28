//! `Idempotency-Key`: makes a request safe to repeat
//! (draft-ietf-httpapi-idempotency-key-header-07).

use http::{HeaderMap, HeaderName};

use super::problem::Problem;
use crate::quoted_string::unquote;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Marks the response of an earlier request with the same key.
pub const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// The rule for keys, the rest of a sentence about the header.
const RULE: &str =
    "must be one string of 1 to 255 visible ASCII characters, in double quotes or without";

/// The most characters of a key.
const MAX_CHARS: usize = 255;

/// The key of a request, if it has one: 1 to 255 visible ASCII characters, as a string of
/// Structured Fields (RFC 8941, section 3.3.3) or, as many clients send it, without quotes.
pub fn key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let text = value.to_str().ok().filter(|_| values.next().is_none());
    let key = text.and_then(|text| parse(text.trim_matches([' ', '\t'])));
    key.map(Some)
        .ok_or_else(|| Problem::malformed_header(&IDEMPOTENCY_KEY, RULE))
}

fn parse(text: &str) -> Option<String> {
    let key = match text.strip_prefix('"') {
        Some(quoted) => unquote(quoted, |char| matches!(char, '"' | '\\'))?,
        None => text.to_owned(),
    };
    is_key(&key).then_some(key)
}

/// Whether the text is 1 to 255 visible ASCII characters.
pub fn is_key(text: &str) -> bool {
    let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
    visible && (1..=MAX_CHARS).contains(&text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_may_be_quoted_or_bare() {
        for (text, key) in [
            (
                r#""8e03978e-40d5-43e8-bc93-6894a57f9324""#,
                "8e03978e-40d5-43e8-bc93-6894a57f9324",
            ),
            ("8e03978e-40d5", "8e03978e-40d5"),
            (r#""a\"b\\c""#, r#"a"b\c"#),
            (r#"a"b\"#, r#"a"b\"#),
            ("~", "~"),
        ] {
            assert_eq!(parse(text).as_deref(), Some(key), "{text}");
        }
        assert!(parse(&"k".repeat(255)).is_some());
        assert!(parse(&format!("\"{}\"", "k".repeat(255))).is_some());
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for text in [
            "",
            r#""""#,
            r#"""#,
            r#""a"#,
            r#""a\""#,
            r#""a\b""#,
            r#""a" "#,
            r#""a";b=1"#,
            r#""a", "b""#,
            "a b",
            r#""a b""#,
            "a\tb",
            "é",
        ] {
            assert_eq!(parse(text), None, "{text:?}");
        }
        assert_eq!(parse(&"k".repeat(256)), None);
        assert_eq!(parse(&format!("\"{}\"", "k".repeat(256))), None);
    }

    #[test]
    fn there_is_one_key_at_most() {
        let mut headers = HeaderMap::new();
        assert_eq!(key(&headers).ok(), Some(None));
        headers.append(IDEMPOTENCY_KEY, " \"a\" ".parse().unwrap());
        assert_eq!(key(&headers).ok(), Some(Some("a".to_owned())));
        headers.append(IDEMPOTENCY_KEY, "a".parse().unwrap());
        assert!(key(&headers).is_err());
    }
}
