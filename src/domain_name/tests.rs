use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
use proptest::prelude::*;

use super::*;

/// The same by the crate that others use.
fn by_idna(name: &str) -> Option<String> {
    let uts46 = Uts46::new();
    let ascii = uts46.to_ascii(
        name.as_bytes(),
        AsciiDenyList::STD3,
        Hyphens::CheckFirstLast,
        DnsLength::Verify,
    );
    ascii.ok().map(|ascii| ascii.into_owned())
}

#[test]
fn a_name_has_one_form_in_the_dns() {
    for (name, ascii) in [
        ("Example.COM", "example.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("BU\u{308}CHER.example", "xn--bcher-kva.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("XN--BCHER-KVA.example", "xn--bcher-kva.example"),
        ("faß.de", "xn--fa-hia.de"),
        ("FAẞ.de", "xn--fa-hia.de"),
        ("fass.de", "fass.de"),
        ("βόλος.com", "xn--nxasmm1c.com"),
        ("ΒΌΛΟΣ.com", "xn--nxasmq6b.com"),
        ("例え。テスト", "xn--r8jz45g.xn--zckzah"),
        ("ｅｘａｍｐｌｅ．ｃｏｍ", "example.com"),
        ("إختبار", "xn--kgbechtv"),
        ("آزمایشی", "xn--hgbk6aj7f53bba"),
        ("परीक्षा", "xn--11b5bs3a9aj6g"),
        ("பரிட்சை", "xn--hlcj6aya9esc7a"),
        ("испытание", "xn--80akhbyknj4f"),
        ("טעסט", "xn--deba0ad"),
        ("테스트", "xn--9t4b11yi5a"),
        ("测试", "xn--0zwm56d"),
        ("r3---sn-a.example", "r3---sn-a.example"),
        ("3com.example", "3com.example"),
        ("a=\u{338}b.example", "xn--ab-miv.example"),
    ] {
        assert_eq!(to_ascii(name).as_deref(), Ok(ascii), "{name}");
        assert_eq!(by_idna(name).as_deref(), Some(ascii), "{name}");
    }
}

#[test]
fn what_is_no_name_is_refused() {
    for name in [
        "",
        ".",
        "a..b",
        ".a",
        "a.",
        "-a.example",
        "a-.example",
        "exa_mple.com",
        "invalid=domain.com",
        "a b.example",
        "[127.0.0.1]",
        "a\0.example",
        // A mark first, and a mark first in what the label stands for.
        "\u{301}a.example",
        "xn--a-xbb.example",
        // A-labels of nothing, of ASCII, of capitals, of what mapping would change.
        "xn--.example",
        "xn--abc-.example",
        "xn--abc.example",
        "xn--Bcher-KVA8445.example",
        // Mixed directions.
        "aא.example",
        "אa.example",
        "א1٠.example",
        // Joiners with nothing to join, and what can't be seen.
        "a\u{200d}b.example",
        "a\u{200c}b.example",
        "a\u{ad}b.example",
        "a\u{200b}b.example",
        "a\u{202e}b.example",
        // Text that would become something else, and what is no character.
        "a․b.example",
        "℀.example",
        "⒈.example",
        "a\u{3164}.example",
        "a\u{fffd}.example",
        "a\u{e000}.example",
        "a\u{378}.example",
        "a\u{2028}.example",
        "a\u{3000}.example",
    ] {
        assert_eq!(to_ascii(name), Err(Flaw::Malformed), "{name:?}");
        let is_seen = name.is_ascii() || crate::unicode::unseen(name).is_none();
        assert!(!is_seen || by_idna(name).is_none(), "{name:?}");
    }
}

#[test]
fn joiners_stand_where_letters_join() {
    for name in ["نامه\u{200c}ای.com", "ශ්\u{200d}රී.com", "क्\u{200c}ष.com"] {
        assert_eq!(to_ascii(name).ok(), by_idna(name), "{name}");
        assert!(to_ascii(name).is_ok(), "{name}");
    }
}

#[test]
fn lengths_are_those_of_the_dns() {
    let label = |length: usize| "d".repeat(length);
    let name = |last: usize| [label(63), label(63), label(63), label(last)].join(".");
    assert!(to_ascii(&name(61)).is_ok());
    assert_eq!(to_ascii(&name(62)), Err(Flaw::TooLong));
    assert_eq!(to_ascii(&label(64)), Err(Flaw::TooLong));
    // It counts how long a label is in the DNS, not how long it is here.
    assert!(to_ascii(&"ü".repeat(57)).is_ok());
    assert_eq!(to_ascii(&"ü".repeat(58)), Err(Flaw::TooLong));
    assert_eq!(to_ascii(&"\u{10330}".repeat(20_000)), Err(Flaw::TooLong));
}

#[test]
fn every_character_is_mapped_as_uts_46_says() {
    for c in '\0'..=char::MAX {
        // Those that are left out, or refused, where they can't be seen.
        if !c.is_ascii() && properties(c).kind == Kind::Ignorable {
            assert!(to_ascii(&format!("a{c}b")).is_err(), "{c:?}");
            continue;
        }
        for name in [
            format!("a{c}b"),
            format!("{c}"),
            format!("א{c}א"),
            format!("1.{c}1"),
        ] {
            assert_eq!(to_ascii(&name).ok(), by_idna(&name), "{name:?} {c:?}");
        }
    }
}

/// Texts that look like names in several scripts.
fn name() -> impl Strategy<Value = String> {
    let scripts = [
        "[a-zA-Z0-9.-]{1,12}",
        "[a-zäöüßẞéσςΑ-ω\u{301}\u{308}\u{323}\u{345}.-]{1,8}",
        "[א-ת0-9٠-٩\u{5b0}-\u{5bc}a.-]{1,8}",
        "[ا-ي\u{64b}-\u{652}۰-۹\u{200c}.-]{1,8}",
        "[क-ह\u{93c}\u{94d}\u{93e}\u{200c}\u{200d}.]{1,8}",
        "[\u{1100}-\u{1112}\u{1161}-\u{1175}\u{11a8}-\u{11c2}가-힣。]{1,8}",
        "[一-龥ぁ-んァ-ヶｦ-ﾟ。．｡]{1,6}",
        "xn--[a-z0-9-]{1,12}",
        "(\\p{L}|\\p{M}|\\p{N}|\\p{S}|.){1,8}",
    ];
    let scripts = scripts.map(|script| proptest::string::string_regex(script).unwrap());
    let label = proptest::strategy::Union::new(scripts.map(Strategy::boxed));
    prop::collection::vec(label, 1..4).prop_map(|labels| labels.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn every_name_is_read_as_uts_46_says(name in name()) {
        let is_ignorable = |c: char| !c.is_ascii() && properties(c).kind == Kind::Ignorable;
        prop_assume!(!name.chars().any(|c| is_ignorable(c) && !is_joiner(c)));
        prop_assert_eq!(to_ascii(&name).ok(), by_idna(&name));
    }

    #[test]
    fn the_form_in_the_dns_stands_for_itself(name in name()) {
        if let Ok(ascii) = to_ascii(&name) {
            prop_assert_eq!(to_ascii(&ascii), Ok(ascii.clone()));
            prop_assert_eq!(to_ascii(&ascii.to_ascii_uppercase()), Ok(ascii));
        }
    }

    #[test]
    fn punycode_is_that_of_the_crate(text in ".{0,12}", encoded in "[a-z0-9-]{0,20}") {
        prop_assert_eq!(punycode::encode(&text), idna::punycode::encode_str(&text));
        prop_assert_eq!(punycode::decode(&encoded), idna::punycode::decode_to_string(&encoded));
    }
}
