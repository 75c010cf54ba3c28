use proptest::prelude::*;

use super::*;

fn email(text: &str) -> Result<Email, Rule> {
    Email::try_from(text.to_owned())
}

#[test]
fn an_email_is_a_plain_address() {
    for text in ["a@b.example", "o'hara+x@b.example", "Ünal@b.example"] {
        assert!(email(text).is_ok(), "{text:?}");
    }
    for text in [
        "",
        "a",
        "@",
        "a@",
        "@b.example",
        "a b@c.example",
        "A <a@b.example>",
        "a@[127.0.0.1]",
        "a@b..example",
        " a@b.example",
        "a@b.example\n",
    ] {
        assert!(email(text).is_err(), "{text:?}");
    }
    let domain = [&"d".repeat(60)[..]; 4].join(".");
    assert!(email(&format!("{}@{domain}", "l".repeat(10))).is_ok());
    assert!(email(&format!("{}@{domain}", "l".repeat(11))).is_err());
}

#[test]
fn emails_that_differ_in_case_are_the_same() {
    assert_eq!(email("Ada@Example.com"), email("aDA@eXAMPLE.COM"));
    assert_eq!(email("ΟΔΟΣ@example.com"), email("οδοσ@example.com"));
    assert_ne!(email("ada@example.com"), email("ado@example.com"));
}

/// Addresses of RFC 3696 (section 3, and its erratum 1690), RFC 5321, RFC 5322, RFC 6530 and
/// RFC 6531, of registries that offer them, and of what people have.
#[test]
fn addresses_that_there_are_are_taken() {
    for text in [
        "user@example.com",
        "simple@localhost",
        "user+mailbox@example.com",
        "customer/department=shipping@example.com",
        "$A12345@example.com",
        "!def!xyz%abc@example.com",
        "_somename@example.com",
        "a@b",
        "1@example.com",
        "mary-ann.o'neil@sub.domain.example.co.uk",
        "very.common.{a|b}~`^?*@example.com",
        "\"Abc\\@def\"@example.com",
        "\"Fred Bloggs\"@example.com",
        "\"Joe\\\\Blow\"@example.com",
        "\"Abc@def\"@example.com",
        "\"Joe.\\\\Blow\"@example.com",
        "\"much.more unusual\"@example.com",
        "\"very.(),:;<>[]\\\".VERY.\\\"very@\\\\ \\\"very\\\".unusual\"@strange.example.com",
        "\"\"@example.com",
        "\" \"@example.org",
        "user@3com.example",
        "user@r3---sn-a.example",
        "user@123.example",
        "user@xn--bcher-kva.example",
        // Those of several scripts.
        "josé@example.com",
        "jose\u{301}@example.com",
        "jörg.müller@bücher.example",
        "Pelé@example.com",
        "δοκιμή@παράδειγμα.δοκιμή",
        "медведь@с-балалайкой.рф",
        "джон@екзампл.ком",
        "संपर्क@डाटामेल.भारत",
        "संपर्क@example.com",
        "राम.मोहन@उदाहरण.परीक्षा",
        "用户@例子.广告",
        "我買@屋企.香港",
        "甲斐@黒川.日本",
        "二ノ宮@黒川.日本",
        "아이디@테스트.한국",
        "ユーザー@ドメイン。テスト",
        "อีเมล@ทดสอบ.ไทย",
        "அஞ்சல்@உதாரணம்.பரிட்சை",
        "ইমেইল@উদাহরণ.বাংলা",
        "ஸ்ரீ@example.com",
        "مثال@إختبار.مصر",
        "علی\u{200c}رضا@example.com",
        "יוסי@טעסט.example",
        "ශ්\u{200d}රී@example.lk",
        "👩\u{200d}🚀@example.com",
        "❤\u{fe0f}@example.com",
        "a@ＥＸＡＭＰＬＥ．com",
    ] {
        let address = email(text).unwrap_or_else(|rule| panic!("{text} {rule}"));
        assert_eq!(address.as_str(), text);
    }
}

#[test]
fn what_is_no_address_is_refused_by_the_rule() {
    for (text, rule) in [
        ("Abc.example.com", "such as"),
        ("A@b@c@example.com", "double quotes"),
        ("a\"b(c)d,e:f;g<h>i[j\\k]l@example.com", "double quotes"),
        ("just\"not\"right@example.com", "double quotes"),
        ("this is\"not\\allowed@example.com", "double quotes"),
        ("\"unclosed@example.com", "double quotes"),
        ("\"a\"b@example.com", "double quotes"),
        ("\"a\\\"@example.com", "double quotes"),
        ("\"a\\é\"@example.com", "double quotes"),
        (".a@example.com", "double quotes"),
        ("a.@example.com", "double quotes"),
        ("a..b@example.com", "double quotes"),
        ("a,b@example.com", "double quotes"),
        ("@example.com", "1 to 64 bytes"),
        ("a\u{a0}b@example.com", "white space"),
        ("\"a\u{3000}b\"@example.com", "white space"),
        ("a\u{378}@example.com", "unassigned"),
        ("a\u{200b}b@example.com", "U+200B"),
        ("a\u{202e}b@example.com", "U+202E"),
        ("a\u{ad}b@example.com", "U+00AD"),
        ("a\u{3164}b@example.com", "U+3164"),
        ("a\u{200d}b@example.com", "joins nothing"),
        ("a@exam\u{ad}ple.com", "U+00AD"),
        ("a\tb@example.com", "U+0009"),
        ("\"a\0b\"@example.com", "U+0000"),
        ("joe@invalid=domain.com", "domain name"),
        ("u@exa_mple.com", "domain name"),
        ("u@-example.com", "domain name"),
        ("u@example-.com", "domain name"),
        ("u@example.com.", "domain name"),
        ("u@.example.com", "domain name"),
        ("u@exam ple.com", "domain name"),
        ("u@", "domain name"),
        ("u@(comment)example.com", "domain name"),
        ("u@xn--a.example", "domain name"),
        ("u@aא.example", "domain name"),
        ("u@\u{301}a.example", "domain name"),
        ("u@a․b.example", "domain name"),
        ("u@[IPv6:::1]", "domain name"),
        ("u@127.0.0.1", "address of a host"),
        ("u@example.42", "address of a host"),
    ] {
        match email(text) {
            Err(told) => assert!(told.contains(rule), "{text:?} {told}"),
            Ok(_) => panic!("{text:?} is taken"),
        }
    }
}

#[test]
fn lengths_are_those_of_mail_and_of_the_dns() {
    let local = |bytes: usize| format!("{}@example.com", "l".repeat(bytes));
    assert!(email(&local(64)).is_ok());
    assert!(email(&local(65)).is_err());
    // Bytes count, and those of quotes as well.
    assert!(email(&format!("{}@example.com", "é".repeat(32))).is_ok());
    assert!(email(&format!("{}@example.com", "é".repeat(33))).is_err());
    assert!(email(&format!("\"{}\"@example.com", "l".repeat(62))).is_ok());
    assert!(email(&format!("\"{}\"@example.com", "l".repeat(63))).is_err());
    let label = |length: usize| format!("u@{}.example", "d".repeat(length));
    assert!(email(&label(63)).is_ok());
    assert!(email(&label(64)).is_err());
    // 57 times ü has 63 bytes in the DNS.
    assert!(email(&format!("u@{}.example", "ü".repeat(57))).is_ok());
    assert!(email(&format!("u@{}.example", "ü".repeat(58))).is_err());
    // A label of 42 bytes here, and of 52 in the DNS: 219 bytes with three more.
    let domain = ["ǃбāñωбʭđɐāряʭǃեāαßեǃα"; 4].join(".") + ".example";
    assert!(email(&format!("{}@{domain}", "l".repeat(34))).is_ok());
    assert!(email(&format!("{}@{domain}", "l".repeat(35))).is_err());
}

#[test]
fn addresses_that_mean_the_same_are_the_same() {
    for (one, other) in [
        ("οδος@x.example", "ΟΔΟΣ@x.example"),
        ("\u{b5}@x.example", "Μ@x.example"),
        ("straße@x.example", "STRASSE@x.example"),
        ("jose\u{301}@x.example", "JOSÉ@x.example"),
        ("ｊｏｓｅ@x.example", "jose@x.example"),
        ("ﬁ@x.example", "FI@x.example"),
        ("a@bücher.example", "a@xn--bcher-kva.example"),
        ("a@bücher.example", "A@XN--BCHER-KVA.EXAMPLE"),
        ("a@bu\u{308}cher.example", "a@BÜCHER.example"),
        ("a@x。example", "a@x.example"),
        ("\"q\"@x.example", "q@x.example"),
        ("\"\\q\"@x.example", "Q@x.example"),
        ("\"a b\"@x.example", "\"A\\ B\"@x.example"),
        ("\"a.b\"@x.example", "a.b@x.example"),
        ("❤\u{fe0f}@x.example", "❤@x.example"),
    ] {
        assert_eq!(email(one), email(other));
        assert!(email(one).is_ok(), "{one}");
    }
    for (one, other) in [
        ("a@faß.example", "a@fass.example"),
        ("a@x.example", "а@x.example"),
        ("a@x.example", "á@x.example"),
        ("\"a b\"@x.example", "ab@x.example"),
        ("a.b@x.example", "ab@x.example"),
        ("a+b@x.example", "a@x.example"),
        ("\"a@b\"@x.example", "a@b.x.example"),
    ] {
        assert!(email(one).is_ok() && email(other).is_ok(), "{one} {other}");
        assert_ne!(email(one), email(other));
    }
}

/// Local parts and domains that are nearly right.
fn address() -> impl Strategy<Value = String> {
    let locals = [
        "[a-zA-Z0-9.+_'-]{1,20}",
        "\"([ -!#-\\[\\]-~]|\\\\[ -~]){0,12}\"",
        "(\\p{L}|\\p{M}|\\p{N}|[.]){1,10}",
        "[a-zéßςΣK\u{301}\u{345}ﬁ]{1,10}",
    ];
    let domains = [
        "([a-zA-Z0-9-]{1,12}[.]){1,3}[a-z]{2,6}",
        "([a-zäöüßΣς]{1,8}[.。]){1,2}[a-z]{2,6}",
        "(\\p{L}|\\p{M}|\\p{N}|[.-]){1,10}",
    ];
    let any_of = |patterns: &[&str]| {
        let strategies = patterns.iter().map(|pattern| {
            let strategy = proptest::string::string_regex(pattern).expect("a pattern");
            strategy.boxed()
        });
        proptest::strategy::Union::new(strategies)
    };
    (any_of(&locals), any_of(&domains)).prop_map(|(local, domain)| format!("{local}@{domain}"))
}

proptest! {
    #[test]
    fn an_email_keeps_its_spelling_and_is_equal_in_any_case(
        text in "[a-zA-Z0-9.+_-]{1,40}@([a-zA-Z0-9-]{1,20}\\.){1,3}[a-z]{2,6}",
    ) {
        if let Ok(address) = email(&text) {
            prop_assert_eq!(address.as_str(), &text);
            prop_assert_eq!(email(&text.to_uppercase()), Ok(address.clone()));
            prop_assert_eq!(address.folded(), text.to_lowercase());
        }
    }

    #[test]
    fn any_text_is_an_email_or_refused(text in prop_oneof![any::<String>(), address()]) {
        if let Ok(address) = email(&text) {
            prop_assert!(text.contains('@') && text.len() <= Email::MAX_BYTES);
            prop_assert_eq!(address.as_str(), &text);
        }
    }

    /// A quoted local part means what it means without quotes, and the domain means what
    /// stands for it in the DNS.
    #[test]
    fn an_email_is_the_same_however_it_is_written(text in address()) {
        if let Ok(address) = email(&text) {
            let folded = address.folded();
            let (local, domain) = folded.rsplit_once('@').unwrap();
            prop_assert!(domain.is_ascii());
            let quoted = local.replace('\\', "\\\\").replace('"', "\\\"");
            if let Ok(again) = email(&format!("\"{quoted}\"@{domain}")) {
                prop_assert_eq!(again.folded(), folded);
            }
        }
    }
}
