//! Verifying RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017, section 8.2.2).
//!
//! By hand, on the numbers that P-256 brings along: the crate `rsa` makes the
//! component 57 KB larger, this 21 KB. Nothing in it is secret, so that nothing in
//! it need take the same time always.

use crypto_bigint::modular::{FixedMontyForm, FixedMontyParams};
use crypto_bigint::{Odd, U64, U4096};
use sha2::{Digest, Sha256};

/// The sizes of a modulus, in bytes: 2048 bits at least (RFC 7518, section 3.3), and
/// no more than takes a few milliseconds.
const MODULUS_BYTES: std::ops::RangeInclusive<usize> = 256..=U4096::BYTES;

/// What precedes the hash in a signature: that it is one of SHA-256 (RFC 8017,
/// section 9.2, note 1).
const DIGEST_INFO: [u8; 19] = [
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05,
    0x00, 0x04, 0x20,
];

/// An RSA public key.
#[derive(Debug)]
pub struct PublicKey {
    modulus: Odd<U4096>,
    exponent: u32,
    /// Of the modulus, and so of each signature.
    bytes: usize,
}

impl PublicKey {
    /// The key of that modulus and exponent, big-endian without leading zeros;
    /// `None` if they are too small, too large or even.
    pub fn new(modulus: &[u8], exponent: &[u8]) -> Option<PublicKey> {
        let bytes = modulus.len();
        if !MODULUS_BYTES.contains(&bytes) || modulus[0] < 0x80 || exponent.len() > 4 {
            return None;
        }
        let exponent = exponent
            .iter()
            .fold(0, |number, byte| number << 8 | u32::from(*byte));
        (exponent >= 3 && exponent % 2 == 1).then_some(PublicKey {
            modulus: number(modulus).to_odd().into_option()?,
            exponent,
            bytes,
        })
    }

    /// Whether the signature is the key's of that message.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let modulus = self.modulus.as_ref();
        if signature.len() != self.bytes || number(signature) >= *modulus {
            return false;
        }
        let modulo = FixedMontyParams::new_vartime(self.modulus);
        let power = FixedMontyForm::new(&number(signature), &modulo)
            .pow_vartime(&U64::from_u32(self.exponent))
            .retrieve();
        // The message is encoded and compared. To decode the signature instead is
        // where others let forgeries through.
        power == number(&self.encode(message))
    }

    /// EMSA-PKCS1-v1_5 (RFC 8017, section 9.2): `00 01 FF … FF 00`, which hash it is,
    /// and the hash.
    fn encode(&self, message: &[u8]) -> Vec<u8> {
        let hash = Sha256::digest(message);
        let mut encoded = vec![0xff; self.bytes - DIGEST_INFO.len() - hash.len()];
        encoded[..2].copy_from_slice(&[0, 1]);
        *encoded.last_mut().expect("over 200 bytes") = 0;
        encoded.extend_from_slice(&DIGEST_INFO);
        encoded.extend_from_slice(&hash);
        encoded
    }
}

/// The number of at most 512 bytes, big-endian.
fn number(bytes: &[u8]) -> U4096 {
    let mut padded = [0; U4096::BYTES];
    padded[U4096::BYTES - bytes.len()..].copy_from_slice(bytes);
    U4096::from_be_slice(&padded)
}
