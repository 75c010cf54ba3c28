//! The members of a user that clients set.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Attributes, Email, ExternalId, Name, READ_ONLY, Username, Violation};
use super::{attributes, object, optional};

/// The members of a user that clients set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    pub name: Name,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<Email>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<Username>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<ExternalId>,
    /// False if the user is switched off.
    #[serde(default = "active", skip_serializing_if = "is_active")]
    pub active: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attributes: Option<Attributes>,
}

/// A user is active unless it is switched off.
fn active() -> bool {
    true
}

fn is_active(active: &bool) -> bool {
    *active
}

impl Profile {
    /// Reads a profile from a JSON value, or names the members that break a rule, the
    /// first [`Violation::MAX`] of them. An optional member that is null counts as absent; without
    /// `active` the user is active.
    pub fn from_json(value: Value) -> Result<Profile, Vec<Violation>> {
        let mut members = object(value)?;
        let mut violations = Vec::new();
        let name = match members.remove("name") {
            None | Some(Value::Null) => Err("is required".into()),
            Some(Value::String(text)) => Name::try_from(text),
            Some(_) => Err("must be a string".into()),
        };
        let email = optional::<Email>(&mut members, "email");
        let username = optional::<Username>(&mut members, "username");
        let external_id = optional::<ExternalId>(&mut members, "external_id");
        let active = match members.remove("active") {
            None | Some(Value::Null) => Ok(true),
            Some(Value::Bool(active)) => Ok(active),
            Some(_) => Err("must be true or false".into()),
        };
        let attributes = attributes(&mut members);
        for (member, error) in [
            ("name", name.as_ref().err()),
            ("email", email.as_ref().err()),
            ("username", username.as_ref().err()),
            ("external_id", external_id.as_ref().err()),
            ("active", active.as_ref().err()),
            ("attributes", attributes.as_ref().err()),
        ] {
            violations.extend(error.map(|rule| Violation::new(member, rule.clone())));
        }
        for member in members.keys().take(Violation::MAX - violations.len()) {
            violations.push(match READ_ONLY.contains(&member.as_str()) {
                true => Violation::read_only(member),
                false => Violation::new(member, "is not a member of a user"),
            });
        }
        match (name, email, username, external_id, active, attributes) {
            (Ok(name), Ok(email), Ok(username), Ok(external_id), Ok(active), Ok(attributes))
                if violations.is_empty() =>
            {
                Ok(Profile {
                    name,
                    email,
                    username,
                    external_id,
                    active,
                    attributes,
                })
            }
            _ => Err(violations),
        }
    }

    /// Whether both have the same email and the same username, however they are written.
    pub fn signs_in_as(&self, other: &Profile) -> bool {
        self.email == other.email && self.username == other.username
    }

    /// Whether it has an email or a username that the other has not.
    pub fn signs_in_anew(&self, other: &Profile) -> bool {
        self.email.is_some() && self.email != other.email
            || self.username.is_some() && self.username != other.username
    }

    /// Whether both are represented by the same text. It tells more apart than `==` does: an
    /// address or a username that is written otherwise, and a number.
    pub fn is_represented_as(&self, other: &Profile) -> bool {
        let emails = [self, other].map(|profile| profile.email.as_ref().map(Email::as_str));
        let usernames = [self, other].map(|profile| {
            let username = profile.username.as_ref();
            username.map(Username::as_str)
        });
        let text = |profile: &Profile| {
            serde_json::to_string(&profile.attributes).expect("attributes have string keys only")
        };
        self.name == other.name
            && emails[0] == emails[1]
            && usernames[0] == usernames[1]
            && self.external_id == other.external_id
            && self.active == other.active
            // Attributes that are not equal are not written.
            && self.attributes == other.attributes
            && text(self) == text(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_member_that_breaks_a_rule_is_named() {
        let wrong = json!({
            "name": 1, "email": "x", "username": "a b", "external_id": " ", "active": 1,
            "attributes": [], "id": 7, "a/b~c": 0,
        });
        let pointers: Vec<_> = Profile::from_json(wrong)
            .unwrap_err()
            .into_iter()
            .map(|violation| violation.pointer)
            .collect();
        assert_eq!(
            pointers,
            [
                "/name",
                "/email",
                "/username",
                "/external_id",
                "/active",
                "/attributes",
                "/a~1b~0c",
                "/id"
            ]
        );
        assert_eq!(Profile::from_json(json!([])).unwrap_err()[0].pointer, "");
    }

    #[test]
    fn profiles_are_represented_alike_or_not() {
        let profile = |json: &str| {
            let value = serde_json::from_str(json).expect("JSON");
            Profile::from_json(value).expect("a profile")
        };
        let is_same = |one: &str, other: &str| {
            let (one, other) = (profile(one), profile(other));
            assert_eq!(one.is_represented_as(&other), other.is_represented_as(&one));
            one.is_represented_as(&other)
        };
        let ada = r#"{"name":"Ada","email":"a@b.example","attributes":{"a":1,"b":[{}]}}"#;
        for same in [
            ada,
            r#"{"attributes":{"b":[{}],"a":1},"email":"a@b.example","name":" Ada "}"#,
        ] {
            assert!(is_same(ada, same), "{same}");
        }
        for (one, other) in [
            (r#"{"username":"ada"}"#, r#"{"username":"Ada"}"#),
            (r#"{"username":"ada"}"#, "{}"),
            (r#"{"external_id":"1"}"#, r#"{"external_id":"2"}"#),
            (r#"{"active":false}"#, "{}"),
        ] {
            let named = |members: &str| members.replacen('{', r#"{"name":"Ada","#, 1);
            let named = |members: &str| named(members).replace(",}", "}");
            assert!(!is_same(&named(one), &named(other)), "{one} {other}");
        }
        assert!(is_same(r#"{"name":"A"}"#, r#"{"name":"A","active":true}"#));
        assert!(is_same(r#"{"name":"A"}"#, r#"{"name":"A","active":null}"#));
        for other in [
            r#"{"name":"ada","email":"a@b.example","attributes":{"a":1,"b":[{}]}}"#,
            r#"{"name":"Ada","email":"A@b.example","attributes":{"a":1,"b":[{}]}}"#,
            r#"{"name":"Ada","attributes":{"a":1,"b":[{}]}}"#,
            r#"{"name":"Ada","email":"a@b.example"}"#,
            r#"{"name":"Ada","email":"a@b.example","attributes":{}}"#,
            r#"{"name":"Ada","email":"a@b.example","attributes":{"a":1.0,"b":[{}]}}"#,
        ] {
            assert!(!is_same(ada, other), "{other}");
        }
        let zero = r#"{"name":"Ada","attributes":{"a":0.0}}"#;
        assert!(!is_same(zero, r#"{"name":"Ada","attributes":{"a":-0.0}}"#));
    }

    #[test]
    fn of_very_many_members_that_break_a_rule_some_are_named() {
        let wrong = |count: usize| (0..count).map(|n| (n.to_string(), json!(0))).collect();
        let count = |members: usize| {
            let violations = Profile::from_json(Value::Object(wrong(members))).unwrap_err();
            assert_eq!(violations[0].pointer, "/name");
            violations.len()
        };
        assert_eq!([98, 99, 100, 9999].map(count), [99, 100, 100, 100]);
    }

    #[test]
    fn integers_of_64_bits_and_all_doubles_keep_their_value() {
        let text =
            r#"{"name":"Ada","attributes":{"n":[18446744073709551615,-9223372036854775808,0.1]}}"#;
        let profile = Profile::from_json(serde_json::from_str(text).unwrap()).unwrap();
        assert_eq!(serde_json::to_string(&profile).unwrap(), text);
    }
}
