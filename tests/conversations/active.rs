//! Users who are switched off, and what a user may not change of itself.

use std::sync::LazyLock;

use crate::support::issuer::{Key, claims, trusting};
use crate::support::{Answer, Send, Service, new_state_dir, path, service, start_host_with};
use edge_host::{Host, UpOptions};
use serde_json::{Value, json};

/// A host that trusts the issuer.
static HOST: LazyLock<Host> = LazyLock::new(start);

fn start() -> Host {
    let key = Key::p256();
    start_host_with(UpOptions {
        state_dir: Some(new_state_dir()),
        variables: trusting(&[key.jwk(key.algorithm())]),
        ..UpOptions::default()
    })
}

/// The service, as the subject of a JWT with these scopes calls it.
fn caller(subject: &str, scopes: &str) -> Service {
    caller_at(&HOST, subject, scopes)
}

fn caller_at(host: &Host, subject: &str, scopes: &str) -> Service {
    let key = Key::p256();
    let token = key.sign(json!({ "kid": key.algorithm() }), &claims(subject, scopes));
    Service::of(host).with_token(&token)
}

/// A new user, and the service as that user calls it.
fn somebody(profile: Value, scopes: &str) -> (Value, Service) {
    let user = caller("operator", "write").create(profile);
    let service = caller(&user["id"].to_string(), scopes);
    (user, service)
}

fn patch_as(service: &Service, media_type: &str, path: &str, patch: Value) -> Answer {
    let request = service.request("PATCH", path).body(patch.to_string());
    Send::answer(request.header("content-type", media_type))
}

#[test]
fn a_user_is_active_unless_it_is_switched_off() {
    for (sent, active) in [
        (json!({ "name": "Ada" }), true),
        (json!({ "name": "Ada", "active": null }), true),
        (json!({ "name": "Ada", "active": true }), true),
        (json!({ "name": "Ada", "active": false }), false),
    ] {
        let user = service().create(sent);
        assert_eq!(user["active"], active);
        assert_eq!(service().get(&path(&user)).json(), user);
        let listed = service().get(&format!("/users?id={}", user["id"]));
        assert_eq!(listed.json(), json!([user]));
    }
}

#[test]
fn a_user_is_switched_off_and_on_by_each_kind_of_change() {
    let user = service().create(json!({ "name": "Ada", "attributes": { "team": "blue" } }));
    let path = path(&user);
    let active = |answer: Answer| {
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()["active"].clone()
    };
    let merge = |value: Value| active(service().patch(&path, json!({ "active": value })));
    assert_eq!(merge(json!(false)), false);
    assert_eq!(merge(json!(null)), true);
    assert_eq!(merge(json!(false)), false);
    // A change of another member leaves it; a replacement without it does not.
    assert_eq!(
        active(service().patch(&path, json!({ "name": "Bea" }))),
        false
    );
    assert_eq!(active(service().put(&path, json!({ "name": "Bea" }))), true);
    let off = json!({ "name": "Bea", "active": false });
    assert_eq!(active(service().put(&path, off)), false);
    let operations = |operations: Value| {
        let media_type = "application/json-patch+json";
        active(patch_as(service(), media_type, &path, operations))
    };
    assert_eq!(
        operations(json!([{ "op": "replace", "path": "/active", "value": true }])),
        true
    );
    let tested = json!([
        { "op": "test", "path": "/active", "value": true },
        { "op": "replace", "path": "/active", "value": false },
    ]);
    assert_eq!(operations(tested), false);
    assert_eq!(
        operations(json!([{ "op": "remove", "path": "/active" }])),
        true
    );
    // The same again makes no new version.
    let before = service().get(&path).header("etag").map(str::to_owned);
    assert_eq!(merge(json!(true)), true);
    assert_eq!(
        service().get(&path).header("etag").map(str::to_owned),
        before
    );
}

#[test]
fn a_user_who_is_switched_off_is_found_like_any_other() {
    let host = crate::support::start_host();
    let service = Service::of(&host);
    let off = service.create(json!({
        "name": "Ada", "email": "ada@example.com", "username": "ada", "active": false,
    }));
    let on = service.create(json!({ "name": "Ada L." }));
    for path in ["/users", "/users?name=ada", "/users?id=1,2"] {
        assert_eq!(service.get(path).json(), json!([off, on]), "{path}");
    }
    for path in ["/users?email=ada@example.com", "/users?username=ada"] {
        assert_eq!(service.get(path).json(), json!([off]), "{path}");
    }
    let export = service.get("/users/export").body;
    assert!(export.contains("\"active\":false"), "{export}");
    assert_eq!(
        service
            .post("/users", json!({ "name": "A", "username": "ADA" }))
            .status,
        409
    );
}

#[test]
fn a_user_who_is_switched_off_may_do_nothing_by_itself() {
    let (user, own) = somebody(json!({ "name": "Ada" }), "openid self");
    let admin = caller("operator", "write");
    let path = path(&user);
    let tag = own.get(&path).header("etag").expect("an etag").to_owned();
    assert_eq!(admin.patch(&path, json!({ "active": false })).status, 200);
    let refuse = |answer: Answer, scope: &str| {
        assert_eq!(answer.status, 403, "{}", answer.body);
        assert_eq!(answer.problem()["type"], "/problems/switched-off");
        let challenge = answer.header("www-authenticate").expect("a challenge");
        let expected = format!("error=\"insufficient_scope\", scope=\"{scope}\"");
        assert!(challenge.ends_with(&expected), "{challenge}");
    };
    refuse(own.get(&path), "read");
    let unchanged = own.request("GET", &path).header("if-none-match", &tag);
    refuse(Send::answer(unchanged), "read");
    assert_eq!(Send::answer(own.request("HEAD", &path)).status, 403);
    refuse(own.put(&path, json!({ "name": "Bea" })), "write");
    refuse(own.patch(&path, json!({ "name": "Bea" })), "write");
    refuse(own.patch(&path, json!({ "active": true })), "write");
    let stale = own.request("PATCH", &path).header("if-match", &tag);
    let stale = stale.json(&json!({ "name": "Bea" }));
    refuse(Send::answer(stale), "write");
    assert_eq!(admin.get(&path).json()["name"], "Ada");
    // Others with the scope act on it, and so does itself with one.
    assert_eq!(caller("operator", "read").get(&path).status, 200);
    let id = user["id"].to_string();
    let reader = caller(&id, "self read");
    assert_eq!(reader.get(&path).status, 200);
    refuse(reader.patch(&path, json!({ "name": "Bea" })), "write");
    let writer = caller(&id, "self write");
    assert_eq!(writer.patch(&path, json!({ "active": true })).status, 200);
    assert_eq!(own.get(&path).status, 200);
    assert_eq!(own.patch(&path, json!({ "name": "Bea" })).status, 200);
}

#[test]
fn a_user_may_not_change_what_others_decide_of_it() {
    let (user, own) = somebody(json!({ "name": "Ada", "external_id": "1" }), "self");
    let path = path(&user);
    let refuse = |answer: Answer, member: &str| {
        assert_eq!(answer.status, 403, "{}", answer.body);
        assert_eq!(answer.problem()["type"], "/problems/protected-member");
        assert_eq!(answer.pointers(), [format!("/{member}")]);
        let detail = answer.problem()["detail"].to_string();
        assert!(detail.contains(member), "{detail}");
    };
    for (patch, member) in [
        (json!({ "active": false }), "active"),
        (json!({ "external_id": "2" }), "external_id"),
        (json!({ "external_id": null, "name": "Bea" }), "external_id"),
    ] {
        refuse(own.patch(&path, patch), member);
    }
    refuse(own.put(&path, json!({ "name": "Bea" })), "external_id");
    let off = json!({ "name": "Bea", "external_id": "1", "active": false });
    refuse(own.put(&path, off), "active");
    let operations = json!([{ "op": "add", "path": "/external_id", "value": "2" }]);
    let media_type = "application/json-patch+json";
    refuse(patch_as(&own, media_type, &path, operations), "external_id");
    assert_eq!(own.get(&path).json(), user);
    // What stays as it is may be sent, and everything else may be changed.
    let mut sent = own.get(&path).json();
    sent["name"] = "Bea".into();
    sent["username"] = format!("bea{}", user["id"]).into();
    let changed = own.put(&path, sent.clone());
    assert_eq!(changed.status, 200, "{}", changed.body);
    assert_eq!(changed.json()["username"], sent["username"]);
    let same = json!({ "active": null, "external_id": "1", "email": "a@b.example" });
    assert_eq!(own.patch(&path, same).status, 200);
}

#[test]
fn to_refuse_a_user_takes_no_store_operation_that_the_request_does_not_make() {
    let host = start();
    let admin = caller_at(&host, "operator", "write");
    let user = admin.create(json!({ "name": "Ada" }));
    let own = caller_at(&host, &user["id"].to_string(), "self");
    let path = path(&user);
    let cost = |request: &dyn Fn() -> Answer, status: u16| {
        let before = host.store_operations();
        assert_eq!(request().status, status);
        (host.store_operations() - before).total()
    };
    let read = || own.get(&path);
    let change = || own.patch(&path, json!({ "external_id": "1" }));
    assert_eq!((cost(&read, 200), cost(&change, 403)), (1, 1));
    admin.patch(&path, json!({ "active": false }));
    assert_eq!((cost(&read, 403), cost(&change, 403)), (1, 1));
}
