//! Stored values that the service did not write: that of a user concerns this user alone, and
//! that of a number what can't be done without it.

use crate::support::memory::{Memory, TestPlatform, respond};
use crate::support::{Answer, RUNTIME, Send, Service, new_state_dir, start_host_with};
use edge_host::UpOptions;
use http::Request;
use serde_json::json;

#[test]
fn a_value_that_cannot_be_read_is_an_error_for_its_user_alone_and_stays_as_it_is() {
    let state_dir = new_state_dir();
    let start = |key_values: Vec<(String, String)>| {
        start_host_with(UpOptions {
            state_dir: Some(state_dir.clone()),
            key_values,
            ..UpOptions::default()
        })
    };
    let host = start(Vec::new());
    let service = Service::of(&host);
    for name in ["Ada", "Bea", "Cleo"] {
        service.create(json!({ "name": name }));
    }
    RUNTIME.block_on(host.shutdown()).expect("the host stops");

    let newer = r#"{"format":2,"writes":["0000000000000001"],"value":{}}"#;
    for foreign in ["not json", newer, ""] {
        let host = start(vec![("user/2".to_owned(), foreign.to_owned())]);
        let service = Service::of(&host);
        for _ in 0..2 {
            for method in ["GET", "PUT", "PATCH", "DELETE"] {
                let request = service
                    .request(method, "/users/2")
                    .json(&json!({ "name": "New" }));
                let answer = Send::answer(request);
                assert_eq!(answer.status, 500, "{method} {foreign:?}");
                assert_eq!(answer.problem()["title"], "Stored value unreadable");
            }
        }
        let users = service.get("/users");
        let names: Vec<_> = users
            .json()
            .as_array()
            .expect("users")
            .iter()
            .map(|user| user["name"].clone())
            .collect();
        assert_eq!(
            (users.status, names),
            (200, vec![json!("Ada"), json!("Cleo")])
        );
        assert_eq!(service.get("/users/3").status, 200);
        RUNTIME.block_on(host.shutdown()).expect("the host stops");
    }
}

/// A service on a store with three users, in which a value is replaced by one that is none of the
/// service's.
fn with_foreign_value(key: &str, value: &str) -> (edge_host::Host, Service) {
    let options = UpOptions {
        state_dir: Some(new_state_dir()),
        ..UpOptions::default()
    };
    let host = start_host_with(options.clone());
    let service = Service::of(&host);
    for name in ["Ada", "Bea", "Cleo"] {
        service.create(json!({ "name": name }));
    }
    assert_eq!(service.delete("/users/2").status, 204);
    RUNTIME.block_on(host.shutdown()).expect("the host stops");
    let host = start_host_with(UpOptions {
        key_values: vec![(key.to_owned(), value.to_owned())],
        ..options
    });
    let service = Service::of(&host);
    (host, service)
}

/// What no number is. The last one has eight bytes, as numbers have.
const NO_NUMBERS: [&str; 3] = ["garbage", "", "garbage!"];

/// The answer is for the operator: no time mends that.
fn assert_unreadable(answer: &Answer) {
    assert_eq!(answer.status, 500, "{}", answer.body);
    assert_eq!(answer.problem()["type"], "/problems/unreadable");
    assert_eq!(answer.header("retry-after"), None);
}

fn ids(answer: &Answer) -> Vec<u64> {
    assert_eq!(answer.status, 200, "{}", answer.body);
    let users = answer.json();
    let users = users.as_array().expect("users").iter();
    users.filter_map(|user| user["id"].as_u64()).collect()
}

#[test]
fn a_total_that_cannot_be_told_is_left_out() {
    for value in NO_NUMBERS.into_iter().chain(["77"]) {
        let (_host, service) = with_foreign_value("census", value);
        for _ in 0..2 {
            let users = service.get("/users");
            assert_eq!(ids(&users), [1, 3], "{value:?}");
            assert_eq!(users.header("x-total-count"), None);
        }
        assert_eq!(service.post("/users", json!({ "name": "Dan" })).status, 201);
        assert_eq!(service.get("/users/export").body.lines().count(), 4);
        // A delete that the total would not know of is not made.
        assert_unreadable(&service.delete("/users/1"));
        assert_eq!(service.get("/users/1").status, 200);
        assert_eq!(service.get("/readyz").status, 200);
    }
}

#[test]
fn what_is_left_out_is_in_the_log() {
    let (store, platform) = (Memory::default(), TestPlatform::default());
    let ask = |method: &str, path: &str| {
        let request = Request::builder().method(method).uri(path);
        let request = request.header("content-type", "application/json");
        let request = request.header("x-request-id", "mine");
        let request = request.body(br#"{"name":"Ada"}"#.to_vec());
        platform.lines.borrow_mut().clear();
        let status = respond(&store, &platform, request.expect("a request")).status();
        (status.as_u16(), platform.lines.borrow().clone())
    };
    for _ in 0..3 {
        assert_eq!(ask("POST", "/users").0, 201);
    }
    assert_eq!(ask("DELETE", "/users/2").0, 204);
    store.put("gone/0", b"garbage");
    let (status, lines) = ask("GET", "/users");
    assert_eq!((status, lines.len()), (200, 1), "{lines:?}");
    assert!(
        lines[0].contains(r#"the value of "gone/0" can't be read"#),
        "{lines:?}"
    );
    store.put("census", b"garbage");
    let (status, lines) = ask("GET", "/users");
    assert_eq!((status, lines.len()), (200, 2), "{lines:?}");
    let census = lines.iter().find(|line| line.starts_with("request=mine "));
    let census = census.expect("a line with the request's id");
    assert!(
        census.contains(r#"the value of "census" can't be read"#),
        "{lines:?}"
    );
}

#[test]
fn a_group_whose_number_cannot_be_read_is_read_user_by_user() {
    for value in NO_NUMBERS {
        let (_host, service) = with_foreign_value("gone/0", value);
        let users = service.get("/users");
        assert_eq!(ids(&users), [1, 3], "{value:?}");
        assert_eq!(users.header("x-total-count"), Some("2"));
        assert_eq!(service.delete("/users/1").status, 204);
        assert_eq!(ids(&service.get("/users?sort=-id")), [3]);
        assert_eq!(service.get("/users/export").body.lines().count(), 2);
    }
}

#[test]
fn without_the_number_of_ids_that_were_given_no_id_is_given() {
    for value in NO_NUMBERS {
        let (_host, service) = with_foreign_value("count/created", value);
        assert_unreadable(&service.post("/users", json!({ "name": "Dan" })));
        assert_unreadable(&service.get("/users"));
        assert_unreadable(&service.get("/users/export"));
        let request = service.request("POST", "/users/import");
        let request = request.header("content-type", "application/x-ndjson");
        let imported = Send::answer(request.body("{\"name\":\"Dan\"}\n"));
        assert!(imported.body.contains("\"status\":500"), "{imported:?}");
        // What needs no new id goes on.
        assert_eq!(ids(&service.get("/users?id=1,3")), [1, 3]);
        assert_eq!(service.put("/users/1", json!({ "name": "A" })).status, 200);
        assert_eq!(service.delete("/users/3").status, 204);
        let ready = service.get("/readyz");
        assert_eq!((ready.status, ready.header("retry-after")), (503, None));
        assert!(ready.problem()["detail"].to_string().contains("log"));
    }
}

#[test]
fn a_number_of_an_email_or_a_key_that_cannot_be_read_concerns_that_alone() {
    let store = Memory::default();
    let platform = TestPlatform::default();
    let create = |email: &str, key: &str| {
        let request = Request::post("/users")
            .header("content-type", "application/json")
            .header("idempotency-key", key);
        let body = json!({ "name": "Ada", "email": email }).to_string();
        let request = request.body(body.into_bytes()).expect("a request");
        respond(&store, &platform, request).status().as_u16()
    };
    assert_eq!(create("a@example.com", "k"), 201);
    for key in store.all_keys() {
        if key.starts_with("email/") || key.starts_with("idempotency/") {
            store.put(&key, b"garbage");
        }
    }
    assert_eq!(create("a@example.com", "l"), 500);
    assert_eq!(create("b@example.com", "k"), 500);
    assert_eq!(create("b@example.com", "l"), 201);
}
