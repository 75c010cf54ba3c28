//! JSON texts (RFC 8259), read strictly: as I-JSON (RFC 7493), which all programs read alike, and
//! within bounds.

mod bounds;
mod equality;
#[cfg(test)]
mod tests;
mod text;
mod value;

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _};
use serde_json::{Map, Value};

use bounds::check_bounds;
pub use bounds::{MAX_DEPTH, MAX_VALUES, depth};
pub use equality::is_equal;
pub use text::{push_member, push_name, push_plain};
use value::{Place, Reader};

/// Why a text is not read.
#[derive(Debug)]
pub enum Error {
    /// It is no JSON. The source says why, and where that is.
    Malformed(serde_json::Error),
    /// It is JSON that programs read differently.
    Ambiguous {
        /// Where that is (JSON Pointer, RFC 6901).
        pointer: String,
        /// What is wrong there, as the rest of a sentence about it.
        flaw: &'static str,
    },
    /// It has more than [`MAX_DEPTH`] levels of objects and arrays.
    TooDeep,
    /// It has more than [`MAX_VALUES`] members and elements.
    TooWide,
}

/// Reads a JSON text. No object has a name twice, and no number is larger than any double.
pub fn parse(text: &[u8]) -> Result<Value, Error> {
    check_bounds(text)?;
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let mut place = Place::default();
    let read = Reader(&mut place).deserialize(&mut deserializer);
    let read = read.and_then(|value| deserializer.end().map(|()| value));
    read.map_err(|error| match place.flaw.or_else(|| range_flaw(&error)) {
        Some(flaw) => Error::Ambiguous {
            pointer: place.pointer(),
            flaw,
        },
        None => Error::Malformed(error),
    })
}

/// Reads an object that is part of something else. It is read here as well so that the
/// component has one reader of JSON values: a second one takes 4 KB.
pub fn object<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Map<String, Value>, D::Error> {
    match Reader(&mut Place::default()).deserialize(deserializer)? {
        Value::Object(members) => Ok(members),
        _ => Err(D::Error::custom("it is no object")),
    }
}

/// What is wrong with the value at which the parser stopped, if that is JSON none the less.
/// The parser tells so by its message alone.
fn range_flaw(error: &serde_json::Error) -> Option<&'static str> {
    let is_out_of_range = error.to_string().starts_with("number out of range");
    is_out_of_range.then_some("is a number out of range: it is larger than any double")
}

/// The text without the byte order mark that some programs put at the very beginning of a
/// file (RFC 8259, section 8.1).
pub fn without_byte_order_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text)
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Malformed(error) => error.fmt(f),
            Error::Ambiguous { pointer, flaw } => write!(f, "{pointer:?} {flaw}"),
            Error::TooDeep => write!(f, "more than {MAX_DEPTH} levels of objects and arrays"),
            Error::TooWide => write!(f, "more than {MAX_VALUES} members and elements"),
        }
    }
}
