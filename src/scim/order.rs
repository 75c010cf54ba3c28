//! Resources in the order of an attribute (RFC 7644, section 3.4.2.3).

use std::cmp::Ordering;

use serde_json::{Map, Value};

use super::error::{Error, ScimType};
use super::filter::compare;
use super::path::AttributePath;
use super::{ResourceType, value};

/// Reads the parameter `sortBy`. Fails with [`ScimType::InvalidPath`].
pub fn read(path: &str, types: &[&ResourceType]) -> Result<AttributePath, Error> {
    let invalid = |why: String| {
        let detail = format!("sortBy is wrong: {why}.");
        Error::new(ScimType::InvalidPath, detail)
    };
    let path = AttributePath::read(path, types).map_err(invalid)?;
    let simple = path.to_simple();
    let simple = simple.ok_or_else(|| invalid(format!("{path} has sub-attributes")))?;
    match simple.attribute.is_secret() || simple.last().is_secret() {
        true => Err(invalid(format!("{path} is never told"))),
        false => Ok(simple),
    }
}

/// Which of two resources comes first in ascending order. One without value comes last.
pub fn by(path: AttributePath, one: &Map<String, Value>, other: &Map<String, Value>) -> Ordering {
    match (key(path, one), key(path, other)) {
        (Some(one), Some(other)) => compare(path.last(), one, other).unwrap_or(Ordering::Equal),
        (one, other) => one.is_none().cmp(&other.is_none()),
    }
}

/// The value that counts: of many the primary one, or else the first one.
fn key(path: AttributePath, resource: &Map<String, Value>) -> Option<&Value> {
    let elements = path.elements(resource);
    let element = elements.iter().find(|value| value::is_primary(value));
    let element = element.or(elements.first())?;
    match path.sub_attribute {
        Some(sub) => element.get(sub.name),
        None => Some(element),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Schemas;
    use super::*;
    use serde_json::json;

    #[test]
    fn resources_are_put_in_order_by_the_type_of_an_attribute() {
        let schemas = Schemas::default();
        let by = |path: &str, one: Value, other: Value| {
            let path = read(path, &[&schemas.user]).unwrap();
            by(path, one.as_object().unwrap(), other.as_object().unwrap())
        };
        let name = |name: &str| json!({ "userName": name, "externalId": name });
        assert_eq!(by("USERNAME", name("b"), name("C")), Ordering::Less);
        assert_eq!(by("externalId", name("b"), name("C")), Ordering::Greater);
        assert_eq!(by("userName", name("b"), name("B")), Ordering::Equal);
        assert_eq!(by("userName", name("b"), json!({})), Ordering::Less);
        assert_eq!(by("userName", json!({}), json!({})), Ordering::Equal);
        let created = |time: &str| json!({ "meta": { "created": time } });
        let (one, other) = (
            created("2024-01-01T01:00:00+01:00"),
            created("2024-01-01T00:00:00Z"),
        );
        assert_eq!(by("meta.created", one, other), Ordering::Equal);
        let emails = json!({ "emails": [{ "value": "z" }, { "value": "a", "primary": true }] });
        assert_eq!(
            by("emails", emails, json!({ "emails": [{ "value": "b" }] })),
            Ordering::Less
        );
    }

    #[test]
    fn only_attributes_with_an_order_are_taken() {
        let schemas = Schemas::default();
        for path in ["", "name", "password", "unknown", "emails[type eq \"x\"]"] {
            let error = read(path, &[&schemas.user]).unwrap_err();
            assert_eq!(error.scim_type, Some(ScimType::InvalidPath), "{path}");
        }
    }
}
