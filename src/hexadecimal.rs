//! Numbers as text, of hexadecimal digits.

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// The 16 digits of a number, in lower case. The crate `base16ct`, which reads digests elsewhere, takes
/// constant time for a digit, and three times as long.
pub fn digits(number: u64) -> [u8; 16] {
    let mut digits = [0; 16];
    let mut left = number;
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS[(left % 16) as usize];
        left /= 16;
    }
    digits
}

/// Adds the digits of a number to a text.
pub fn push(text: &mut String, number: u64) {
    text.push_str(str::from_utf8(&digits(number)).expect("digits"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_digits_are_written() {
        for number in [0, 1, 0x0123_4567_89ab_cdef, u64::MAX] {
            assert_eq!(digits(number), format!("{number:016x}").as_bytes());
        }
    }
}
