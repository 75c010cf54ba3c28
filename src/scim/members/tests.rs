use super::super::Schemas;
use super::*;
use serde_json::json;

fn patched(operations: Value) -> Result<(Value, MemberChanges), Error> {
    let schemas = Schemas::default();
    let group = json!({ "displayName": "Staff" });
    let body = json!({ "schemas": [super::super::patch::SCHEMA], "Operations": operations });
    let patch = Patch::read(body, &schemas.group)?;
    let (group, changes) = patch_group(&patch, group.as_object().unwrap(), &schemas.group)?;
    Ok((group.into(), changes))
}

fn changes(operations: Value) -> MemberChanges {
    let (group, changes) = patched(operations).unwrap();
    assert_eq!(group, json!({ "displayName": "Staff" }));
    changes
}

fn ids(ids: &[&str]) -> Ids {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

#[test]
fn members_come_and_go_without_the_others_being_known() {
    let of = |removes_all, added: &[&str], removed: &[&str]| MemberChanges {
        removes_all,
        added: ids(added),
        removed: ids(removed),
    };
    let members = |list: &[&str]| {
        json!(
            list.iter()
                .map(|id| json!({ "value": id }))
                .collect::<Vec<_>>()
        )
    };
    for (operations, expected) in [
        (
            json!([{ "op": "add", "path": "members", "value": members(&["1", "2"]) }]),
            of(false, &["1", "2"], &[]),
        ),
        // Okta adds without a path, or one without an array.
        (
            json!([{ "op": "add", "value": { "members": members(&["1"]) } }]),
            of(false, &["1"], &[]),
        ),
        (
            json!([{ "op": "add", "path": "members", "value": { "value": "1", "display": "Ada" } }]),
            of(false, &["1"], &[]),
        ),
        // Entra ID removes those that it lists, and no others.
        (
            json!([{ "op": "Remove", "path": "members", "value": [{ "$ref": null, "value": "1" }] }]),
            of(false, &[], &["1"]),
        ),
        (
            json!([{ "op": "remove", "path": "members", "value": [] }]),
            of(false, &[], &[]),
        ),
        // Okta removes by a filter.
        (
            json!([{ "op": "remove", "path": "members[value eq \"1\"]" }]),
            of(false, &[], &["1"]),
        ),
        (
            json!([{ "op": "remove", "path": "members[value eq \"1\" or Value EQ \"2\"]" }]),
            of(false, &[], &["1", "2"]),
        ),
        (
            json!([{ "op": "remove", "path": "members" }]),
            of(true, &[], &[]),
        ),
        (
            json!([{ "op": "replace", "path": "members", "value": members(&["3"]) }]),
            of(true, &["3"], &[]),
        ),
        (
            json!([{ "op": "replace", "path": "members", "value": [] }]),
            of(true, &[], &[]),
        ),
        // The later operation counts.
        (
            json!([
                { "op": "add", "path": "members", "value": members(&["1", "2"]) },
                { "op": "remove", "path": "members[value eq \"2\"]" },
                { "op": "remove", "path": "members[value eq \"3\"]" },
                { "op": "add", "path": "members", "value": ["3"] },
            ]),
            of(false, &["1", "3"], &["2"]),
        ),
        (
            json!([
                { "op": "add", "path": "members", "value": members(&["1"]) },
                { "op": "replace", "path": "members", "value": members(&["2", "3"]) },
                { "op": "remove", "path": "members[value eq \"3\"]" },
            ]),
            of(true, &["2"], &[]),
        ),
        (
            json!([{ "op": "replace", "path": "members[value eq \"1\"]", "value": { "value": "2" } }]),
            of(false, &["2"], &["1"]),
        ),
    ] {
        assert_eq!(changes(operations.clone()), expected, "{operations}");
    }
}

#[test]
fn a_group_is_renamed_while_its_members_change() {
    // Okta sends the id along, to rename a group.
    let (group, changes) = patched(json!([
        { "op": "replace", "value": { "id": "7", "displayName": "Crew" } },
        { "op": "add", "path": "members", "value": [{ "value": "1" }] },
    ]))
    .unwrap();
    assert_eq!(group, json!({ "displayName": "Crew" }));
    assert_eq!(changes.added, ids(&["1"]));
    assert!(!changes.is_empty());
}

#[test]
fn many_members_come_and_go_in_one_operation() {
    let many: Vec<_> = (0..9_000)
        .map(|id| json!({ "value": id.to_string() }))
        .collect();
    let add = json!([{ "op": "add", "path": "members", "value": many }]);
    assert_eq!(changes(add).added.len(), 9_000);
    let hundred = (0..100).map(|id| format!("value eq \"{}\"", 17_179_869_083_u64 + id));
    let path = format!("members[{}]", hundred.collect::<Vec<_>>().join(" or "));
    let remove = json!([{ "op": "remove", "path": path }]);
    assert_eq!(changes(remove).removed.len(), 100);
}

#[test]
fn what_would_need_all_members_or_is_no_user_is_refused() {
    for (operation, scim_type) in [
        (
            json!({ "op": "remove", "path": "members[display sw \"A\"]" }),
            ScimType::InvalidFilter,
        ),
        (
            json!({ "op": "remove", "path": "members[value ne \"1\"]" }),
            ScimType::InvalidFilter,
        ),
        (
            json!({ "op": "add", "path": "members", "value": [{ "value": "1", "type": "Group" }] }),
            ScimType::InvalidValue,
        ),
        (
            json!({ "op": "add", "path": "members", "value": [{ "display": "Ada" }] }),
            ScimType::InvalidValue,
        ),
        (
            json!({ "op": "add", "path": "members", "value": [{ "$ref": "x" }] }),
            ScimType::InvalidValue,
        ),
        (
            json!({ "op": "add", "path": "members", "value": 1 }),
            ScimType::InvalidValue,
        ),
        (
            json!({ "op": "replace", "path": "members[value eq \"1\"].type", "value": "User" }),
            ScimType::Mutability,
        ),
        (
            json!({ "op": "replace", "path": "members.value", "value": "2" }),
            ScimType::Mutability,
        ),
        (
            json!({ "op": "replace", "path": "members[value eq \"1\"].display", "value": "x" }),
            ScimType::Mutability,
        ),
    ] {
        let error = patched(json!([operation])).unwrap_err();
        assert_eq!(
            error.scim_type,
            Some(scim_type),
            "{operation} {}",
            error.detail
        );
    }
}

#[test]
fn the_members_of_a_body_are_its_ids() {
    let group = Schemas::default().group;
    let body = json!({ "displayName": "Staff", "Members": [{ "value": "1" }, "2"] });
    let (read, members) = read_group(body, &group).unwrap();
    assert_eq!(Value::Object(read), json!({ "displayName": "Staff" }));
    assert_eq!(members, Some(ids(&["1", "2"])));
    let members = |body| read_group(body, &group).unwrap().1;
    assert_eq!(members(json!({ "displayName": "Staff" })), None);
    assert_eq!(
        members(json!({ "displayName": "Staff", "members": [] })),
        Some(Ids::new())
    );
}
