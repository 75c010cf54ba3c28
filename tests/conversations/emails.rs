//! Emails: which are taken, which are the same, and how one is looked up.

use crate::support::{Answer, encoded, new_email, path, service};
use serde_json::{Value, json};

/// Letters and digits that no other test uses, nor an earlier run.
fn unique() -> String {
    let email = new_email();
    let (local, _) = email.split_once('@').expect("an address");
    local.replace('.', "x")
}

fn create(email: &str) -> Answer {
    service().post("/users", json!({ "name": "Ada", "email": email }))
}

fn find(email: &str) -> Vec<Value> {
    let found = service().get(&format!("/users?email={}", encoded(email)));
    assert_eq!(found.status, 200, "{}", found.body);
    found.json().as_array().expect("a list").clone()
}

#[test]
fn addresses_in_any_script_come_back_as_they_were_sent() {
    let n = unique();
    for email in [
        format!("jose\u{301}{n}@example.com"),
        format!("संपर्क{n}@डाटामेल.भारत"),
        format!("用户{n}@例子.广告"),
        format!("δοκιμή{n}@παράδειγμα.δοκιμή"),
        format!("مثال{n}@إختبار.مصر"),
        format!("Jörg.{n}@Bücher.example"),
        format!("\"a b\\\"{n}\"@example.com"),
        format!("o'hara+{n}@3com.example"),
    ] {
        let created = create(&email);
        assert_eq!(created.status, 201, "{email}: {}", created.body);
        let user = created.json();
        assert_eq!(user["email"], email);
        assert_eq!(find(&email), [user], "{email}");
    }
}

#[test]
fn what_is_no_address_is_refused_by_its_rule() {
    for (email, rule) in [
        ("joe@invalid=domain.com", "domain name"),
        ("u@exa_mple.com", "domain name"),
        ("u@127.0.0.1", "not an address of a host"),
        ("u@xn--a.example", "domain name"),
        ("a..b@example.com", "double quotes"),
        ("a\u{202e}b@example.com", "U+202E"),
        (&format!("{}@example.com", "l".repeat(65)), "64 bytes"),
        (&format!("u@{}.example", "d".repeat(64)), "63"),
        (&format!("u@{}", ["d"; 150].join(".")), "254 bytes"),
    ] {
        let refused = create(email);
        assert_eq!(
            (refused.status, refused.pointers()),
            (422, vec!["/email".to_owned()])
        );
        let detail = refused.problem()["errors"][0]["detail"].to_string();
        assert!(detail.contains(rule), "{email}: {detail}");
    }
}

#[test]
fn addresses_that_mean_the_same_are_one() {
    let n = unique();
    for (one, others) in [
        ("οδος", ["ΟΔΟΣ", "οδοσ"]),
        ("\u{b5}", ["Μ", "μ"]),
        ("straße", ["STRASSE", "straẞe"]),
        ("josé", ["JOSE\u{301}", "ｊｏｓé"]),
    ] {
        let first = create(&format!("{one}{n}@x.example"));
        assert_eq!(first.status, 201, "{one}");
        for other in others {
            let taken = create(&format!("{other}{n}@X.EXAMPLE"));
            assert_eq!(taken.status, 409, "{one} {other}");
            assert_eq!(taken.problem()["type"], "/problems/email-taken");
            assert_eq!(find(&format!("{other}{n}@x.example")), [first.json()]);
        }
    }
    let first = create(&format!("q{n}@bücher.example"));
    assert_eq!(first.status, 201);
    for other in [
        format!("q{n}@xn--bcher-kva.example"),
        format!("Q{n}@BU\u{308}CHER.example"),
        format!("\"q{n}\"@bücher。example"),
        format!("\"\\q{n}\"@bücher.example"),
    ] {
        assert_eq!(create(&other).status, 409, "{other}");
        assert_eq!(find(&other), [first.json()], "{other}");
    }
    // Letters that look alike are no less different.
    assert_eq!(create(&format!("оδος{n}@x.example")).status, 201);
}

#[test]
fn an_address_may_be_written_anew_by_its_own_user() {
    let n = unique();
    let user = create(&format!("Straße{n}@x.example")).json();
    let email = format!("strasse{n}@X.example");
    let renamed = service().patch(&path(&user), json!({ "email": email }));
    assert_eq!(
        (renamed.status, &renamed.json()["email"]),
        (200, &json!(email))
    );
    assert_eq!(find(&format!("STRASSE{n}@x.example")), [renamed.json()]);
    service().delete(&path(&user));
    assert_eq!(create(&format!("straße{n}@x.example")).status, 201);
}

#[test]
fn a_plus_is_itself_where_no_space_can_be_meant() {
    let n = unique();
    let plain = create(&format!("ada+{n}@example.com")).json();
    let spaced = create(&format!("\"ada l {n}\"@example.com")).json();
    let find = |query: &str| {
        let found = service().get(&format!("/users?email={query}"));
        assert_eq!(found.status, 200, "{query}: {}", found.body);
        found.json()
    };
    for query in [
        format!("ada+{n}@example.com"),
        format!("ada%2B{n}%40example.com"),
    ] {
        assert_eq!(find(&query), json!([plain]), "{query}");
    }
    for query in [
        format!("%22ada+l+{n}%22@example.com"),
        format!("%22ada%20l%20{n}%22@example.com"),
    ] {
        assert_eq!(find(&query), json!([spaced]), "{query}");
    }
}
