//! Comparing texts without regard to case and form.

use super::decomposition::{Decomposition, fold};
use super::table::{Kind, properties};

/// A text by which others are compared without regard to case and to compatible forms:
/// two texts mean the same if and only if this is equal for both. It is `NFKC_Casefold`
/// (The Unicode Standard, D147), decomposed: full case folding, NFKC, and characters that
/// are ignored by default left out. "STRASSE" is "straße", "ΟΔΟΣ" is "οδος", "ﬁ" is "fi".
///
/// PRECIS (RFC 8265, UsernameCaseMapped) would be another rule: it puts texts in lower
/// case, by which "STRASSE" is not "straße", and refuses compatible forms. Case folding is
/// also stable: later versions of Unicode don't change which texts of now assigned characters are
/// equal. So the result can name keys in a store.
pub fn caseless(text: &str) -> String {
    /// The letter that the case of the mark U+0345 is folded to.
    const IOTA: &str = "ι";
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let mut caseless = Decomposition::with_capacity(text.len());
    for c in text.chars() {
        fold(c, |c| {
            if !is_ignored(c) {
                caseless.put(c);
            }
        });
    }
    caseless.into_text().replace('\u{345}', IOTA)
}

/// Whether a character may be in a text that is compared by [`caseless`]. White space may not, and
/// neither may a character that is not assigned yet, for its case is not known.
pub(crate) fn is_comparable(c: char) -> bool {
    !c.is_whitespace() && (c.is_ascii() || properties(c).kind != Kind::Unassigned)
}

fn is_ignored(c: char) -> bool {
    !c.is_ascii() && matches!(properties(c).kind, Kind::Selector | Kind::Ignorable)
}
