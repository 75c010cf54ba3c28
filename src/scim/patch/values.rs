//! The values of an attribute that has many.

use std::cmp::Ordering;

use serde_json::Value;

use super::super::error::Error;
use super::super::filter::compare;
use super::super::schema::Attribute;
use super::super::value::{Fault, is_primary};

/// The values, and those of the others that are not among them. A new primary one takes the place
/// of the old one (RFC 7644, section 3.5.2).
pub(super) fn appended(
    attribute: &Attribute,
    mut values: Vec<Value>,
    others: Vec<Value>,
) -> Vec<Value> {
    for other in others {
        if is_primary(&other) {
            values.iter_mut().for_each(make_secondary);
        }
        let same = values
            .iter_mut()
            .find(|value| is_same(attribute, value, &other));
        match (same, other) {
            (Some(Value::Object(members)), Value::Object(other)) => members.extend(other),
            (Some(_), _) => {}
            (None, other) => values.push(other),
        }
    }
    values
}

/// Whether to add a value is to change the one that is there: no two have the same `type` and
/// `value` (RFC 7643, section 2.4).
fn is_same(attribute: &Attribute, value: &Value, other: &Value) -> bool {
    let is_equal = |name: &str| match (value.get(name), other.get(name)) {
        (Some(one), Some(other)) => attribute
            .sub_attribute(name)
            .is_some_and(|sub| is_equal(sub, one, other)),
        _ => false,
    };
    match other.get("value") {
        Some(_) => is_equal("value") && (other.get("type").is_none() || is_equal("type")),
        None => has_all_of(attribute, value, other),
    }
}

/// Whether a value is the other one, or an object with all its sub-attributes.
pub(super) fn has_all_of(attribute: &Attribute, value: &Value, other: &Value) -> bool {
    match (value, other) {
        (Value::Object(members), Value::Object(others)) => others.iter().all(|(name, other)| {
            let sub = attribute.sub_attribute(name);
            let value = members.get(name);
            sub.zip(value)
                .is_some_and(|(sub, value)| is_equal(sub, value, other))
        }),
        (value, other) => is_equal(attribute, value, other),
    }
}

/// Whether a filter finds two values equal.
fn is_equal(attribute: &Attribute, value: &Value, other: &Value) -> bool {
    value == other || compare(attribute, value, other) == Some(Ordering::Equal)
}

/// The values, of which those marked were changed: if one of these is primary, the others are not.
pub(super) fn with_one_primary(
    attribute: &Attribute,
    values: Vec<(Value, bool)>,
) -> Result<Vec<Value>, Error> {
    let primary = values
        .iter()
        .filter(|(value, is_changed)| *is_changed && is_primary(value));
    let primary = primary.count();
    if primary > 1 {
        return Err(Fault::new(attribute, "must have at most one primary value").into());
    }
    let values = values.into_iter().map(|(mut value, is_changed)| {
        if primary == 1 && !is_changed {
            make_secondary(&mut value);
        }
        value
    });
    Ok(values.collect())
}

fn make_secondary(value: &mut Value) {
    if is_primary(value) {
        value["primary"] = false.into();
    }
}
