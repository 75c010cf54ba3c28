//! Places in the attributes of users, by which users are found.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Attributes;

/// The place of a member in the attributes of users: names of members from the outside in, with dots
/// between them, as in `address.city`. A name with a dot in it can't be written so.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AttributePath(String);

impl AttributePath {
    /// The most bytes of a path.
    pub const MAX_BYTES: usize = 100;

    /// How many elements of an array count, from its first one on.
    pub const MAX_ELEMENTS: usize = 16;

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The values at the path, each once: a string as it is, a number or a boolean as JSON writes it,
    /// and of an array the first [elements](Self::MAX_ELEMENTS) likewise. Other values are none.
    pub fn values(&self, attributes: Option<&Attributes>) -> Vec<String> {
        let mut values = Vec::new();
        match attributes.and_then(|attributes| self.find(attributes)) {
            Some(Value::Array(elements)) => {
                let elements = elements.iter().take(Self::MAX_ELEMENTS);
                for value in elements.filter_map(text) {
                    if !values.contains(&value) {
                        values.push(value);
                    }
                }
            }
            value => values.extend(value.and_then(text)),
        }
        values
    }

    fn find<'a>(&self, attributes: &'a Attributes) -> Option<&'a Value> {
        let mut members = self.0.split('.');
        let mut value = attributes.get(members.next()?)?;
        for member in members {
            value = value.as_object()?.get(member)?;
        }
        Some(value)
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

impl TryFrom<&str> for AttributePath {
    type Error = &'static str;

    fn try_from(text: &str) -> Result<Self, Self::Error> {
        if text.len() > Self::MAX_BYTES || text.split('.').any(str::is_empty) {
            return Err("has names of members, with dots between them, and at most 100 bytes");
        }
        Ok(AttributePath(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_path_leads_to_texts_numbers_and_booleans_and_to_those_in_an_array() {
        let attributes = json!({
            "team": "blue",
            "level": 3,
            "share": 0.50,
            "remote": true,
            "none": null,
            "empty": "",
            "address": { "city": "Oslo", "geo": { "lat": -1 } },
            "tags": ["a", "b", "a", 3, false, null, ["c"], { "d": 1 }],
            "a.b": 1,
        });
        let attributes = Attributes::try_from(attributes.as_object().unwrap().clone()).unwrap();
        let values = |path: &str| {
            let path = AttributePath::try_from(path).unwrap();
            path.values(Some(&attributes))
        };
        for (path, expected) in [
            ("team", &["blue"][..]),
            ("level", &["3"]),
            ("share", &["0.5"]),
            ("remote", &["true"]),
            ("none", &[]),
            ("empty", &[""]),
            ("address", &[]),
            ("address.city", &["Oslo"]),
            ("address.geo.lat", &["-1"]),
            ("address.city.x", &[]),
            ("tags", &["a", "b", "3", "false"]),
            ("tags.0", &[]),
            ("a.b", &[]),
            ("Team", &[]),
        ] {
            assert_eq!(values(path), expected, "{path}");
        }
        assert_eq!(
            AttributePath::try_from("team").unwrap().values(None),
            [""; 0]
        );
    }

    #[test]
    fn so_many_elements_of_an_array_count() {
        let many = Vec::from_iter(0..100);
        let attributes = json!({ "n": many });
        let attributes = Attributes::try_from(attributes.as_object().unwrap().clone()).unwrap();
        let path = AttributePath::try_from("n").unwrap();
        assert_eq!(
            path.values(Some(&attributes)).len(),
            AttributePath::MAX_ELEMENTS
        );
    }

    #[test]
    fn a_path_is_names_with_dots_between_them() {
        for path in ["", ".", "a.", ".a", "a..b", &"a".repeat(101)] {
            assert!(AttributePath::try_from(path).is_err(), "{path}");
        }
        assert!(AttributePath::try_from("größe.é").is_ok());
    }
}
