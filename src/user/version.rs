//! Versions of a user.

use serde::{Deserialize, Serialize};

/// A random number, drawn anew for each version of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Version(pub u64);

impl From<Version> for String {
    fn from(version: Version) -> String {
        base16ct::lower::encode_string(&version.0.to_be_bytes())
    }
}

impl TryFrom<String> for Version {
    type Error = std::num::ParseIntError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        u64::from_str_radix(&text, 16).map(Version)
    }
}
