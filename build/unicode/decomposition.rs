//! The form of each character without regard to case and compatible forms, and which
//! character takes the place of others in a composed text.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use icu_casemap::CaseMapper;
use icu_normalizer::DecomposingNormalizerBorrowed;
use icu_normalizer::properties::{
    CanonicalCompositionBorrowed, CanonicalDecompositionBorrowed, Decomposed,
};
use icu_properties::CodePointSetData;
use icu_properties::props::ChangesWhenNfkcCasefolded;

/// Stands for a character that is just put in lower case.
const LOWER_CASE: u16 = u16::MAX;

/// So many characters that are just put in lower case don't end a run: a run
/// takes six bytes, a character two.
const MAX_GAP: u32 = 2;

/// The mark that becomes a letter when its case is folded. It stays a mark in the
/// table, so that marks can be put in order before.
const YPOGEGRAMMENI: char = '\u{345}';

/// `STARTS` and `FIRSTS` have the first character of each run of characters that follow
/// each other, and the index of its value. `VALUES` has where in `TEXTS` a character's
/// text begins, which ends with a zero. `COMPOSITES` has the characters that take the
/// place of their decompositions, in the order of these.
pub fn tables(folded: &Folded, put: &mut impl FnMut(&str, &str, String)) {
    let listed = folded.differ_from_lower_case();
    let (texts, places) = texts(&listed);
    let mut starts: Vec<u32> = Vec::new();
    let mut firsts = Vec::new();
    let mut values = Vec::new();
    let mut end = 0;
    for ((c, _), place) in listed.iter().zip(places) {
        let c = u32::from(*c);
        if starts.is_empty() || c - end > MAX_GAP {
            starts.push(c);
            firsts.push(values.len());
        } else {
            values.extend((end..c).map(|_| LOWER_CASE));
        }
        values.push(place);
        end = c + 1;
    }
    firsts.push(values.len());
    put("STARTS", "&[u32]", format!("&{starts:?}"));
    put("FIRSTS", "&[u16]", format!("&{firsts:?}"));
    put("VALUES", "&[u16]", format!("&{values:?}"));
    put("TEXTS", "&str", format!("\"{}\"", texts.escape_unicode()));
    put("LOWER_CASE", "u16", LOWER_CASE.to_string());
    put(
        "COMPOSITES",
        "&[char]",
        format!("&{:?}", folded.composites()),
    );
}

/// What becomes of characters when their case is folded and they are decomposed, but for
/// syllables of Hangul, which are taken apart by calculation.
pub struct Folded(BTreeMap<char, String>);

impl Folded {
    pub fn new() -> Folded {
        let changing = CodePointSetData::new::<ChangesWhenNfkcCasefolded>();
        let decomposition = CanonicalDecompositionBorrowed::new();
        let changes = |c: &char| {
            let is_syllable = ('가'..='힣').contains(c);
            let is_whole = decomposition.decompose(*c) == Decomposed::Default;
            !is_syllable && (changing.contains(*c) || !is_whole)
        };
        let characters = ('\0'..=char::MAX).filter(changes);
        let folded = characters.map(|c| (c, fold(c)));
        Folded(folded.filter(|(c, text)| !text.chars().eq([*c])).collect())
    }

    /// Whether the character stays as it is.
    pub fn is_itself(&self, c: char) -> bool {
        !self.0.contains_key(&c)
    }

    /// Those characters that are not just put in lower case, in order. Few stay as they are
    /// and are not in lower case.
    fn differ_from_lower_case(&self) -> Vec<(char, String)> {
        let capitals =
            ('\0'..=char::MAX).filter(|c| self.is_itself(*c) && !c.to_lowercase().eq([*c]));
        let capitals = capitals.map(|c| (c, c.to_string()));
        let others = self.0.iter().map(|(c, text)| (*c, text.clone()));
        let differ = |(c, text): &(char, String)| !text.chars().eq(c.to_lowercase());
        let mut listed: Vec<_> = capitals.chain(others).filter(differ).collect();
        listed.sort();
        listed
    }

    /// The primary composites (The Unicode Standard, D114) that are in no other case and no
    /// other form than their decompositions.
    pub fn composites(&self) -> Vec<char> {
        let composition = CanonicalCompositionBorrowed::new();
        let decomposition = CanonicalDecompositionBorrowed::new();
        let canonical = DecomposingNormalizerBorrowed::new_nfd();
        let decomposed = |c: char| canonical.normalize(&c.to_string()).into_owned();
        let is_composite = |(c, text): &(&char, &String)| match decomposition.decompose(**c) {
            Decomposed::Expansion(first, second)
                if composition.compose(first, second) == Some(**c) =>
            {
                // A composite is found by the decompositions of its two parts.
                assert_eq!(decomposed(**c), decomposed(first) + &decomposed(second));
                **text == decomposed(**c)
            }
            _ => false,
        };
        let mut composites: Vec<_> = self.0.iter().filter(is_composite).collect();
        composites.sort_by_key(|(_, text)| *text);
        composites.into_iter().map(|(c, _)| *c).collect()
    }
}

/// The compatibility decomposition of the character with its case folded, until nothing
/// changes any more (The Unicode Standard, D146).
fn fold(c: char) -> String {
    let decomposition = DecomposingNormalizerBorrowed::new_nfkd();
    let decompose = |text: &str| decomposition.normalize(text).into_owned();
    let mut folded = decompose(&c.to_string());
    loop {
        let cases: Vec<String> = folded.split(YPOGEGRAMMENI).map(fold_case).collect();
        let again = decompose(&cases.join(&YPOGEGRAMMENI.to_string()));
        if again == folded {
            return folded;
        }
        folded = again;
    }
}

fn fold_case(text: &str) -> String {
    CaseMapper::new().fold_string(text).into_owned()
}

/// The texts, each once and with a zero at its end, and where each begins. One that
/// another ends with is there already.
fn texts(folded: &[(char, String)]) -> (String, Vec<u16>) {
    let mut ended: Vec<String> = folded.iter().map(|(_, text)| format!("{text}\0")).collect();
    ended.sort_by_key(|text| Reverse(text.len()));
    let mut texts = String::new();
    let mut places = HashMap::new();
    for text in &ended {
        if !places.contains_key(text.as_str()) {
            let ends = text
                .char_indices()
                .map(|(at, _)| (&text[at..], texts.len() + at));
            for (end, place) in ends {
                places.entry(end).or_insert(place);
            }
            texts += text;
        }
    }
    let place = |(_, text): &(char, String)| {
        let place = places[format!("{text}\0").as_str()];
        u16::try_from(place).expect("the texts are short")
    };
    let places = folded.iter().map(place).collect();
    assert!(texts.len() < usize::from(LOWER_CASE), "the texts are short");
    (texts, places)
}
