//! The members of a group that clients set.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Description, GroupName};
use crate::user::{Attributes, ExternalId, READ_ONLY, Violation, attributes, object, optional};

/// The members of a group that clients set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupProfile {
    pub name: GroupName,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Description>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<ExternalId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attributes: Option<Attributes>,
}

impl GroupProfile {
    /// Reads a profile from a JSON value, or names the members that break a rule, the first
    /// [`Violation::MAX`] of them. An optional member that is null counts as absent.
    pub fn from_json(value: Value) -> Result<GroupProfile, Vec<Violation>> {
        let mut members = object(value)?;
        let name = optional::<GroupName>(&mut members, "name");
        let name = name.and_then(|name| name.ok_or("is required".into()));
        let description = optional::<Description>(&mut members, "description");
        let external_id = optional::<ExternalId>(&mut members, "external_id");
        let attributes = attributes(&mut members);
        let mut violations = Vec::new();
        for (member, error) in [
            ("name", name.as_ref().err()),
            ("description", description.as_ref().err()),
            ("external_id", external_id.as_ref().err()),
            ("attributes", attributes.as_ref().err()),
        ] {
            violations.extend(error.map(|rule| Violation::new(member, rule.clone())));
        }
        for member in members.keys().take(Violation::MAX - violations.len()) {
            violations.push(match member.as_str() {
                read_only if READ_ONLY.contains(&read_only) => Violation::read_only(member),
                "members" | "users" => Violation::new(member, "is changed at /groups/{id}/members"),
                "groups" => Violation::new(member, "is refused: a group has no groups in it"),
                _ => Violation::new(member, "is not a member of a group"),
            });
        }
        match (name, description, external_id, attributes) {
            (Ok(name), Ok(description), Ok(external_id), Ok(attributes))
                if violations.is_empty() =>
            {
                Ok(GroupProfile {
                    name,
                    description,
                    external_id,
                    attributes,
                })
            }
            _ => Err(violations),
        }
    }

    /// Whether both are represented by the same text; it tells more apart than `==` does.
    pub fn is_represented_as(&self, other: &GroupProfile) -> bool {
        let text =
            |profile| serde_json::to_string(profile).expect("profiles have string keys only");
        self == other && text(self) == text(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_member_that_breaks_a_rule_is_named() {
        let wrong = json!({
            "name": 1, "description": "\0", "external_id": " ", "attributes": [], "id": 7,
            "groups": [1], "members": [], "a/b": 0,
        });
        let violations = GroupProfile::from_json(wrong).unwrap_err();
        let pointers = violations.iter().map(|violation| &violation.pointer[..]);
        let expected = [
            "/name",
            "/description",
            "/external_id",
            "/attributes",
            "/a~1b",
            "/groups",
            "/id",
            "/members",
        ];
        assert!(pointers.eq(expected), "{violations:?}");
        let missing = GroupProfile::from_json(json!({})).unwrap_err();
        assert_eq!(missing, [Violation::new("name", "is required")]);
        assert_eq!(
            GroupProfile::from_json(json!([])).unwrap_err()[0].pointer,
            ""
        );
    }

    #[test]
    fn profiles_are_represented_alike_or_not() {
        let profile = |value| GroupProfile::from_json(value).unwrap();
        let staff = profile(json!({ "name": "Staff", "attributes": { "a": 1 } }));
        let same = json!({ "attributes": { "a": 1 }, "name": " Staff", "description": null });
        assert!(staff.is_represented_as(&profile(same)));
        for other in [
            json!({ "name": "STAFF", "attributes": { "a": 1 } }),
            json!({ "name": "Staff", "attributes": { "a": 1.0 } }),
            json!({ "name": "Staff" }),
            json!({ "name": "Staff", "attributes": { "a": 1 }, "description": "x" }),
        ] {
            assert!(!staff.is_represented_as(&profile(other)));
        }
    }
}
