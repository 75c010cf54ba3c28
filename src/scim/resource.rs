//! The body of a request that creates or replaces a resource (RFC 7644, sections 3.3 and 3.5.1).

use serde_json::{Map, Value};

use super::ResourceType;
use super::error::{Error, ScimType};
use super::schema::{Attribute, Mutability, Schema, Type};
use super::value;

/// Reads a body, with the names of attributes as the schemas have them.
///
/// Left out are unknown attributes, those that only the service sets, and passwords. Fails with
/// [`ScimType::InvalidValue`] for the first attribute that breaks a rule, and if a required
/// one is missing.
pub fn read(body: Value, resource_type: &ResourceType) -> Result<Map<String, Value>, Error> {
    let Value::Object(mut members) = body else {
        return Err(Error::new(
            ScimType::InvalidSyntax,
            "The body must be an object.",
        ));
    };
    let schemas = value::take(&mut members, "schemas");
    check_schema(schemas, resource_type.schema.id)?;
    let mut resource = Map::new();
    for (name, value) in members {
        if let Some(attribute) = resource_type.attribute(&name) {
            insert(&mut resource, attribute, value)?;
        } else if let Some(extension) = resource_type.extension(&name) {
            let attributes = read_extension(extension, value)?;
            if !attributes.is_empty()
                && resource
                    .insert(extension.id.to_owned(), attributes.into())
                    .is_some()
            {
                let detail = format!("{} is there more than once.", extension.id);
                return Err(Error::new(ScimType::InvalidValue, detail));
            }
        }
    }
    match missing(&resource, resource_type) {
        None => Ok(resource),
        Some(name) => {
            let detail = format!("{name} is required.");
            Err(Error::new(ScimType::InvalidValue, detail))
        }
    }
}

fn read_extension(extension: &Schema, value: Value) -> Result<Map<String, Value>, Error> {
    let mut attributes = Map::new();
    match value {
        Value::Null => Ok(attributes),
        Value::Object(members) => {
            for (name, value) in members {
                if let Some(attribute) = extension.attribute(&name) {
                    insert(&mut attributes, attribute, value)?;
                }
            }
            Ok(attributes)
        }
        _ => {
            let detail = format!("{} must be an object.", extension.id);
            Err(Error::new(ScimType::InvalidValue, detail))
        }
    }
}

/// Puts an attribute in, if clients set it and there is a value.
fn insert(
    members: &mut Map<String, Value>,
    attribute: &'static Attribute,
    value: Value,
) -> Result<(), Error> {
    if matches!(
        attribute.mutability,
        Mutability::ReadOnly | Mutability::WriteOnly
    ) {
        return Ok(());
    }
    if let Some(value) = value::read(attribute, value)?
        && members.insert(attribute.name.to_owned(), value).is_some()
    {
        return Err(value::Fault::new(attribute, "is there more than once").into());
    }
    Ok(())
}

/// Fails if a body names schemas, and not this one among them.
pub(super) fn check_schema(schemas: Option<Value>, expected: &str) -> Result<(), Error> {
    let is_expected = |schema: &Value| {
        let schema = schema.as_str();
        schema.is_some_and(|schema| schema.eq_ignore_ascii_case(expected))
    };
    match schemas {
        None | Some(Value::Null) => Ok(()),
        Some(Value::Array(schemas)) if schemas.iter().any(is_expected) => Ok(()),
        Some(_) => {
            let detail = format!("schemas must be an array that has {expected}.");
            Err(Error::new(ScimType::InvalidSyntax, detail))
        }
    }
}

/// The path of a required attribute that a resource does not have.
pub(super) fn missing(
    resource: &Map<String, Value>,
    resource_type: &ResourceType,
) -> Option<String> {
    let attributes = resource_type.schema.attributes;
    if let Some(name) = missing_of(resource, attributes) {
        return Some(name);
    }
    resource_type.extensions.iter().find_map(|extension| {
        let members = resource.get(extension.id)?.as_object()?;
        let name = missing_of(members, extension.attributes)?;
        Some(format!("{}:{name}", extension.id))
    })
}

fn missing_of(members: &Map<String, Value>, attributes: &'static [Attribute]) -> Option<String> {
    attributes.iter().find_map(|attribute| {
        let is_set_by_clients = !matches!(
            attribute.mutability,
            Mutability::ReadOnly | Mutability::WriteOnly
        );
        let Some(value) = members.get(attribute.name) else {
            return (attribute.required && is_set_by_clients).then(|| attribute.name.to_owned());
        };
        if attribute.kind != Type::Complex {
            return None;
        }
        let values = match value {
            Value::Array(values) => values.as_slice(),
            one => std::slice::from_ref(one),
        };
        values.iter().find_map(|value| {
            let name = missing_of(value.as_object()?, attribute.sub_attributes)?;
            Some(format!("{}.{name}", attribute.name))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::super::Schemas;
    use super::*;
    use serde_json::json;

    fn read_user(body: Value) -> Result<Value, Error> {
        read(body, &Schemas::default().user).map(Value::Object)
    }

    #[test]
    fn a_body_is_read_with_the_names_of_the_schemas() {
        let body = json!({
            "Schemas": ["URN:ietf:params:scim:schemas:core:2.0:user"],
            "USERNAME": "ada",
            "externalid": "0815",
            "emails": [{ "Value": "ada@example.com", "primary": true }],
            "urn:ietf:params:scim:schemas:extension:ENTERPRISE:2.0:User": { "Department": "X" },
            "nickName": null,
            "roles": [],
        });
        let expected = json!({
            "userName": "ada",
            "externalId": "0815",
            "emails": [{ "value": "ada@example.com", "primary": true }],
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": { "department": "X" },
        });
        assert_eq!(read_user(body), Ok(expected));
    }

    #[test]
    fn unknown_and_read_only_attributes_and_passwords_have_no_effect() {
        // Okta sends back what it got; OneLogin sends attributes of its own.
        let body = json!({
            "userName": "ada",
            "id": 7,
            "meta": "wrong",
            "groups": [{ "value": "1" }],
            "password": "t1meMa$heen",
            "oneLoginStatus": 3,
            "urn:example:unknown": { "a": 1 },
        });
        assert_eq!(read_user(body), Ok(json!({ "userName": "ada" })));
    }

    #[test]
    fn what_breaks_a_rule_is_refused_by_its_name() {
        let user = "urn:ietf:params:scim:schemas:core:2.0:User";
        let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
        for (body, scim_type, part) in [
            (json!([]), ScimType::InvalidSyntax, "object"),
            (json!({}), ScimType::InvalidValue, "userName is required."),
            (
                json!({ "userName": null }),
                ScimType::InvalidValue,
                "userName is required.",
            ),
            (
                json!({ "userName": "a", "username": "b" }),
                ScimType::InvalidValue,
                "userName is there more than once.",
            ),
            (
                json!({ "userName": "a", "schemas": [enterprise] }),
                ScimType::InvalidSyntax,
                user,
            ),
            (
                json!({ "userName": "a", "schemas": user }),
                ScimType::InvalidSyntax,
                user,
            ),
            (
                json!({ "userName": "a", enterprise: 1 }),
                ScimType::InvalidValue,
                enterprise,
            ),
            (
                json!({ "userName": "a", "active": "yes" }),
                ScimType::InvalidValue,
                "active must be true or false.",
            ),
        ] {
            let error = read_user(body.clone()).unwrap_err();
            assert_eq!(error.scim_type, Some(scim_type), "{body}");
            assert!(error.detail.contains(part), "{body} {}", error.detail);
        }
    }

    #[test]
    fn required_attributes_of_an_extension_are_required_where_it_is_used() {
        let declared = json!([{ "id": "urn:example:x", "attributes": [
            { "name": "badge", "required": true },
            { "name": "keys", "type": "complex", "multiValued": true, "subAttributes": [
                { "name": "door", "required": true }, { "name": "note" },
            ] },
        ] }]);
        let schemas = Schemas::read(&declared.to_string()).unwrap();
        let detail = |body: Value| read(body, &schemas.user).err().map(|error| error.detail);
        assert_eq!(detail(json!({ "userName": "a" })), None);
        let with = |members: Value| json!({ "userName": "a", "urn:example:x": members });
        assert_eq!(detail(with(json!({}))), None);
        let expected = "urn:example:x:badge is required.";
        assert_eq!(
            detail(with(json!({ "keys": [{ "door": "1" }] }))).unwrap(),
            expected
        );
        let expected = "urn:example:x:keys.door is required.";
        let keys = json!([{ "door": "1" }, { "note": "2" }]);
        assert_eq!(
            detail(with(json!({ "badge": "7", "keys": keys }))).unwrap(),
            expected
        );
    }
}
