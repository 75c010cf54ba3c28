//! The requests that Okta's documentation shows ("SCIM 2.0 Protocol Reference"), in the order in which it
//! provisions.

use serde_json::{Value, json};

use crate::support::new_word;
use crate::{
    GROUP, USER, at, delete, expect, filtered, get, ids, listed, members, patch, post, put,
};

fn user_of(name: &str) -> Value {
    json!({
        "schemas": [USER],
        "userName": name,
        "name": { "givenName": "Test", "familyName": "User" },
        "emails": [{ "primary": true, "value": name, "type": "work" }],
        "displayName": "Test User",
        "locale": "en-US",
        "externalId": "00ujl29u0le5T6Aj10h7",
        "groups": [],
        "password": "1mz050nq",
        "active": true,
    })
}

#[test]
fn a_user_is_provisioned_changed_and_switched_off() {
    let name = format!("test.{}@okta.example", new_word());
    let find = || {
        let path = filtered("Users", &format!("userName eq \"{name}\""));
        listed(get(&format!("{path}&startIndex=1&count=100")))
    };
    assert!(find().is_empty());
    let user = expect(post("/Users", user_of(&name)), 201);
    assert_eq!(find(), std::slice::from_ref(&user));
    // It updates the whole user.
    let mut whole = expect(get(&at("Users", &user)), 200);
    whole["name"]["familyName"] = json!("Changed");
    whole["displayName"] = json!("Test Changed");
    let changed = expect(put(&at("Users", &user), whole), 200);
    assert_eq!(
        (&changed["name"]["familyName"], &changed["displayName"]),
        (&json!("Changed"), &json!("Test Changed"))
    );
    assert_eq!(
        (&changed["locale"], &changed["emails"]),
        (&user["locale"], &user["emails"])
    );
    for active in [false, true, false] {
        let operations = json!([{ "op": "replace", "value": { "active": active } }]);
        assert_eq!(
            expect(patch(&at("Users", &user), operations), 200)["active"],
            active
        );
    }
    // It imports users page by page.
    let page = expect(get("/Users?startIndex=1&count=2"), 200);
    assert_eq!(page["startIndex"], 1);
    assert!(page["itemsPerPage"].as_u64() <= Some(2), "{page}");
}

#[test]
fn a_group_is_pushed_with_its_members() {
    let users: Vec<_> = (0..3)
        .map(|_| {
            expect(
                post("/Users", user_of(&format!("{}@okta.example", new_word()))),
                201,
            )
        })
        .collect();
    let name = format!("Test SCIMv2 {}", new_word());
    let created = post(
        "/Groups",
        json!({ "schemas": [GROUP], "displayName": name, "members": [] }),
    );
    let group = expect(created, 201);
    let path = at("Groups", &group);
    let found = listed(get(&filtered(
        "Groups",
        &format!("displayName eq \"{name}\""),
    )));
    assert_eq!(ids(&found), ids(std::slice::from_ref(&group)));
    let renamed = format!("{name} renamed");
    let rename =
        json!([{ "op": "replace", "value": { "id": group["id"], "displayName": renamed } }]);
    expect(patch(&path, rename), 204);
    assert_eq!(expect(get(&path), 200)["displayName"], renamed);
    let member = |user: &Value| json!({ "value": user["id"], "display": user["userName"] });
    let add = json!([{ "op": "add", "path": "members", "value": [member(&users[0]), member(&users[1])] }]);
    expect(patch(&path, add), 204);
    let gone = format!(
        "members[value eq \"{}\"]",
        users[0]["id"].as_str().expect("an id")
    );
    let swap = json!([
        { "op": "remove", "path": gone },
        { "op": "add", "path": "members", "value": [member(&users[2])] },
    ]);
    expect(patch(&path, swap), 204);
    assert_eq!(members(&group), ids(&users[1..]));
    let replace = json!([{ "op": "replace", "path": "members", "value": [member(&users[0])] }]);
    expect(patch(&path, replace), 204);
    assert_eq!(members(&group), ids(&users[..1]));
    expect(delete(&path), 204);
}
