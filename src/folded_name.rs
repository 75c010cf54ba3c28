//! Names as a search compares them: without regard to case and accents.
//!
//! A name is folded so:
//!
//! 1. It is decomposed (Unicode Standard Annex #15, NFKD): letters come apart from
//!    their accents; ligatures, full-width letters and the like become plain ones.
//! 2. Characters that are accents or can't be seen are left out: those of the
//!    combining classes 1 (overlays), 10 to 36 (Hebrew and Arabic points) and 200
//!    and above (what stands above, below or at a letter); soft hyphens, joiners,
//!    directional marks and variation selectors. Vowel signs and the like, of which
//!    words are made in the scripts of India and South East Asia, stay.
//! 3. What is left is put in lower case, each character by itself.
//! 4. Letters that don't decompose become those that people type instead: ß ss,
//!    æ ae, œ oe, ø o, đ and ð d, ħ h, ı i, ł l, þ th; ς σ; ‘, ’ and ʼ the straight
//!    one, hyphens the plain one.
//! 5. Each run of white space becomes one space; there is none at the start.
//!
//! Nothing depends on a language: "Muller" finds "Müller", "Mueller" does not.

mod table;
#[cfg(test)]
mod tests;

use std::mem;

use crate::user::Name;

/// The most characters of a folded name that count.
pub const MAX_CHARS: usize = 200;

/// The first [`MAX_CHARS`] characters of a name, folded: by these, users are
/// found and put in order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FoldedName(String);

impl FoldedName {
    /// The folded name as text. Empty if all of the name is accents.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&Name> for FoldedName {
    fn from(name: &Name) -> FoldedName {
        let folded = fold(name.as_str());
        FoldedName(folded.chars().take(MAX_CHARS).collect())
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

fn fold(text: &str) -> String {
    let mut folded = Folded::new(text.len());
    for c in text.chars() {
        match c {
            '\0'..='\u{7f}' => folded.put_letter(c.to_ascii_lowercase()),
            '가'..='힣' => jamo(c).for_each(|c| folded.put_letter(c)),
            _ if is_invisible(c) => folded.put_marks(),
            _ => match table::text_of(c) {
                Some(text) => text.for_each(|c| folded.put(c)),
                None => c.to_lowercase().for_each(|c| folded.put(c)),
            },
        }
    }
    folded.put_marks();
    folded.text
}

/// What is folded so far.
struct Folded {
    text: String,
    /// The marks at its end, which are not yet in it, in the order of their classes.
    marks: Vec<(u8, char)>,
    /// Whether white space that follows is left out.
    after_space: bool,
}

impl Folded {
    fn new(capacity: usize) -> Folded {
        Folded {
            text: String::with_capacity(capacity),
            marks: Vec::new(),
            after_space: true,
        }
    }

    /// Puts a character at the end; marks that follow each other, in canonical order
    /// (The Unicode Standard, section 3.11).
    fn put(&mut self, c: char) {
        match table::class(c) {
            0 => self.put_letter(c),
            class => {
                let place = self.marks.partition_point(|(before, _)| *before <= class);
                self.marks.insert(place, (class, c));
            }
        }
    }

    /// Puts what has no combining class at the end.
    fn put_letter(&mut self, c: char) {
        self.put_marks();
        self.put_in_order(c);
    }

    /// Ends a sequence of marks.
    fn put_marks(&mut self) {
        for (_, mark) in mem::take(&mut self.marks) {
            self.put_in_order(mark);
        }
    }

    fn put_in_order(&mut self, c: char) {
        let space = c.is_whitespace();
        if !(space && self.after_space) {
            self.text.push(if space { ' ' } else { c });
        }
        self.after_space = space;
    }
}

/// The letters of a syllable of Hangul (The Unicode Standard, section 3.12).
fn jamo(syllable: char) -> impl Iterator<Item = char> {
    let index = u32::from(syllable) - u32::from('가');
    let (leading, vowel, trailing) = (index / 588, index / 28 % 21, index % 28);
    let jamo = [(0x1100, leading), (0x1161, vowel), (0x11a7, trailing)];
    let jamo = jamo.into_iter().take(if trailing == 0 { 2 } else { 3 });
    jamo.filter_map(|(first, index)| char::from_u32(first + index))
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{2069}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}')
}
