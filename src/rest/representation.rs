//! Users as clients see them.

use crate::json::{push_member, push_name, push_plain};
use crate::message::problem::Problem;
use crate::message::query::Query;
use crate::user::User;

/// The members of a user, in the order in which they are represented.
const MEMBERS: [&str; 10] = [
    "id",
    "name",
    "email",
    "username",
    "external_id",
    "active",
    "attributes",
    "created_at",
    "updated_at",
    "etag",
];

/// The members of a user that a client asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Fields([bool; MEMBERS.len()]);

impl Fields {
    /// All but the entity tag, which is said of a representation and is no part of it. It is one
    /// for clients that ask: those of a list have no other way to it.
    pub const ALL: Fields = {
        let mut all = [true; MEMBERS.len()];
        all[MEMBERS.len() - 1] = false;
        Fields(all)
    };

    /// Reads the parameter `fields`: names of members, separated by commas.
    pub fn of(query: &Query) -> Result<Fields, Problem> {
        let Some(list) = query.get("fields") else {
            return Ok(Fields::ALL);
        };
        let mut fields = Fields([false; MEMBERS.len()]);
        for name in list.split(',') {
            let Some(index) = MEMBERS.iter().position(|member| *member == name) else {
                let rule = format!(
                    "must list some of {}, separated by commas",
                    MEMBERS.join(", ")
                );
                return Err(Problem::invalid_query(&rule, "fields"));
            };
            fields.0[index] = true;
        }
        Ok(fields)
    }
}

/// A user, or the part of it that was asked for.
pub(super) struct Representation<'a> {
    pub user: &'a User,
    pub fields: Fields,
}

impl<'a> Representation<'a> {
    /// The whole user.
    pub fn whole(user: &'a User) -> Self {
        let fields = Fields::ALL;
        Representation { user, fields }
    }

    /// As JSON text.
    pub fn text(&self) -> Vec<u8> {
        let mut text = Vec::with_capacity(256);
        self.push(&mut text);
        text
    }

    /// Adds the JSON text.
    pub fn push(&self, text: &mut Vec<u8>) {
        let User {
            id,
            profile,
            created_at,
            updated_at,
            version,
        } = self.user;
        let [
            with_id,
            with_name,
            with_email,
            with_username,
            with_external_id,
            with_active,
            with_attributes,
            with_created,
            with_updated,
            with_tag,
        ] = self.fields.0;
        text.push(b'{');
        if with_id {
            push_member(text, "\"id\":", id);
        }
        if with_name {
            push_member(text, "\"name\":", &profile.name);
        }
        if let Some(email) = profile.email.as_ref().filter(|_| with_email) {
            push_member(text, "\"email\":", email);
        }
        if let Some(username) = profile.username.as_ref().filter(|_| with_username) {
            push_member(text, "\"username\":", username);
        }
        if let Some(id) = profile.external_id.as_ref().filter(|_| with_external_id) {
            push_member(text, "\"external_id\":", id);
        }
        // Always: a client that tests it must not take its absence for false.
        if with_active {
            push_name(
                text,
                match profile.active {
                    true => "\"active\":true",
                    false => "\"active\":false",
                },
            );
        }
        if let Some(attributes) = profile.attributes.as_ref().filter(|_| with_attributes) {
            push_member(text, "\"attributes\":", attributes);
        }
        if with_created {
            push_plain(text, "\"created_at\":", &created_at.to_rfc3339());
        }
        if with_updated {
            push_plain(text, "\"updated_at\":", &updated_at.to_rfc3339());
        }
        if with_tag {
            push_member(text, "\"etag\":", &version.entity_tag());
        }
        text.push(b'}');
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::timestamp::Timestamp;
    use crate::user::{Profile, Version};

    #[test]
    fn the_text_of_any_members_is_json_with_them_in_order() {
        let profile = json!({
            "name": "A \"B\" \\ {",
            "email": "\"{\"@example.com",
            "username": "a{",
            "external_id": "\"",
            "active": false,
            "attributes": { "{": "}" },
        });
        let user = User {
            id: 7.try_into().expect("an id"),
            profile: Profile::from_json(profile.clone()).expect("a profile"),
            created_at: Timestamp(0),
            updated_at: Timestamp(1),
            version: Version(1),
        };
        let mut whole = profile;
        whole["id"] = 7.into();
        whole["created_at"] = "1970-01-01T00:00:00.000Z".into();
        whole["updated_at"] = "1970-01-01T00:00:00.001Z".into();
        let text = Representation::whole(&user).text();
        assert_eq!(serde_json::from_slice::<Value>(&text).expect("JSON"), whole);
        whole["etag"] = user.version.entity_tag().into();
        // Each combination of members.
        for chosen in 0..1 << MEMBERS.len() {
            let fields = std::array::from_fn(|index| chosen & (1 << index) != 0);
            let fields = Fields(fields);
            let text = Representation {
                user: &user,
                fields,
            }
            .text();
            let text = String::from_utf8(text).expect("text");
            let names = MEMBERS
                .iter()
                .zip(fields.0)
                .filter(|(_, is_chosen)| *is_chosen);
            let members = names.map(|(name, _)| format!("\"{name}\":{}", whole[name]));
            let members = members.collect::<Vec<_>>().join(",");
            assert_eq!(text, format!("{{{members}}}"));
        }
    }
}
