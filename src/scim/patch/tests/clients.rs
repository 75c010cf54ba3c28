//! Patches as clients are known to write them.

use serde_json::json;

use super::{ENTERPRISE, ada, check, pointer};

#[test]
fn operations_are_taken_as_clients_write_them() {
    // Entra ID: op in any case, "True" and "False".
    let off = json!([{ "op": "Replace", "path": "active", "value": "False" }]);
    check(off, &[("/active", json!(false))]);
    // Entra ID, before its flag aadOptscim062020: one value in an array of objects.
    let off = json!([{ "OP": "REPLACE", "Path": "active", "Value": [{ "value": "False" }] }]);
    check(off, &[("/active", json!(false))]);
    // Okta: without path.
    let off = json!([{ "op": "replace", "value": { "active": false } }]);
    check(off, &[("/active", json!(false))]);
    // Entra ID: dotted names, brackets and URNs as the names of members.
    check(
        json!([{ "op": "Add", "value": {
            "name.givenName": "Augusta",
            "emails[type eq \"work\"].value": "w@x.example",
            "addresses[type eq \"work\"].country": "GB",
            format!("{ENTERPRISE}:department"): "Looms",
            format!("{ENTERPRISE}:manager"): "2",
            ENTERPRISE: { "costCenter": "4130" },
        } }]),
        &[
            ("/name/givenName", json!("Augusta")),
            ("/emails/0/value", json!("w@x.example")),
            ("/emails/0/primary", json!(true)),
            ("/addresses", json!([{ "type": "work", "country": "GB" }])),
            (&pointer(ENTERPRISE, "/department"), json!("Looms")),
            (&pointer(ENTERPRISE, "/manager"), json!({ "value": "2" })),
            (&pointer(ENTERPRISE, "/costCenter"), json!("4130")),
        ],
    );
    // Entra ID: a value where there is none yet. It's made, by replace as well.
    for op in ["add", "replace"] {
        check(
            json!([{ "op": op, "path": "phoneNumbers[type eq \"mobile\"].value", "value": "+47" }]),
            &[(
                "/phoneNumbers",
                json!([{ "type": "mobile", "value": "+47" }]),
            )],
        );
        check(
            json!([{ "op": op, "path": "emails[type eq \"other\" and primary eq true].value",
                "value": "o@x.example" }]),
            &[
                ("/emails/2/value", json!("o@x.example")),
                ("/emails/0/primary", json!(false)),
            ],
        );
        check(
            json!([{ "op": op, "path": "roles.value", "value": "admin" }]),
            &[("/roles", json!([{ "value": "admin" }]))],
        );
    }
    // The extension alone as path.
    check(
        json!([{ "op": "add", "path": ENTERPRISE, "value": { "Division": "X" } }]),
        &[
            (&pointer(ENTERPRISE, "/division"), json!("X")),
            (&pointer(ENTERPRISE, "/department"), json!("Engines")),
        ],
    );
    check(
        json!([{ "op": "replace", "value": { ENTERPRISE: null } }]),
        &[(&pointer(ENTERPRISE, ""), json!(null))],
    );
    // OneLogin and Okta send back what they got: what the service sets has no effect, nor has
    // an unknown attribute.
    check(
        json!([{ "op": "replace", "value": {
            "id": "8", "meta": {}, "groups": [], "schemas": [], "nosuch": 1, "password": "x",
            "urn:example:x:y": 1, "tags[type eq \"a\"].value": 1, "title": "Dr",
        } }]),
        &[
            ("/id", json!("7")),
            ("/groups", ada()["groups"].clone()),
            ("/password", json!(null)),
            ("/title", json!("Dr")),
        ],
    );
    let password = json!([{ "op": "replace", "path": "password", "value": "x" }]);
    check(password, &[("/password", json!(null))]);
    // Quotes, brackets and dots in the value that a path chooses.
    check(
        json!([{ "op": "add", "path": "roles[type eq \"a\\\"].b\"].value", "value": "x" }]),
        &[("/roles", json!([{ "type": "a\"].b", "value": "x" }]))],
    );
}
