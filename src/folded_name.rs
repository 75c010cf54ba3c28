//! Names as a search compares them: without regard to case and accents.
//!
//! A name is folded so:
//!
//! 1. It is decomposed (Unicode Standard Annex #15, NFKD): letters come apart from
//!    their accents; ligatures, full-width letters and the like become plain ones.
//! 2. Accents are left out. These are the characters of the combining classes 1
//!    (overlays), 10 to 36 (Hebrew and Arabic points) and 200 and above (marks above,
//!    below or at a letter). Vowel signs stay, for words of the scripts of India and South
//!    East Asia are made of them. Invisible characters are left out as well, such as
//!    soft hyphens, joiners and variation selectors.
//! 3. The case of each character is folded in full, so that ß becomes ss, and ς σ.
//! 4. Letters that don't decompose become the letters that people type for them: æ ae,
//!    œ oe, ø o, đ and ð d, ħ h, ı i, ł l, þ th. The signs ‘, ’ and ʼ become the
//!    straight one, and hyphens the plain one.
//! 5. Each run of white space becomes one space; there is none at the start.
//!
//! Nothing depends on a language: "Muller" finds "Müller", "Mueller" does not.

#[cfg(test)]
mod tests;

use crate::unicode::{self, Decomposition, Kind};

/// The most characters of a folded name that count.
pub const MAX_CHARS: usize = 200;

/// The first [`MAX_CHARS`] characters of a name, folded: by these, users are
/// found and put in order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FoldedName(String);

impl FoldedName {
    /// The name of a user or a group, folded.
    pub fn of(name: &str) -> FoldedName {
        let folded = fold(name);
        FoldedName(folded.chars().take(MAX_CHARS).collect())
    }

    /// The folded name as text. Empty if all of the name is accents.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// How the names that are searched begin: 1 to [`MAX_CHARS`] characters, folded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamePrefix(String);

impl NamePrefix {
    /// The prefix as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<&str> for NamePrefix {
    type Error = &'static str;

    fn try_from(text: &str) -> Result<Self, Self::Error> {
        let folded = fold(text);
        match folded.chars().take(MAX_CHARS + 1).count() {
            1..=MAX_CHARS => Ok(NamePrefix(folded)),
            _ => Err("must have 1 to 200 characters that are not accents"),
        }
    }
}

/// Folds a text as names are.
pub(crate) fn fold(text: &str) -> String {
    let mut folded = Decomposition::with_capacity(text.len());
    for c in text.chars() {
        match is_invisible(c) {
            true => folded.end_marks(),
            false => unicode::fold(c, |c| put(&mut folded, c)),
        }
    }
    folded.into_text()
}

/// Adds a character whose case is folded and which is decomposed.
fn put(folded: &mut Decomposition, c: char) {
    if c.is_whitespace() {
        folded.end_marks();
        if !(folded.text().is_empty() || folded.text().ends_with(' ')) {
            folded.put(' ');
        }
    } else if c.is_ascii() {
        folded.put(c);
    } else if !is_accent(c) {
        // The case of a few scripts is folded to capital letters.
        for c in c.to_lowercase() {
            match plain(c) {
                Some(letters) => letters.chars().for_each(|c| folded.put(c)),
                None => folded.put(c),
            }
        }
    }
}

fn is_accent(c: char) -> bool {
    matches!(unicode::class(c), 1 | 10..=36 | 200..)
}

/// What people type for a letter in lower case that does not decompose.
fn plain(letter: char) -> Option<&'static str> {
    let letters = match letter {
        'æ' => "ae",
        'œ' => "oe",
        'þ' => "th",
        'ø' => "o",
        'đ' | 'ð' => "d",
        'ħ' => "h",
        'ı' => "i",
        'ł' => "l",
        '‘' | '’' | 'ʼ' => "'",
        '\u{2010}' | '\u{2011}' => "-",
        _ => return None,
    };
    Some(letters)
}

fn is_invisible(c: char) -> bool {
    let kind = |c| unicode::properties(c).kind;
    !c.is_ascii() && matches!(kind(c), Kind::Selector | Kind::Ignorable | Kind::Format)
}
