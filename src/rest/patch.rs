//! Changes of members: JSON Merge Patch (RFC 7396) and JSON Patch (RFC 6902).

use http::{HeaderName, Request};
use json_patch::jsonptr::PointerBuf;
use json_patch::{
    AddOperation, CopyOperation, MoveOperation, PatchOperation, RemoveOperation, ReplaceOperation,
    TestOperation,
};
use serde_json::Value;

use super::representation::Representation;
use crate::message::body::{self, Body, MAX_BYTES};
use crate::message::problem::Problem;
use crate::user::{Profile, READ_ONLY, User, Violation};

/// What a patch may be sent as. Plain JSON means a merge patch: to send it is
/// common, and can mean nothing else here.
pub(super) const ACCEPT_PATCH: &str =
    "application/merge-patch+json, application/json-patch+json, application/json";

/// Lists what a resource takes as a patch (RFC 5789, section 3.1).
pub(super) const HEADER: HeaderName = HeaderName::from_static("accept-patch");

const MERGE_PATCH: [&str; 2] = ["application/merge-patch+json", "application/json"];
const JSON_PATCH: &str = "application/json-patch+json";

/// The most operations of a JSON Patch.
const MAX_OPERATIONS: usize = 100;

/// A change that can be applied to any version of a user.
#[derive(Debug)]
pub(super) enum Patch {
    Merge(Value),
    Operations(Vec<PatchOperation>),
}

impl Patch {
    pub async fn read<B: Body>(request: Request<B>) -> Result<Patch, Problem> {
        let operations = body::is_media_type(request.headers(), JSON_PATCH);
        let value = body::json(request).await?;
        if !operations {
            return Ok(Patch::Merge(without_read_only(value)));
        }
        let operations = operations_of(value)
            .map_err(|error| Problem::malformed_patch(&format!("is no JSON Patch: {error}")))?;
        if operations.len() > MAX_OPERATIONS {
            let rule = format!("may have at most {MAX_OPERATIONS} operations");
            return Err(Problem::malformed_patch(&rule));
        }
        Ok(Patch::Operations(operations))
    }

    /// The media types of a patch.
    pub fn media_types() -> [&'static str; 3] {
        let [merge, json] = MERGE_PATCH;
        [merge, JSON_PATCH, json]
    }

    /// What the patch makes of a user.
    pub fn apply(&self, user: &User) -> Result<Profile, Problem> {
        match self {
            Patch::Merge(patch) => {
                let mut value =
                    serde_json::to_value(&user.profile).expect("a profile has string keys only");
                json_patch::merge(&mut value, patch);
                Profile::from_json(value).map_err(Problem::invalid_user)
            }
            Patch::Operations(operations) => operate(user, operations),
        }
    }
}

/// The operations of a JSON Patch (RFC 6902, sections 3 and 4), or what is wrong with
/// it. By `serde` they are read likewise, by code that takes 21 KB of the component.
fn operations_of(patch: Value) -> Result<Vec<PatchOperation>, String> {
    let Value::Array(operations) = patch else {
        return Err("it is no array".to_owned());
    };
    let operations = operations.into_iter().enumerate().map(|(number, value)| {
        let operation = operation_of(value);
        operation.map_err(|error| format!("operation {number} {error}"))
    });
    operations.collect()
}

/// An operation, or what it lacks. Members that it does not define have no meaning.
fn operation_of(operation: Value) -> Result<PatchOperation, String> {
    let Value::Object(mut members) = operation else {
        return Err("is no object".to_owned());
    };
    let mut member = |name: &str| {
        let value = members.remove(name);
        value.ok_or_else(|| format!("has no member {name}"))
    };
    let pointer = |name: &str, value| match value {
        Value::String(text) => {
            PointerBuf::parse(text).map_err(|_| format!("has a {name} that is no JSON pointer"))
        }
        _ => Err(format!("has a {name} that is no JSON pointer")),
    };
    let op = member("op")?;
    let path = pointer("path", member("path")?)?;
    let operation = match op.as_str().unwrap_or_default() {
        "add" => {
            let value = member("value")?;
            PatchOperation::Add(AddOperation { path, value })
        }
        "remove" => PatchOperation::Remove(RemoveOperation { path }),
        "replace" => {
            let value = member("value")?;
            PatchOperation::Replace(ReplaceOperation { path, value })
        }
        "move" => {
            let from = pointer("from", member("from")?)?;
            PatchOperation::Move(MoveOperation { from, path })
        }
        "copy" => {
            let from = pointer("from", member("from")?)?;
            PatchOperation::Copy(CopyOperation { from, path })
        }
        "test" => {
            let value = member("value")?;
            PatchOperation::Test(TestOperation { path, value })
        }
        _ => return Err(format!("has the op {op}, which there is not")),
    };
    Ok(operation)
}

/// Applies a JSON Patch to the representation of a user, so that it can test
/// every member; it can't change those that the service sets.
fn operate(user: &User, operations: &[PatchOperation]) -> Result<Profile, Problem> {
    let before =
        serde_json::to_value(Representation::whole(user)).expect("it has string keys only");
    let mut after = before.clone();
    for (number, operation) in operations.iter().enumerate() {
        json_patch::patch(&mut after, std::slice::from_ref(operation))
            .map_err(|error| Problem::patch_conflict(number, &error.kind.to_string()))?;
        // Each copy can double what is there.
        if after.to_string().len() > MAX_BYTES {
            let why = format!("the user would have more than {MAX_BYTES} bytes");
            return Err(Problem::patch_conflict(number, &why));
        }
    }
    let changed = READ_ONLY
        .iter()
        .filter(|member| before.get(member) != after.get(member));
    let violations: Vec<_> = changed.map(|member| Violation::read_only(member)).collect();
    match violations.is_empty() {
        true => Profile::from_json(without_read_only(after)).map_err(Problem::invalid_user),
        false => Err(Problem::invalid_user(violations)),
    }
}

/// Clients send back what they got: members that only the service sets are not
/// an error, they have no effect.
pub(super) fn without_read_only(mut value: Value) -> Value {
    if let Some(members) = value.as_object_mut() {
        members.retain(|member, _| !READ_ONLY.contains(&member.as_str()));
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timestamp::Timestamp;
    use crate::user::Version;
    use proptest::prelude::*;
    use serde_json::json;

    fn user() -> User {
        let profile = json!({ "name": "Ada", "attributes": { "a": [1, 2] } });
        User {
            id: 7.try_into().unwrap(),
            profile: Profile::from_json(profile).unwrap(),
            created_at: Timestamp(0),
            updated_at: Timestamp(0),
            version: Version(1),
        }
    }

    fn patched(operations: Value) -> Result<Profile, Problem> {
        operate(&user(), &operations_of(operations).unwrap())
    }

    #[test]
    fn all_six_operations_apply_in_order() {
        let profile = patched(json!([
            { "op": "test", "path": "/id", "value": 7 },
            { "op": "add", "path": "/attributes/a/-", "value": 3 },
            { "op": "copy", "from": "/attributes/a", "path": "/attributes/b" },
            { "op": "move", "from": "/attributes/a/0", "path": "/attributes/first" },
            { "op": "remove", "path": "/attributes/a/0" },
            { "op": "replace", "path": "/name", "value": "Bea" },
        ]));
        let expected = json!({
            "name": "Bea",
            "attributes": { "a": [3], "b": [1, 2, 3], "first": 1 },
        });
        assert_eq!(profile.unwrap(), Profile::from_json(expected).unwrap());
    }

    #[test]
    fn copies_of_copies_end_at_the_limit() {
        let double =
            |n| json!({ "op": "copy", "from": "/attributes", "path": format!("/attributes/{n}") });
        let operations: Vec<_> = (0..100).map(double).collect();
        assert!(patched(operations.into()).is_err());
    }

    #[test]
    fn what_the_service_sets_can_be_tested_but_not_changed() {
        for operation in [
            json!({ "op": "replace", "path": "/id", "value": 8 }),
            json!({ "op": "remove", "path": "/created_at" }),
            json!({ "op": "move", "from": "/updated_at", "path": "/name" }),
        ] {
            assert!(patched(json!([operation])).is_err(), "{operation}");
        }
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<i64>().prop_map(Value::from),
            "[a-z~/]{0,3}".prop_map(Value::from),
        ];
        let member = "name|email|attributes|id|[a-z~/]{0,2}";
        leaf.prop_recursive(3, 12, 3, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                prop::collection::btree_map(member, inner, 0..3)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_merge_patch_that_is_applied_twice_changes_nothing_more(patch in value()) {
            let patch = Patch::Merge(without_read_only(patch));
            let mut user = user();
            if let Ok(profile) = patch.apply(&user) {
                user.profile = profile;
                prop_assert_eq!(patch.apply(&user).ok(), Some(user.profile.clone()));
            }
        }

        #[test]
        fn any_operations_are_applied_or_refused(
            operations in prop::collection::vec(
                (
                    "add|remove|replace|move|copy|test",
                    "(/(name|attributes|a|0|-|[0-9]{1,20}|~[01]))*",
                    "(/(name|attributes|a|0|-))*",
                    value(),
                ),
                0..6,
            ),
        ) {
            let operations = operations.into_iter().map(|(op, path, from, value)| {
                json!({ "op": op, "path": path, "from": from, "value": value })
            });
            if let Ok(profile) = patched(operations.collect()) {
                let written = serde_json::to_value(&profile).unwrap();
                prop_assert_eq!(Profile::from_json(written).ok(), Some(profile));
            }
        }
    }
}
