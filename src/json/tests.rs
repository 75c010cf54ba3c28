use proptest::prelude::*;
use serde_json::json;

use super::*;

fn flaw(text: &str) -> (String, &'static str) {
    match parse(text.as_bytes()) {
        Err(Error::Ambiguous { pointer, flaw }) => (pointer, flaw),
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn a_name_that_an_object_has_twice_is_told_by_its_pointer() {
    for (text, pointer) in [
        (r#"{"a":1,"a":1}"#, "/a"),
        (r#"{"a":1,"\u0061":null}"#, "/a"),
        (
            r#"{"a":{"b":1},"c":[0,{"d/~":1,"e":2,"d/~":3}]}"#,
            "/c/1/d~1~0",
        ),
        (r#"[{"":0,"":0}]"#, "/0/"),
        (r#"{"a":1,"a":1,"b":2,"b":2}"#, "/a"),
    ] {
        let (told, flaw) = flaw(text);
        assert_eq!(told, pointer, "{text}");
        assert!(flaw.contains("more than once"), "{flaw}");
    }
    assert!(parse(br#"{"a":{"a":{"a":1}},"A":[{"a":1},{"a":2}]}"#).is_ok());
}

#[test]
fn numbers_that_no_double_holds_are_told_by_their_pointers() {
    for text in ["1e400", "-1e400", "1e999999999999", "123456789e308"] {
        let (pointer, flaw) = flaw(&format!(r#"{{"n":[0,{text}]}}"#));
        assert_eq!(pointer, "/n/1", "{text}");
        assert!(flaw.contains("out of range"), "{flaw}");
    }
    let value = parse(b"[1e-400,0e400,18446744073709551616,1.7976931348623157e308]").unwrap();
    assert_eq!(value, json!([0.0, 0.0, 18446744073709551616.0, f64::MAX]));
}

#[test]
fn what_is_no_json_is_malformed() {
    for text in [
        "",
        " ",
        "{",
        "[1,]",
        "{a:1}",
        "01",
        "+1",
        "1.",
        "nul",
        "'a'",
        "\"\u{1}\"",
        "1 2",
        "[1}",
        "\"\\x\"",
        "NaN",
        "Infinity",
        "{\"a\":1,}",
        "\u{feff}1",
        "\"\\u12\"",
        "\"\\ud800\"",
    ] {
        assert!(
            matches!(parse(text.as_bytes()), Err(Error::Malformed(_))),
            "{text:?}"
        );
    }
    assert!(matches!(parse(b"\"\xff\""), Err(Error::Malformed(_))));
}

#[test]
fn depth_and_width_have_bounds() {
    let deep = |levels: usize| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
    assert!(parse(deep(MAX_DEPTH).as_bytes()).is_ok());
    assert!(matches!(
        parse(deep(MAX_DEPTH + 1).as_bytes()),
        Err(Error::TooDeep)
    ));
    assert!(matches!(
        parse(deep(100_000).as_bytes()),
        Err(Error::TooDeep)
    ));
    let wide = format!("[{}0]", "0,".repeat(MAX_VALUES));
    assert!(matches!(parse(wide.as_bytes()), Err(Error::TooWide)));
}

#[test]
fn a_byte_order_mark_is_skipped_at_the_very_beginning() {
    assert_eq!(without_byte_order_mark(b"\xef\xbb\xbf{}"), b"{}");
    assert_eq!(without_byte_order_mark(b"{}"), b"{}");
    assert_eq!(without_byte_order_mark(b"\xef\xbb"), b"\xef\xbb");
    let twice = b"\xef\xbb\xbf\xef\xbb\xbf{}";
    assert!(parse(without_byte_order_mark(twice)).is_err());
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn a_value_is_read_as_it_was_written(value in value()) {
        let text = serde_json::to_vec_pretty(&value).unwrap();
        prop_assert_eq!(parse(&text).unwrap(), value);
    }

    #[test]
    fn a_member_that_is_doubled_is_found(
        value in value(),
        name in any::<String>(),
        elements in 0..3_usize,
    ) {
        let member = format!("{}:{value}", Value::from(name.as_str()));
        let elements = "0,".repeat(elements);
        let text = format!(r#"{{"list":[{elements}{{{member},"other/":[{value}],{member}}}]}}"#);
        match parse(text.as_bytes()) {
            Err(Error::Ambiguous { pointer, .. }) => {
                let inner: Value = serde_json::from_str(&text).unwrap();
                let doubled = inner.pointer(&pointer).map(Value::to_string);
                prop_assert_eq!(doubled, Some(value.to_string()));
            }
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn any_bytes_are_read_like_others_read_them_or_refused(
        text in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..20),
            "[\\[\\]{}:,\"a0-9.eE+\\\\u -]{0,20}".prop_map(String::into_bytes),
        ],
    ) {
        let by_serde: Result<Value, _> = serde_json::from_slice(&text);
        match parse(&text) {
            Ok(value) => prop_assert_eq!(Some(value), by_serde.ok()),
            Err(Error::Malformed(_)) => prop_assert!(by_serde.is_err()),
            Err(_) => {}
        }
    }
}
