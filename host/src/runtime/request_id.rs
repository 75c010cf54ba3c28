//! The `X-Request-Id` of a request: the client's, or a new one.

use std::cell::RefCell;
use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue};

/// The header field that has it.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The most characters that a client's may have.
const MAX_LENGTH: usize = 128;

/// Names a request in its response and in logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(HeaderValue);

impl RequestId {
    /// The id that the client gave, if it is of 1 to 128 letters, digits, `-`, `_` and
    /// `.`, so that it can stand in a log. Otherwise a new one.
    pub fn of(headers: &HeaderMap) -> Self {
        let mut given = headers.get_all(REQUEST_ID).iter();
        match (given.next(), given.next()) {
            (Some(id), None) if is_request_id(id.as_bytes()) => Self(id.clone()),
            _ => Self::draw(),
        }
    }

    /// A new one: 32 hexadecimal digits.
    pub fn draw() -> Self {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let digits = random().map(|byte| [byte >> 4, byte & 15].map(|half| DIGITS[half as usize]));
        let header = HeaderValue::from_bytes(digits.as_flattened());
        Self(header.expect("digits are a header's value"))
    }

    /// The value of the header field.
    pub fn header(&self) -> HeaderValue {
        self.0.clone()
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.to_str().unwrap_or_default())
    }
}

/// Random bytes. They need not be a secret, so each thread gets them from the system in
/// stock: to ask for them is a system call.
fn random() -> [u8; 16] {
    thread_local! {
        static STOCK: RefCell<(usize, [[u8; 16]; 64])> = const { RefCell::new((0, [[0; 16]; 64])) };
    }
    STOCK.with_borrow_mut(|(left, stock)| {
        if *left == 0 {
            // Without them a request is hard to find in the logs, which is no reason to
            // fail it.
            getrandom::fill(stock.as_flattened_mut()).ok();
            *left = stock.len();
        }
        *left -= 1;
        stock[*left]
    })
}

fn is_request_id(text: &[u8]) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    (1..=MAX_LENGTH).contains(&text.len()) && text.iter().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(ids: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for id in ids {
            headers.append(REQUEST_ID, HeaderValue::from_bytes(id.as_bytes()).unwrap());
        }
        RequestId::of(&headers).to_string()
    }

    #[test]
    fn a_client_gives_an_id_that_can_stand_in_a_log() {
        assert_eq!(of(&["Ab-1_c.2"]), "Ab-1_c.2");
        let long = "x".repeat(129);
        for other in [
            &[][..],
            &[""],
            &["a b"],
            &["a\"b"],
            &["é"],
            &[&long],
            &["a", "b"],
        ] {
            let id = of(other);
            assert!(id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()));
            assert_ne!(id, of(other));
        }
    }
}
