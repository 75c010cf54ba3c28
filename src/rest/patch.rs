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
use crate::rest::representation::Representation;
use crate::user::{Profile, READ_ONLY, User, Violation};
use operations::Operations;

/// The media types of a patch. Plain JSON means a merge patch: to send it is
/// common, and can mean nothing else here.
pub(super) const MEDIA_TYPES: [&str; 3] = ["application/merge-patch+json", JSON_PATCH, JSON];

const JSON_PATCH: &str = "application/json-patch+json";

/// A change that can be applied to any version of a user or a group.
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

    /// What the patch makes of a user or a group.
    pub fn apply<T: Patched>(&self, to: &T) -> Result<T::Profile, Problem> {
        match self {
            Patch::Merge(patch) => merged::<T>(Some(to.profile()), patch),
            Patch::Operations(operations) => operations.apply(to),
        }
    }
}

/// What can be patched: a user or a group.
pub(super) trait Patched {
    /// Its members that clients set.
    type Profile: Serialize;

    fn profile(&self) -> &Self::Profile;

    /// Its representation, as JSON text.
    fn text(&self) -> Vec<u8>;

    /// Reads a profile; fails with the members that break a rule.
    fn read(value: Value) -> Result<Self::Profile, Problem>;

    /// The problem of a profile with members that break a rule.
    fn refuse(violations: Vec<Violation>) -> Problem;
}

impl Patched for User {
    type Profile = Profile;

    fn profile(&self) -> &Profile {
        &self.profile
    }

    fn text(&self) -> Vec<u8> {
        Representation::whole(self).text()
    }

    fn read(value: Value) -> Result<Profile, Problem> {
        Profile::from_json(value).map_err(Problem::invalid_user)
    }

    fn refuse(violations: Vec<Violation>) -> Problem {
        Problem::invalid_user(violations)
    }
}

/// What a merge patch makes of a profile, or of none.
pub(super) fn merged<T: Patched>(
    profile: Option<&T::Profile>,
    patch: &Value,
) -> Result<T::Profile, Problem> {
    let mut value = match profile {
        Some(profile) => {
            let text = serde_json::to_vec(profile).expect("it has string keys only");
            to_value(&text)?
        }
        None => Value::Null,
    };
    json_patch::merge(&mut value, patch);
    T::read(value)
}

/// A user or a group as a JSON value. Fails where the store has attributes that the service never wrote.
fn to_value(text: &[u8]) -> Result<Value, Problem> {
    json::parse(text).map_err(|error| Problem::plain(types::UNREADABLE).with_cause(error))
}

/// Clients often send back a user as they got it: members that only the service sets are not
/// an error, they have no effect.
pub(super) fn without_read_only(mut value: Value) -> Value {
    if let Some(members) = value.as_object_mut() {
        members.retain(|member, _| !READ_ONLY.contains(&member.as_str()));
    }
    value
}
