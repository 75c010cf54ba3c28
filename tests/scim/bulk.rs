//! Many changes in one request.

use serde_json::{Value, json};

use crate::support::new_word;
use crate::{
    PATCH, USER, delete, expect, filtered, get, ids, listed, members, new_user, post, refused,
};

const BULK: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";

fn bulk(operations: Value) -> Vec<Value> {
    let answer = expect(
        post(
            "/Bulk",
            json!({ "schemas": [BULK], "Operations": operations }),
        ),
        200,
    );
    answer["Operations"].as_array().expect("a list").clone()
}

fn statuses(outcomes: &[Value]) -> Vec<&str> {
    let statuses = outcomes.iter().map(|outcome| outcome["status"].as_str());
    statuses.map(|status| status.expect("a status")).collect()
}

#[test]
fn what_a_request_makes_can_be_referred_to_before_and_after() {
    let (name, other) = (new_word(), new_word());
    let outcomes = bulk(json!([
        { "method": "POST", "path": "/Groups", "bulkId": "g", "data": {
            "displayName": format!("Group {name}"), "members": [{ "value": "bulkId:a" }, { "value": "bulkId:b" }] } },
        { "method": "POST", "path": "/Users", "bulkId": "a", "data": { "schemas": [USER], "userName": name } },
        { "method": "post", "path": "/Users", "bulkId": "b", "data": { "schemas": [USER], "userName": other } },
        { "method": "PATCH", "path": "/Users/bulkId:b", "data": { "schemas": [PATCH], "Operations": [
            { "op": "add", "path": "title", "value": "Dr" }] } },
        { "method": "PATCH", "path": "/Groups/bulkId:g", "data": { "schemas": [PATCH], "Operations": [
            { "op": "remove", "path": "members[value eq \"bulkId:none\"]" }] } },
    ]));
    assert_eq!(
        statuses(&outcomes),
        ["201", "201", "201", "200", "200"],
        "{outcomes:?}"
    );
    assert_eq!(
        (&outcomes[0]["bulkId"], &outcomes[0]["method"]),
        (&json!("g"), &json!("POST"))
    );
    let user = listed(get(&filtered("Users", &format!("userName eq \"{other}\""))));
    assert_eq!(user[0]["title"], "Dr");
    let group = listed(get(&filtered(
        "Groups",
        &format!("displayName eq \"group {name}\""),
    )));
    assert_eq!(outcomes[0]["location"], group[0]["meta"]["location"]);
    assert_eq!(members(&group[0]).len(), 2);
}

#[test]
fn each_operation_fails_by_itself_until_there_are_too_many_failures() {
    let user = new_user(json!({}));
    let name = new_word();
    let create = |bulk_id: &str, name: &Value| json!({ "method": "POST", "path": "/Users", "bulkId": bulk_id, "data": { "userName": name } });
    let operations = json!([
        create("a", &user["userName"]),
        create("b", &json!(name)),
        { "method": "DELETE", "path": "/Users/0" },
        { "method": "PUT", "path": format!("/Users/{}", user["id"].as_str().expect("an id")),
            "version": "\"0\"", "data": { "userName": user["userName"] } },
        { "method": "DELETE", "path": format!("/Users/{}", user["id"].as_str().expect("an id")) },
    ]);
    let outcomes = bulk(operations);
    assert_eq!(
        statuses(&outcomes),
        ["409", "201", "404", "412", "204"],
        "{outcomes:?}"
    );
    assert_eq!(outcomes[0]["response"]["scimType"], "uniqueness");
    assert_eq!(outcomes[0].get("location"), None);
    let body = json!({ "schemas": [BULK], "failOnErrors": 1, "Operations": [
        create("a", &json!(name)), create("b", &json!(new_word())),
    ] });
    let stopped = expect(post("/Bulk", body), 200);
    let stopped = stopped["Operations"].as_array().expect("a list");
    assert_eq!(statuses(stopped), ["409"]);
    let made = listed(get(&filtered("Users", &format!("userName eq \"{name}\""))));
    expect(delete(&format!("/Users/{}", ids(&made)[0])), 204);
}

#[test]
fn what_is_no_bulk_request_is_refused_and_changes_nothing() {
    let name = new_word();
    let good =
        json!({ "method": "POST", "path": "/Users", "bulkId": "a", "data": { "userName": name } });
    for bad in [
        json!({ "method": "GET", "path": "/Users/1" }),
        json!({ "method": "POST", "path": "/Users", "data": {} }),
        json!({ "method": "POST", "path": "/Users/1", "bulkId": "b" }),
        json!({ "method": "DELETE", "path": "/Users" }),
        json!({ "method": "DELETE", "path": "/Schemas/1" }),
        good.clone(),
        json!(7),
    ] {
        let body = json!({ "schemas": [BULK], "Operations": [good, bad] });
        refused(post("/Bulk", body), 400, "invalidSyntax");
    }
    let many = vec![json!({ "method": "DELETE", "path": "/Users/0" }); 1001];
    expect(
        post("/Bulk", json!({ "schemas": [BULK], "Operations": many })),
        413,
    );
    assert!(listed(get(&filtered("Users", &format!("userName eq \"{name}\"")))).is_empty());
    // Two that wait for each other.
    let circle = |own: &str, other: &str| {
        json!({ "method": "POST", "path": "/Users", "bulkId": own, "data": {
            "userName": new_word(), "title": format!("bulkId:{other}") } })
    };
    let circles = json!([circle("a", "b"), circle("b", "a")]);
    assert_eq!(statuses(&bulk(circles.clone())), ["409", "409"]);
    let body = json!({ "schemas": [BULK], "failOnErrors": 1, "Operations": circles });
    let stopped = expect(post("/Bulk", body), 200);
    assert_eq!(stopped["Operations"].as_array().map(Vec::len), Some(1));
}
