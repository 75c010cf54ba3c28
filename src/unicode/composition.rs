//! Texts that are composed (NFC).

use super::decomposition::{JAMO, SYLLABLES, TRAILING, VOWELS, fold};
use super::table::{class, composites, folded};

/// Composes a text that is decomposed and folded, with marks in order (The Unicode
/// Standard, D117).
pub(crate) fn compose(text: &str) -> String {
    let mut composed: Vec<char> = Vec::new();
    let mut starter = None;
    let mut last_class = 0;
    for c in text.chars() {
        let class = class(c);
        let is_blocked = last_class != 0 && last_class >= class;
        // Nothing is composed with a character of ASCII after it: to look that up would take long.
        if let Some(starter) = starter.filter(|_| !is_blocked && !c.is_ascii())
            && let Some(composite) = composite(composed[starter], c)
        {
            composed[starter] = composite;
            continue;
        }
        if class == 0 {
            starter = Some(composed.len());
        }
        last_class = class;
        composed.push(c);
    }
    composed.into_iter().collect()
}

/// The character that takes the place of two, if there is one.
fn composite(first: char, second: char) -> Option<char> {
    syllable(first, second).or_else(|| {
        let mut decomposed = String::new();
        fold(first, |c| decomposed.push(c));
        decomposed.push(second);
        let found = composites().binary_search_by(|composite| {
            let text = folded(*composite).expect("a composite is decomposed by the table");
            text.cmp(&decomposed)
        });
        found.ok().map(|index| composites()[index])
    })
}

/// The syllable of Hangul of a leading consonant and a vowel, or of such a syllable and a
/// trailing consonant (The Unicode Standard, section 3.12).
fn syllable(first: char, second: char) -> Option<char> {
    let [first, second] = [first, second].map(u32::from);
    let after = |from: u32, c: u32| c.checked_sub(from);
    let leading = after(JAMO[0], first).filter(|leading| *leading < 19);
    let vowel = after(JAMO[1], second).filter(|vowel| *vowel < VOWELS);
    let open = after(SYLLABLES.0, first).filter(|index| *index < SYLLABLES.1);
    let open = open.filter(|index| index % TRAILING == 0);
    let trailing = after(JAMO[2], second).filter(|trailing| (1..TRAILING).contains(trailing));
    let index = match (leading, vowel, open, trailing) {
        (Some(leading), Some(vowel), _, _) => (leading * VOWELS + vowel) * TRAILING,
        (_, _, Some(open), Some(trailing)) => open + trailing,
        _ => return None,
    };
    char::from_u32(SYLLABLES.0 + index)
}
