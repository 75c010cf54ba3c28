//! Finding users by their external ids, over HTTP.

use serde_json::{Value, json};

use crate::support::{Answer, encoded, new_email, path, service};

/// An external id that no other test uses, nor an earlier run.
fn unique() -> String {
    format!("CN={}, OU=Engines/ß é", new_email())
}

fn find(external_id: &str, more: &str) -> Answer {
    let answer = service().get(&format!(
        "/users?external_id={}{more}",
        encoded(external_id)
    ));
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer
}

fn ids(answer: &Answer) -> Vec<Value> {
    let users = answer.json();
    let users = users.as_array().expect("a list").iter();
    users.map(|user| user["id"].clone()).collect()
}

/// Creates a user with that external id, and perhaps more members.
fn create(external_id: &str, mut user: Value) -> Value {
    user["name"] = "Ada".into();
    user["external_id"] = external_id.into();
    service().create(user)
}

#[test]
fn all_users_with_an_external_id_are_found_by_it_and_no_others() {
    let id = unique();
    assert_eq!(find(&id, "").json(), json!([]));
    assert_eq!(find(&id, "").header("x-total-count"), Some("0"));
    let users = [
        create(&id, json!({})),
        create(&id, json!({ "email": new_email(), "active": false })),
        create(&id, json!({ "username": new_email() })),
    ];
    create(&id.to_uppercase(), json!({}));
    create(&format!("{id}x"), json!({}));
    let found = find(&id, "");
    assert_eq!(found.json(), json!(users));
    assert_eq!(found.header("x-total-count"), Some("3"));
    assert_eq!(found.header("link"), None);
}

#[test]
fn a_changed_external_id_finds_its_user_at_once_and_the_former_one_no_more() {
    let (one, other) = (unique(), unique());
    let plain = service().create(json!({ "name": "Bea" }));
    let user = create(&one, json!({}));
    let patch = |user: &Value, id: Value| {
        let patched = service().patch(&path(user), json!({ "external_id": id }));
        assert_eq!(patched.status, 200, "{}", patched.body);
    };
    patch(&plain, json!(one));
    assert_eq!(
        ids(&find(&one, "")),
        [plain["id"].clone(), user["id"].clone()]
    );
    patch(&user, json!(other));
    assert_eq!(ids(&find(&one, "")), [plain["id"].clone()]);
    assert_eq!(ids(&find(&other, "")), [user["id"].clone()]);
    patch(&user, json!(one));
    patch(&plain, Value::Null);
    assert_eq!(ids(&find(&one, "")), [user["id"].clone()]);
    assert_eq!(ids(&find(&other, "")), [Value::Null; 0]);
    let replaced = service().put(&path(&user), json!({ "name": "Ada" }));
    assert_eq!(replaced.status, 200, "{}", replaced.body);
    assert_eq!(ids(&find(&one, "")), [Value::Null; 0]);
}

#[test]
fn a_deleted_user_is_not_found_and_the_others_are() {
    let id = unique();
    let users = [create(&id, json!({})), create(&id, json!({}))];
    assert_eq!(service().delete(&path(&users[0])).status, 204);
    assert_eq!(ids(&find(&id, "")), [users[1]["id"].clone()]);
    assert_eq!(service().delete(&path(&users[1])).status, 204);
    assert_eq!(find(&id, "").json(), json!([]));
}

#[test]
fn many_users_with_one_external_id_are_walked_page_by_page() {
    let id = unique();
    let users: Vec<_> = (0..75)
        .map(|_| create(&id, json!({}))["id"].clone())
        .collect();
    let mut found = Vec::new();
    let mut page = find(&id, "&limit=20&fields=id");
    loop {
        assert_eq!(page.status, 200, "{}", page.body);
        assert!(ids(&page).len() <= 20);
        for user in page.json().as_array().expect("a list") {
            assert_eq!(user.as_object().expect("a user").len(), 1, "{user}");
        }
        found.extend(ids(&page));
        assert_eq!(page.header("x-total-count"), None, "not known");
        let Some(next) = page.next_page() else {
            break;
        };
        page = service().get(&next);
    }
    assert_eq!(found, users);
    assert_eq!(ids(&find(&id, "")), users);
}

#[test]
fn a_search_by_external_id_that_is_none_is_refused() {
    let long = "x".repeat(201);
    for (query, parameter) in [
        ("external_id=", "external_id"),
        ("external_id=%20x", "external_id"),
        ("external_id=x%0A", "external_id"),
        (&format!("external_id={long}"), "external_id"),
        ("external_id=x&limit=0", "limit"),
        ("external_id=x&after=7", "after"),
        // A position in the order of names.
        ("external_id=x&after=WyJhIiwxXQ", "after"),
        ("external_id=x&sort=id", "sort"),
        ("external_id=x&name=a", "name"),
        ("external_id=x&fields=x", "fields"),
    ] {
        service().refuses_query("/users", query, parameter);
    }
}
