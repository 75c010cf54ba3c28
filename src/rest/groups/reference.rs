//! A user in a line of an import or an export of groups: an object with the one member that names the user.
//!
//! Objects, and not plain texts: a username may look like an email, and an `id` is right in one
//! directory only.

use serde::Serialize;
use serde_json::{Value, json};

use super::super::import::key;
use crate::directory::Gather;
use crate::service::bulk::group::Reference;
use crate::user::{Rule, User, UserId};

/// The most users in a line.
pub(super) const MAX_USERS: usize = 1000;

/// An exported line takes no more users when it has so many, or so many bytes of them: with what else a
/// group has, it fits into a line of an import.
const ENOUGH_USERS: usize = 500;
const ENOUGH_BYTES: usize = 40 * 1024;

/// Reads a user.
pub(super) fn read(value: &Value) -> Result<Reference, Rule> {
    let members = value.as_object().filter(|members| members.len() == 1);
    let member = members.and_then(|members| members.iter().next());
    match member {
        Some((name, id)) if name == "id" => {
            let id = id.as_u64().and_then(|id| UserId::try_from(id).ok());
            id.map(Reference::Id)
                .ok_or("has an id that is not the id of a user".into())
        }
        Some((name, value)) if ["email", "username", "external_id"].contains(&&**name) => {
            let key = key(name, value).map_err(|rule| format!("has an {name} that {rule}"));
            Ok(Reference::Key(key?))
        }
        _ => Err(
            "must be an object with the id, email, username or external_id of a user: a group has \
             no groups in it"
                .into(),
        ),
    }
}

/// Users as an export writes them: by what names them in other directories, too, or else by their ids.
#[derive(Default)]
pub(super) struct References {
    users: Vec<Value>,
    bytes: usize,
}

impl References {
    pub fn is_empty(&self) -> bool {
        self.users.is_empty()
    }
}

impl Serialize for References {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.users.serialize(serializer)
    }
}

impl Gather for References {
    fn push(&mut self, user: User) -> bool {
        let profile = user.profile;
        let reference = match (profile.email, profile.username, profile.external_id) {
            (Some(email), ..) => json!({ "email": email }),
            (None, Some(username), _) => json!({ "username": username }),
            (None, None, Some(external_id)) => json!({ "external_id": external_id }),
            (None, None, None) => json!({ "id": user.id }),
        };
        self.bytes += reference.to_string().len() + 1;
        self.users.push(reference);
        true
    }

    fn is_full(&self) -> bool {
        self.users.len() >= ENOUGH_USERS || self.bytes >= ENOUGH_BYTES
    }
}
