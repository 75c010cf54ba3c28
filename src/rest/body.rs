//! Reading the body of a request: as JSON, up to a limit.

use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, Request};
use serde_json::Value;

use super::problem::Problem;

/// The most bytes of a body that is read whole.
pub const MAX_BYTES: usize = 64 * 1024;

/// A request's body, as it arrives.
#[allow(async_fn_in_trait)]
pub trait Body {
    /// The next bytes, `None` at the end; an error if the client has gone.
    async fn next(&mut self) -> Option<Result<Vec<u8>, Broken>>;
}

/// The rest of a body will not arrive.
#[derive(Debug)]
pub struct Broken;

impl Body for Vec<u8> {
    async fn next(&mut self) -> Option<Result<Vec<u8>, Broken>> {
        let all = std::mem::take(self);
        (!all.is_empty()).then_some(Ok(all))
    }
}

/// Reads a JSON value from a body of one of the media types `accepted`.
pub(super) async fn json<B: Body>(
    request: Request<B>,
    accepted: &'static [&'static str],
) -> Result<Value, Problem> {
    let (head, mut body) = request.into_parts();
    check_media_type(&head.headers, accepted)?;
    let announced = head.headers.get(CONTENT_LENGTH);
    let announced = announced.and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > MAX_BYTES as u64) {
        return Err(Problem::body_too_large());
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = body.next().await {
        bytes.extend(chunk.map_err(|Broken| Problem::body_incomplete())?);
        if bytes.len() > MAX_BYTES {
            return Err(Problem::body_too_large());
        }
    }
    serde_json::from_slice(&bytes).map_err(|error| Problem::malformed_json(&error))
}

fn check_media_type(headers: &HeaderMap, accepted: &'static [&'static str]) -> Result<(), Problem> {
    if headers
        .get(CONTENT_ENCODING)
        .is_some_and(|coding| coding != "identity")
    {
        return Err(Problem::unsupported_content_coding());
    }
    let header = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let mut parts = header.unwrap_or_default().split(';').map(str::trim);
    let media_type = parts.next().unwrap_or_default();
    let known = accepted
        .iter()
        .any(|accepted| accepted.eq_ignore_ascii_case(media_type));
    // JSON is UTF-8 (RFC 8259, section 8.1); a parameter may say so, but nothing else.
    let utf8 = parts.all(|parameter| match parameter.split_once('=') {
        Some((name, value)) if name.eq_ignore_ascii_case("charset") => {
            value.trim_matches('"').eq_ignore_ascii_case("utf-8")
        }
        _ => true,
    });
    match known && utf8 {
        true => Ok(()),
        false => Err(Problem::unsupported_media_type(accepted)),
    }
}
