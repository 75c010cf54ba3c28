//! When two values are equal.

use serde_json::{Number, Value};

/// Whether two values are equal (RFC 6902, section 4.6): numbers by value, however
/// they are written, objects whatever the order of their members.
pub fn is_equal(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => is_equal_number(one, other),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .zip(other)
                    .all(|(one, other)| is_equal(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            let has = |(name, one)| other.get(name).is_some_and(|other| is_equal(one, other));
            one.len() == other.len() && one.iter().all(has)
        }
        (one, other) => one == other,
    }
}

fn is_equal_number(one: &Number, other: &Number) -> bool {
    match (integer(one), integer(other)) {
        (Some(one), Some(other)) => one == other,
        (None, None) => one.as_f64() == other.as_f64(),
        _ => false,
    }
}

/// The number as an integer, if it is one that has fewer than 128 bits.
fn integer(number: &Number) -> Option<i128> {
    match number.as_i128() {
        Some(integer) => Some(integer),
        None => {
            let float = number.as_f64()?;
            let is_integer = float.fract() == 0.0 && float.abs() < 2_f64.powi(126);
            is_integer.then_some(float as i128)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn equal(one: &str, other: &str) -> bool {
        let value = |text| serde_json::from_str(text).unwrap();
        let (one, other) = (value(one), value(other));
        assert_eq!(is_equal(&one, &other), is_equal(&other, &one));
        is_equal(&one, &other)
    }

    #[test]
    fn numbers_are_equal_by_value() {
        for (one, other) in [
            ("1", "1.0"),
            ("1", "1e0"),
            ("10", "0.1e2"),
            ("0", "-0.0"),
            ("18446744073709551615", "18446744073709551615"),
            ("9007199254740992", "9007199254740992.0"),
            ("-9223372036854775808", "-9.223372036854775808e18"),
            ("1e300", "1.0e300"),
            ("0.1", "1e-1"),
            (
                r#"{"a":[1,{"b":2}],"c":3}"#,
                r#"{"c":3.0,"a":[1.0,{"b":2e0}]}"#,
            ),
        ] {
            assert!(equal(one, other), "{one} {other}");
        }
        for (one, other) in [
            ("1", "1.5"),
            ("1", "\"1\""),
            ("1", "true"),
            ("0", "null"),
            ("9007199254740993", "9007199254740992.0"),
            ("18446744073709551615", "18446744073709551616.0"),
            ("1e300", "2e300"),
            ("[1]", "[1,1]"),
            ("[]", "{}"),
            (r#"{"a":1}"#, r#"{"b":1}"#),
            (r#"{"a":1}"#, r#"{"a":1,"b":1}"#),
        ] {
            assert!(!equal(one, other), "{one} {other}");
        }
    }

    proptest! {
        #[test]
        fn an_integer_is_equal_to_the_double_that_is_exactly_it(number in any::<i64>()) {
            let float = number as f64;
            let is_exact = float as i128 == i128::from(number);
            prop_assert_eq!(is_equal(&number.into(), &float.into()), is_exact);
        }
    }
}
