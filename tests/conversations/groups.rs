//! Groups of users, and who is in them, over HTTP.

use serde_json::{Value, json};

use crate::support::{Answer, Send, Service, encoded, new_email, path, service};

/// A name that no other test uses, nor an earlier run.
fn unique(text: &str) -> String {
    format!("{text} {}", new_email())
}

fn create(group: Value) -> Value {
    let created = service().post("/groups", group);
    assert_eq!(created.status, 201, "{}", created.body);
    created.json()
}

fn group() -> Value {
    create(json!({ "name": unique("Group") }))
}

fn user() -> Value {
    service().create(json!({ "name": "Ada" }))
}

fn at(group: &Value) -> String {
    format!("/groups/{}", group["id"])
}

fn member(group: &Value, user: &Value) -> String {
    format!("/groups/{}/members/{}", group["id"], user["id"])
}

fn ids(answer: &Answer) -> Vec<Value> {
    assert_eq!(answer.status, 200, "{}", answer.body);
    let all = answer.json();
    let all = all.as_array().expect("a list").iter();
    all.map(|one| one["id"].clone()).collect()
}

fn members(group: &Value) -> Vec<Value> {
    ids(&service().get(&format!("{}/members", at(group))))
}

fn groups_of(user: &Value) -> Vec<Value> {
    ids(&service().get(&format!("{}/groups", path(user))))
}

fn add(group: &Value, user: &Value) {
    assert_eq!(service().put(&member(group, user), Value::Null).status, 204);
}

#[test]
fn a_group_is_made_read_changed_and_deleted() {
    let name = unique("Site Admins");
    let created = service().post(
        "/groups",
        json!({ "name": name, "description": "Those who deploy.", "external_id": "CN=1" }),
    );
    assert_eq!(created.status, 201, "{}", created.body);
    let group = created.json();
    assert_eq!(created.header("location"), Some(&*at(&group)));
    let tag = created.header("etag").expect("an entity tag").to_owned();
    let got = service().get(&at(&group));
    assert_eq!(
        (got.json(), got.header("etag")),
        (group.clone(), Some(&*tag))
    );
    let request = service().request("GET", &at(&group));
    assert_eq!(request.header("if-none-match", &tag).answer().status, 304);

    let patch = json!({ "description": null, "attributes": { "a": 1 } });
    let patched = service().patch(&at(&group), patch);
    assert_eq!(patched.status, 200, "{}", patched.body);
    assert_eq!(patched.json()["description"], Value::Null);
    assert_eq!(patched.json()["attributes"], json!({ "a": 1 }));
    let operations = json!([{ "op": "test", "path": "/id", "value": group["id"] },
        { "op": "add", "path": "/attributes/b", "value": 2 }]);
    let request = service().request("PATCH", &at(&group));
    let request = request.header("content-type", "application/json-patch+json");
    let patched = request.body(operations.to_string()).answer();
    assert_eq!(patched.json()["attributes"], json!({ "a": 1, "b": 2 }));

    let replaced = service().put(&at(&group), json!({ "name": name, "id": 1 }));
    assert_eq!(replaced.status, 200, "{}", replaced.body);
    assert_eq!(replaced.json()["attributes"], Value::Null);

    assert_eq!(service().delete(&at(&group)).status, 204);
    let gone = service().get(&at(&group));
    assert_eq!(gone.problem()["type"], "/problems/group-not-found");
    assert_eq!(service().delete(&at(&group)).status, 404);
    assert_eq!(service().get("/groups/x").status, 404);
}

#[test]
fn a_change_can_be_made_on_the_condition_of_a_version() {
    let group = group();
    let tag = service().get(&at(&group)).header("etag").map(str::to_owned);
    let tag = tag.expect("an entity tag");
    // Who is in the group makes no version of it, nor of the user.
    let user = user();
    let of_user = service()
        .get(&path(&user))
        .header("etag")
        .map(str::to_owned);
    add(&group, &user);
    assert_eq!(
        service().get(&path(&user)).header("etag"),
        of_user.as_deref()
    );
    assert_eq!(service().get(&path(&user)).json(), user);
    let conditional = |method: &str, tag: &str, body: Value| {
        let request = service().request(method, &at(&group)).json(&body);
        request.header("if-match", tag).answer().status
    };
    let body = json!({ "name": group["name"], "description": "x" });
    assert_eq!(conditional("PUT", &tag, body.clone()), 200);
    assert_eq!(conditional("PUT", &tag, json!({ "name": "y" })), 412);
    let request = service().request("DELETE", &at(&group));
    assert_eq!(request.header("if-match", &tag).answer().status, 412);
    assert_eq!(service().get(&at(&group)).json()["description"], "x");
    assert_eq!(members(&group), [user["id"].clone()]);
}

#[test]
fn no_two_groups_have_one_name_without_regard_to_case() {
    let name = unique("équipe");
    let group = create(json!({ "name": name }));
    let find = |name: &str| service().get(&format!("/groups?name={}", encoded(name)));
    let upper = name.to_uppercase();
    assert_eq!(ids(&find(&upper)), [group["id"].clone()]);
    assert_eq!(find(&upper).header("x-total-count"), Some("1"));
    let taken = service().post("/groups", json!({ "name": upper }));
    assert_eq!(taken.problem()["type"], "/problems/group-name-taken");
    assert_eq!(taken.status, 409);
    let other = self::group();
    let taken = service().patch(&at(&other), json!({ "name": upper }));
    assert_eq!(taken.status, 409, "{}", taken.body);
    // Its own name may be written otherwise.
    let renamed = service().patch(&at(&group), json!({ "name": upper }));
    assert_eq!(renamed.json()["name"], upper);
    // A name that was given up, or whose group is deleted, is free.
    let new = unique("New");
    assert_eq!(
        service().patch(&at(&group), json!({ "name": new })).status,
        200
    );
    assert_eq!(ids(&find(&name)), [Value::Null; 0]);
    assert_eq!(
        service().patch(&at(&other), json!({ "name": name })).status,
        200
    );
    assert_eq!(service().delete(&at(&other)).status, 204);
    create(json!({ "name": name }));
}

#[test]
fn what_is_no_group_is_refused_by_the_member_and_the_rule() {
    for (body, pointer) in [
        (json!({}), "/name"),
        (json!({ "name": "a  b" }), "/name"),
        (json!({ "name": "a".repeat(101) }), "/name"),
        (json!({ "name": "x", "description": 7 }), "/description"),
        (json!({ "name": "x", "groups": [1] }), "/groups"),
        (json!({ "name": "x", "members": [1] }), "/members"),
        (json!([]), ""),
    ] {
        let refused = service().post("/groups", body.clone());
        assert_eq!(refused.status, 422, "{body}");
        assert_eq!(refused.pointers(), [pointer], "{body}");
    }
    for query in [
        "name=",
        "name=x&limit=1",
        "limit=0",
        "after=x",
        "sort=id",
        "fields=id",
    ] {
        let refused = service().get(&format!("/groups?{query}"));
        assert_eq!(refused.status, 400, "{query} {}", refused.body);
    }
}

#[test]
fn groups_are_listed_in_pages() {
    let made: Vec<Value> = (0..3).map(|_| group()["id"].clone()).collect();
    let before = made[0].as_u64().expect("an id") - 1;
    assert_eq!(
        service().delete(&format!("/groups/{}", made[1])).status,
        204
    );
    let mut next = Some(format!("/groups?limit=1&after={before}"));
    let mut met = Vec::new();
    while let Some(page) = next {
        let answer = service().get(&page);
        assert!(ids(&answer).len() <= 1);
        met.extend(ids(&answer));
        next = answer.next_page();
    }
    let met: Vec<_> = met.into_iter().filter(|id| made.contains(id)).collect();
    assert_eq!(met, [made[0].clone(), made[2].clone()]);
}

#[test]
fn membership_is_the_same_from_both_sides_at_once() {
    let (one, other) = (group(), group());
    let (ada, bea) = (user(), user());
    for (group, user) in [(&one, &bea), (&other, &ada), (&one, &ada), (&one, &ada)] {
        add(group, user);
    }
    assert_eq!(members(&one), [ada["id"].clone(), bea["id"].clone()]);
    assert_eq!(members(&other), [ada["id"].clone()]);
    assert_eq!(groups_of(&ada), [one["id"].clone(), other["id"].clone()]);
    assert_eq!(groups_of(&bea), [one["id"].clone()]);
    // A replaced user stays in its groups.
    assert_eq!(
        service()
            .put(&path(&ada), json!({ "name": "Ada L." }))
            .status,
        200
    );
    assert_eq!(groups_of(&ada), [one["id"].clone(), other["id"].clone()]);
    for _ in 0..2 {
        assert_eq!(service().delete(&member(&one, &ada)).status, 204);
        assert_eq!(members(&one), [bea["id"].clone()]);
        assert_eq!(groups_of(&ada), [other["id"].clone()]);
    }
    add(&one, &ada);
    assert_eq!(members(&one), [ada["id"].clone(), bea["id"].clone()]);
}

#[test]
fn who_is_deleted_is_in_no_group_and_a_deleted_group_is_nobodys() {
    let (one, other) = (group(), group());
    let (ada, bea) = (user(), user());
    for group in [&one, &other] {
        add(group, &ada);
        add(group, &bea);
    }
    assert_eq!(service().delete(&path(&ada)).status, 204);
    assert_eq!(members(&one), [bea["id"].clone()]);
    assert_eq!(service().get(&format!("{}/groups", path(&ada))).status, 404);
    assert_eq!(service().put(&member(&one, &ada), Value::Null).status, 404);
    assert_eq!(service().delete(&member(&one, &ada)).status, 204);
    assert_eq!(service().delete(&at(&one)).status, 204);
    assert_eq!(groups_of(&bea), [other["id"].clone()]);
    for gone in [
        service().get(&format!("{}/members", at(&one))),
        service().put(&member(&one, &bea), Value::Null),
        service().delete(&member(&one, &bea)),
        service().post(&format!("{}/members", at(&one)), json!({ "add": [1] })),
    ] {
        assert_eq!(gone.problem()["type"], "/problems/group-not-found");
    }
    let unknown = service().put(&format!("{}/members/x", at(&other)), Value::Null);
    assert_eq!(unknown.problem()["type"], "/problems/user-not-found");
}

#[test]
fn members_come_in_pages_with_the_members_and_filters_of_lists_of_users() {
    let group = group();
    let users: Vec<Value> = (0..70).map(|_| user()["id"].clone()).collect();
    let changed = service().post(&format!("{}/members", at(&group)), json!({ "add": users }));
    assert_eq!(changed.json()["end"], "complete", "{}", changed.body);
    assert_eq!(members(&group), users);
    let off = format!("/users/{}", users[7]);
    assert_eq!(
        service().patch(&off, json!({ "active": false })).status,
        200
    );
    let mut next = Some(format!(
        "{}/members?limit=9&fields=id&active=true",
        at(&group)
    ));
    let mut met = Vec::new();
    while let Some(page) = next {
        let answer = service().get(&page);
        for user in answer.json().as_array().expect("a list") {
            assert_eq!(user.as_object().map(|user| user.len()), Some(1));
        }
        met.extend(ids(&answer));
        next = answer.next_page();
    }
    let mut active = users.clone();
    active.remove(7);
    assert_eq!(met, active);
    let off = service().get(&format!("{}/members?active=false", at(&group)));
    assert_eq!(ids(&off), [users[7].clone()]);
    let refused = service().get(&format!("{}/members?after=7", at(&group)));
    assert_eq!(refused.status, 400);
}

#[test]
fn many_changes_have_a_result_each() {
    let group = group();
    let (ada, bea) = (user(), user());
    add(&group, &bea);
    let unknown = 17_179_869_183_u64;
    let path = format!("{}/members", at(&group));
    let body = json!({ "add": [ada["id"], unknown, ada["id"]], "remove": [bea["id"], unknown] });
    let changed = service().post(&path, body).json();
    assert_eq!(changed["end"], "complete");
    let results = changed["results"].as_array().expect("results").iter();
    let results: Vec<_> = results
        .map(|one| (one["user"].clone(), one["status"].clone()))
        .collect();
    let expected = [
        (ada["id"].clone(), json!(204)),
        (json!(unknown), json!(404)),
        (ada["id"].clone(), json!(204)),
        (bea["id"].clone(), json!(204)),
        (json!(unknown), json!(204)),
    ];
    assert_eq!(results, expected);
    assert_eq!(
        changed["results"][1]["problem"]["type"],
        "/problems/user-not-found"
    );
    assert_eq!(members(&group), [ada["id"].clone()]);

    for (body, pointer) in [
        (json!({ "add": [{ "group": 7 }] }), "/add"),
        (json!({ "groups": [7] }), "/groups"),
        (json!({ "add": vec![1; 1001] }), ""),
        (json!({}), ""),
    ] {
        let refused = service().post(&path, body);
        assert_eq!(
            (refused.status, refused.pointers()),
            (422, vec![pointer.to_owned()])
        );
    }
    assert_eq!(members(&group), [ada["id"].clone()]);
}

mod not_by_url {
    use super::*;
    use crate::support::start_host;

    #[test]
    fn a_user_is_in_a_thousand_groups_and_in_no_more() {
        let host = start_host();
        let service = Service::of(&host);
        let user = service.create(json!({ "name": "Ada" }));
        let groups = (0..1001).map(|number| {
            let created = service.post("/groups", json!({ "name": format!("Group {number}") }));
            assert_eq!(created.status, 201, "{}", created.body);
            created.json()
        });
        let groups: Vec<Value> = groups.collect();
        for group in &groups[..1000] {
            assert_eq!(service.put(&member(group, &user), Value::Null).status, 204);
        }
        let refused = service.put(&member(&groups[1000], &user), Value::Null);
        assert_eq!(refused.problem()["type"], "/problems/too-many-groups");
        assert_eq!(refused.status, 409);
        let all = service.get(&format!("{}/groups?limit=1000", path(&user)));
        assert_eq!(ids(&all).len(), 1000);
        assert_eq!(all.header("x-total-count"), Some("1000"));
        let page = service.get(&format!("{}/groups?limit=2&after=3", path(&user)));
        assert_eq!(ids(&page), [json!(4), json!(5)]);
        assert!(
            page.next_page()
                .is_some_and(|next| next.ends_with("after=5"))
        );
        // A deleted group makes room.
        assert_eq!(service.delete("/groups/7").status, 204);
        assert_eq!(
            service
                .put(&member(&groups[1000], &user), Value::Null)
                .status,
            204
        );
        let all = service.get(&format!("{}/groups?limit=1000", path(&user)));
        assert_eq!(ids(&all).last(), Some(&json!(1001)));
        assert_eq!(ids(&all).len(), 1000);
    }

    #[test]
    fn to_add_a_member_takes_ten_operations_at_most_however_many_there_are() {
        let host = start_host();
        let service = Service::of(&host);
        let group = service.post("/groups", json!({ "name": "All" })).json();
        let mut costs = Vec::new();
        for _ in 0..600 {
            let user = service.create(json!({ "name": "Ada" }));
            let before = host.store_operations();
            let added = service.put(&member(&group, &user), Value::Null);
            assert_eq!(added.status, 204);
            costs.push((host.store_operations() - before).total());
        }
        assert!(costs[..20].iter().all(|cost| *cost <= 10), "{costs:?}");
        // A full leaf is split, and the node above then learns of it. Once in a long while that node
        // is split, too.
        let more = costs.iter().filter(|cost| **cost > 10).count();
        let sum: u64 = costs.iter().sum();
        println!("{sum} operations for 600, {more} times more than 10");
        assert!(more <= 75 && sum <= 600 * 10, "{sum} {more}");
    }
}
