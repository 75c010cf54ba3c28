//! Which values of the variables make an issuer.

use super::*;

const URL: &str = "https://login.example/keys";
const SET: &str = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a",
    "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

fn read(values: [&str; 4]) -> Result<Option<Issuer>, Fault> {
    Issuer::read(values.map(|value| (!value.is_empty()).then(|| value.to_owned())))
}

#[test]
fn an_issuer_takes_a_name_an_audience_and_keys() {
    for values in [["i", "us", "", URL], ["i", "us", SET, ""]] {
        assert!(
            read(values).is_ok_and(|issuer| issuer.is_some()),
            "{values:?}"
        );
        for left_out in 0..3 {
            let mut values = values;
            values[left_out] = "";
            if left_out < 2 || values[3].is_empty() {
                assert!(read(values).is_err(), "{values:?}");
            }
        }
    }
    assert!(read(["", "", "", ""]).is_ok_and(|issuer| issuer.is_none()));
}

#[test]
fn the_variable_at_fault_is_named() {
    for (values, fault) in [
        (
            ["", "us", "", ""],
            "jwt_issuer must be set, for jwt_audience is",
        ),
        (
            ["", "", "", URL],
            "jwt_issuer must be set, for jwt_jwks_url is",
        ),
        (
            ["i", "", SET, ""],
            "jwt_audience must be set, for jwt_issuer is",
        ),
        (
            ["i", "us", "", ""],
            "jwt_jwks or jwt_jwks_url must be set, for jwt_issuer is",
        ),
        (["i", "us", "[]", ""], "jwt_jwks must be a JWK set"),
        (
            ["i", "us", r#"{"keys":[]}"#, ""],
            "jwt_jwks must be a JWK set",
        ),
        (["i", "us", "", "/keys"], "jwt_jwks_url must be a URL"),
    ] {
        let (variable, rule) = read(values).expect_err("a fault");
        let told = format!("{variable} {rule}");
        assert!(told.starts_with(fault), "{told}");
    }
}

#[test]
fn keys_in_the_configuration_are_asked_of_nobody() {
    let issuer = read(["i", "us", SET, URL])
        .expect("good values")
        .expect("an issuer");
    assert!(matches!(issuer.keys, Source::Configuration(_)));
}

#[test]
fn keys_come_by_a_way_on_which_nobody_can_change_them() {
    for (url, private) in [
        ("https://login.example/keys", true),
        ("http://localhost:8080/keys", true),
        ("http://127.0.0.1/keys", true),
        ("http://login.example/keys", false),
        ("http://localhost.example/keys", false),
        ("http://127.0.0.1@login.example/keys", false),
        ("ftp://login.example/keys", false),
        ("/keys", false),
    ] {
        let url: Uri = url.parse().expect("a URL");
        assert_eq!(is_private(&url), private, "{url}");
    }
}
