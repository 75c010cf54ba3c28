use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::Patch;
use super::{ENTERPRISE, ada};
use crate::scim::{Schemas, resource};

fn operation() -> impl Strategy<Value = Value> {
    let path = prop::sample::select(vec![
        "userName",
        "name",
        "name.givenName",
        "active",
        "emails",
        "emails.value",
        "emails.primary",
        "emails[type eq \"work\"]",
        "emails[type eq \"other\"].value",
        "emails[primary eq true].primary",
        "emails[not (type pr)].type",
        "roles",
        "id",
        "nosuch",
        ENTERPRISE,
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager",
    ]);
    let value = prop_oneof![
        Just(json!(null)),
        Just(json!(true)),
        Just(json!("True")),
        "[a-c]{0,2}".prop_map(Value::from),
        Just(json!([])),
        Just(json!({})),
        Just(json!({ "value": "x", "primary": true })),
        Just(
            json!([{ "value": "ada@example.com", "type": "work" }, { "type": "other", "primary": true }])
        ),
        Just(json!({ "emails": "x", "name.familyName": "y", ENTERPRISE: { "manager": "2" } })),
    ];
    let op = prop::sample::select(vec!["add", "Remove", "REPLACE"]);
    (op, prop::option::of(path), prop::option::of(value)).prop_map(|(op, path, value)| {
        let mut operation = json!({ "op": op });
        if let Some(path) = path {
            operation["path"] = path.into();
        }
        if let Some(value) = value {
            operation["value"] = value;
        }
        operation
    })
}

proptest! {
    /// A patch has all of its effect or none, and what it makes is a user.
    #[test]
    fn what_a_patch_makes_is_read_as_it_is(operations in prop::collection::vec(operation(), 1..6)) {
        let schemas = Schemas::default();
        let body = json!({ "Operations": operations });
        let Ok(patch) = Patch::read(body, &schemas.user) else {
            return Ok(());
        };
        let before = ada();
        let result = patch.apply(before.as_object().unwrap(), &schemas.user);
        prop_assert_eq!(&before, &ada());
        if let Ok(mut after) = result {
            prop_assert_eq!(after.remove("id"), Some(json!("7")));
            prop_assert_eq!(after.remove("groups"), Some(before["groups"].clone()));
            let read = resource::read(after.clone().into(), &schemas.user);
            prop_assert_eq!(read.unwrap(), after);
        }
    }
}
