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

use std::iter;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::canonical_combining_class;

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
        FoldedName(fold(name.as_str()).take(MAX_CHARS).collect())
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
        let mut folded = fold(text);
        let prefix: String = folded.by_ref().take(MAX_CHARS).collect();
        match prefix.is_empty() || folded.next().is_some() {
            true => Err("must have 1 to 200 characters that are not accents"),
            false => Ok(NamePrefix(prefix)),
        }
    }
}

fn fold(text: &str) -> impl Iterator<Item = char> {
    let visible = text.nfkd().filter(|c| !is_accent(*c) && !is_invisible(*c));
    let lower = visible.flat_map(char::to_lowercase).flat_map(letters);
    let mut after_space = true;
    lower.filter_map(move |c| {
        let space = c.is_whitespace();
        let kept = !(space && after_space);
        after_space = space;
        kept.then_some(if space { ' ' } else { c })
    })
}

fn is_accent(c: char) -> bool {
    matches!(canonical_combining_class(c), 1 | 10..=36 | 200..)
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{2069}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}')
}

/// What people type for a letter in lower case that does not decompose.
fn letters(c: char) -> impl Iterator<Item = char> {
    let (first, second) = match c {
        'ß' => ('s', Some('s')),
        'æ' => ('a', Some('e')),
        'œ' => ('o', Some('e')),
        'þ' => ('t', Some('h')),
        'ø' => ('o', None),
        'đ' | 'ð' => ('d', None),
        'ħ' => ('h', None),
        'ı' => ('i', None),
        'ł' => ('l', None),
        'ς' => ('σ', None),
        '‘' | '’' | 'ʼ' => ('\'', None),
        '\u{2010}' | '\u{2011}' => ('-', None),
        other => (other, None),
    };
    iter::once(first).chain(second)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(text: &str) -> String {
        fold(text).collect()
    }

    #[test]
    fn case_and_accents_do_not_count() {
        for (name, plain) in [
            ("Zoë ÅNGSTRÖM", "zoe angstrom"),
            ("Łukasz Đặng", "lukasz dang"),
            ("Søren Æbelø", "soren aebelo"),
            ("Guðrún Þórsdóttir", "gudrun thorsdottir"),
            ("STRAẞE Straße", "strasse strasse"),
            ("İpek Işık", "ipek isik"),
            ("Νίκος ΝΊΚΟΣ", "νικοσ νικοσ"),
            ("Фёдор Королёв", "федор королев"),
            ("O’Hara", "o'hara"),
            ("Anne\u{2011}Marie", "anne-marie"),
            ("ﬁｆｉ", "fifi"),
            ("שָׁלוֹם", "שלום"),
            ("مُحَمَّد", "محمد"),
            ("e\u{301}\u{323}", "e"),
        ] {
            assert_eq!(folded(name), plain, "{name}");
            assert_eq!(folded(plain), plain, "once more");
        }
    }

    #[test]
    fn signs_of_which_words_are_made_stay() {
        for name in ["हिन्दी", "हन्दी", "สมชาย", "สุมชัย", "王小明"]
        {
            assert_eq!(folded(name), name);
        }
        assert_ne!(folded("か"), folded("が"));
    }

    #[test]
    fn the_start_of_a_syllable_is_a_start() {
        assert!(folded("각").starts_with(&folded("가")));
    }

    #[test]
    fn white_space_is_one_space_and_what_cannot_be_seen_is_nothing() {
        assert_eq!(folded(" \u{a0}Ada \u{3000} L."), "ada l.");
        assert_eq!(folded("Ada "), "ada ");
        assert_eq!(folded("¨a"), "a");
        assert_eq!(folded("co\u{ad}op \u{200d}❤\u{fe0f}"), "coop ❤");
    }

    #[test]
    fn a_prefix_has_1_to_200_characters_when_folded() {
        let prefix = |text: &str| NamePrefix::try_from(text).map(|prefix| prefix.0);
        assert_eq!(prefix("É"), Ok("e".to_owned()));
        assert_eq!(prefix(&"e\u{301}".repeat(200)), Ok("e".repeat(200)));
        for text in ["", " ", "\u{301}", &"ß".repeat(101)] {
            assert!(prefix(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_name_counts_up_to_200_characters() {
        let name = |text: String| Name::try_from(text).unwrap();
        let long = FoldedName::from(&name("ﷺ".repeat(200)));
        assert_eq!(long.as_str().chars().count(), MAX_CHARS);
        assert_eq!(FoldedName::from(&name("\u{301}".to_owned())).as_str(), "");
    }
}
