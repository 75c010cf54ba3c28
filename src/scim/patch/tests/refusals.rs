use serde_json::json;

use super::super::{MAX_OPERATIONS, Patch, SCHEMA};
use super::{ENTERPRISE, ada, patched, refused};
use crate::scim::{Schemas, ScimType};

#[test]
fn a_patch_that_is_wrong_says_how_and_changes_nothing() {
    use ScimType::*;
    for (operation, scim_type, part) in [
        (
            json!(1),
            InvalidSyntax,
            "Operation 1: It must be an object.",
        ),
        (json!({}), InvalidSyntax, "op must be"),
        (
            json!({ "op": "move", "path": "title" }),
            InvalidSyntax,
            "op must be",
        ),
        (
            json!({ "op": "add", "path": "title" }),
            InvalidValue,
            "value is missing",
        ),
        (
            json!({ "op": "add", "path": 1, "value": 1 }),
            InvalidPath,
            "path must be a string",
        ),
        (
            json!({ "op": "add", "value": 1 }),
            InvalidValue,
            "there is no path",
        ),
        (json!({ "op": "remove" }), NoTarget, "path must say"),
        (
            json!({ "op": "remove", "value": { "title": 1 } }),
            NoTarget,
            "path must say",
        ),
        (
            json!({ "op": "add", "path": "nosuch", "value": 1 }),
            InvalidPath,
            "no attribute",
        ),
        (
            json!({ "op": "add", "path": "id", "value": "8" }),
            Mutability,
            "id is set by the service",
        ),
        (
            json!({ "op": "remove", "path": "groups[value eq \"1\"]" }),
            Mutability,
            "groups is set by",
        ),
        (
            json!({ "op": "replace", "path": "meta.version", "value": "x" }),
            Mutability,
            "meta.version is set by",
        ),
        (
            json!({ "op": "add", "path": format!("{ENTERPRISE}:manager.displayName"), "value": "x" }),
            Mutability,
            "displayName is set by",
        ),
        (
            json!({ "op": "remove", "path": "userName" }),
            Mutability,
            "userName is required",
        ),
        (
            json!({ "op": "replace", "path": "userName", "value": null }),
            Mutability,
            "userName is required",
        ),
        (
            json!({ "op": "replace", "path": "active", "value": "off" }),
            InvalidValue,
            "active must be true or false",
        ),
        (
            json!({ "op": "replace", "path": "emails[type eq \"work\"].value", "value": 1 }),
            InvalidValue,
            "emails.value must be a string",
        ),
        (
            json!({ "op": "replace", "path": "name.givenName", "value": 1 }),
            InvalidValue,
            "name.givenName must be a string",
        ),
        (
            json!({ "op": "replace", "path": "emails[type eq \"other\"]", "value": { "value": "x" } }),
            NoTarget,
            "none of emails",
        ),
        (
            json!({ "op": "add", "path": "emails[type ne \"work\" and type ne \"home\"].value", "value": "x" }),
            NoTarget,
            "none of emails",
        ),
        (
            json!({ "op": "add", "path": "emails[type eq]", "value": 1 }),
            InvalidFilter,
            "at character 15",
        ),
        (
            json!({ "op": "add", "value": { "emails[type eq]": 1 } }),
            InvalidFilter,
            "at character 15",
        ),
        (
            json!({ "op": "add", "value": { ENTERPRISE: 1 } }),
            InvalidValue,
            "must be an object",
        ),
        (
            json!({ "op": "add", "path": ENTERPRISE, "value": 1 }),
            InvalidValue,
            "must be an object",
        ),
    ] {
        refused(operation, scim_type, part);
    }
}

#[test]
fn the_body_of_a_patch_has_operations() {
    let user = Schemas::default().user;
    let add = json!({ "op": "add", "path": "title", "value": "x" });
    for (body, expected) in [
        (json!({ "Operations": [add] }), None),
        (
            json!({ "SCHEMAS": [SCHEMA.to_uppercase()], "operations": [add] }),
            None,
        ),
        (json!([]), Some(ScimType::InvalidSyntax)),
        (json!({}), Some(ScimType::InvalidSyntax)),
        (json!({ "Operations": [] }), Some(ScimType::InvalidSyntax)),
        (json!({ "Operations": add }), Some(ScimType::InvalidSyntax)),
        (
            json!({ "schemas": ["urn:x"], "Operations": [add] }),
            Some(ScimType::InvalidSyntax),
        ),
        (
            json!({ "Operations": vec![&add; MAX_OPERATIONS + 1] }),
            Some(ScimType::TooMany),
        ),
    ] {
        let error = Patch::read(body, &user).err();
        assert_eq!(error.and_then(|error| error.scim_type), expected);
    }
}

#[test]
fn a_resource_does_not_grow_beyond_bounds() {
    let many: Vec<_> = (0..400)
        .map(|n| json!({ "value": n.to_string() }))
        .collect();
    let more: Vec<_> = (400..800)
        .map(|n| json!({ "value": n.to_string() }))
        .collect();
    let error = patched(
        &ada(),
        json!([
            { "op": "add", "path": "roles", "value": many },
            { "op": "add", "path": "roles", "value": more },
        ]),
    );
    assert!(error.unwrap_err().detail.contains("at most 500 values"));
    let error = patched(
        &ada(),
        json!([
            { "op": "add", "path": "roles", "value": many },
            { "op": "add", "path": "roles.display", "value": "x".repeat(1000) },
        ]),
    );
    assert!(error.unwrap_err().detail.contains("at most 65536 bytes"));
}
