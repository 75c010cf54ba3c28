mod clients;
mod properties;
mod refusals;

use serde_json::json;

use super::super::Schemas;
use super::*;

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn ada() -> Value {
    json!({
        "id": "7",
        "userName": "ada",
        "name": { "familyName": "Lovelace", "givenName": "Ada" },
        "active": true,
        "emails": [
            { "value": "ada@example.com", "type": "work", "primary": true },
            { "value": "ada@home.example", "type": "home" },
        ],
        "groups": [{ "value": "1" }],
        ENTERPRISE: { "department": "Engines", "manager": { "value": "1" } },
    })
}

fn patched(user: &Value, operations: Value) -> Result<Value, Error> {
    let schemas = Schemas::default();
    let body = json!({ "schemas": [SCHEMA], "Operations": operations });
    let patch = Patch::read(body, &schemas.user)?;
    let changed = patch.apply(user.as_object().unwrap(), &schemas.user)?;
    Ok(changed.into())
}

/// Ada after a patch, and how she is expected to differ: each pair is a pointer and the value there.
fn check(operations: Value, expected: &[(&str, Value)]) {
    let changed = patched(&ada(), operations.clone());
    let changed = changed.unwrap_or_else(|error| panic!("{operations} {}", error.detail));
    for (pointer, value) in expected {
        let found = changed.pointer(pointer).unwrap_or(&Value::Null);
        assert_eq!(found, value, "{pointer} after {operations}");
    }
}

fn refused(operation: Value, scim_type: ScimType, part: &str) {
    let error = patched(&ada(), json!([operation])).unwrap_err();
    assert_eq!(
        error.scim_type,
        Some(scim_type),
        "{operation} {}",
        error.detail
    );
    assert!(error.detail.contains(part), "{operation} {}", error.detail);
}

fn pointer(extension: &str, rest: &str) -> String {
    format!("/{extension}{rest}")
}

#[test]
fn add_sets_merges_and_appends() {
    let nick = json!([{ "op": "add", "path": "nickName", "value": "Countess" }]);
    check(nick, &[("/nickName", json!("Countess"))]);
    let twice = json!([{ "op": "add", "path": "name.givenName", "value": "Augusta" }]);
    check(
        twice,
        &[(
            "/name",
            json!({ "familyName": "Lovelace", "givenName": "Augusta" }),
        )],
    );
    let name = json!([{ "op": "add", "path": "name", "value": { "middleName": "K" } }]);
    check(
        name,
        &[
            ("/name/middleName", json!("K")),
            ("/name/givenName", json!("Ada")),
        ],
    );
    let email = json!({ "value": "third@x.example", "type": "other" });
    check(
        json!([{ "op": "add", "path": "emails", "value": [email] }]),
        &[
            ("/emails/2", email.clone()),
            ("/emails/0/primary", json!(true)),
        ],
    );
    check(
        json!([{ "op": "add", "value": { "emails": [email], "nickName": "C" } }]),
        &[("/emails/2", email), ("/nickName", json!("C"))],
    );
    // What is there already is not added again (RFC 7644, section 3.5.2.1).
    let again =
        json!([{ "op": "add", "path": "emails", "value": [{ "value": "ada@example.com" }] }]);
    check(again, &[("/emails", ada()["emails"].clone())]);
    let titled = json!([{ "op": "add", "path": "emails",
        "value": [{ "value": "ada@home.example", "display": "Home" }] }]);
    check(
        titled,
        &[
            ("/emails/1/display", json!("Home")),
            ("/emails/2", json!(null)),
        ],
    );
    // Nothing is no value.
    let nothing = json!([{ "op": "add", "path": "emails", "value": [] }]);
    check(nothing, &[("/emails", ada()["emails"].clone())]);
}

#[test]
fn replace_replaces_values_and_keeps_sub_attributes_that_it_does_not_name() {
    let emails = json!([{ "value": "new@x.example" }]);
    check(
        json!([{ "op": "replace", "path": "emails", "value": emails }]),
        &[("/emails", emails.clone())],
    );
    check(
        json!([{ "op": "replace", "value": { "emails": emails, "name": { "givenName": "A" } } }]),
        &[
            ("/emails", emails),
            (
                "/name",
                json!({ "givenName": "A", "familyName": "Lovelace" }),
            ),
        ],
    );
    // RFC 7644, section 3.5.2.3: the whole value that matches.
    check(
        json!([{ "op": "replace", "path": "emails[type eq \"work\"]",
            "value": { "type": "work", "value": "w@x.example" } }]),
        &[
            (
                "/emails/0",
                json!({ "type": "work", "value": "w@x.example" }),
            ),
            ("/emails/1/type", json!("home")),
        ],
    );
    check(
        json!([{ "op": "replace", "path": "emails.type", "value": "other" }]),
        &[
            ("/emails/0/type", json!("other")),
            ("/emails/1/type", json!("other")),
        ],
    );
    // What is not there is added.
    let title = json!([{ "op": "replace", "path": "title", "value": "Dr" }]);
    check(title, &[("/title", json!("Dr"))]);
    // No value is none.
    for value in [json!(null), json!([])] {
        let none = json!([{ "op": "replace", "path": "emails", "value": value }]);
        check(none, &[("/emails", json!(null))]);
    }
    let last = json!([
        { "op": "replace", "path": "name.givenName", "value": null },
        { "op": "replace", "path": "name.familyName", "value": null },
    ]);
    check(last, &[("/name", json!(null))]);
}

#[test]
fn remove_removes_attributes_and_values() {
    let remove = |path: &str| json!([{ "op": "remove", "path": path }]);
    check(remove("emails"), &[("/emails", json!(null))]);
    // What is not there can be removed again.
    check(remove("nickName"), &[("/userName", json!("ada"))]);
    check(
        remove("emails[type eq \"other\"]"),
        &[("/emails", ada()["emails"].clone())],
    );
    check(
        remove("name.givenName"),
        &[("/name", json!({ "familyName": "Lovelace" }))],
    );
    check(
        remove("emails[type eq \"work\"]"),
        &[("/emails", json!([ada()["emails"][1]]))],
    );
    check(remove("emails[value pr]"), &[("/emails", json!(null))]);
    check(
        remove("emails.display"),
        &[("/emails", ada()["emails"].clone())],
    );
    check(
        remove("emails[primary eq true].type"),
        &[("/emails/0/type", json!(null))],
    );
    // Of an email without address nothing is left.
    check(
        remove("emails[type eq \"work\"].value"),
        &[("/emails", json!([ada()["emails"][1]]))],
    );
    check(
        remove(ENTERPRISE),
        &[(&pointer(ENTERPRISE, ""), json!(null))],
    );
    check(
        json!([
            { "op": "remove", "path": format!("{ENTERPRISE}:department") },
            { "op": "remove", "path": format!("{ENTERPRISE}:manager.value") },
        ]),
        &[(&pointer(ENTERPRISE, ""), json!(null))],
    );
    // With values, only those.
    check(
        json!([{ "op": "remove", "path": "emails", "value": [{ "value": "ADA@example.com" }] }]),
        &[("/emails", json!([ada()["emails"][1]]))],
    );
    check(
        json!([{ "op": "remove", "path": "emails", "value": [] }]),
        &[("/emails", ada()["emails"].clone())],
    );
    // Entra ID names the value of a single attribute, too.
    let named = json!([{ "op": "Remove", "path": "name.givenName", "value": "Ada" }]);
    check(named, &[("/name", json!({ "familyName": "Lovelace" }))]);
}

#[test]
fn one_value_at_most_is_primary() {
    check(
        json!([{ "op": "add", "path": "emails", "value": [{ "value": "n@x.example", "primary": true }] }]),
        &[
            ("/emails/0/primary", json!(false)),
            ("/emails/2/primary", json!(true)),
        ],
    );
    check(
        json!([{ "op": "replace", "path": "emails[type eq \"home\"].primary", "value": "True" }]),
        &[
            ("/emails/0/primary", json!(false)),
            ("/emails/1/primary", json!(true)),
        ],
    );
    check(
        json!([{ "op": "add", "path": "emails[type eq \"home\"]", "value": { "primary": true } }]),
        &[
            ("/emails/0/primary", json!(false)),
            (
                "/emails/1",
                json!({ "value": "ada@home.example", "type": "home", "primary": true }),
            ),
        ],
    );
    let all = json!({ "op": "replace", "path": "emails.primary", "value": true });
    refused(all, ScimType::InvalidValue, "at most one primary");
}

#[test]
fn what_the_service_sets_is_not_set_in_parts() {
    let declared = json!([{ "id": "urn:example:x", "attributes": [
        { "name": "room", "type": "complex", "mutability": "readOnly",
            "subAttributes": [{ "name": "number" }] },
    ] }]);
    let user = Schemas::read(&declared.to_string()).unwrap().user;
    let read = |operation: Value| Patch::read(json!({ "Operations": [operation] }), &user);
    let path = "urn:example:x:room.number";
    let error = read(json!({ "op": "add", "path": path, "value": "1" })).unwrap_err();
    assert_eq!(error.scim_type, Some(ScimType::Mutability));
    let ada = ada();
    let ada = ada.as_object().unwrap();
    let patch = read(json!({ "op": "add", "value": { path: "1" } })).unwrap();
    assert_eq!(patch.apply(ada, &user).unwrap(), *ada);
}

#[test]
fn an_immutable_attribute_is_set_once() {
    let declared = json!([{ "id": "urn:example:x", "attributes": [
        { "name": "badge", "mutability": "immutable" },
    ] }]);
    let schemas = Schemas::read(&declared.to_string()).unwrap();
    let patched = |user: &Value, operation: Value| {
        let patch = Patch::read(json!({ "Operations": [operation] }), &schemas.user).unwrap();
        patch.apply(user.as_object().unwrap(), &schemas.user)
    };
    let set =
        |badge: &str| json!({ "op": "replace", "path": "urn:example:x:badge", "value": badge });
    let user = Value::Object(patched(&ada(), set("1")).unwrap());
    assert_eq!(user["urn:example:x"]["badge"], "1");
    assert!(patched(&user, set("1")).is_ok());
    for operation in [
        set("2"),
        json!({ "op": "remove", "path": "urn:example:x:badge" }),
    ] {
        let error = patched(&user, operation).unwrap_err();
        assert_eq!(error.scim_type, Some(ScimType::Mutability));
    }
}
