//! Bodies of JSON that programs read differently, and what is read of them.

use crate::support::{Answer, Send, path, service};
use serde_json::json;

fn send(method: &str, path: &str, media_type: &str, body: impl Into<Vec<u8>>) -> Answer {
    let request = service().request(method, path);
    let request = request.header("content-type", media_type);
    request.body(body.into()).answer()
}

fn post(body: impl Into<Vec<u8>>) -> Answer {
    send("POST", "/users", "application/json", body)
}

#[test]
fn a_name_given_twice_is_refused_by_its_pointer() {
    let user = path(&service().create(json!({ "name": "Ada" })));
    let doubled = r#"{"name":"Ada","attributes":{"a":[{"b":1,"b":2}]}}"#;
    let operation = r#"[{"op":"add","path":"/attributes","value":{},"value":{"x":1}}]"#;
    for (answer, pointer) in [
        (post(r#"{"name":"Ada","name":"Eve"}"#), "/name"),
        (post(doubled), "/attributes/a/0/b"),
        (
            send("PUT", &user, "application/json", doubled),
            "/attributes/a/0/b",
        ),
        (
            send(
                "PATCH",
                &user,
                "application/merge-patch+json",
                r#"{"name":"B","name":"C"}"#,
            ),
            "/name",
        ),
        (
            send("PATCH", &user, "application/json-patch+json", operation),
            "/0/value",
        ),
    ] {
        assert_eq!(answer.status, 400, "{}", answer.body);
        assert_eq!(answer.problem()["type"], "/problems/ambiguous-json");
        assert_eq!(answer.pointers(), [pointer]);
    }
    let now = service().get(&user).json();
    assert_eq!((&now["name"], now.get("attributes")), (&json!("Ada"), None));
}

#[test]
fn a_number_out_of_range_is_said_to_be_one() {
    let refused = post(r#"{"name":"Ada","attributes":{"n":[1,1e400]}}"#);
    assert_eq!(
        (refused.status, refused.pointers()),
        (400, vec!["/attributes/n/1".to_owned()])
    );
    let problem = refused.problem();
    assert_eq!(problem["type"], "/problems/ambiguous-json");
    assert!(
        problem["detail"].to_string().contains("out of range"),
        "{problem}"
    );
    assert!(
        !problem["detail"].to_string().contains("not JSON"),
        "{problem}"
    );
}

#[test]
fn a_byte_order_mark_is_skipped_at_the_very_beginning() {
    let created = post("\u{feff}{\"name\":\"Ada\"}");
    assert_eq!(
        (created.status, &created.json()["name"]),
        (201, &json!("Ada"))
    );
    let twice = post("\u{feff}\u{feff}{\"name\":\"Ada\"}");
    assert_eq!(twice.status, 400);
    assert_eq!(twice.problem()["type"], "/problems/malformed-json");
    let later = post("{\u{feff}\"name\":\"Ada\"}");
    assert_eq!(later.status, 400);
}

#[test]
fn of_very_many_wrong_members_at_most_100_are_named() {
    let members: Vec<_> = (0..6000).map(|n| format!("\"m{n}\":0")).collect();
    let refused = post(format!("{{{}}}", members.join(",")));
    assert_eq!(refused.status, 422);
    let pointers = refused.pointers();
    assert_eq!((pointers.len(), &pointers[0][..]), (100, "/name"));
}
