//! The value of an attribute, read by its type (RFC 7643, section 2.3), and as clients write it.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use chrono::{DateTime, FixedOffset};
use serde_json::{Map, Value};

use super::error::{Error, ScimType};
use super::schema::{Attribute, Mutability, Type};

/// The most values of an attribute that has many. The members of a group are not read here.
pub const MAX_VALUES: usize = 500;

/// A value that breaks a rule.
#[derive(Debug)]
pub struct Fault {
    /// The names of the attributes that it is in, from the inside out.
    names: Vec<&'static str>,
    /// The rule, as the rest of a sentence about it.
    rule: String,
}

impl Fault {
    pub(super) fn new(attribute: &Attribute, rule: impl Into<String>) -> Fault {
        Fault {
            names: vec![attribute.name],
            rule: rule.into(),
        }
    }

    fn within(mut self, attribute: &Attribute) -> Fault {
        self.names.push(attribute.name);
        self
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Error {
        let names: Vec<_> = fault.names.into_iter().rev().collect();
        let detail = format!("{} {}.", names.join("."), fault.rule);
        Error::new(ScimType::InvalidValue, detail)
    }
}

/// Reads the value of an attribute: `None` if it is null or empty, which is as if the attribute
/// were not there (RFC 7643, section 2.5).
///
/// Of a complex value, unknown sub-attributes are left out, and those that clients don't set.
///
/// Some clients write values in other forms. They are taken, for there is one meaning that they can
/// have: `"True"` for true, one value in an array or in an object as its `value`, a value that
/// is not in an array for an attribute that has many, a text for a complex value that has a `value`.
pub fn read(attribute: &Attribute, value: Value) -> Result<Option<Value>, Fault> {
    if !attribute.multi_valued {
        return read_one(attribute, value);
    }
    let values = match value {
        Value::Array(values) => values,
        one => vec![one],
    };
    let values = values.into_iter().map(|value| read_one(attribute, value));
    let values: Vec<_> = values
        .filter_map(Result::transpose)
        .collect::<Result<_, _>>()?;
    if values.len() > MAX_VALUES {
        let rule = format!("must have at most {MAX_VALUES} values");
        return Err(Fault::new(attribute, rule));
    }
    if values.iter().filter(|value| is_primary(value)).count() > 1 {
        return Err(Fault::new(attribute, "must have at most one primary value"));
    }
    Ok((!values.is_empty()).then_some(Value::Array(values)))
}

/// Whether it is the preferred one of many values (RFC 7643, section 2.4).
pub(super) fn is_primary(value: &Value) -> bool {
    value.get("primary") == Some(&Value::Bool(true))
}

/// Reads one value, also if the attribute has many.
pub(super) fn read_one(attribute: &Attribute, value: Value) -> Result<Option<Value>, Fault> {
    let value = match value {
        Value::Array(mut values) => match values.len() {
            0 => Value::Null,
            1 => values.remove(0),
            _ => return Err(Fault::new(attribute, "must be one value, not an array")),
        },
        value => value,
    };
    match (attribute.kind, value) {
        (_, Value::Null) => Ok(None),
        (Type::Complex, Value::Object(members)) => read_complex(attribute, members),
        (Type::Complex, value) => match attribute.sub_attribute("value") {
            Some(_) if !value.is_array() => {
                let mut members = Map::new();
                members.insert("value".to_owned(), value);
                read_complex(attribute, members)
            }
            _ => Err(Fault::new(attribute, "must be an object")),
        },
        (_, Value::Object(mut members)) => match take(&mut members, "value") {
            Some(value) if !value.is_object() && !value.is_array() => read_one(attribute, value),
            _ => Err(Fault::new(attribute, must_be(attribute.kind))),
        },
        (_, value) => read_simple(attribute, value).map(Some),
    }
}

fn read_complex(
    attribute: &Attribute,
    members: Map<String, Value>,
) -> Result<Option<Value>, Fault> {
    let mut read_members = Map::new();
    for (name, value) in members {
        let Some(sub) = attribute.sub_attribute(&name) else {
            continue;
        };
        if matches!(sub.mutability, Mutability::ReadOnly | Mutability::WriteOnly) {
            continue;
        }
        if let Some(value) = read(sub, value).map_err(|fault| fault.within(attribute))?
            && read_members.insert(sub.name.to_owned(), value).is_some()
        {
            let fault = Fault::new(sub, "is there more than once");
            return Err(fault.within(attribute));
        }
    }
    Ok((!read_members.is_empty()).then_some(Value::Object(read_members)))
}

fn read_simple(attribute: &Attribute, value: Value) -> Result<Value, Fault> {
    let value = match value {
        Value::String(text) if attribute.kind == Type::Boolean => {
            match text.to_ascii_lowercase().as_str() {
                "true" => true.into(),
                "false" => false.into(),
                _ => Value::String(text),
            }
        }
        value => value,
    };
    let is_of_type = match (attribute.kind, &value) {
        (Type::String | Type::Reference, Value::String(_)) => true,
        (Type::Boolean, Value::Bool(_)) | (Type::Decimal, Value::Number(_)) => true,
        (Type::Integer, Value::Number(number)) => number.is_i64() || number.is_u64(),
        (Type::DateTime, Value::String(text)) => time(text).is_some(),
        (Type::Binary, Value::String(text)) => {
            STANDARD.decode(text).is_ok() || URL_SAFE.decode(text).is_ok()
        }
        _ => false,
    };
    match is_of_type {
        true => Ok(value),
        false => Err(Fault::new(attribute, must_be(attribute.kind))),
    }
}

/// The time that a text says (RFC 7643, section 2.3.5). One without offset is in UTC.
pub(super) fn time(text: &str) -> Option<DateTime<FixedOffset>> {
    let time = DateTime::parse_from_rfc3339(text);
    time.or_else(|_| DateTime::parse_from_rfc3339(&format!("{text}Z")))
        .ok()
}

fn must_be(kind: Type) -> &'static str {
    match kind {
        Type::String => "must be a string",
        Type::Reference => "must be a string with a URI in it",
        Type::Boolean => "must be true or false",
        Type::Decimal => "must be a number",
        Type::Integer => "must be a whole number of at most 64 bits",
        Type::DateTime => "must be a string with a time as in 2008-01-23T04:56:22Z",
        Type::Binary => "must be a string with bytes in base64",
        Type::Complex => "must be an object",
    }
}

/// Takes the member of that name, in any case, out of an object.
pub(super) fn take(members: &mut Map<String, Value>, name: &str) -> Option<Value> {
    if let Some(value) = members.remove(name) {
        return Some(value);
    }
    let found = members.keys().find(|key| key.eq_ignore_ascii_case(name));
    let key = found?.clone();
    members.remove(&key)
}

#[cfg(test)]
mod tests {
    use super::super::schema::{ENTERPRISE_USER, USER};
    use super::*;
    use serde_json::json;

    fn read_user(name: &str, value: Value) -> Result<Value, String> {
        let attribute = USER.attribute(name).or(ENTERPRISE_USER.attribute(name));
        let read = read(attribute.unwrap(), value);
        read.map(Option::unwrap_or_default)
            .map_err(|fault| Error::from(fault).detail)
    }

    #[test]
    fn values_are_read_as_clients_write_them() {
        for (name, value, expected) in [
            ("title", json!("Dr"), json!("Dr")),
            // Entra ID.
            ("active", json!("True"), json!(true)),
            ("active", json!("false"), json!(false)),
            // Entra ID, without the flag aadOptscim062020.
            ("active", json!([{ "value": "False" }]), json!(false)),
            ("title", json!(["Dr"]), json!("Dr")),
            ("title", json!({ "Value": "Dr" }), json!("Dr")),
            ("title", json!(null), json!(null)),
            ("title", json!([]), json!(null)),
            (
                "emails",
                json!("a@x.example"),
                json!([{ "value": "a@x.example" }]),
            ),
            ("emails", json!([null, {}, { "x": 1 }]), json!(null)),
            (
                "EMAILS",
                json!({ "Value": "a@x.example", "PRIMARY": "true", "unknown": 1 }),
                json!([{ "value": "a@x.example", "primary": true }]),
            ),
            // Entra ID sends the manager's id alone.
            ("manager", json!("26118915"), json!({ "value": "26118915" })),
            (
                "manager",
                json!([{ "value": "26118915", "displayName": "Mandy" }]),
                json!({ "value": "26118915" }),
            ),
            ("name", json!({ "familyName": null }), json!(null)),
            (
                "x509Certificates",
                json!(["MII_"]),
                json!([{ "value": "MII_" }]),
            ),
        ] {
            assert_eq!(
                read_user(name, value.clone()),
                Ok(expected),
                "{name} {value}"
            );
        }
    }

    #[test]
    fn values_that_break_a_rule_are_named() {
        let primary = json!({ "value": "a", "primary": true });
        for (name, value, detail) in [
            ("title", json!(1), "title must be a string."),
            (
                "title",
                json!(["a", "b"]),
                "title must be one value, not an array.",
            ),
            (
                "title",
                json!({ "value": { "value": "a" } }),
                "title must be a string.",
            ),
            ("active", json!("yes"), "active must be true or false."),
            ("name", json!("Ada"), "name must be an object."),
            (
                "name",
                json!({ "givenName": 1 }),
                "name.givenName must be a string.",
            ),
            (
                "name",
                json!({ "givenName": "a", "GIVENNAME": "b" }),
                "name.givenName is there more than once.",
            ),
            (
                "emails",
                json!([{ "value": 1 }]),
                "emails.value must be a string.",
            ),
            (
                "emails",
                json!([primary, primary]),
                "emails must have at most one primary value.",
            ),
            (
                "x509Certificates",
                json!(["-"]),
                "x509Certificates.value must be a string with bytes in base64.",
            ),
            (
                "roles",
                json!(vec!["a"; 501]),
                "roles must have at most 500 values.",
            ),
        ] {
            assert_eq!(read_user(name, value).unwrap_err(), detail);
        }
    }
}
