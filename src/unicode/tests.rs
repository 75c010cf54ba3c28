use proptest::prelude::*;
use unicode_normalization::UnicodeNormalization;

use super::*;

/// The rules as they stand, by the crates that the tables are not made with, where there
/// are such.
fn by_the_book(text: &str) -> String {
    let cases = icu_casemap::CaseMapper::new();
    let mut folded: String = text.nfd().collect();
    for _ in 0..3 {
        folded = cases.fold_string(&folded).nfkd().collect();
    }
    let is_ignored = |c: char| matches!(properties(c).kind, Kind::Selector | Kind::Ignorable);
    folded.retain(|c| !is_ignored(c));
    cases.fold_string(&folded).nfkd().collect()
}

#[test]
fn texts_that_differ_in_case_or_form_mean_the_same() {
    for (text, other) in [
        ("straße", "STRASSE"),
        ("straẞe", "strasse"),
        ("οδος", "ΟΔΟΣ"),
        ("\u{b5}", "Μ"),
        ("ﬁsh", "FISH"),
        ("ｊｏｓé", "JOSE\u{301}"),
        ("Ⅸ", "ix"),
        ("ᾳ", "ΑΙ"),
        ("ǆ", "Ǆ"),
        ("각", "\u{1100}\u{1161}\u{11a8}"),
        ("a\u{323}\u{301}", "A\u{301}\u{323}"),
        ("نامه\u{200c}ای", "نامهای"),
        ("❤\u{fe0f}", "❤"),
        ("ꭰ", "Ꭰ"),
        ("ᲀ", "в"),
    ] {
        assert_eq!(caseless(text), caseless(other), "{text} {other}");
    }
    for (text, other) in [("é", "e"), ("ı", "i"), ("o", "ο"), ("а", "a"), ("1", "l")] {
        assert_ne!(caseless(text), caseless(other), "{text} {other}");
    }
}

#[test]
fn every_character_is_folded_by_the_rules() {
    for c in '\0'..=char::MAX {
        let text = format!("a{c}\u{323}b");
        assert_eq!(caseless(&text), by_the_book(&text), "{c:?}");
    }
}

#[test]
fn what_cannot_be_seen_is_found() {
    for hidden in [
        '\0',
        '\n',
        '\u{7f}',
        '\u{85}',
        '\u{ad}',
        '\u{34f}',
        '\u{61c}',
        '\u{115f}',
        '\u{1160}',
        '\u{17b4}',
        '\u{180e}',
        '\u{200b}',
        '\u{200c}',
        '\u{200d}',
        '\u{200e}',
        '\u{200f}',
        '\u{2028}',
        '\u{2029}',
        '\u{202a}',
        '\u{202e}',
        '\u{2060}',
        '\u{2064}',
        '\u{2065}',
        '\u{2066}',
        '\u{2069}',
        '\u{206a}',
        '\u{3164}',
        '\u{feff}',
        '\u{ffa0}',
        '\u{fff9}',
        '\u{fffe}',
        '\u{1bca0}',
        '\u{1d173}',
        '\u{e0001}',
        '\u{e0041}',
        '\u{10ffff}',
    ] {
        for text in [
            format!("{hidden}a"),
            format!("a{hidden}b"),
            format!("a{hidden}"),
        ] {
            assert_eq!(unseen(&text), Some(hidden), "{text:?}");
        }
    }
    // Selectors that choose nothing.
    for text in [
        "\u{fe0f}",
        " \u{fe0f}",
        "a\u{fe00}\u{fe01}",
        "a\u{e0100}\u{e0101}",
    ] {
        assert!(unseen(text).is_some(), "{text:?}");
    }
}

#[test]
fn joiners_and_selectors_stand_where_scripts_and_emoji_need_them() {
    for text in [
        "علی\u{200c}رضا",
        "മോഹന്\u{200d}",
        "ශ්\u{200d}රී",
        "र\u{94d}\u{200d}य",
        "র\u{200d}\u{9cd}যামন",
        "👩\u{200d}🚀",
        "👩🏽\u{200d}❤\u{fe0f}\u{200d}💋\u{200d}👨🏿",
        "🏳\u{fe0f}\u{200d}🌈",
        "🙂\u{200d}↔\u{fe0f}",
        "1\u{fe0f}\u{20e3}",
        "葛\u{e0100}城",
        "ᠮᠣᠩᠭᠣᠯ\u{180b}",
        "Zoë \u{3000}王 \u{a0}L",
        "e\u{301}",
    ] {
        assert_eq!(unseen(text), None, "{text:?}");
    }
    for text in [
        "a\u{200d}b",
        "👩\u{200d}",
        "👩\u{200d}a",
        "👩\u{200c}👩",
        "ع\u{200c}\u{200c}ع",
    ] {
        assert!(unseen(text).is_some(), "{text:?}");
    }
}

proptest! {
    #[test]
    fn every_text_is_folded_by_the_rules(
        text in "([\\p{M}\u{345}\u{ad}\u{34f}]{0,4}(\\p{Mn}|\\p{Lu}|\\p{Ll}|\\p{L}|.)){0,12}"
    ) {
        prop_assert_eq!(caseless(&text), by_the_book(&text));
    }

    #[test]
    fn a_folded_text_stays_as_it_is(text in any::<String>()) {
        let once = caseless(&text);
        prop_assert_eq!(caseless(&once), once);
    }

    #[test]
    fn a_text_is_composed_as_the_crate_does(text in "(\\p{M}|\\p{L}|[\u{1100}-\u{11ff}가-힣]){0,8}") {
        let mut folded = Decomposition::default();
        text.chars().for_each(|c| fold(c, |c| folded.put(c)));
        let folded = folded.into_text();
        prop_assert_eq!(compose(&folded), folded.nfc().collect::<String>());
    }
}
