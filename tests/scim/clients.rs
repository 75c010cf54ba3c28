//! Requests as known clients send them, where they differ from the RFCs or from each other.

use serde_json::json;

use crate::support::{Send, new_word, service};
use crate::{
    ENTERPRISE, PATCH, USER, at, delete, expect, filtered, get, ids, listed, members, new_group,
    new_user, patch, post, put, refused,
};

// Entra ID, without its flag for compliance: "Replace", "Add", "Remove".
#[test]
fn an_op_may_be_in_any_case() {
    let user = new_user(json!({}));
    let operations = json!([
        { "op": "Add", "path": "title", "value": "Dr" },
        { "op": "REPLACE", "path": "nickName", "value": "Ada" },
    ]);
    let patched = expect(patch(&at("Users", &user), operations), 200);
    assert_eq!(
        (&patched["title"], &patched["nickName"]),
        (&json!("Dr"), &json!("Ada"))
    );
    let operations = json!([{ "op": "Remove", "path": "title" }]);
    let patched = expect(patch(&at("Users", &user), operations), 200);
    assert_eq!(patched.get("title"), None);
}

// Entra ID, without its flag for compliance.
#[test]
fn booleans_may_be_texts() {
    let user = new_user(json!({ "active": "True" }));
    assert_eq!(user["active"], true);
    for (text, active) in [("False", false), ("True", true), ("false", false)] {
        let operations = json!([{ "op": "Replace", "path": "active", "value": text }]);
        let patched = expect(patch(&at("Users", &user), operations), 200);
        assert_eq!(patched["active"], active);
    }
}

// Entra ID, and others that repeat its form.
#[test]
fn members_that_are_listed_are_removed_and_no_others() {
    let users = [(); 3].map(|()| new_user(json!({})));
    let group = new_group(&[&users[0], &users[1], &users[2]]);
    let listed = json!([{ "$ref": null, "value": users[1]["id"] }]);
    let operations = json!([{ "op": "Remove", "path": "members", "value": listed }]);
    expect(patch(&at("Groups", &group), operations), 204);
    assert_eq!(members(&group), ids(&[users[0].clone(), users[2].clone()]));
    // Okta, by a filter.
    let path = format!(
        "members[value eq \"{}\"]",
        users[0]["id"].as_str().expect("an id")
    );
    expect(
        patch(
            &at("Groups", &group),
            json!([{ "op": "remove", "path": path }]),
        ),
        204,
    );
    assert_eq!(members(&group), ids(&users[2..]));
}

// Entra ID.
#[test]
fn a_patch_without_path_may_have_keys_with_dots_and_urns() {
    let user = new_user(json!({ "name": { "givenName": "Ada", "familyName": "L" } }));
    let department = format!("{ENTERPRISE}:department");
    let value = json!({ "name.givenName": "Augusta", department: "Engines", "unknown.x": 1 });
    let operations = json!([{ "op": "Add", "value": value }]);
    let patched = expect(patch(&at("Users", &user), operations), 200);
    assert_eq!(
        patched["name"],
        json!({ "givenName": "Augusta", "familyName": "L" })
    );
    assert_eq!(patched[ENTERPRISE], json!({ "department": "Engines" }));
    assert_eq!(patched["schemas"], json!([USER, ENTERPRISE]));
}

// Entra ID and OneLogin.
#[test]
fn a_value_may_be_wrapped_in_an_array_or_an_object() {
    let user = new_user(json!({}));
    for value in [
        json!("Dr"),
        json!(["Dr"]),
        json!({ "value": "Dr" }),
        json!([{ "value": "Dr" }]),
    ] {
        let operations = json!([{ "op": "replace", "path": "title", "value": value }]);
        let patched = expect(patch(&at("Users", &user), operations), 200);
        assert_eq!(patched["title"], "Dr", "{value}");
        expect(
            patch(
                &at("Users", &user),
                json!([{ "op": "remove", "path": "title" }]),
            ),
            200,
        );
    }
    // Entra ID sends a manager as its id.
    let path = format!("{ENTERPRISE}:manager");
    let operations = json!([{ "op": "Add", "path": path, "value": user["id"] }]);
    let patched = expect(patch(&at("Users", &user), operations), 200);
    assert_eq!(patched[ENTERPRISE]["manager"]["value"], user["id"]);
}

// Entra ID, whose mapping names the email by its type.
#[test]
fn a_value_that_a_filter_chooses_is_made_where_there_is_none_yet() {
    let user = new_user(json!({}));
    let email = format!("{}@example.org", new_word());
    let path = "emails[type eq \"work\"].value";
    let operations = json!([{ "op": "Add", "path": path, "value": email }]);
    let patched = expect(patch(&at("Users", &user), operations), 200);
    assert_eq!(
        patched["emails"],
        json!([{ "type": "work", "value": email }])
    );
    assert_eq!(
        ids(&listed(get(&filtered(
            "Users",
            &format!("emails.value eq \"{email}\"")
        )))),
        [user["id"].as_str().expect("an id")]
    );
    let other = format!("{}@example.org", new_word());
    let operations = json!([{ "op": "Replace", "path": path, "value": other }]);
    let patched = expect(patch(&at("Users", &user), operations), 200);
    assert_eq!(
        patched["emails"],
        json!([{ "type": "work", "value": other }])
    );
}

// Okta and Google, whose values come from directories of all kinds.
#[test]
fn dots_colons_and_quotes_in_quoted_values_are_those_of_the_value() {
    let value = format!("CN=\"A.B: c\\d\" {}", new_word());
    let user = new_user(json!({ "externalId": value }));
    let filter = format!("externalId eq {}", json!(value));
    assert_eq!(
        ids(&listed(get(&filtered("Users", &filter)))),
        [user["id"].as_str().expect("an id")]
    );
    let roles = json!([{ "value": "urn:a.b:\"c\"", "type": "x" }, { "value": "z", "type": "y" }]);
    let operations = json!([{ "op": "add", "path": "roles", "value": roles }]);
    expect(patch(&at("Users", &user), operations), 200);
    let path = "roles[value eq \"urn:a.b:\\\"c\\\"\"]";
    let patched = expect(
        patch(
            &at("Users", &user),
            json!([{ "op": "remove", "path": path }]),
        ),
        200,
    );
    assert_eq!(patched["roles"], json!([{ "value": "z", "type": "y" }]));
}

// Entra ID writes %20, clients in Java and Python write +.
#[test]
fn a_space_in_a_filter_may_be_written_in_two_ways_and_a_plus_may_mean_itself() {
    let name = format!("ada+{}@example.org", new_word());
    let user = new_user(json!({ "userName": name, "displayName": "Ada B C" }));
    let expected = [user["id"].as_str().expect("an id")];
    let encoded = name.replace('+', "%2B");
    for filter in [
        format!("userName%20eq%20%22{encoded}%22"),
        format!("userName+eq+%22{encoded}%22"),
        format!("userName%20eq%20%22{name}%22"),
        format!("userName+eq+%22{name}%22+and+displayName+eq+%22Ada%20B%20C%22"),
    ] {
        let found = listed(get(&format!("/Users?filter={filter}")));
        assert_eq!(ids(&found), expected, "{filter}");
    }
}

// OneLogin and Rippling send attributes of their own.
#[test]
fn unknown_attributes_are_ignored_in_a_body_and_refused_in_a_filter() {
    let user = new_user(json!({ "oneLoginStatus": 1, "urn:example:x": { "a": 1 } }));
    assert_eq!(
        (user.get("oneLoginStatus"), user.get("urn:example:x")),
        (None, None)
    );
    for filter in [
        "oneLoginStatus eq 1",
        "emails.unknown pr",
        "urn:example:x:a eq 1",
        "password pr",
    ] {
        refused(get(&filtered("Users", filter)), 400, "invalidFilter");
    }
}

// Okta sends back what it got.
#[test]
fn a_replacement_may_have_read_only_attributes() {
    let user = new_user(json!({ "title": "Dr" }));
    let mut whole = user.clone();
    whole["nickName"] = json!("Ada");
    whole["id"] = json!("other");
    whole["meta"]["created"] = json!("2000-01-01T00:00:00Z");
    whole["groups"] = json!([{ "value": "1" }]);
    let replaced = expect(put(&at("Users", &user), whole), 200);
    assert_eq!(
        (&replaced["id"], &replaced["nickName"]),
        (&user["id"], &json!("Ada"))
    );
    assert_eq!(replaced["meta"]["created"], user["meta"]["created"]);
    assert_eq!(replaced.get("groups"), None);
}

// Entra ID, whose user principal names differ in case from what was sent before.
#[test]
fn a_user_is_found_by_its_name_in_another_case_and_nobody_by_that_of_nobody() {
    let user = new_user(json!({}));
    let name = user["userName"].as_str().expect("a name").to_uppercase();
    for filter in [
        format!("userName eq \"{name}\""),
        format!("USERNAME EQ \"{name}\""),
    ] {
        assert_eq!(
            ids(&listed(get(&filtered("Users", &filter)))),
            [user["id"].as_str().expect("an id")]
        );
    }
    let list = expect(get(&filtered("Users", "userName eq \"nobody\"")), 200);
    assert_eq!(
        (&list["totalResults"], &list["Resources"]),
        (&json!(0), &json!([]))
    );
    let list = expect(get(&filtered("Users", "userName eq \"no body\"")), 200);
    assert_eq!(list["Resources"], json!([]));
}

// Every client: the answer to a create may be lost.
#[test]
fn a_repeated_create_is_told_that_the_user_is_there() {
    let body = json!({ "schemas": [USER], "userName": new_word(), "externalId": new_word() });
    let user = expect(post("/Users", body.clone()), 201);
    refused(post("/Users", body.clone()), 409, "uniqueness");
    let upper = body["userName"].as_str().expect("a name").to_uppercase();
    refused(
        post("/Users", json!({ "schemas": [USER], "userName": upper })),
        409,
        "uniqueness",
    );
    let filter = format!("userName eq {}", body["userName"]);
    assert_eq!(ids(&listed(get(&filtered("Users", &filter)))), ids(&[user]));
    let group = new_group(&[]);
    let again = json!({ "displayName": group["displayName"] });
    refused(post("/Groups", again), 409, "uniqueness");
}

#[test]
fn a_patch_of_a_group_is_answered_with_what_is_asked_for() {
    let user = new_user(json!({}));
    let group = new_group(&[]);
    let operations =
        json!([{ "op": "add", "path": "members", "value": [{ "value": user["id"] }] }]);
    let answer = patch(&at("Groups", &group), operations.clone());
    assert_eq!((answer.status, answer.body.as_str()), (204, ""));
    let path = format!("{}?attributes=displayName", at("Groups", &group));
    let shown = expect(patch(&path, operations.clone()), 200);
    assert_eq!(
        (&shown["displayName"], shown.get("members")),
        (&group["displayName"], None)
    );
    let path = format!("{}?attributes=members", at("Groups", &group));
    let shown = expect(patch(&path, operations), 200);
    assert_eq!(shown["members"][0]["value"], user["id"]);
}

// Okta and Entra ID switch users off, and delete them later or never.
#[test]
fn who_is_switched_off_is_found_and_can_be_deleted() {
    let user = new_user(json!({}));
    let operations = json!([{ "op": "replace", "value": { "active": false } }]);
    assert_eq!(
        expect(patch(&at("Users", &user), operations), 200)["active"],
        false
    );
    let filter = format!("userName eq {}", user["userName"]);
    let found = listed(get(&filtered("Users", &filter)));
    assert_eq!(
        (ids(&found), &found[0]["active"]),
        (ids(std::slice::from_ref(&user)), &json!(false))
    );
    let both = format!("{filter} and active eq true");
    assert!(listed(get(&filtered("Users", &both))).is_empty());
    assert_eq!(delete(&at("Users", &user)).status, 204);
    assert!(listed(get(&filtered("Users", &filter))).is_empty());
}

#[test]
fn plain_json_is_taken_and_scim_is_answered() {
    for media_type in [
        "application/json",
        "application/scim+json",
        "application/scim+json; charset=utf-8",
    ] {
        let body = json!({ "schemas": [USER], "userName": new_word() });
        let request = service()
            .request("POST", "/scim/v2/Users")
            .body(body.to_string());
        let request = request
            .header("content-type", media_type)
            .header("accept", "application/json");
        let answer = request.answer_of_call();
        assert_eq!(answer.status, 201, "{media_type}");
        assert_eq!(
            answer.header("content-type"),
            Some("application/scim+json; charset=utf-8")
        );
    }
}

#[test]
fn a_count_of_zero_asks_for_the_number_alone_and_others_are_brought_into_bounds() {
    new_user(json!({}));
    let none = expect(get("/Users?count=0"), 200);
    assert_eq!(
        (&none["Resources"], &none["itemsPerPage"]),
        (&json!([]), &json!(0))
    );
    assert!(none["totalResults"].as_u64() >= Some(1), "{none}");
    for query in ["count=-1", "count=-1&startIndex=-7"] {
        assert_eq!(
            expect(get(&format!("/Users?{query}")), 200)["Resources"],
            json!([]),
            "{query}"
        );
    }
    assert_eq!(listed(get("/Users?startIndex=0&count=1")).len(), 1);
    for query in [
        "count=x",
        "count=",
        "startIndex=1.5",
        "startIndex=one",
        "sortOrder=up",
    ] {
        refused(get(&format!("/Users?{query}")), 400, "invalidValue");
    }
}

#[test]
fn what_a_patch_can_not_do_is_told_by_its_kind_and_changes_nothing() {
    let user = new_user(json!({ "title": "Dr" }));
    let change = json!({ "op": "replace", "path": "title", "value": "Prof" });
    for (operation, scim_type) in [
        (json!({ "op": "remove" }), "noTarget"),
        (
            json!({ "op": "replace", "path": "unknown", "value": 1 }),
            "invalidPath",
        ),
        (
            json!({ "op": "replace", "path": "id", "value": "1" }),
            "mutability",
        ),
        (json!({ "op": "remove", "path": "userName" }), "mutability"),
        (
            json!({ "op": "replace", "path": "active", "value": "yes" }),
            "invalidValue",
        ),
        (
            json!({ "op": "replace", "path": "userName", "value": "a b" }),
            "invalidValue",
        ),
        (json!({ "op": "move", "path": "title" }), "invalidSyntax"),
        (
            json!({ "op": "replace", "path": "emails[type eq]", "value": 1 }),
            "invalidFilter",
        ),
    ] {
        let answer = patch(&at("Users", &user), json!([change, operation]));
        refused(answer, 400, scim_type);
        assert_eq!(expect(get(&at("Users", &user)), 200), user, "{operation}");
    }
    let body = json!({ "schemas": [PATCH], "Operations": [] });
    let answer = crate::ask(service(), "PATCH", &at("Users", &user), Some(body));
    refused(answer, 400, "invalidSyntax");
    expect(patch("/Users/0", json!([change])), 404);
}
