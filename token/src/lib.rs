//! The form of a secret that opens the directory. `edge-users token new` makes
//! secrets and the service checks them: they have to agree on it.
//!
//! A secret is `eu_`, 44 characters that carry 256 random bits, and 6 that carry
//! their checksum, in base 62: `eu_[0-9A-Za-z]{50}`. By prefix and checksum, secret
//! scanners find one that was published by mistake, and take nothing else for one.

use std::fmt;

use crc::{CRC_32_ISO_HDLC, Crc, NoTable};
use sha2::{Digest, Sha256};

/// The beginning of every secret.
pub const PREFIX: &str = "eu_";

/// Of each half of the random bits: 62²² is more than 2¹²⁸.
const HALF_CHARACTERS: usize = 22;

/// Of the checksum: 62⁶ is more than 2³².
const CHECKSUM_CHARACTERS: usize = 6;

const CHARACTERS: usize = PREFIX.len() + 2 * HALF_CHARACTERS + CHECKSUM_CHARACTERS;

/// A secret, which no log can show by accident.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The secret that carries these bits, which must come from the system's source
    /// of random numbers.
    pub fn new(random: [u8; 32]) -> Secret {
        let half = |bytes: &[u8]| {
            let bytes = bytes.try_into().expect("half of 32 bytes");
            base62::encode(u128::from_be_bytes(bytes))
        };
        let (first, second) = random.split_at(16);
        let (first, second) = (half(first), half(second));
        let unsigned = format!("{PREFIX}{first:0>HALF_CHARACTERS$}{second:0>HALF_CHARACTERS$}");
        let checksum = base62::encode(checksum(&unsigned));
        Secret(format!("{unsigned}{checksum:0>CHECKSUM_CHARACTERS$}"))
    }

    /// The secret that the text is; `None` if it has not the form of one.
    pub fn parse(text: &str) -> Option<Secret> {
        let plain = text.len() == CHARACTERS && text.starts_with(PREFIX) && text.is_ascii();
        if !plain {
            return None;
        }
        let (unsigned, last) = text.split_at(CHARACTERS - CHECKSUM_CHARACTERS);
        // To decode takes 8 KB less of the component than to encode, which has a large table.
        let read = base62::decode(last).ok()?;
        (read == u128::from(checksum(unsigned))).then(|| Secret(text.to_owned()))
    }

    /// The SHA-256 of its text, by which it is known where it must not be kept. A
    /// slow hash would add nothing, as 256 bits can't be guessed.
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(&self.0).into()
    }

    /// Its text, for its owner.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({PREFIX}…)")
    }
}

/// The CRC-32 of the characters before it. Without a table, which would be larger than
/// all the rest.
fn checksum(unsigned: &str) -> u32 {
    Crc::<u32, NoTable>::new(&CRC_32_ISO_HDLC).checksum(unsigned.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of these bits, on any machine and in any version: it is kept by people.
    const KNOWN: &str = "eu_2kUbFcayHlZ5Lgs9xZNmDS2kUbFcayHlZ5Lgs9xZNmDS0R08i5";

    #[test]
    fn a_secret_has_one_form_whatever_its_bits() {
        for bits in [[0; 32], [0xff; 32], [0x5a; 32]] {
            let secret = Secret::new(bits);
            let text = secret.reveal();
            assert_eq!(text.len(), CHARACTERS, "{text}");
            let rest = text.strip_prefix(PREFIX).expect("the prefix");
            assert!(
                rest.bytes().all(|byte| byte.is_ascii_alphanumeric()),
                "{text}"
            );
            assert_eq!(Secret::parse(text), Some(secret));
        }
        assert_eq!(Secret::new([0x5a; 32]).reveal(), KNOWN);
    }

    #[test]
    fn what_is_mistyped_is_no_secret() {
        let secret = Secret::new([7; 32]);
        let text = secret.reveal();
        for position in 0..text.len() {
            let mut mistyped = text.to_owned();
            let other = if &text[position..=position] == "x" {
                "y"
            } else {
                "x"
            };
            mistyped.replace_range(position..=position, other);
            assert_eq!(Secret::parse(&mistyped), None, "{mistyped}");
        }
        let (short, long, wide) = (&text[1..], format!("{text}0"), text.replacen('0', "é", 1));
        for other in ["", PREFIX, short, &long, &wide] {
            assert_eq!(Secret::parse(other), None, "{other}");
        }
    }

    #[test]
    fn a_secret_is_not_shown() {
        let secret = Secret::new([7; 32]);
        assert_eq!(format!("{secret:?}"), "Secret(eu_…)");
    }
}
