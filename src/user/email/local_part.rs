//! What stands before the `@` of an email address.

use super::Email;
use crate::quoted_string::unquote;
use crate::unicode::is_comparable;
use crate::user::violation::Rule;

/// Reads a local part: atoms with single dots between them, or a string in double quotes
/// (RFC 5321, section 4.1.2; RFC 6531, section 3.3). Answers its meaning, without quotes.
pub(super) fn read(text: &str) -> Result<String, Rule> {
    if !(1..=Email::MAX_LOCAL_PART_BYTES).contains(&text.len()) {
        return Err("must have 1 to 64 bytes before its @".into());
    }
    if !text.is_ascii() && !text.chars().all(|c| c.is_ascii() || is_comparable(c)) {
        return Err("must not contain white space or unassigned characters before its @".into());
    }
    let meant = match text.strip_prefix('"') {
        // RFC 5321, section 4.1.2.
        Some(quoted) => unquote(quoted, char::is_ascii),
        None => text.split('.').all(is_atom).then(|| text.to_owned()),
    };
    meant.ok_or(Rule::Borrowed(
        "must have letters, digits and any of !#$%&'*+-/=?^_`{|}~ before its @, with single \
         dots between them; anything else in double quotes",
    ))
}

/// `atom` of RFC 5321, section 4.1.2, whose characters are `atext` of RFC 5322, section
/// 3.2.3, and those beyond ASCII.
fn is_atom(text: &str) -> bool {
    let is_text = |byte: u8| {
        byte.is_ascii_alphanumeric()
            || matches!(
                byte,
                b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'/' | b'=' | b'?'
            )
            || matches!(byte, b'^'..=b'`' | b'{'..=b'~' | 0x80..)
    };
    !text.is_empty() && text.bytes().all(is_text)
}
