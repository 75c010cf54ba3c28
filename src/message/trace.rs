//! The names of a request in answers, in logs and across services: its `X-Request-Id`, and the
//! trace that it is part of (W3C Trace Context).

use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::hexadecimal;
use crate::platform::Platform;

pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// The most characters of a request id that a client gives.
const MAX_REQUEST_ID: usize = 128;

/// The names of one request.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    request_id: String,
    /// 32 hexadecimal digits. `None` if the request id stands for both.
    trace_id: Option<String>,
}

impl Trace {
    /// The names that the client gave, or new ones: one for both if it gave neither. A request
    /// id has 1 to 128 letters, digits, `-`, `_` or `.`, so that it can stand in a URL and in a log.
    pub fn of(headers: &HeaderMap, platform: &impl Platform) -> Trace {
        let given = headers.get(REQUEST_ID);
        let request_id = given
            .and_then(|id| id.to_str().ok())
            .filter(|id| is_request_id(id));
        let request_id = request_id.map_or_else(|| draw(platform), str::to_owned);
        let traceparent = headers.get(TRACEPARENT);
        let trace_id = traceparent.and_then(|parent| trace_id(parent.to_str().ok()?));
        let trace_id = match trace_id {
            Some(id) => Some(id.to_owned()),
            None => given.map(|_| draw(platform)),
        };
        Trace {
            request_id,
            trace_id,
        }
    }

    pub fn request_id(&self) -> &str {
        &self.request_id
    }

    /// The request id, for the response.
    pub fn header(&self) -> HeaderValue {
        HeaderValue::from_str(&self.request_id).expect("letters, digits and little else")
    }
}

/// As it stands in logs.
impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let trace_id = self.trace_id.as_ref().unwrap_or(&self.request_id);
        write!(f, "request={} trace={trace_id}", self.request_id)
    }
}

fn is_request_id(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (1..=MAX_REQUEST_ID).contains(&text.len()) && text.bytes().all(plain)
}

/// The trace id of a `traceparent`, version 00 or later; `None` if it is malformed,
/// for then it has to be ignored (Trace Context, sections 3.2.2.3 and 4.3).
fn trace_id(traceparent: &str) -> Option<&str> {
    let mut parts = traceparent.trim().split('-');
    let (version, trace, parent, flags) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let hex = |text: &str, length| {
        let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        text.len() == length && text.bytes().all(digit)
    };
    let not_zero = |text: &str| text.bytes().any(|byte| byte != b'0');
    let formed = hex(version, 2) && hex(trace, 32) && hex(parent, 16) && hex(flags, 2);
    let complete = version != "00" || parts.next().is_none();
    (formed && complete && version != "ff" && not_zero(trace) && not_zero(parent)).then_some(trace)
}

/// 32 hexadecimal digits.
fn draw(platform: &impl Platform) -> String {
    let mut digits = String::with_capacity(32);
    for _ in 0..2 {
        hexadecimal::push(&mut digits, platform.random());
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    #[test]
    fn a_traceparent_gives_its_trace_id() {
        for text in [
            format!("00-{TRACE}-00f067aa0ba902b7-01"),
            format!("cc-{TRACE}-00f067aa0ba902b7-01-what-comes-later"),
        ] {
            assert_eq!(trace_id(&text), Some(TRACE), "{text}");
        }
    }

    #[test]
    fn a_malformed_traceparent_is_none() {
        for text in [
            String::new(),
            TRACE.to_owned(),
            format!("ff-{TRACE}-00f067aa0ba902b7-01"),
            format!("00-{TRACE}-00f067aa0ba902b7-01-more"),
            format!("00-{TRACE}-0000000000000000-01"),
            format!("00-{TRACE}-00F067AA0BA902B7-01"),
            format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)),
            format!("00-{}-00f067aa0ba902b7-01", &TRACE[1..]),
        ] {
            assert_eq!(trace_id(&text), None, "{text}");
        }
    }

    #[test]
    fn a_request_id_is_short_and_plain() {
        assert!(is_request_id("A-1_b.c") && is_request_id(&"x".repeat(128)));
        for text in ["", "a b", "a\"", "ä", "a/b", &"x".repeat(129)] {
            assert!(!is_request_id(text), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_trace_id_is_32_digits_of_its_traceparent(text in "[0-9a-f-]*|[ -~]*") {
            if let Some(id) = trace_id(&text) {
                prop_assert!(id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()));
                prop_assert!(text.contains(id));
            }
        }

        #[test]
        fn any_well_formed_traceparent_is_read(
            trace in "[0-9a-f]{31}[1-9a-f]", parent in "[1-9a-f][0-9a-f]{15}", flags in "[0-9a-f]{2}",
        ) {
            let text = format!("00-{trace}-{parent}-{flags}");
            prop_assert_eq!(trace_id(&text), Some(&trace[..]));
        }
    }
}
