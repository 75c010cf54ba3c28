//! Reading the body of a request: as JSON, up to a limit.

use std::time::Duration;

use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, Request};
use serde_json::Value;

use super::problem::Problem;
use crate::json;

/// The most bytes of a body that is read whole.
pub const MAX_BYTES: usize = 64 * 1024;

/// How much of a body that is too large is read anyway: many clients read the answer only after
/// they have sent all.
const MAX_IGNORED_BYTES: usize = 1024 * 1024;

/// A request's body, as it arrives.
#[allow(async_fn_in_trait)]
pub trait Body {
    /// The next bytes, `None` at the end; an error if the client has gone.
    async fn next(&mut self) -> Option<Result<Vec<u8>, Broken>>;

    /// The same, but no bytes if none arrive within `timeout`.
    async fn next_within(&mut self, timeout: Duration) -> Option<Result<Vec<u8>, Broken>>;
}

/// The rest of a body will not arrive.
#[derive(Debug)]
pub struct Broken;

impl Body for Vec<u8> {
    async fn next(&mut self) -> Option<Result<Vec<u8>, Broken>> {
        let all = std::mem::take(self);
        (!all.is_empty()).then_some(Ok(all))
    }

    async fn next_within(&mut self, _: Duration) -> Option<Result<Vec<u8>, Broken>> {
        self.next().await
    }
}

/// Reads a JSON value from a body whose media type was checked.
pub async fn json<B: Body>(request: Request<B>) -> Result<Value, Problem> {
    let bytes = whole(request.into_body()).await?;
    json::parse(json::without_byte_order_mark(&bytes)).map_err(Problem::from)
}

/// Reads a body to its end.
pub async fn whole<B: Body>(mut body: B) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    while let Some(chunk) = body.next().await {
        bytes.extend(chunk.map_err(|Broken| Problem::incomplete_body())?);
        if bytes.len() > MAX_BYTES {
            ignore(body).await;
            return Err(Problem::body_too_large(MAX_BYTES));
        }
    }
    Ok(bytes)
}

/// Reads the rest of a body that is refused, up to a limit.
pub async fn ignore(mut body: impl Body) {
    let mut ignored = 0;
    while ignored < MAX_IGNORED_BYTES
        && let Some(Ok(chunk)) = body.next().await
    {
        ignored += chunk.len();
    }
}

/// Fails unless the body is of one of the media types `accepted`, in UTF-8, and not compressed.
pub fn check_media_type(headers: &HeaderMap, accepted: &[&str]) -> Result<(), Problem> {
    let mut codings = headers.get_all(CONTENT_ENCODING).iter();
    if codings.any(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Err(Problem::unsupported_content_coding());
    }
    let mut content_type = content_type(headers);
    let sent = content_type.next().unwrap_or_default();
    let mut accepted_types = accepted.iter();
    let is_accepted = accepted_types.any(|media_type| sent.eq_ignore_ascii_case(media_type));
    // JSON is UTF-8 (RFC 8259, section 8.1); a parameter may say so, but nothing else.
    let utf8 = content_type.all(|parameter| match parameter.split_once('=') {
        Some((name, value)) if name.eq_ignore_ascii_case("charset") => {
            value.trim_matches('"').eq_ignore_ascii_case("utf-8")
        }
        _ => true,
    });
    match is_accepted && utf8 {
        true => Ok(()),
        false => Err(Problem::unsupported_media_type(accepted)),
    }
}

/// Whether the body is of that media type, whatever its parameters.
pub fn is_media_type(headers: &HeaderMap, media_type: &str) -> bool {
    let sent = content_type(headers).next();
    sent.is_some_and(|sent| sent.eq_ignore_ascii_case(media_type))
}

/// The media type of the body and its parameters.
fn content_type(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let value = headers.get(CONTENT_TYPE);
    let value = value.and_then(|value| value.to_str().ok());
    value.unwrap_or_default().split(';').map(str::trim)
}
