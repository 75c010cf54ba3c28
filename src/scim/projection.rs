//! Which attributes an answer has (RFC 7644, section 3.9).

use serde_json::{Map, Value};

use super::ResourceType;
use super::error::{Error, ScimType};
use super::path::{AttributePath, Path};
use super::schema::{Attribute, Returned, Schema};

/// The most paths that a request names.
const MAX_PATHS: usize = 100;

/// What a request asks for. By default that is what a schema returns by default.
#[derive(Clone, Debug, Default)]
pub struct Projection {
    /// Only these, and what is always returned.
    wanted: Option<Vec<Path>>,
    /// All but these.
    unwanted: Vec<Path>,
}

impl Projection {
    /// Reads the parameters `attributes` and `excludedAttributes`: paths with commas between them.
    /// Unknown attributes are left out, as clients name those of other services. Fails
    /// with [`ScimType::InvalidValue`] if both are there.
    pub fn read(
        attributes: Option<&str>,
        excluded: Option<&str>,
        resource_type: &ResourceType,
    ) -> Result<Projection, Error> {
        let paths = |text: &str| {
            let paths = text.split(',').take(MAX_PATHS);
            let paths = paths.filter_map(|path| Path::read(path, resource_type).ok());
            let is_path = |path: &Path| matches!(path, Path::Attribute(_) | Path::Extension(_));
            paths.filter(is_path).collect::<Vec<_>>()
        };
        let is_given = |text: &&str| !text.trim().is_empty();
        match (attributes.filter(is_given), excluded.filter(is_given)) {
            (Some(_), Some(_)) => {
                let rule = "A request has attributes or excludedAttributes, not both.";
                Err(Error::new(ScimType::InvalidValue, rule))
            }
            (wanted, unwanted) => Ok(Projection {
                wanted: wanted.map(paths),
                unwanted: unwanted.map(paths).unwrap_or_default(),
            }),
        }
    }

    /// Whether an answer has an attribute, or a part of it, that no extension has. What it does not have
    /// need not be read.
    pub fn has(&self, attribute: &'static Attribute) -> bool {
        self.share(None, attribute) != Share::None
    }

    /// Leaves out what the answer does not have.
    pub fn apply(&self, resource: &mut Map<String, Value>, resource_type: &ResourceType) {
        resource.retain(|name, value| {
            if let Some(extension) = resource_type.extension(name) {
                let Value::Object(members) = value else {
                    return false;
                };
                members.retain(|name, value| {
                    let attribute = extension.attribute(name);
                    attribute.is_some_and(|one| self.reduce(Some(extension), one, value))
                });
                return !members.is_empty();
            }
            let attribute = resource_type.attribute(name);
            attribute.is_some_and(|attribute| self.reduce(None, attribute, value))
        });
    }

    /// Leaves out of a value what the answer does not have; false if that is all of it.
    fn reduce(
        &self,
        extension: Option<&'static Schema>,
        attribute: &'static Attribute,
        value: &mut Value,
    ) -> bool {
        let share = self.share(extension, attribute);
        if share == Share::None {
            return false;
        }
        if attribute.sub_attributes.is_empty() {
            return true;
        }
        let values = match &mut *value {
            Value::Array(values) => values.as_mut_slice(),
            one => std::slice::from_mut(one),
        };
        for members in values.iter_mut().filter_map(Value::as_object_mut) {
            members.retain(|name, _| {
                let sub_attribute = attribute.sub_attribute(name);
                let path = AttributePath {
                    extension,
                    attribute,
                    sub_attribute,
                };
                sub_attribute.is_some_and(|sub| self.has_sub(share, path, sub))
            });
        }
        let is_empty = |value: &Value| value.as_object().is_some_and(Map::is_empty);
        if let Value::Array(values) = value {
            values.retain(|value| !is_empty(value));
            return !values.is_empty();
        }
        !is_empty(value)
    }

    /// How much of an attribute the answer has.
    fn share(&self, extension: Option<&'static Schema>, attribute: &'static Attribute) -> Share {
        let whole = AttributePath {
            extension,
            attribute,
            sub_attribute: None,
        };
        let is_part = |path: &Path| match path {
            Path::Attribute(path) => path.attribute == attribute && path.extension == extension,
            _ => false,
        };
        let names = |paths: &[Path]| {
            let whole_extension = extension.map(Path::Extension);
            let names_it = |path: &Path| {
                *path == Path::Attribute(whole) || Some(path) == whole_extension.as_ref()
            };
            paths.iter().any(names_it)
        };
        match attribute.returned {
            Returned::Never => Share::None,
            Returned::Always => Share::All,
            returned => match &self.wanted {
                Some(wanted) if names(wanted) => Share::All,
                Some(wanted) if wanted.iter().any(is_part) => Share::Some,
                Some(_) => Share::None,
                None if returned == Returned::Request || names(&self.unwanted) => Share::None,
                None if self.unwanted.iter().any(is_part) => Share::Some,
                None => Share::All,
            },
        }
    }

    /// Whether an answer that has so much of an attribute has the sub-attribute.
    fn has_sub(&self, share: Share, path: AttributePath, sub: &Attribute) -> bool {
        let path = Path::Attribute(path);
        match (sub.returned, share, &self.wanted) {
            (Returned::Never, _, _) | (_, Share::None, _) => false,
            (Returned::Always, _, _) => true,
            (returned, Share::All, _) => returned == Returned::Default,
            (_, Share::Some, Some(wanted)) => wanted.contains(&path),
            (returned, Share::Some, None) => {
                returned == Returned::Default && !self.unwanted.contains(&path)
            }
        }
    }
}

/// How much of an attribute an answer has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Share {
    All,
    Some,
    None,
}

#[cfg(test)]
mod tests {
    use super::super::Schemas;
    use super::super::schema::GROUP;
    use super::*;
    use serde_json::json;

    const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

    fn user() -> Value {
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE],
            "id": "7",
            "userName": "ada",
            "name": { "givenName": "Ada", "familyName": "Lovelace" },
            "emails": [{ "value": "a@x.example", "type": "work" }, { "type": "home" }],
            "meta": { "resourceType": "User", "version": "W/\"1\"" },
            ENTERPRISE: { "department": "X", "manager": { "value": "1", "displayName": "B" } },
        })
    }

    fn projected(attributes: Option<&str>, excluded: Option<&str>) -> Value {
        let schemas = Schemas::default();
        let projection = Projection::read(attributes, excluded, &schemas.user).unwrap();
        let Value::Object(mut user) = user() else {
            unreachable!("it is an object");
        };
        projection.apply(&mut user, &schemas.user);
        user.into()
    }

    /// What is always there, and the members.
    fn with(members: Value) -> Value {
        let Value::Object(mut expected) = members else {
            unreachable!("it is an object");
        };
        expected.insert("id".to_owned(), "7".into());
        expected.insert("schemas".to_owned(), user()["schemas"].clone());
        expected.into()
    }

    #[test]
    fn an_answer_has_what_was_asked_for_and_what_is_always_there() {
        let whole = user();
        assert_eq!(projected(None, None), whole);
        assert_eq!(projected(Some(""), Some(" ")), whole);
        for (attributes, expected) in [
            ("USERNAME", json!({ "userName": "ada" })),
            ("userName, nosuch ,", json!({ "userName": "ada" })),
            ("nosuch", json!({})),
            ("name", json!({ "name": whole["name"] })),
            ("name.givenName", json!({ "name": { "givenName": "Ada" } })),
            ("name.givenName,name", json!({ "name": whole["name"] })),
            (
                "emails.value",
                json!({ "emails": [{ "value": "a@x.example" }] }),
            ),
            ("emails.display", json!({})),
            (
                "urn:ietf:params:scim:schemas:core:2.0:User:userName",
                json!({ "userName": "ada" }),
            ),
            (ENTERPRISE, json!({ ENTERPRISE: whole[ENTERPRISE] })),
            (
                &format!("{ENTERPRISE}:department"),
                json!({ ENTERPRISE: { "department": "X" } }),
            ),
            (
                &format!("{ENTERPRISE}:manager.value"),
                json!({ ENTERPRISE: { "manager": { "value": "1" } } }),
            ),
        ] {
            assert_eq!(
                projected(Some(attributes), None),
                with(expected),
                "{attributes}"
            );
        }
    }

    #[test]
    fn an_answer_has_not_what_was_excluded() {
        let without = |pointers: &[(&str, &str)]| {
            let mut expected = user();
            for (within, name) in pointers {
                let object = expected.pointer_mut(within).unwrap();
                object.as_object_mut().unwrap().remove(*name);
            }
            expected
        };
        for (excluded, expected) in [
            ("userName", without(&[("", "userName")])),
            // What is always returned can't be excluded.
            ("id,schemas", without(&[])),
            ("name.givenName", without(&[("/name", "givenName")])),
            ("name.givenName,name.familyName", without(&[("", "name")])),
            (ENTERPRISE, without(&[("", ENTERPRISE)])),
            (
                &format!("{ENTERPRISE}:manager"),
                without(&[(&format!("/{ENTERPRISE}"), "manager")]),
            ),
        ] {
            assert_eq!(projected(None, Some(excluded)), expected, "{excluded}");
        }
    }

    #[test]
    fn members_that_nobody_asks_for_need_not_be_read() {
        let schemas = Schemas::default();
        let members = GROUP.attribute("members").unwrap();
        for (attributes, excluded, has) in [
            (None, None, true),
            (None, Some("members"), false),
            (None, Some("members.display"), true),
            (Some("displayName"), None, false),
            (Some("displayName,members.value"), None, true),
        ] {
            let projection = Projection::read(attributes, excluded, &schemas.group).unwrap();
            assert_eq!(projection.has(members), has, "{attributes:?} {excluded:?}");
        }
        let both = Projection::read(Some("id"), Some("members"), &schemas.group);
        assert_eq!(both.unwrap_err().scim_type, Some(ScimType::InvalidValue));
    }

    #[test]
    fn what_a_schema_returns_on_request_is_returned_on_request_alone() {
        let declared = json!([{ "id": "urn:example:x", "attributes": [
            { "name": "note", "returned": "request" },
            { "name": "badge", "returned": "always" },
            { "name": "pin", "returned": "never" },
            { "name": "car", "type": "complex", "subAttributes": [
                { "name": "plate" }, { "name": "key", "returned": "request" },
                { "name": "code", "returned": "never" },
            ] },
        ] }]);
        let schemas = Schemas::read(&declared.to_string()).unwrap();
        let extension = json!({ "note": "n", "badge": "b", "pin": "p",
            "car": { "plate": "p", "key": "k", "code": "c" } });
        let projected = |attributes: Option<&str>| {
            let projection = Projection::read(attributes, None, &schemas.user).unwrap();
            let mut user = Map::from_iter([("urn:example:x".to_owned(), extension.clone())]);
            projection.apply(&mut user, &schemas.user);
            user["urn:example:x"].clone()
        };
        assert_eq!(
            projected(None),
            json!({ "badge": "b", "car": { "plate": "p" } })
        );
        assert_eq!(projected(Some("id")), json!({ "badge": "b" }));
        assert_eq!(
            projected(Some(
                "urn:example:x:note,urn:example:x:pin,urn:example:x:car.key,urn:example:x:car.code"
            )),
            json!({ "badge": "b", "note": "n", "car": { "key": "k" } }),
        );
    }
}
