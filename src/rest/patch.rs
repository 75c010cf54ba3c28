//! Changes of members: JSON Merge Patch (RFC 7396) and JSON Patch (RFC 6902).

mod operations;
#[cfg(test)]
mod tests;

use http::Request;
use serde::Serialize;
use serde_json::Value;

use crate::json;
use crate::message::body::{self, Body};
use crate::message::problem::{Problem, types};
use crate::message::response::JSON;
use crate::user::{Profile, READ_ONLY, User};
use operations::Operations;

/// The media types of a patch. Plain JSON means a merge patch: to send it is
/// common, and can mean nothing else here.
pub(super) const MEDIA_TYPES: [&str; 3] = ["application/merge-patch+json", JSON_PATCH, JSON];

const JSON_PATCH: &str = "application/json-patch+json";

/// A change that can be applied to any version of a user.
#[derive(Debug)]
pub(super) enum Patch {
    Merge(Value),
    Operations(Operations),
}

impl Patch {
    /// Reads the patch that is the body of a request.
    pub async fn read<B: Body>(request: Request<B>) -> Result<Patch, Problem> {
        let is_json_patch = body::is_media_type(request.headers(), JSON_PATCH);
        let value = body::json(request).await?;
        match is_json_patch {
            true => Operations::read(value).map(Patch::Operations),
            false => Ok(Patch::Merge(without_read_only(value))),
        }
    }

    /// What the patch makes of a user.
    pub fn apply(&self, user: &User) -> Result<Profile, Problem> {
        match self {
            Patch::Merge(patch) => merged(Some(&user.profile), patch),
            Patch::Operations(operations) => operations.apply(user),
        }
    }
}

/// What a merge patch makes of a user, or of none.
pub(super) fn merged(profile: Option<&Profile>, patch: &Value) -> Result<Profile, Problem> {
    let mut value = match profile {
        Some(profile) => to_value(profile)?,
        None => Value::Null,
    };
    json_patch::merge(&mut value, patch);
    Profile::from_json(value).map_err(Problem::invalid_user)
}

/// A user as a JSON value, by way of its text: so the component has one reader of such values.
/// Fails where the store has attributes that the service never wrote.
fn to_value(user: &impl Serialize) -> Result<Value, Problem> {
    let text = serde_json::to_vec(user).expect("users have string keys only");
    json::parse(&text).map_err(|error| Problem::plain(types::UNREADABLE).with_cause(error))
}

/// Clients often send back a user as they got it: members that only the service sets are not
/// an error, they have no effect.
pub(super) fn without_read_only(mut value: Value) -> Value {
    if let Some(members) = value.as_object_mut() {
        members.retain(|member, _| !READ_ONLY.contains(&member.as_str()));
    }
    value
}
