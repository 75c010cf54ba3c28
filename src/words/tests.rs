use proptest::prelude::*;
use serde_json::json;

use super::*;

fn profile(name: &str, username: Option<&str>, email: Option<&str>) -> Profile {
    let value = json!({ "name": name, "username": username, "email": email });
    Profile::from_json(value).expect("a profile")
}

fn words(name: &str) -> Vec<String> {
    let words = Words::of(&profile(name, None, None));
    words.iter().map(str::to_owned).collect()
}

fn asked(text: &str) -> Asked {
    Asked::try_from(text).unwrap_or_else(|rule| panic!("{text:?} {rule}"))
}

#[test]
fn a_word_begins_after_each_sign_and_goes_on_to_the_next_space() {
    for (name, expected) in [
        ("Ada Lovelace", &["ada", "lovelace"][..]),
        ("Anne-Marie Zoë", &["annemarie", "marie", "zoe"]),
        ("Conan O’Brien", &["conan", "obrien", "brien"]),
        ("J.R.R. Tolkien", &["jrr", "rr", "r", "tolkien"]),
        ("Smith, John (Jr.)", &["smith", "john", "jr"]),
        ("X Æ A-12", &["x", "ae", "a12", "12"]),
        ("Kalaniʻōpuʻu", &["kalaniopuu", "opuu", "u"]),
        ("R2D2", &["r2d2", "2d2", "d2", "2"]),
        ("!", &[]),
    ] {
        assert_eq!(words(name), expected, "{name}");
    }
}

#[test]
fn a_word_begins_at_each_character_of_chinese_japanese_and_korean() {
    assert_eq!(words("王小明"), ["王小明", "小明", "明"]);
    assert_eq!(
        words("渡邉 さくら"),
        ["渡邉さくら", "邉さくら", "さくら", "くら", "ら"]
    );
    assert_eq!(words("王 Wang"), ["王", "wang"]);
    // Syllables and marks are decomposed.
    assert_eq!(words("김민준").len(), 3);
    assert_eq!(words("がく").len(), 2);
    assert_eq!(words("हिन्दी"), ["हिन्दी"]);
}

#[test]
fn people_are_found_by_their_words() {
    let long = "Pablo Diego José Francisco de Paula Juan Nepomuceno María de los Remedios Cipriano \
                de la Santísima Trinidad Ruiz y Picasso";
    for (name, found, not_found) in [
        (
            "Ada Lovelace",
            &["love", "LOVELACE", "ada love", "lov ad"][..],
            &["lovelaces", "ove", "ada x"][..],
        ),
        (
            "Conan O'Brien",
            &["obrien", "brien", "o'brien", "o’br", "o brien", "O`Brien"],
            &["rien"],
        ),
        (
            "Anne-Marie",
            &["anne-marie", "annemarie", "marie", "anne marie", "anne-m"],
            &["nne"],
        ),
        ("Anne Marie", &["anne-marie", "marie anne"], &["annemarie"]),
        (
            "J.R.R. Tolkien",
            &["j.r.r. tolkien", "jrr", "j r r tolkien", "tolkien, j"],
            &["jr r x"],
        ),
        ("Łukasz Ñandú", &["lukasz nandu", "Łuk", "ñ"], &["andu"]),
        ("STRAẞE", &["straße", "strasse"], &["trasse"]),
        ("王小明", &["王", "小明", "明", "王小"], &["李", "王明"]),
        (
            "渡邉 さくら",
            &["渡邉さくら", "渡邉 さくら", "さくら", "くら"],
            &["さら"],
        ),
        ("渡邉さくら", &["渡邉 さくら"], &[]),
        ("김민준", &["민준", "김민준", "김 민준", "미"], &["박"]),
        ("홍 길동", &["홍길동", "길동"], &["동길"]),
        (
            "Wang 王小明",
            &["wang 小明", "wang王", "王 wang"],
            &["小王"],
        ),
        ("मोहन दास", &["दास", "मोह"], &["हन"]),
        ("สมชาย ใจดี", &["ใจดี", "สมชาย"], &["ชาย"]),
        ("محمد الفارسي", &["الفار", "محمد"], &["فارسي"]),
        (
            "José Ortega y Gasset",
            &["gasset ortega", "jose y"],
            &["set"],
        ),
        (long, &["picasso", "pablo picasso"], &["icasso"]),
    ] {
        let user = profile(name, None, None);
        for text in found {
            assert!(asked(text).matches(&Words::of(&user)), "{name} by {text}");
        }
        for text in not_found {
            assert!(!asked(text).matches(&Words::of(&user)), "{name} by {text}");
        }
    }
}

#[test]
fn usernames_and_local_parts_have_words_too() {
    let user = profile(
        "X",
        Some("user123456"),
        Some("ada.love_lace+work@example.com"),
    );
    for text in [
        "user",
        "user123456",
        "123456",
        "ada",
        "love",
        "lace",
        "work",
        "ada.love_lace",
        "adalove",
        "x user ada",
    ] {
        assert!(asked(text).matches(&Words::of(&user)), "{text}");
    }
    for text in ["ser", "23456", "example", "com", "123 456"] {
        assert!(!asked(text).matches(&Words::of(&user)), "{text}");
    }
    let quoted = profile("X", None, Some("\"ada love\"@example.com"));
    assert!(asked("love").matches(&Words::of(&quoted)));
}

#[test]
fn so_many_words_count() {
    let name = (10..60)
        .map(|number| format!("w{number}"))
        .collect::<Vec<_>>();
    let user = profile(&name.join(" "), Some("a.b.c.d.e.f.g.h.i"), None);
    let words = Words::of(&user);
    assert_eq!(words.iter().count(), MAX_NAME_WORDS + MAX_SIGN_IN_WORDS);
    assert!(asked("w21").matches(&words) && asked("hi").matches(&words));
    assert!(!asked("w22").matches(&words) && !asked("i").matches(&words));
}

#[test]
fn a_search_has_1_to_8_words() {
    for text in [
        "",
        " ",
        "!?",
        "'",
        "\u{301}",
        "a b c d e f g h i",
        &"a".repeat(201),
    ] {
        assert!(Asked::try_from(text).is_err(), "{text:?}");
    }
    assert_eq!(asked("a b c d e f g h").words().len(), MAX_ASKED);
    assert_eq!(asked(" -Ada- Love'lace ").words(), ["ada", "lovelace"]);
    assert_eq!(asked("ada王小b").words(), ["ada", "王小", "b"]);
}

proptest! {
    /// Whoever types a name as it is written finds its user.
    #[test]
    fn every_name_of_few_words_is_found_by_itself(
        name in "[\\p{L}\\p{M}\\p{N}'-]{1,5}( [\\p{L}\\p{N}'.]{1,6}){0,3}"
    ) {
        let (Ok(name), Ok(asked)) = (crate::user::Name::try_from(name.clone()), Asked::try_from(&*name))
        else {
            return Ok(());
        };
        prop_assert!(asked.matches(&Words::of_name(name.as_str())), "{:?}", words(name.as_str()));
    }

    #[test]
    fn any_text_is_a_search_or_refused(text in any::<String>()) {
        if let Ok(asked) = Asked::try_from(&*text) {
            prop_assert!(asked.words().iter().all(|word| !word.is_empty()));
        }
    }
}
