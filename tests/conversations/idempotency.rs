//! Creating a user with an `Idempotency-Key`, once, however often it is asked.

use crate::support::{Answer, Send, Service, new_email, path, service};
use serde_json::{Value, json};

/// `POST /users` with a key, which is sent as it is.
fn post(service: &Service, key: &str, profile: &Value) -> Answer {
    let request = service.request("POST", "/users").json(profile);
    request.header("idempotency-key", key).answer()
}

/// A key that no other test uses.
fn new_key() -> String {
    format!("\"{}\"", new_email())
}

#[test]
fn a_repeat_gets_the_first_answer_again() {
    let key = new_key();
    let ada = json!({ "name": "Ada", "email": new_email(), "attributes": { "n": [1, null] } });
    let first = post(service(), &key, &ada);
    assert_eq!(
        (first.status, first.header("idempotency-replayed")),
        (201, None)
    );
    for _ in 0..2 {
        let repeat = post(service(), &key, &ada);
        assert_eq!(repeat.status, 201);
        assert_eq!(repeat.header("idempotency-replayed"), Some("true"));
        assert_eq!(repeat.body, first.body);
        for name in ["content-type", "etag", "location"] {
            assert!(first.header(name).is_some(), "{name}");
            assert_eq!(repeat.header(name), first.header(name), "{name}");
        }
    }
}

#[test]
fn a_key_is_the_same_with_quotes_and_without_and_the_body_with_white_space_and_without() {
    let key = new_key();
    let first = post(service(), &key, &json!({ "name": "Ada", "attributes": {} }));
    let request = service().request("POST", "/users");
    let request = request
        .header("idempotency-key", key.trim_matches('"'))
        .header("content-type", "application/json")
        .body("{ \"name\": \"Ada\",\n  \"attributes\": { } }\n");
    let repeat = request.answer();
    assert_eq!(repeat.header("idempotency-replayed"), Some("true"));
    assert_eq!((repeat.status, repeat.body), (201, first.body));
}

#[test]
fn another_body_is_refused() {
    let key = new_key();
    let first = post(service(), &key, &json!({ "name": "Ada" }));
    for other in [
        json!({ "name": "Bea" }),
        json!({ "name": "Ada", "attributes": {} }),
    ] {
        let refused = post(service(), &key, &other);
        assert_eq!(refused.status, 422);
        assert_eq!(
            refused.problem()["type"],
            "/problems/idempotency-key-reused"
        );
    }
    let repeat = post(service(), &key, &json!({ "name": "Ada" }));
    assert_eq!((repeat.status, repeat.body), (201, first.body));
}

#[test]
fn other_keys_and_no_key_make_other_users() {
    let ada = json!({ "name": "Ada" });
    let mut ids: Vec<Value> = (0..3)
        .map(|_| post(service(), &new_key(), &ada).json()["id"].clone())
        .collect();
    ids.extend((0..2).map(|_| service().create(ada.clone())["id"].clone()));
    let count = ids.len();
    ids.sort_by_key(Value::as_u64);
    ids.dedup();
    assert_eq!(ids.len(), count, "{ids:?}");
}

#[test]
fn a_repeat_gets_the_first_answer_also_after_the_user_was_changed() {
    let key = new_key();
    let ada = json!({ "name": "Ada", "email": new_email(), "attributes": { "k": 1 } });
    let first = post(service(), &key, &ada);
    let user = path(&first.json());
    for name in ["Bea", "Cleo"] {
        let put = service().put(&user, json!({ "name": name }));
        assert_eq!(put.status, 200);
        let repeat = post(service(), &key, &ada);
        assert_eq!((repeat.status, &repeat.body), (201, &first.body));
        assert_eq!(repeat.header("etag"), first.header("etag"));
        assert_ne!(put.header("etag"), first.header("etag"));
        assert_eq!(service().get(&user).json()["name"], name);
    }
}

#[test]
fn the_user_of_a_key_stays_deleted() {
    let key = new_key();
    let ada = json!({ "name": "Ada", "email": new_email() });
    let user = path(&post(service(), &key, &ada).json());
    assert_eq!(service().delete(&user).status, 204);
    let repeat = post(service(), &key, &ada);
    assert_eq!(repeat.status, 410);
    assert_eq!(repeat.problem()["type"], "/problems/user-gone");
    assert_eq!(service().get(&user).status, 404);
}

#[test]
fn a_failure_is_not_remembered() {
    let (key, email) = (new_key(), new_email());
    let holder = service().create(json!({ "name": "Holder", "email": email }));
    let ada = json!({ "name": "Ada", "email": email });
    for _ in 0..2 {
        let taken = post(service(), &key, &ada);
        assert_eq!(taken.status, 409);
        assert_eq!(taken.problem()["type"], "/problems/email-taken");
    }
    assert_eq!(post(service(), &key, &json!({ "name": "" })).status, 422);
    assert_eq!(service().delete(&path(&holder)).status, 204);
    assert_eq!(post(service(), &key, &ada).status, 201);
}

#[test]
fn a_malformed_key_is_refused_and_nothing_is_created() {
    let long = "k".repeat(256);
    for key in ["", "\"\"", "\"a", "a b", "\"a\";b", &long] {
        let refused = post(service(), key, &json!({ "name": "Ada" }));
        assert_eq!(refused.status, 400, "{key:?}");
        let problem = refused.problem();
        assert_eq!(problem["type"], "/problems/malformed-header");
        let detail = problem["detail"].as_str().expect("a detail");
        assert!(detail.contains("idempotency-key"), "{detail}");
        assert!(
            detail.contains("1 to 255 visible ASCII characters"),
            "{detail}"
        );
    }
    let twice = service().request("POST", "/users");
    let twice = twice.json(&json!({ "name": "Ada" }));
    let twice = twice
        .header("idempotency-key", "a")
        .header("idempotency-key", "b");
    assert_eq!(twice.answer().status, 400);
}

#[test]
fn other_methods_ignore_the_header() {
    let user = service().create(json!({ "name": "Ada" }));
    for (method, body) in [
        ("GET", None),
        ("PUT", Some(json!({ "name": "Bea" }))),
        ("PATCH", Some(json!({ "name": "Cleo" }))),
    ] {
        let request = service().request(method, &path(&user));
        let request = request.header("idempotency-key", "a b");
        let request = match &body {
            Some(body) => request.json(body),
            None => request,
        };
        assert_eq!(request.answer().status, 200, "{method}");
    }
}

#[test]
fn of_requests_with_one_key_at_the_same_time_one_makes_a_user() {
    for profile in [
        json!({ "name": "Ada" }),
        json!({ "name": "Ada", "email": new_email() }),
    ] {
        let key = new_key();
        let answers: Vec<Answer> = std::thread::scope(|scope| {
            let one = || scope.spawn(|| post(service(), &key, &profile));
            let clients: Vec<_> = (0..8).map(|_| one()).collect();
            let answers = clients.into_iter().map(|client| client.join());
            answers.map(|answer| answer.expect("an answer")).collect()
        });
        let repeat = post(service(), &key, &profile);
        assert_eq!(repeat.status, 201);
        let mut first = 0;
        for answer in answers {
            match answer.status {
                201 => {
                    first += usize::from(answer.header("idempotency-replayed").is_none());
                    assert_eq!(answer.body, repeat.body);
                }
                409 => {
                    assert!(answer.header("retry-after").is_some(), "{answer:?}");
                    let problem = answer.problem();
                    assert_eq!(problem["type"], "/problems/idempotency-in-progress");
                }
                _ => panic!("{answer:?}"),
            }
        }
        assert_eq!(first, 1);
    }
}
