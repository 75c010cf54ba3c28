use proptest::prelude::*;
use serde_json::Value;

use super::super::Filter;
use super::{ada, read};

/// Texts of filters, most of them right.
fn text() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        any::<String>().prop_map(|text| Value::from(text).to_string()),
        any::<f64>().prop_map(|number| Value::from(number).to_string()),
        Just("true".to_owned()),
        Just("null".to_owned()),
        Just("\"2011-05-13T04:42:34Z\"".to_owned()),
    ];
    let operator = prop::sample::select(vec!["eq", "NE", "co", "sw", "ew", "gt", "ge", "lt", "le"]);
    let name = prop::sample::select(vec![
        "userName",
        "ACTIVE",
        "emails",
        "emails.primary",
        "meta.created",
        "id",
        "type",
        "value",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager",
    ]);
    let leaf = prop_oneof![
        3 => (name.clone(), operator, value).prop_map(|(name, operator, value)| {
            format!("{name} {operator} {value}")
        }),
        1 => name.prop_map(|name| format!("{name} pr")),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(one, other)| format!("{one} and {other}")),
            (inner.clone(), inner.clone()).prop_map(|(one, other)| format!("{one} or {other}")),
            inner.clone().prop_map(|inner| format!("({inner})")),
            inner.clone().prop_map(|inner| format!("not ({inner})")),
            inner.prop_map(|inner| format!("emails[{inner}]")),
        ]
    })
}

proptest! {
    #[test]
    fn any_text_is_a_filter_or_refused(text in any::<String>()) {
        let _ = read(&text);
    }

    #[test]
    fn what_is_written_is_read_as_the_same(text in text()) {
        if let Ok(filter) = read(&text) {
            let written = filter.to_string();
            prop_assert_eq!(&read(&written).unwrap(), &filter, "{}", written);
            let ada = ada();
            let ada = ada.as_object().unwrap();
            if filter.matches(ada) {
                for comparison in filter.conjuncts() {
                    prop_assert!(Filter::Compare(comparison).matches(ada), "{}", written);
                }
            }
        }
    }

    #[test]
    fn a_filter_matches_what_its_negation_does_not(text in text()) {
        if let Ok(filter) = read(&text) {
            let ada = ada();
            let ada = ada.as_object().unwrap();
            let not = read(&format!("not ({filter})")).unwrap();
            prop_assert_eq!(filter.matches(ada), !not.matches(ada));
        }
    }
}
