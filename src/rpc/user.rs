//! Users as messages.

use edge_users_proto::edgeusers::v1;
use edge_users_proto::{FieldMask, Struct};
use serde_json::{Map, Value};

use super::code;
use crate::json;
use crate::message::problem::Problem;
use crate::timestamp::Timestamp;
use crate::user::{Profile, User, Violation};

/// The members that clients set.
const MEMBERS: [&str; 6] = [
    "name",
    "email",
    "username",
    "external_id",
    "active",
    "attributes",
];

/// The members that the service sets: what a client sends there has no effect (AIP-203).
const OUTPUT_ONLY: [&str; 4] = ["id", "create_time", "update_time", "etag"];

/// The user as a message.
pub fn message(user: User) -> v1::User {
    let (mut attributes, mut attributes_json) = (None, None);
    if let Some(members) = user.profile.attributes {
        match Struct::of(members.into()) {
            Ok(object) => attributes = Some(object),
            Err(members) => attributes_json = Some(Value::Object(members).to_string()),
        }
    }
    v1::User {
        id: user.id.get(),
        name: Some(user.profile.name.as_str().to_owned()),
        email: user.profile.email.map(|email| email.as_str().to_owned()),
        username: user.profile.username.map(|name| name.as_str().to_owned()),
        external_id: user.profile.external_id.map(|id| id.as_str().to_owned()),
        active: Some(user.profile.active),
        attributes,
        attributes_json,
        create_time: Some(time(user.created_at)),
        update_time: Some(time(user.updated_at)),
        etag: user.version.entity_tag(),
    }
}

fn time(time: Timestamp) -> edge_users_proto::Timestamp {
    edge_users_proto::Timestamp {
        seconds: time.0.div_euclid(1000),
        nanos: time.0.rem_euclid(1000) as i32 * 1_000_000,
    }
}

/// The members that clients set, those of them that are present, as REST has them.
pub fn members(user: v1::User) -> Result<Map<String, Value>, Problem> {
    let mut members = Map::new();
    for (name, text) in [
        ("name", user.name),
        ("email", user.email),
        ("username", user.username),
        ("external_id", user.external_id),
    ] {
        members.extend(text.map(|text| (name.to_owned(), Value::from(text))));
    }
    let active = user.active.map(Value::from);
    members.extend(active.map(|active| ("active".to_owned(), active)));
    let attributes = match (user.attributes, user.attributes_json) {
        (None, None) => return Ok(members),
        (Some(object), None) => {
            let object = object.into_members();
            let rule = "must hold values of JSON only, and no number that is none";
            Value::Object(object.ok_or_else(|| invalid("attributes", rule))?)
        }
        (None, Some(text)) => json::parse(text.as_bytes()).map_err(|error| {
            let rule = format!("must be a JSON object: {error}");
            invalid("attributes_json", &rule)
        })?,
        (Some(_), Some(_)) => {
            let rule = "must not be there beside attributes, which it stands for";
            return Err(invalid("attributes_json", rule));
        }
    };
    members.insert("attributes".to_owned(), attributes);
    Ok(members)
}

/// A member of a user breaks a rule.
fn invalid(member: &str, rule: &str) -> Problem {
    Problem::invalid_user(vec![Violation {
        pointer: format!("/{member}"),
        detail: rule.to_owned().into(),
    }])
}

/// The profile that the members make.
pub fn profile(members: Map<String, Value>) -> Result<Profile, Problem> {
    Profile::from_json(Value::Object(members)).map_err(Problem::invalid_user)
}

/// A change of some members (AIP-134).
pub struct Change {
    /// Whether each of the [`MEMBERS`] is set.
    is_set: [bool; MEMBERS.len()],
    members: Map<String, Value>,
}

impl Change {
    /// Sets the members that the mask names, or all that are present if there is no mask.
    pub fn of(user: v1::User, mask: Option<FieldMask>) -> Result<Change, Problem> {
        let members = members(user)?;
        let mut is_set = MEMBERS.map(|name| members.contains_key(name));
        if let Some(mask) = mask.filter(|mask| !mask.paths.is_empty()) {
            is_set = [false; MEMBERS.len()];
            for path in &mask.paths {
                let path = path.strip_prefix("user.").unwrap_or(path);
                let path = match path {
                    "attributes_json" => "attributes",
                    path => path,
                };
                match MEMBERS.iter().position(|member| *member == path) {
                    Some(index) => is_set[index] = true,
                    None if path == "*" => is_set = [true; MEMBERS.len()],
                    None if OUTPUT_ONLY.contains(&path) => {}
                    None => {
                        let rule = "must name some of name, email, username, external_id, active and \
                            attributes, or be *";
                        return Err(code::invalid("update_mask", rule));
                    }
                }
            }
        }
        Ok(Change { is_set, members })
    }

    /// What the change makes of a user.
    pub fn apply(&self, user: &User) -> Result<Profile, Problem> {
        let mut members = match serde_json::to_value(&user.profile) {
            Ok(Value::Object(members)) => members,
            _ => unreachable!("a profile is an object with string keys"),
        };
        for (name, _) in MEMBERS
            .into_iter()
            .zip(self.is_set)
            .filter(|(_, is_set)| *is_set)
        {
            match self.members.get(name) {
                Some(value) => members.insert(name.to_owned(), value.clone()),
                None => members.remove(name),
            };
        }
        profile(members)
    }
}
