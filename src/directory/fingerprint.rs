//! Hashes that stand for texts.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The first half of a text's SHA-256. It recognises an equal text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct Fingerprint(u128);

impl Fingerprint {
    pub fn of(text: &str) -> Fingerprint {
        let digest = Sha256::digest(text);
        let half = digest.first_chunk().expect("a SHA-256 has 32 bytes");
        Fingerprint(u128::from_be_bytes(*half))
    }
}

impl std::fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl From<Fingerprint> for String {
    fn from(fingerprint: Fingerprint) -> String {
        fingerprint.to_string()
    }
}

impl TryFrom<String> for Fingerprint {
    type Error = std::num::ParseIntError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        u128::from_str_radix(&text, 16).map(Fingerprint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_kept_as_text() {
        let fingerprint = Fingerprint::of("k0");
        let text = serde_json::to_value(fingerprint).unwrap();
        assert_eq!(text.as_str().map(str::len), Some(32));
        assert_eq!(
            serde_json::from_value::<Fingerprint>(text).unwrap(),
            fingerprint
        );
        assert_eq!(Fingerprint(1).to_string(), format!("{:0>32}", 1));
    }
}
