//! What the headers of a call say beside its protocol: how long it may take, how messages are
//! compressed.

use std::io::Read;

use flate2::read::GzDecoder;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::code::{self, FALSE_COMPRESSION, UNKNOWN_COMPRESSION};
use super::frame::Frame;
use super::protocol::{Framing, Protocol, text};
use crate::message::body::MAX_BYTES;
use crate::message::compression::{WORTH_COMPRESSING, gzip};
use crate::message::problem::Problem;
use crate::timestamp::Timestamp;

const CONNECT_VERSION: HeaderName = HeaderName::from_static("connect-protocol-version");
const CONNECT_TIMEOUT: HeaderName = HeaderName::from_static("connect-timeout-ms");
const GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");

/// What the headers of a call say.
#[derive(Clone, Copy, Debug)]
pub struct Metadata {
    /// When the client gives up; `None` if it has all the time.
    pub deadline: Option<Timestamp>,
    /// Messages that are sent are compressed, or may be.
    are_compressed: bool,
    /// Messages in frames may be answered compressed.
    admits_gzip: bool,
}

impl Metadata {
    /// Reads the headers of a call that came just now.
    pub fn of(
        headers: &HeaderMap,
        protocol: Protocol,
        now: Timestamp,
    ) -> Result<Metadata, Problem> {
        if let Some(version) = headers.get(CONNECT_VERSION)
            && version != "1"
        {
            return Err(refused(&CONNECT_VERSION, "must be 1"));
        }
        let (encoding, accepted) = protocol.compression_headers();
        let accepted = text(headers, &accepted).unwrap_or_default();
        Ok(Metadata {
            deadline: deadline(headers, protocol, now)?,
            are_compressed: is_gzip(text(headers, &encoding).unwrap_or_default())?,
            admits_gzip: protocol.has_frames() && accepted.split(',').any(|it| it.trim() == "gzip"),
        })
    }

    /// The message of a frame.
    pub fn unpack(&self, frame: Frame) -> Result<Vec<u8>, Problem> {
        match (frame.is_compressed, self.are_compressed) {
            (true, false) => Err(Problem::plain(FALSE_COMPRESSION)),
            (true, true) => decompress(&frame.message),
            (false, _) => Ok(frame.message),
        }
    }

    /// The message that is a body.
    pub fn unpack_body(&self, body: Vec<u8>) -> Result<Vec<u8>, Problem> {
        // Nothing is never compressed.
        match self.are_compressed && !body.is_empty() {
            true => decompress(&body),
            false => Ok(body),
        }
    }

    /// The message as it is sent in a frame, if it is sent compressed.
    pub fn pack(&self, message: &[u8]) -> Option<Vec<u8>> {
        (self.admits_gzip && message.len() >= WORTH_COMPRESSING).then(|| gzip(message))
    }

    /// Says in the headers of a response how messages in frames may be compressed.
    pub fn apply(&self, protocol: Protocol, headers: &mut HeaderMap) {
        if self.admits_gzip {
            let (encoding, _) = protocol.compression_headers();
            headers.insert(encoding, HeaderValue::from_static("gzip"));
        }
    }

    /// Fails if the time is over that the client gives.
    pub fn check_deadline(&self, now: Timestamp) -> Result<(), Problem> {
        match self.deadline.is_some_and(|deadline| now >= deadline) {
            true => Err(Problem::plain(code::DEADLINE_EXCEEDED)),
            false => Ok(()),
        }
    }
}

fn refused(name: &HeaderName, rule: &str) -> Problem {
    Problem::malformed_header(name, rule)
}

/// Whether the name of a compression is that of gzip, which is the only one here.
pub fn is_gzip(name: &str) -> Result<bool, Problem> {
    match name {
        "" | "identity" => Ok(false),
        "gzip" => Ok(true),
        _ => Err(Problem::plain(UNKNOWN_COMPRESSION)),
    }
}

/// Decompresses a message, which may be no larger than one that is not compressed.
pub fn decompress(bytes: &[u8]) -> Result<Vec<u8>, Problem> {
    let mut message = Vec::new();
    let read = GzDecoder::new(bytes)
        .take(MAX_BYTES as u64 + 1)
        .read_to_end(&mut message);
    match read {
        Err(_) => Err(code::malformed("The message is not compressed by gzip.")),
        Ok(length) if length > MAX_BYTES => Err(code::message_too_large()),
        Ok(_) => Ok(message),
    }
}

fn deadline(
    headers: &HeaderMap,
    protocol: Protocol,
    now: Timestamp,
) -> Result<Option<Timestamp>, Problem> {
    let (name, rule, read): (_, _, fn(&str) -> Option<i64>) = match protocol.framing {
        Framing::Unary | Framing::Query | Framing::Stream => (
            CONNECT_TIMEOUT,
            "must be a number of milliseconds, of at most 10 digits",
            |text| digits(text, 10),
        ),
        _ => (
            GRPC_TIMEOUT,
            "must be a number of at most 8 digits and a unit, one of HMSmun",
            grpc_timeout,
        ),
    };
    let Some(value) = headers.get(&name) else {
        return Ok(None);
    };
    let timeout = value.to_str().ok().and_then(read);
    let timeout = timeout.ok_or_else(|| refused(&name, rule))?;
    Ok(Some(Timestamp(now.0.saturating_add(timeout))))
}

fn digits(text: &str, most: usize) -> Option<i64> {
    let are_digits = text.bytes().all(|byte| byte.is_ascii_digit());
    match are_digits && text.len() <= most {
        true => text.parse().ok(),
        false => None,
    }
}

/// In milliseconds. Less than one counts as none.
fn grpc_timeout(text: &str) -> Option<i64> {
    let unit = text.chars().next_back()?;
    let number = digits(text.strip_suffix(unit)?, 8)?;
    Some(match unit {
        'H' => number * 3_600_000,
        'M' => number * 60_000,
        'S' => number * 1000,
        'm' => number,
        'u' => number / 1000,
        'n' => number / 1_000_000,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_has_digits_and_a_unit() {
        for (text, timeout) in [
            ("1H", Some(3_600_000)),
            ("2M", Some(120_000)),
            ("99999999S", Some(99_999_999_000)),
            ("0m", Some(0)),
            ("1500u", Some(1)),
            ("999999n", Some(0)),
            ("999999999m", None),
            ("1s", None),
            ("m", None),
            ("", None),
            ("-1m", None),
            ("+1m", None),
            ("1 m", None),
            ("1\u{b5}", None),
        ] {
            assert_eq!(grpc_timeout(text), timeout, "{text}");
        }
        assert_eq!(digits("9999999999", 10), Some(9_999_999_999));
        for text in ["", "99999999999", "1.5", "-1"] {
            assert_eq!(digits(text, 10), None, "{text}");
        }
    }

    #[test]
    fn a_message_is_no_larger_for_being_compressed() {
        let whole = gzip(&vec![0; MAX_BYTES]);
        assert_eq!(decompress(&whole).expect("a message").len(), MAX_BYTES);
        let more = decompress(&gzip(&vec![0; MAX_BYTES + 1])).unwrap_err();
        assert!(more.is(crate::message::problem::types::BODY_TOO_LARGE));
        for broken in [&b""[..], b"x", &whole[..whole.len() - 1]] {
            let refused = decompress(broken).unwrap_err();
            assert!(refused.is(code::MALFORMED_MESSAGE));
        }
    }
}
