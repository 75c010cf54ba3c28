//! Users as clients see them.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

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
}

impl Serialize for Representation<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
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
        let mut map = serializer.serialize_map(None)?;
        if with_id {
            map.serialize_entry("id", id)?;
        }
        if with_name {
            map.serialize_entry("name", &profile.name)?;
        }
        if let Some(email) = profile.email.as_ref().filter(|_| with_email) {
            map.serialize_entry("email", email)?;
        }
        if let Some(username) = profile.username.as_ref().filter(|_| with_username) {
            map.serialize_entry("username", username)?;
        }
        if let Some(id) = profile.external_id.as_ref().filter(|_| with_external_id) {
            map.serialize_entry("external_id", id)?;
        }
        // Always: a client that tests it must not take its absence for false.
        if with_active {
            map.serialize_entry("active", &profile.active)?;
        }
        if let Some(attributes) = profile.attributes.as_ref().filter(|_| with_attributes) {
            map.serialize_entry("attributes", attributes)?;
        }
        if with_created {
            map.serialize_entry("created_at", &created_at.to_rfc3339())?;
        }
        if with_updated {
            map.serialize_entry("updated_at", &updated_at.to_rfc3339())?;
        }
        if with_tag {
            map.serialize_entry("etag", &version.entity_tag())?;
        }
        map.end()
    }
}
