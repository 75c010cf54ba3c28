//! SCIM beside the other interfaces: what each sees of the other's changes.

use serde_json::{Value, json};

use crate::support::{Answer, Send, new_email, new_word, service};
use crate::{ENTERPRISE, USER, at, expect, get, new_user, patch, post, put};

/// A request to the interface REST, by which a user is seen as all see it.
fn rest(method: &str, user: &Value, body: Option<Value>) -> Value {
    let path = format!("/users/{}", user["id"].as_str().expect("an id"));
    let request = service().request(method, &path);
    let request = match body {
        Some(body) => request.json(&body),
        None => request,
    };
    let answer: Answer = request.answer();
    assert!(answer.status < 300, "{}", answer.body);
    answer.json()
}

#[test]
fn each_attribute_has_its_member_and_the_rest_is_kept_in_one() {
    let email = new_email();
    let user = new_user(json!({
        "displayName": "Ada",
        "externalId": "e-1",
        "active": false,
        "name": { "givenName": "Augusta", "formatted": "Augusta Ada" },
        "emails": [
            { "value": "other@example.org", "type": "home", "display": "Home" },
            { "value": email, "type": "work", "primary": true },
        ],
        "locale": "en-GB",
        ENTERPRISE: { "employeeNumber": "1815", "manager": { "value": "1" } },
    }));
    let seen = rest("GET", &user, None);
    assert_eq!(
        (&seen["username"], &seen["name"]),
        (&user["userName"], &json!("Ada"))
    );
    assert_eq!(
        (&seen["email"], &seen["external_id"]),
        (&json!(email), &json!("e-1"))
    );
    assert_eq!(seen["active"], false);
    assert_eq!(
        seen["attributes"]["scim"],
        json!({
            "name": { "givenName": "Augusta", "formatted": "Augusta Ada" },
            "emails": [
                { "value": "other@example.org", "type": "home", "display": "Home" },
                { "type": "work", "primary": true },
            ],
            "locale": "en-GB",
            ENTERPRISE: { "employeeNumber": "1815", "manager": { "value": "1" } },
        })
    );
}

#[test]
fn what_another_interface_changes_is_seen_and_the_rest_survives() {
    let user = new_user(json!({
        "displayName": "Ada",
        "emails": [{ "value": new_email(), "type": "work", "primary": true }, { "value": "b@c.example" }],
        "title": "Dr",
    }));
    let email = new_email();
    rest(
        "PATCH",
        &user,
        Some(json!({ "name": "Bea", "email": email, "attributes": { "own": 1 } })),
    );
    let mut expected = user.clone();
    let seen = expect(get(&at("Users", &user)), 200);
    expected["displayName"] = json!("Bea");
    expected["emails"][0]["value"] = json!(email);
    expected["meta"] = seen["meta"].clone();
    assert_eq!(seen, expected);
    // What is no part of a SCIM resource survives changes by SCIM.
    let body = json!({ "schemas": [USER], "userName": user["userName"], "displayName": "Cleo" });
    expect(put(&at("Users", &user), body), 200);
    let seen = rest("GET", &user, None);
    assert_eq!(seen["name"], "Cleo");
    assert_eq!(seen["attributes"]["own"], 1);
    assert_eq!(seen.get("email"), None);
    assert_eq!(seen["attributes"]["scim"].get("title"), None);
}

#[test]
fn an_email_that_another_interface_took_away_is_not_replaced_by_another_one() {
    let user = new_user(json!({
        "emails": [{ "value": new_email(), "primary": true }, { "value": "b@c.example", "type": "home" }],
    }));
    rest("PATCH", &user, Some(json!({ "email": null })));
    let seen = expect(get(&at("Users", &user)), 200);
    assert_eq!(
        seen["emails"],
        json!([{ "value": "b@c.example", "type": "home" }])
    );
    let operations = json!([{ "op": "add", "path": "title", "value": "Dr" }]);
    expect(patch(&at("Users", &user), operations), 200);
    assert_eq!(rest("GET", &user, None).get("email"), None);
}

#[test]
fn a_user_is_named_by_the_first_of_the_names_that_there_is() {
    let name = |attributes: Value| rest("GET", &new_user(attributes), None)["name"].clone();
    let parts = json!({ "givenName": "Ada", "familyName": "Lovelace" });
    assert_eq!(
        name(json!({ "displayName": "A", "name": { "formatted": "B" } })),
        "A"
    );
    assert_eq!(
        name(json!({ "name": { "formatted": "B", "givenName": "C" } })),
        "B"
    );
    assert_eq!(name(json!({ "name": parts })), "Ada Lovelace");
    let user = new_user(json!({}));
    assert_eq!(rest("GET", &user, None)["name"], user["userName"]);
    // A display name that was never given is not made up, until another interface gives the name.
    assert_eq!(user.get("displayName"), None);
    rest("PATCH", &user, Some(json!({ "name": "Ada" })));
    assert_eq!(expect(get(&at("Users", &user)), 200)["displayName"], "Ada");
}

#[test]
fn attributes_that_are_removed_are_gone() {
    let user = new_user(
        json!({ "displayName": "Ada", "active": true, "emails": [{ "value": new_email() }] }),
    );
    let remove = |path: &str| json!({ "op": "remove", "path": path });
    let operations = json!([remove("displayName"), remove("active"), remove("emails")]);
    let patched = expect(patch(&at("Users", &user), operations), 200);
    for attribute in ["displayName", "active", "emails"] {
        assert_eq!(patched.get(attribute), None, "{attribute}");
    }
    let seen = rest("GET", &user, None);
    assert_eq!((seen.get("email"), &seen["active"]), (None, &json!(true)));
}

#[test]
fn a_user_of_another_interface_is_one_of_scim() {
    let body = json!({ "name": "Ada", "email": new_email(), "username": new_word() });
    let made = service()
        .request("POST", "/users")
        .json(&body)
        .answer()
        .json();
    let user = expect(get(&format!("/Users/{}", made["id"])), 200);
    assert_eq!(
        (&user["displayName"], &user["userName"]),
        (&body["name"], &body["username"])
    );
    assert_eq!(
        user["emails"],
        json!([{ "value": body["email"], "primary": true }])
    );
    assert_eq!(user["active"], true);
    let operations = json!([{ "op": "add", "path": "title", "value": "Dr" }]);
    let patched = expect(patch(&at("Users", &user), operations), 200);
    assert_eq!(
        (&patched["title"], &patched["emails"]),
        (&json!("Dr"), &user["emails"])
    );
    // One without a username has to be given one.
    let made = service()
        .request("POST", "/users")
        .json(&json!({ "name": "Bea" }))
        .answer()
        .json();
    let path = format!("/Users/{}", made["id"]);
    assert_eq!(expect(get(&path), 200).get("userName"), None);
    let title = json!({ "op": "add", "path": "title", "value": "Dr" });
    expect(patch(&path, json!([title])), 400);
    let name = json!({ "op": "add", "path": "userName", "value": new_word() });
    expect(patch(&path, json!([title, name])), 200);
}

#[test]
fn emails_beyond_the_primary_one_are_kept_and_not_unique() {
    let shared = new_email();
    let emails =
        || json!([{ "value": new_email(), "primary": true }, { "value": shared, "type": "home" }]);
    let first = new_user(json!({ "emails": emails() }));
    let second = new_user(json!({ "emails": emails() }));
    assert_eq!(first["emails"][1], second["emails"][1]);
    let taken = json!({ "schemas": [USER], "userName": new_word(), "emails": [{ "value": first["emails"][0]["value"] }] });
    crate::refused(post("/Users", taken), 409, "uniqueness");
}
