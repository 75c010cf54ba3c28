//! Whether a resource meets a filter.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::{Map, Number, Value};

use super::super::schema::{Attribute, Type};
use super::super::value::time;
use super::{Comparison, Filter, Operator};
use crate::json;
use crate::unicode::{caseless, compose};

impl Filter {
    /// Whether the filter matches a resource, of which all attributes must be there that the filter
    /// asks for.
    ///
    /// Of an attribute with many values, one has to meet a comparison. An attribute without value
    /// meets `ne` alone, for it is not equal.
    pub fn matches(&self, resource: &Map<String, Value>) -> bool {
        match self {
            Filter::And(parts) => parts.iter().all(|part| part.matches(resource)),
            Filter::Or(parts) => parts.iter().any(|part| part.matches(resource)),
            Filter::Not(filter) => !filter.matches(resource),
            Filter::Present(path) => path.values(resource).into_iter().any(is_present),
            Filter::Compare(comparison) => comparison.matches(resource),
            Filter::Values(path, filter) => path.elements(resource).iter().any(|value| {
                let members = value.as_object();
                members.is_some_and(|members| filter.matches(members))
            }),
        }
    }
}

impl Comparison {
    fn matches(&self, resource: &Map<String, Value>) -> bool {
        let values = self.path.values(resource);
        let is_present = values.iter().any(|value| is_present(value));
        match (&self.value, self.operator) {
            (Value::Null, Operator::Eq) => !is_present,
            (Value::Null, _) => is_present,
            (_, Operator::Ne) if values.is_empty() => true,
            _ => values.into_iter().any(|value| self.admits(value)),
        }
    }

    /// Whether one value meets the comparison. A value of another type than the attribute's, which
    /// an older schema may have left, is just not equal.
    fn admits(&self, found: &Value) -> bool {
        let attribute = self.path.last();
        let ordering = compare(attribute, found, &self.value);
        match self.operator {
            Operator::Eq => ordering == Some(Ordering::Equal),
            Operator::Ne => ordering != Some(Ordering::Equal),
            Operator::Gt => ordering == Some(Ordering::Greater),
            Operator::Ge => ordering.is_some_and(Ordering::is_ge),
            Operator::Lt => ordering == Some(Ordering::Less),
            Operator::Le => ordering.is_some_and(Ordering::is_le),
            Operator::Co => self.has_part(found, |found, part| found.contains(part)),
            Operator::Sw => self.has_part(found, |found, part| found.starts_with(part)),
            Operator::Ew => self.has_part(found, |found, part| found.ends_with(part)),
        }
    }

    fn has_part(&self, found: &Value, has: fn(&str, &str) -> bool) -> bool {
        let attribute = self.path.last();
        match (text(attribute, found), text(attribute, &self.value)) {
            (Some(found), Some(part)) => has(&found, &part),
            _ => false,
        }
    }
}

/// Whether it is a value, or has one in it.
fn is_present(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(elements) => elements.iter().any(is_present),
        Value::Object(members) => members.values().any(is_present),
        Value::Bool(_) | Value::Number(_) => true,
    }
}

/// Compares two values of an attribute by its type; `None` if they are not of it.
pub(in super::super) fn compare(
    attribute: &Attribute,
    one: &Value,
    other: &Value,
) -> Option<Ordering> {
    match attribute.kind {
        Type::Boolean => Some(one.as_bool()?.cmp(&other.as_bool()?)),
        Type::Integer | Type::Decimal => compare_numbers(one.as_number()?, other.as_number()?),
        Type::DateTime => Some(time(one.as_str()?)?.cmp(&time(other.as_str()?)?)),
        Type::String | Type::Reference | Type::Binary => {
            Some(text(attribute, one)?.cmp(&text(attribute, other)?))
        }
        Type::Complex => None,
    }
}

fn compare_numbers(one: &Number, other: &Number) -> Option<Ordering> {
    if let (Some(one), Some(other)) = (one.as_i128(), other.as_i128()) {
        return Some(one.cmp(&other));
    }
    if json::is_equal(&one.clone().into(), &other.clone().into()) {
        return Some(Ordering::Equal);
    }
    one.as_f64()?.partial_cmp(&other.as_f64()?)
}

/// The text that a value is, so that texts that mean the same are equal. It is composed, for an
/// accent is no character of its own: "ä" has no "a" in it.
fn text<'a>(attribute: &Attribute, value: &'a Value) -> Option<Cow<'a, str>> {
    let text = value.as_str()?;
    Some(match attribute.case_exact {
        true => Cow::Borrowed(text),
        false if text.is_ascii() => Cow::Owned(text.to_ascii_lowercase()),
        false => Cow::Owned(compose(&caseless(text))),
    })
}
