//! Punycode (RFC 3492): text in any script as letters, digits and hyphens. That of the
//! crate `idna` takes 13 KB of a component, this one takes 4 KB.

/// The parameters of section 5.
const BASE: u32 = 36;
const T_MIN: u32 = 1;
const T_MAX: u32 = 26;
const SKEW: u32 = 38;
const DAMP: u32 = 700;
const INITIAL_BIAS: u32 = 72;
const INITIAL_N: u32 = 128;

/// Encodes a text (section 6.3). `None` if it is far too long for a label.
pub(super) fn encode(text: &str) -> Option<String> {
    let mut encoded: String = text.chars().filter(char::is_ascii).collect();
    let length = text.chars().count() as u32;
    let basic = encoded.len() as u32;
    if basic > 0 {
        encoded.push('-');
    }
    let (mut n, mut delta, mut handled) = (INITIAL_N, 0_u32, basic);
    let mut bias = INITIAL_BIAS;
    while handled < length {
        let next = text.chars().map(u32::from).filter(|c| *c >= n).min()?;
        delta = delta.checked_add((next - n).checked_mul(handled + 1)?)?;
        n = next;
        for c in text.chars().map(u32::from) {
            if c < n {
                delta = delta.checked_add(1)?;
            } else if c == n {
                put_number(delta, bias, &mut encoded);
                bias = adapt(delta, handled + 1, handled == basic);
                delta = 0;
                handled += 1;
            }
        }
        delta = delta.checked_add(1)?;
        n += 1;
    }
    Some(encoded)
}

/// Decodes a text in lower case (section 6.2). `None` if it stands for no text.
pub(super) fn decode(encoded: &str) -> Option<String> {
    let parts = encoded
        .rsplit_once('-')
        .filter(|(basic, _)| !basic.is_empty());
    let (basic, numbers) = parts.unwrap_or(("", encoded));
    let mut text: Vec<char> = basic.chars().collect();
    let (mut n, mut at) = (INITIAL_N, 0_u32);
    let mut bias = INITIAL_BIAS;
    let mut digits = numbers.bytes().peekable();
    while digits.peek().is_some() {
        let before = at;
        at = at.checked_add(take_number(&mut digits, bias)?)?;
        let length = text.len() as u32 + 1;
        bias = adapt(at - before, length, before == 0);
        n = n.checked_add(at / length)?;
        at %= length;
        text.insert(at as usize, char::from_u32(n)?);
        at += 1;
    }
    Some(text.into_iter().collect())
}

/// Writes a number of variable length.
fn put_number(mut number: u32, bias: u32, encoded: &mut String) {
    for k in (BASE..).step_by(BASE as usize) {
        let threshold = threshold(k, bias);
        if number < threshold {
            encoded.push(digit(number));
            return;
        }
        let rest = number - threshold;
        encoded.push(digit(threshold + rest % (BASE - threshold)));
        number = rest / (BASE - threshold);
    }
}

/// Reads a number of variable length.
fn take_number(digits: &mut impl Iterator<Item = u8>, bias: u32) -> Option<u32> {
    let (mut number, mut weight) = (0_u32, 1_u32);
    for k in (BASE..).step_by(BASE as usize) {
        let digit = value(digits.next()?)?;
        number = number.checked_add(digit.checked_mul(weight)?)?;
        let threshold = threshold(k, bias);
        if digit < threshold {
            break;
        }
        weight = weight.checked_mul(BASE - threshold)?;
    }
    Some(number)
}

fn threshold(k: u32, bias: u32) -> u32 {
    k.saturating_sub(bias).clamp(T_MIN, T_MAX)
}

/// The bias for the next number (section 6.1).
fn adapt(delta: u32, length: u32, is_first: bool) -> u32 {
    let mut delta = delta / if is_first { DAMP } else { 2 };
    delta += delta / length;
    let mut k = 0;
    while delta > (BASE - T_MIN) * T_MAX / 2 {
        delta /= BASE - T_MIN;
        k += BASE;
    }
    k + (BASE - T_MIN + 1) * delta / (delta + SKEW)
}

fn digit(value: u32) -> char {
    let digit = if value < 26 {
        b'a' + value as u8
    } else {
        b'0' + (value - 26) as u8
    };
    char::from(digit)
}

fn value(digit: u8) -> Option<u32> {
    match digit {
        b'a'..=b'z' => Some(u32::from(digit - b'a')),
        b'0'..=b'9' => Some(u32::from(digit - b'0') + 26),
        _ => None,
    }
}
