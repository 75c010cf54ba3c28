//! Members of JSON objects that clients send.

use serde_json::{Map, Value};

use super::{Attributes, Rule, Violation};

/// The members of a JSON object.
pub(crate) fn object(value: Value) -> Result<Map<String, Value>, Vec<Violation>> {
    match value {
        Value::Object(members) => Ok(members),
        _ => Err(vec![Violation::of_all("must be a JSON object")]),
    }
}

/// Takes an optional member that is a string.
pub(crate) fn optional<T: TryFrom<String, Error = Rule>>(
    members: &mut Map<String, Value>,
    name: &str,
) -> Result<Option<T>, Rule> {
    match members.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => T::try_from(text).map(Some),
        Some(_) => Err("must be a string".into()),
    }
}

/// Takes the optional member `attributes`.
pub(crate) fn attributes(members: &mut Map<String, Value>) -> Result<Option<Attributes>, Rule> {
    match members.remove("attributes") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(object)) => Attributes::try_from(object).map(Some),
        Some(_) => Err("must be a JSON object".into()),
    }
}
