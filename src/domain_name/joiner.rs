//! Joiners in labels (RFC 5892, appendices A.1 and A.2).

use crate::unicode::{Joining, class, is_joiner, properties};

/// The combining class of signs that join consonants.
const VIRAMA: u8 = 9;

/// Whether each joiner of the label stands where it means something.
pub(super) fn are_valid(label: &str) -> bool {
    let mut joiners = label.char_indices().filter(|(_, c)| is_joiner(*c));
    joiners.all(|(at, joiner)| is_valid(&label[..at], joiner, &label[at + joiner.len_utf8()..]))
}

fn is_valid(before: &str, joiner: char, after: &str) -> bool {
    const ZWNJ: char = '\u{200c}';
    let is_after_virama = before
        .chars()
        .next_back()
        .is_some_and(|c| class(c) == VIRAMA);
    let parts_letters = || {
        let left = joining(before.chars().rev());
        let right = joining(after.chars());
        matches!(left, Some(Joining::Left | Joining::Dual))
            && matches!(right, Some(Joining::Right | Joining::Dual))
    };
    is_after_virama || joiner == ZWNJ && parts_letters()
}

/// How the first character that is no mark joins.
fn joining(chars: impl Iterator<Item = char>) -> Option<Joining> {
    let mut joining = chars.map(|c| properties(c).joining);
    joining.find(|joining| *joining != Joining::Transparent)
}
