//! JSON Patch (RFC 6902): six operations, all or none of them.

use crate::support::{Answer, Send, new_email, path, service};
use serde_json::{Value, json};

fn patch(user: &str, operations: Value) -> Answer {
    let request = service().request("PATCH", user);
    let request = request.header("content-type", "application/json-patch+json");
    request.body(operations.to_string()).answer()
}

fn new_user() -> String {
    let email = new_email();
    let user = json!({ "name": "Ada", "email": email, "attributes": { "a": [1, 2], "b~/c": {} } });
    path(&service().create(user))
}

#[test]
fn all_six_operations_change_a_user_in_order() {
    let user = new_user();
    let patched = patch(
        &user,
        json!([
            { "op": "test", "path": "/attributes/a", "value": [1, 2] },
            { "op": "add", "path": "/attributes/a/1", "value": 1.5 },
            { "op": "copy", "from": "/name", "path": "/attributes/formerly" },
            { "op": "replace", "path": "/name", "value": "Bea" },
            { "op": "move", "from": "/attributes/b~0~1c", "path": "/attributes/moved" },
            { "op": "remove", "path": "/email" },
        ]),
    );
    assert_eq!(patched.status, 200);
    let user_now = patched.json();
    assert_eq!(user_now["name"], "Bea");
    assert!(user_now.get("email").is_none());
    let attributes = json!({ "a": [1, 1.5, 2], "formerly": "Ada", "moved": {} });
    assert_eq!(user_now["attributes"], attributes);
    assert_eq!(service().get(&user).json(), user_now);
}

#[test]
fn a_patch_that_cannot_be_applied_is_a_conflict_and_changes_nothing() {
    let user = new_user();
    let before = service().get(&user);
    let change = json!({ "op": "replace", "path": "/name", "value": "Bea" });
    for operation in [
        json!({ "op": "test", "path": "/name", "value": "Ada" }),
        json!({ "op": "remove", "path": "/attributes/none" }),
        json!({ "op": "replace", "path": "/attributes/none", "value": 1 }),
        json!({ "op": "add", "path": "/attributes/a/9", "value": 1 }),
        json!({ "op": "move", "from": "/none", "path": "/name" }),
        json!({ "op": "copy", "from": "/attributes/a/7", "path": "/name" }),
    ] {
        let refused = patch(&user, json!([change, operation]));
        assert_eq!(refused.status, 409, "{operation}");
        let problem = refused.problem();
        assert_eq!(problem["type"], "/problems/patch-conflict");
        assert!(
            problem["detail"].as_str().unwrap().contains("/1"),
            "{problem}"
        );
    }
    assert_eq!(service().get(&user).header("etag"), before.header("etag"));
}

#[test]
fn a_patch_whose_result_breaks_a_rule_is_refused_by_the_member() {
    let user = new_user();
    for (operation, pointer) in [
        (
            json!({ "op": "replace", "path": "/name", "value": "" }),
            "/name",
        ),
        (json!({ "op": "remove", "path": "/name" }), "/name"),
        (
            json!({ "op": "add", "path": "/colour", "value": "red" }),
            "/colour",
        ),
        (json!({ "op": "replace", "path": "/id", "value": 1 }), "/id"),
        (
            json!({ "op": "remove", "path": "/created_at" }),
            "/created_at",
        ),
        (json!({ "op": "replace", "path": "", "value": [] }), "/id"),
    ] {
        let refused = patch(&user, json!([operation]));
        assert_eq!(refused.status, 422, "{operation}");
        assert_eq!(refused.pointers()[0], pointer, "{operation}");
    }
}

#[test]
fn what_is_no_json_patch_is_malformed() {
    let user = new_user();
    let many = json!({ "op": "test", "path": "/name", "value": "Ada" });
    for operations in [
        json!({}),
        json!([{ "op": "jump", "path": "/name" }]),
        json!([{ "op": "add", "path": "/name" }]),
        json!([{ "op": "add", "path": "name", "value": 1 }]),
        Value::Array(vec![many.clone(); 101]),
    ] {
        let refused = patch(&user, operations.clone());
        assert_eq!(refused.status, 400, "{operations}");
        assert_eq!(refused.problem()["type"], "/problems/malformed-patch");
    }
    assert_eq!(patch(&user, Value::Array(vec![many; 100])).status, 200);
}

#[test]
fn a_patch_that_doubles_itself_ends_at_a_limit() {
    let user = new_user();
    let double =
        |n| json!({ "op": "copy", "from": "/attributes", "path": format!("/attributes/{n}") });
    let refused = patch(&user, (0..100).map(double).collect());
    assert_eq!(refused.status, 409);
    let detail = refused.problem()["detail"].to_string();
    assert!(detail.contains("bytes"), "{detail}");
}

#[test]
fn a_patch_that_nests_itself_ends_at_a_limit() {
    let user = new_user();
    let add = json!({ "op": "add", "path": "/attributes", "value": { "a": {} } });
    // Each doubles the levels, 8,192 in the end.
    let double = |n: u32| {
        let deepest = "/a".repeat(2_usize.pow(n) + 1);
        json!({ "op": "copy", "from": "/attributes/a", "path": format!("/attributes{deepest}") })
    };
    let operations: Vec<_> = [add].into_iter().chain((0..13).map(double)).collect();
    let refused = patch(&user, operations.into());
    assert_eq!(refused.status, 409);
    let problem = refused.problem();
    assert_eq!(problem["type"], "/problems/patch-conflict");
    assert!(
        problem["detail"].to_string().contains("64 levels"),
        "{problem}"
    );
    // What is added may nest, and be copied deeper, up to the limit.
    let nested = |levels: usize| (1..levels).fold(json!({}), |inner, _| json!([inner]));
    let deepened = patch(
        &user,
        json!([
            { "op": "add", "path": "/attributes/deep", "value": nested(40) },
            { "op": "copy", "from": "/attributes/deep", "path": "/attributes/deep/0/0/0" },
            { "op": "remove", "path": "/attributes/deep" },
        ]),
    );
    assert_eq!(deepened.status, 200, "{}", deepened.body);
}

#[test]
fn a_test_compares_numbers_by_value() {
    let user = new_user();
    for value in [json!([1, 2]), json!([1.0, 2e0])] {
        let test = json!({ "op": "test", "path": "/attributes/a", "value": value });
        assert_eq!(patch(&user, json!([test])).status, 200, "{test}");
    }
    for written in ["1", "1.0", "1e0", "10E-1"] {
        let request = service().request("PATCH", &user);
        let request = request.header("content-type", "application/json-patch+json");
        let test = format!(r#"[{{"op":"test","path":"/attributes/a/0","value":{written}}}]"#);
        assert_eq!(request.body(test).answer().status, 200, "{written}");
    }
    for value in [json!(1.5), json!("1"), json!(true), json!([1])] {
        let test = json!({ "op": "test", "path": "/attributes/a/0", "value": value });
        assert_eq!(patch(&user, json!([test])).status, 409, "{test}");
    }
}

#[test]
fn a_resource_says_which_patches_it_takes() {
    let user = new_user();
    let options = service().request("OPTIONS", &user).answer();
    let request = service()
        .request("PATCH", &user)
        .header("content-type", "text/plain");
    let refused = request.body("{}").answer();
    assert_eq!(refused.status, 415);
    for answer in [options, refused] {
        let accepted = answer.header("accept-patch").expect("what it takes");
        for media_type in [
            "application/merge-patch+json",
            "application/json-patch+json",
        ] {
            assert!(accepted.contains(media_type), "{accepted}");
        }
    }
}

#[test]
fn a_patch_can_be_conditional() {
    let user = new_user();
    let request = service()
        .request("PATCH", &user)
        .header("if-match", "\"other\"");
    let request = request.header("content-type", "application/json-patch+json");
    assert_eq!(request.body("[]").answer().status, 412);
}

#[test]
fn a_merge_patch_may_remove_what_is_not_there() {
    let user = new_user();
    let request = service().request("PATCH", &user);
    let request = request.header("content-type", "application/merge-patch+json");
    let patched = request.body(r#"{"nickname":null}"#).answer();
    assert_eq!(patched.status, 200);
    assert_eq!(patched.json()["name"], "Ada");
    assert!(patched.json().get("nickname").is_none());
    // As the description has it: any other value is refused.
    let description = service().get("/openapi.json").json();
    let others = &description["components"]["schemas"]["UserMergePatch"]["unevaluatedProperties"];
    assert_eq!(others["type"], "null");
    let request = service().request("PATCH", &user);
    let request = request.header("content-type", "application/merge-patch+json");
    assert_eq!(request.body(r#"{"nickname":"A"}"#).answer().status, 422);
}
