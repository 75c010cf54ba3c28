//! Many users deleted by one request.

use std::time::Duration;

use crate::support::{Send, Service, new_state_dir, path, service, start_host_with, variable};
use edge_host::UpOptions;
use serde_json::{Value, json};

fn delete(service: &Service, body: Value) -> Value {
    let answer = service.post("/users/delete", body);
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()
}

fn create(service: &Service) -> Value {
    service.create(json!({ "name": "Ada" }))
}

fn statuses(answer: &Value) -> Vec<u64> {
    let results = answer["results"].as_array().expect("results").iter();
    results
        .map(|result| result["status"].as_u64().expect("a status"))
        .collect()
}

/// A service of its own, with these variables.
fn host_with(variables: &[(&str, &str)]) -> (edge_host::Host, Service) {
    let host = start_host_with(UpOptions {
        state_dir: Some(new_state_dir()),
        variables: variables
            .iter()
            .map(|(name, value)| variable(name, value))
            .collect(),
        ..UpOptions::default()
    });
    let service = Service::of(&host);
    (host, service)
}

#[test]
fn each_user_is_deleted_and_each_id_gets_a_result() {
    let users = [create(service()), create(service()), create(service())];
    let ids = json!([
        users[0]["id"],
        users[2]["id"],
        users[0]["id"],
        17_179_869_183_u64
    ]);
    let answer = delete(service(), json!({ "ids": ids }));
    assert_eq!(answer["end"], "complete");
    assert_eq!(answer["deleted"], 2);
    assert_eq!(answer.get("not_reached"), None);
    assert_eq!(statuses(&answer), [204, 204, 404, 404]);
    let results = answer["results"].as_array().expect("results");
    let told: Vec<_> = results.iter().map(|result| result["id"].clone()).collect();
    assert_eq!(Value::Array(told), ids);
    assert_eq!(results[0].get("problem"), None);
    assert_eq!(results[2]["problem"]["type"], "/problems/user-not-found");
    let left = users.map(|user| service().get(&path(&user)).status);
    assert_eq!(left, [404, 200, 404]);
}

#[test]
fn with_its_entity_tag_a_user_is_deleted_in_that_version_only() {
    let users: Vec<Value> = (0..3).map(|_| create(service())).collect();
    let tagged = |user: &Value| {
        let answer = service().get(&format!("{}?fields=id,etag", path(user)));
        answer.json()
    };
    let tagged: Vec<Value> = users.iter().map(tagged).collect();
    let changed = service().patch(&path(&users[1]), json!({ "name": "Eve" }));
    assert_eq!(changed.status, 200);
    assert_eq!(service().delete(&path(&users[2])).status, 204);
    let answer = delete(service(), json!({ "users": tagged }));
    assert_eq!(statuses(&answer), [204, 412, 412]);
    assert_eq!(answer["deleted"], 1);
    assert_eq!(service().get(&path(&users[1])).json()["name"], "Eve");
}

#[test]
fn a_body_that_is_no_list_of_users_is_refused_and_changes_nothing() {
    let user = create(service());
    let id = &user["id"];
    for (body, pointer) in [
        (json!([id]), ""),
        (json!({}), ""),
        (json!({ "ids": [id], "users": [] }), ""),
        (json!({ "ids": id }), ""),
        (json!({ "others": [id] }), ""),
        (json!({ "ids": [id, "7"] }), "/ids/1"),
        (json!({ "ids": [id, 0] }), "/ids/1"),
        (json!({ "ids": [id, 1.5] }), "/ids/1"),
        (json!({ "ids": [{ "id": id }] }), "/ids/0"),
        (json!({ "ids": vec![id; 1001] }), "/ids"),
        (json!({ "users": [id] }), "/users/0"),
        (json!({ "users": [{ "id": id }] }), "/users/0/etag"),
        (
            json!({ "users": [{ "id": id, "etag": "x" }] }),
            "/users/0/etag",
        ),
        (json!({ "users": [{ "etag": "\"x\"" }] }), "/users/0/id"),
        (
            json!({ "users": [{ "id": id, "etag": "*", "name": 1 }] }),
            "/users/0",
        ),
    ] {
        let answer = service().post("/users/delete", body.clone());
        assert_eq!(answer.status, 422, "{body}: {}", answer.body);
        assert_eq!(answer.problem()["type"], "/problems/invalid-batch");
        assert_eq!(answer.pointers(), [pointer], "{body}");
    }
    assert_eq!(service().get(&path(&user)).status, 200);
    let nothing = delete(service(), json!({ "ids": [] }));
    assert_eq!(
        nothing,
        json!({ "end": "complete", "deleted": 0, "results": [] })
    );
    let text = service().request("POST", "/users/delete").body("7");
    assert_eq!(text.answer().status, 415);
}

/// Tests of services of their own, whatever `EDGE_USERS_URL` says.
mod not_by_url {
    use super::*;

    #[test]
    fn a_thousand_users_go_at_once_and_are_counted_out() {
        let (_host, service) = host_with(&[]);
        let lines = "{\"name\":\"Ada\"}\n".repeat(1001);
        let import = service.request("POST", "/users/import");
        let import = import.header("content-type", "application/x-ndjson");
        assert_eq!(import.body(lines).answer().status, 200);
        let ids: Vec<u64> = (1..=1000).collect();
        let answer = delete(&service, json!({ "ids": ids }));
        assert_eq!(
            (&answer["end"], &answer["deleted"]),
            (&json!("complete"), &json!(1000))
        );
        let list = service.get("/users?fields=id");
        assert_eq!(list.header("x-total-count"), Some("1"));
        assert_eq!(list.json(), json!([{ "id": 1001 }]));
    }

    #[test]
    fn where_the_time_is_up_the_answer_names_the_users_that_were_not_reached() {
        let (_host, service) = host_with(&[("bulk_time_limit", "1")]);
        let import = service.request("POST", "/users/import");
        let import = import.header("content-type", "application/x-ndjson");
        assert_eq!(
            import
                .body("{\"name\":\"Ada\"}\n".repeat(40))
                .answer()
                .status,
            200
        );
        // The body comes late, and the time runs from the beginning of the request.
        let ids: Vec<u64> = (1..=40).collect();
        let body = json!({ "ids": ids }).to_string();
        let (first, rest) = body.split_at(10);
        let address = service.authority().expect("a plain URL").to_owned();
        let mut stream = std::net::TcpStream::connect(&address).expect("a connection");
        let length = body.len();
        use std::io::{Read, Write};
        write!(
            stream,
            "POST /users/delete HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n\r\n{first}"
        )
        .expect("it is sent");
        std::thread::sleep(Duration::from_millis(1200));
        write!(stream, "{rest}").expect("it is sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        let (_, json) = answer.split_once("\r\n\r\n").expect("a body");
        let answer: Value = serde_json::from_str(json).expect("JSON");
        assert_eq!(answer["end"], "time-limit");
        assert_eq!(answer["not_reached"], json!(ids));
        let again = delete(&service, json!({ "ids": answer["not_reached"] }));
        assert_eq!(again["deleted"], 40);
    }

    #[test]
    fn each_user_counts_as_a_request() {
        let (_host, service) = host_with(&[("rate_limit", "5")]);
        let answer = delete(&service, json!({ "ids": [1, 2, 3, 4, 5, 6] }));
        // The minute may end meanwhile.
        if answer["end"] == "rate-limit" {
            assert_eq!(answer["not_reached"], json!([5, 6]));
            assert!((0..=60).contains(&answer["retry_after"].as_i64().expect("seconds")));
        }
    }

    #[test]
    fn where_preconditions_are_required_each_user_needs_its_entity_tag() {
        let (_host, service) = host_with(&[("require_preconditions", "on")]);
        let user = create(&service);
        let answer = delete(&service, json!({ "ids": [user["id"]] }));
        assert_eq!(statuses(&answer), [428]);
        let tagged = service.get("/users?fields=id,etag").json();
        assert_eq!(
            statuses(&delete(&service, json!({ "users": tagged }))),
            [204]
        );
    }
}
