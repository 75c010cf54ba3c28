use std::iter;

use proptest::prelude::*;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::canonical_combining_class;

use super::*;

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
        ("葛\u{e0100}飾", "葛飾"),
        ("علی\u{200c}رضا", "علیرضا"),
        ("ᲀ", "в"),
    ] {
        assert_eq!(fold(name), plain, "{name}");
        assert_eq!(fold(plain), plain, "once more");
    }
}

#[test]
fn signs_of_which_words_are_made_stay() {
    for name in ["हिन्दी", "हन्दी", "สมชาย", "สุมชัย", "王小明"]
    {
        assert_eq!(fold(name), name);
    }
    assert_ne!(fold("か"), fold("が"));
}

#[test]
fn the_start_of_a_syllable_is_a_start() {
    assert!(fold("각").starts_with(&fold("가")));
}

#[test]
fn white_space_is_one_space_and_what_cannot_be_seen_is_nothing() {
    assert_eq!(fold(" \u{a0}Ada \u{3000} L."), "ada l.");
    assert_eq!(fold("Ada "), "ada ");
    assert_eq!(fold("¨a"), "a");
    assert_eq!(fold("co\u{ad}op \u{200d}❤\u{fe0f}"), "coop ❤");
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
    let long = FoldedName::of(&"ﷺ".repeat(200));
    assert_eq!(long.as_str().chars().count(), MAX_CHARS);
    assert_eq!(FoldedName::of("\u{301}").as_str(), "");
}

#[test]
fn every_character_is_folded_by_the_rules() {
    for c in '\0'..=char::MAX {
        let text = format!("a{c}b");
        assert!(fold(&text).chars().eq(by_the_book(&text)), "{c:?}");
    }
}

proptest! {
    /// Of marks that are put in order, what parts them, and all else.
    #[test]
    fn every_text_is_folded_by_the_rules(
        text in "([\\p{M}\u{ad}\u{200d}\u{34f} ]{0,6}(\\p{Mc}|\\p{Mn}|\\p{L}|.)){0,12}"
    ) {
        prop_assert_eq!(fold(&text), by_the_book(&text).collect::<String>());
    }
}

/// The rules as they stand, by the crate of which the table is made.
fn by_the_book(text: &str) -> impl Iterator<Item = char> {
    let visible = text.nfkd().filter(|c| !is_accent(*c) && !is_invisible(*c));
    let cases = icu_casemap::CaseMapper::new();
    let folded = visible.flat_map(move |c| {
        let folded = cases.fold_string(c.encode_utf8(&mut [0; 4])).into_owned();
        folded.chars().collect::<Vec<_>>()
    });
    let lower = folded.flat_map(char::to_lowercase).flat_map(letters);
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
