//! Texts that are decomposed, with their case folded.

use std::iter;

use super::table::{class, folded};

/// The first syllable of Hangul, and how many there are.
pub(super) const SYLLABLES: (u32, u32) = (0xac00, 11_172);

/// The first leading consonant, the first vowel, and what comes before the first trailing
/// consonant.
pub(super) const JAMO: [u32; 3] = [0x1100, 0x1161, 0x11a7];

/// How many vowels there are, and how many trailing consonants, none being one of them.
pub(super) const VOWELS: u32 = 21;
pub(super) const TRAILING: u32 = 28;

/// Passes on the characters that a character becomes by case folding and compatible
/// decomposition, until nothing changes any more. The mark U+0345, whose case is folded to a
/// letter, stays a mark, so that marks can be put in order.
pub(crate) fn fold(c: char, mut put: impl FnMut(char)) {
    match c {
        _ if c.is_ascii() => put(c.to_ascii_lowercase()),
        '가'..='힣' => jamo(c).for_each(put),
        _ => match folded(c) {
            Some(text) => text.chars().for_each(put),
            None => c.to_lowercase().for_each(put),
        },
    }
}

/// The letters of a syllable of Hangul (The Unicode Standard, section 3.12).
fn jamo(syllable: char) -> impl Iterator<Item = char> {
    let index = u32::from(syllable) - SYLLABLES.0;
    let vowel = index / TRAILING % VOWELS;
    let letters = [index / (VOWELS * TRAILING), vowel, index % TRAILING];
    let letters = iter::zip(JAMO, letters).enumerate();
    let letters = letters.filter(|(place, (_, letter))| *place < 2 || *letter > 0);
    letters.filter_map(|(_, (first, letter))| char::from_u32(first + letter))
}

/// A text to which decomposed characters are added, with marks in canonical order (The
/// Unicode Standard, section 3.11).
#[derive(Default)]
pub(crate) struct Decomposition {
    text: String,
    /// The marks at its end, which are not yet in it, in the order of their classes.
    marks: Vec<(u8, char)>,
}

impl Decomposition {
    /// An empty text that will have about as many bytes.
    pub fn with_capacity(bytes: usize) -> Decomposition {
        Decomposition {
            text: String::with_capacity(bytes),
            marks: Vec::new(),
        }
    }

    /// Adds a character.
    pub fn put(&mut self, c: char) {
        match class(c) {
            0 => {
                self.end_marks();
                self.text.push(c);
            }
            class => {
                let place = self.marks.partition_point(|(before, _)| *before <= class);
                self.marks.insert(place, (class, c));
            }
        }
    }

    /// Ends a sequence of marks: later marks are not put before them.
    pub fn end_marks(&mut self) {
        self.text.extend(self.marks.drain(..).map(|(_, mark)| mark));
    }

    /// What is there, without the marks at its end.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// All of it.
    pub fn into_text(mut self) -> String {
        self.end_marks();
        self.text
    }
}
