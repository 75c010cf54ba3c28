//! Which characters people can see.

use super::table::{Kind, properties};

/// The zero-width joiner and the zero-width non-joiner.
const ZWJ: char = '\u{200d}';
const ZWNJ: char = '\u{200c}';

/// The first character of a text that people can't see, if it has one: a control or
/// format character, a separator of lines or paragraphs, or anything else that has no
/// shape. Of those, a text may have
///
/// - the joiners ZWJ and ZWNJ after a letter of a script whose letters join, and ZWJ
///   between two emoji,
/// - one variation selector after a character that is seen.
///
/// White space is left to the caller.
pub(crate) fn unseen(text: &str) -> Option<char> {
    // Most texts.
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return None;
    }
    let mut before = None;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let is_in_place = match kind(c) {
            Kind::Visible | Kind::Unassigned => {
                !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}')
            }
            Kind::Selector => before.is_some_and(takes_selector),
            Kind::Ignorable | Kind::Format => {
                is_joiner(c) && before.is_some_and(|before| is_joined(before, c, chars.peek()))
            }
        };
        if !is_in_place {
            return Some(c);
        }
        before = Some(c);
    }
    None
}

fn kind(c: char) -> Kind {
    match c.is_ascii() {
        true => Kind::Visible,
        false => properties(c).kind,
    }
}

/// Whether the character is seen, if the text that it stands in has none of the
/// [`unseen`]: it is no white space, joiner or selector, and not the empty cell of Braille.
pub(crate) fn is_seen(c: char) -> bool {
    let has_shape = matches!(kind(c), Kind::Visible | Kind::Unassigned);
    has_shape && !c.is_whitespace() && c != '\u{2800}'
}

/// Whether the character is one of the joiners ZWJ and ZWNJ.
pub(crate) fn is_joiner(c: char) -> bool {
    matches!(c, ZWJ | ZWNJ)
}

fn takes_selector(c: char) -> bool {
    !c.is_whitespace() && kind(c) == Kind::Visible
}

/// Whether a joiner does something between the two characters.
fn is_joined(before: char, joiner: char, after: Option<&char>) -> bool {
    /// Says that the character before it is shown as an emoji.
    const EMOJI_SELECTOR: char = '\u{fe0f}';
    let joins_emoji = || {
        joiner == ZWJ
            && (before == EMOJI_SELECTOR || is_emoji(before))
            && after.is_some_and(|after| is_emoji(*after))
    };
    has_joining_letters(before) || joins_emoji()
}

/// Whether the character is of a script in which joiners change how a word is written:
/// Arabic and its kin, Mongolian, and the scripts of India and South East Asia, with what
/// lies between them.
fn has_joining_letters(c: char) -> bool {
    let is_in_script = matches!(c,
        '\u{600}'..='\u{109f}'
            | '\u{1700}'..='\u{1cff}'
            | '\u{a800}'..='\u{abff}'
            | '\u{fb50}'..='\u{fdff}'
            | '\u{fe70}'..='\u{fefc}'
            | '\u{10a00}'..='\u{11fff}'
            | '\u{1e900}'..='\u{1e95f}');
    is_in_script && kind(c) == Kind::Visible
}

/// Whether the character may be an emoji that is joined with another, or the shade of one.
fn is_emoji(c: char) -> bool {
    matches!(c, '\u{2190}'..='\u{21ff}' | '\u{2300}'..='\u{23ff}' | '\u{2600}'..='\u{27bf}'
        | '\u{2b00}'..='\u{2bff}' | '\u{1f000}'..='\u{1fbff}')
}
