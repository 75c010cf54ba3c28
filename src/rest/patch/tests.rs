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
    Operations::read(operations)?.apply(&user())
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
fn copies_into_what_they_copy_end_at_a_depth() {
    let add = json!({ "op": "add", "path": "/attributes", "value": { "a": {} } });
    // Each doubles the levels.
    let double = |n: u32| {
        let deepest = "/a".repeat(2_usize.pow(n) + 1);
        json!({ "op": "copy", "from": "/attributes/a", "path": format!("/attributes{deepest}") })
    };
    let operations = |doublings: u32| [add.clone()].into_iter().chain((0..doublings).map(double));
    assert!(patched(operations(4).collect()).is_ok());
    for doublings in [6, 12] {
        let problem = patched(operations(doublings).collect()).unwrap_err();
        assert_eq!(problem.status(), 409);
    }
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
    let member = "name|email|username|external_id|active|attributes|id|[a-z~/]{0,2}";
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
