//! The application's own data about a user.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::violation::Rule;
use crate::json::{self, depth};

/// The application's own data about a user: a JSON object of at most 8 KiB.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Attributes(#[serde(deserialize_with = "json::object")] Map<String, Value>);

impl Attributes {
    /// The most bytes of attributes, written as JSON without white space.
    pub const MAX_BYTES: usize = 8 * 1024;

    /// The most members of all objects in them.
    pub const MAX_MEMBERS: usize = 1000;

    /// The most levels of objects and arrays, the attributes themselves being the first.
    pub const MAX_DEPTH: usize = 32;

    /// The member in which SCIM keeps what users have no member for.
    pub const SCIM: &str = "scim";

    /// The value of a member.
    pub fn get(&self, member: &str) -> Option<&Value> {
        self.0.get(member)
    }

    /// What SCIM keeps there, if it is an object.
    pub fn of_scim(&self) -> Option<&Map<String, Value>> {
        self.get(Self::SCIM).and_then(Value::as_object)
    }

    /// Whether SCIM keeps something here that it does not keep so in `other`, and by which others may
    /// decide what the user may do: roles, entitlements, the type of the user, or an extension, whose
    /// name is a URN.
    pub fn has_rights_beyond(&self, other: Option<&Attributes>) -> bool {
        let other = other.and_then(Self::of_scim);
        self.of_scim().is_some_and(|kept| {
            kept.iter().any(|(name, value)| {
                is_of_rights(name) && other.and_then(|other| other.get(name)) != Some(value)
            })
        })
    }
}

fn is_of_rights(name: &str) -> bool {
    let rights = ["roles", "entitlements", "userType"];
    let urn = name.get(..4);
    rights.iter().any(|right| name.eq_ignore_ascii_case(right))
        || urn.is_some_and(|urn| urn.eq_ignore_ascii_case("urn:"))
}

impl From<Attributes> for Map<String, Value> {
    fn from(attributes: Attributes) -> Self {
        attributes.0
    }
}

fn members(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.iter().map(members).sum(),
        Value::Object(object) => object.len() + object.values().map(members).sum::<usize>(),
        _ => 0,
    }
}

impl TryFrom<Map<String, Value>> for Attributes {
    type Error = Rule;

    fn try_from(object: Map<String, Value>) -> Result<Self, Self::Error> {
        if 1 + object.values().map(depth).max().unwrap_or(0) > Attributes::MAX_DEPTH {
            return Err("must have at most 32 levels of objects and arrays".into());
        }
        if object.len() + object.values().map(members).sum::<usize>() > Attributes::MAX_MEMBERS {
            return Err("must have at most 1000 members, those of objects in them included".into());
        }
        match serde_json::to_vec(&object) {
            Ok(json) if json.len() <= Attributes::MAX_BYTES => Ok(Attributes(object)),
            _ => Err("must have at most 8192 bytes, written as JSON without white space".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn attributes_have_at_most_8_kib() {
        let attributes = |length: usize| {
            let object = json!({ "k": "v".repeat(length) });
            Attributes::try_from(object.as_object().unwrap().clone())
        };
        let frame = r#"{"k":""}"#.len();
        assert!(attributes(Attributes::MAX_BYTES - frame).is_ok());
        assert!(attributes(Attributes::MAX_BYTES - frame + 1).is_err());
    }

    #[test]
    fn attributes_have_at_most_32_levels() {
        let attributes = |levels: usize| {
            let object = (1..levels).fold(json!({}), |inner, _| json!({ "a": inner }));
            Attributes::try_from(object.as_object().unwrap().clone())
        };
        assert!(attributes(32).is_ok());
        assert!(attributes(33).is_err());
    }

    #[test]
    fn attributes_have_at_most_1000_members() {
        let attributes = |inner: usize| {
            let inner: Map<_, _> = (0..inner).map(|n| (n.to_string(), json!(0))).collect();
            Attributes::try_from(Map::from_iter([("a".to_owned(), json!([inner]))]))
        };
        assert!(attributes(999).is_ok());
        assert!(attributes(1000).is_err());
    }
}
