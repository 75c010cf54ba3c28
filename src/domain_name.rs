//! Domain names in any script, and in the form that they have in the DNS, by UTS #46:
//! non-transitional processing, with the rules of STD 3 for ASCII, the rules for joiners
//! and for names from right to left (RFC 5892 and RFC 5893), and the lengths of the DNS.
//!
//! Hyphens may stand anywhere but at the ends of a label, as RFC 5321 has it. Characters
//! that can't be seen are refused where UTS #46 leaves some out.

mod bidi;
mod joiner;
mod punycode;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use crate::unicode::{Decomposition, Kind, compose, fold, is_joiner, properties};

/// The prefix of a label that stands for a label in Unicode.
const ACE_PREFIX: &str = "xn--";

/// The most bytes of a label and of a whole name, as the DNS has them.
const MAX_LABEL_BYTES: usize = 63;
const MAX_NAME_BYTES: usize = 253;

/// Why a text is no domain name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// It breaks a rule for characters, or a label is empty.
    Malformed,
    /// A label, or all of it, is too long for the DNS.
    TooLong,
}

/// The name as the DNS has it: in lower case, each label in ASCII (an A-label where it is
/// not), so that two names are the same if and only if these are equal.
pub(crate) fn to_ascii(name: &str) -> Result<String, Flaw> {
    let mapped = map(name)?;
    let labels = mapped.split('.').map(Label::read);
    let labels: Vec<Label> = labels.collect::<Result<_, _>>()?;
    let mut all = labels.iter();
    let is_bidi = all.any(|label| bidi::has_right_to_left(&label.unicode));
    if is_bidi && !labels.iter().all(|label| bidi::is_valid(&label.unicode)) {
        return Err(Flaw::Malformed);
    }
    let mut ascii = String::with_capacity(name.len());
    for label in &labels {
        if label.ascii.len() > MAX_LABEL_BYTES {
            return Err(Flaw::TooLong);
        }
        if !ascii.is_empty() {
            ascii.push('.');
        }
        ascii.push_str(&label.ascii);
    }
    match ascii.len() > MAX_NAME_BYTES {
        true => Err(Flaw::TooLong),
        false => Ok(ascii),
    }
}

/// A label whose length and direction are not checked yet.
struct Label<'a> {
    /// As people write it.
    unicode: Cow<'a, str>,
    /// As it stands in the DNS.
    ascii: Cow<'a, str>,
}

impl Label<'_> {
    /// Reads a label that was mapped (UTS #46, section 4.1).
    fn read(mapped: &str) -> Result<Label<'_>, Flaw> {
        let (unicode, ascii) = match mapped.strip_prefix(ACE_PREFIX) {
            Some(encoded) => (decode(encoded)?.into(), mapped.into()),
            None if mapped.is_ascii() => (mapped.into(), mapped.into()),
            None => {
                let unicode = compose(mapped);
                let encoded = punycode::encode(&unicode).ok_or(Flaw::TooLong)?;
                (unicode.into(), format!("{ACE_PREFIX}{encoded}").into())
            }
        };
        let label = Label { unicode, ascii };
        label.is_valid().then_some(label).ok_or(Flaw::Malformed)
    }

    fn is_valid(&self) -> bool {
        let is_allowed = |c: char| !c.is_ascii() || is_letter_digit_or_hyphen(c);
        let label = &*self.unicode;
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && !label.chars().next().is_some_and(is_mark)
            && label.chars().all(is_allowed)
            && (label.is_ascii() || joiner::are_valid(label))
    }
}

/// The label in Unicode that a text after the prefix stands for. Mapping must leave that label
/// as it is, and encoding it must give the text.
fn decode(encoded: &str) -> Result<String, Flaw> {
    let label = punycode::decode(encoded).ok_or(Flaw::Malformed)?;
    let mapped = map(&label)?;
    let is_made_of_it = !label.is_ascii()
        && !mapped.contains('.')
        && compose(&mapped) == label
        && punycode::encode(&label).as_deref() == Some(encoded);
    is_made_of_it.then_some(label).ok_or(Flaw::Malformed)
}

/// Maps a name or a label to lower case and its compatible form, decomposed (UTS #46,
/// section 4, steps 1 and 2). Fails if it has a character beyond ASCII that no name has.
fn map(text: &str) -> Result<String, Flaw> {
    if text.is_ascii() {
        return Ok(text.to_ascii_lowercase());
    }
    let mut mapped = Decomposition::with_capacity(text.len());
    for c in text.chars() {
        match c {
            // The dots of other scripts.
            '。' | '．' | '｡' => mapped.put('.'),
            // Letters that are words' own, though their case could be folded.
            'ß' | 'ẞ' => mapped.put('ß'),
            'ς' => mapped.put('ς'),
            _ if c.is_ascii() => mapped.put(c.to_ascii_lowercase()),
            _ if is_joiner(c) => mapped.put(c),
            _ if properties(c).kind == Kind::Selector => {}
            _ => {
                let mut is_valid = !c.is_whitespace();
                fold(c, |c| {
                    is_valid &= is_of_name(c);
                    // Folded here, and not when marks are in order, as UTS #46 has it.
                    mapped.put(if c == '\u{345}' { 'ι' } else { c });
                });
                if !is_valid {
                    return Err(Flaw::Malformed);
                }
            }
        }
    }
    Ok(mapped.into_text())
}

/// Whether a mapped character beyond ASCII may be in a label, as far as the character alone
/// decides.
fn is_of_name(c: char) -> bool {
    match c {
        '.' | '。' => false,
        _ if c.is_ascii() => true,
        // Descriptions of ideographs, and what stands for something that is no character.
        '\u{2ff0}'..='\u{2fff}' | '\u{31ef}' | '\u{fffc}' | '\u{fffd}' => false,
        // For private use.
        '\u{e000}'..='\u{f8ff}' | '\u{f0000}'.. => false,
        _ => !c.is_control() && properties(c).kind == Kind::Visible,
    }
}

/// The ASCII characters that STD 3 allows, in lower case.
fn is_letter_digit_or_hyphen(c: char) -> bool {
    matches!(c, 'a'..='z' | '0'..='9' | '-')
}

fn is_mark(c: char) -> bool {
    !c.is_ascii() && properties(c).is_mark
}
