//! The table by which names are folded: what becomes of each character that is not
//! just put in lower case. `src/folded_name.rs` has the rules, and reads it.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::fmt::Write;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::canonical_combining_class;

/// Stands for a character that is just put in lower case.
const LOWER_CASE: u16 = u16::MAX;

/// So many characters that are just put in lower case don't end a run: a run
/// takes six bytes, a character two.
const MAX_GAP: u32 = 2;

/// The table as Rust. `STARTS` and `FIRSTS` have the first character of each run of
/// characters that follow each other, and the index of its value. `VALUES` has where in
/// `TEXTS` a character's text begins, which ends with a zero. `MARKS` has the characters
/// that stay and have a combining class, with that in the lowest byte.
pub fn table() -> String {
    let folded: Vec<(char, String)> = characters().filter_map(folded).collect();
    let (texts, places) = texts(&folded);
    let mut starts: Vec<u32> = Vec::new();
    let mut firsts = Vec::new();
    let mut values = Vec::new();
    let mut end = 0;
    for ((c, _), place) in folded.iter().zip(places) {
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
    let marks = characters().filter(|c| canonical_combining_class(*c) != 0 && !is_accent(*c));
    let marks = marks.map(|c| u32::from(c) << 8 | u32::from(canonical_combining_class(c)));
    let marks: Vec<u32> = marks.collect();
    let mut rust = String::new();
    let mut put = |name: &str, kind: &str, value: String| {
        writeln!(rust, "static {name}: {kind} = {value};").expect("a string takes all");
    };
    put("STARTS", "&[u32]", format!("&{starts:?}"));
    put("FIRSTS", "&[u16]", format!("&{firsts:?}"));
    put("VALUES", "&[u16]", format!("&{values:?}"));
    put("MARKS", "&[u32]", format!("&{marks:?}"));
    put("TEXTS", "&str", format!("\"{}\"", texts.escape_unicode()));
    put("LOWER_CASE", "u16", LOWER_CASE.to_string());
    rust
}

/// All but syllables of Hangul, which are taken apart by calculation.
fn characters() -> impl Iterator<Item = char> {
    ('\0'..=char::MAX).filter(|c| !('가'..='힣').contains(c))
}

/// What becomes of the character, if it is not just put in lower case.
fn folded(c: char) -> Option<(char, String)> {
    let kept = c.nfkd().filter(|c| !is_accent(*c));
    let folded: String = kept.flat_map(lower).flat_map(letters).collect();
    let changed = !folded.chars().eq(c.to_lowercase());
    changed.then_some((c, folded))
}

/// The character in lower case. A mark stays as it is and nothing becomes a mark,
/// so that marks can be put in order before or after.
fn lower(c: char) -> impl Iterator<Item = char> {
    let is_mark = canonical_combining_class(c) != 0;
    let lower = c.to_lowercase();
    let stays = match is_mark {
        true => lower.clone().eq([c]),
        false => lower.clone().all(|c| canonical_combining_class(c) == 0),
    };
    assert!(stays, "{c:?} becomes {lower:?}");
    lower
}

fn is_accent(c: char) -> bool {
    matches!(canonical_combining_class(c), 1 | 10..=36 | 200..)
}

/// What people type for a letter in lower case that does not decompose.
fn letters(c: char) -> impl Iterator<Item = char> {
    let text = match c {
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        'þ' => "th",
        'ø' => "o",
        'đ' | 'ð' => "d",
        'ħ' => "h",
        'ı' => "i",
        'ł' => "l",
        'ς' => "σ",
        '‘' | '’' | 'ʼ' => "'",
        '\u{2010}' | '\u{2011}' => "-",
        other => return Vec::from([other]).into_iter(),
    };
    text.chars().collect::<Vec<_>>().into_iter()
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
