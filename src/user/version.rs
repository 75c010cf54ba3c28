//! Versions of a user.

use std::fmt;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::hexadecimal;

/// A random number, drawn anew for each version of a user. It is stored as 16 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version(pub u64);

impl Version {
    /// Its entity tag. Strong (RFC 9110, section 8.8.1): a version has one representation at a
    /// URL.
    pub fn entity_tag(self) -> String {
        let mut tag = String::with_capacity(16 + 2);
        tag.push('"');
        hexadecimal::push(&mut tag, self.0);
        tag.push('"');
        tag
    }
}

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let digits = hexadecimal::digits(self.0);
        serializer.serialize_str(str::from_utf8(&digits).expect("digits"))
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Version, D::Error> {
        deserializer.deserialize_str(Digits)
    }
}

/// Reads digits where they are: a record has up to 17 versions.
struct Digits;

impl Visitor<'_> for Digits {
    type Value = Version;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("hexadecimal digits")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Version, E> {
        u64::from_str_radix(text, 16)
            .map(Version)
            .map_err(E::custom)
    }
}
