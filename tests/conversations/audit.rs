//! The audit trail: who did what, whatever became of it.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::support::issuer::{AUDIENCE, ISSUER, Key, claims, jwks};
use crate::support::memory::{Memory, TestPlatform, Watch, respond};
use edge_users::store::{Report, Store, StoreError};
use edge_users_token::Secret;
use http::{Request, Response};
use serde_json::{Value, json};

/// A service, and what it tells.
#[derive(Default)]
struct Setting<S = Memory> {
    store: S,
    platform: TestPlatform,
}

impl<S: Store + 'static> Setting<S> {
    /// The status of the answer.
    fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> u16 {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body.as_bytes().to_vec()).expect("a request");
        let response: Response<_> = respond(&self.store, &self.platform, request);
        response.status().as_u16()
    }

    /// The lines of the audit trail so far, which are then forgotten.
    fn trail(&self) -> Vec<Value> {
        let lines = self.platform.lines.take();
        let lines = lines.iter().filter(|line| line.starts_with("{\"audit\""));
        lines
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect()
    }

    /// The events of the trail: `begun`, or the outcome.
    fn events(&self) -> Vec<String> {
        let trail = self.trail();
        let events = trail.iter().map(|line| match &line["event"] {
            Value::String(event) if event == "ended" => line["outcome"].to_string(),
            event => event.as_str().expect("text").to_owned(),
        });
        events.collect()
    }
}

const JSON: (&str, &str) = ("content-type", "application/json");
const NDJSON: (&str, &str) = ("content-type", "application/x-ndjson");

/// A secret of the operator's token of that name.
fn secret(name: &str) -> Secret {
    let mut bits = [7; 32];
    bits[..name.len()].copy_from_slice(name.as_bytes());
    Secret::new(bits)
}

/// A service that knows these tokens of the scope write, and an issuer.
fn closed(tokens: &[&str]) -> Setting {
    let mut setting = Setting::default();
    let tokens = tokens.iter().map(|name| {
        let digest = secret(name).digest().map(|byte| format!("{byte:02x}"));
        format!("{name} write {}\n", digest.concat())
    });
    let variables = &mut setting.platform.variables;
    variables.insert("auth", "token".to_owned());
    variables.insert("tokens", tokens.collect());
    variables.insert("jwt_issuer", ISSUER.to_owned());
    variables.insert("jwt_audience", AUDIENCE.to_owned());
    variables.insert("jwt_jwks", jwks(&[Key::ed25519().jwk("k")]));
    setting
}

/// The credentials of a JWT of that subject and those scopes.
fn bearer_jwt(subject: &str, scopes: &str) -> String {
    let token = Key::ed25519().sign(json!({ "kid": "k" }), &claims(subject, scopes));
    format!("Bearer {token}")
}

fn bearer(token: &str) -> String {
    format!("Bearer {}", secret(token).reveal())
}

#[test]
fn every_request_that_would_change_something_leaves_a_line_also_when_it_is_refused() {
    let setting = closed(&["t"]);
    let token = bearer("t");
    let authorization = ("authorization", &*token);
    let reader = bearer_jwt("7", "read");
    let reader = ("authorization", &*reader);
    for (method, path, media_type) in [
        ("POST", "/users", JSON),
        ("PUT", "/users/1", JSON),
        ("PATCH", "/users/1", JSON),
        ("DELETE", "/users/1", JSON),
        ("POST", "/users/import", NDJSON),
        ("POST", "/users/delete", JSON),
    ] {
        let refused = |headers: &[(&str, &str)], path: &str, status: u16| {
            assert_eq!(
                setting.ask(method, path, headers, "{}"),
                status,
                "{method} {path}"
            );
            let trail = setting.trail();
            let [line] = &*trail else {
                panic!("{method} {path} {status}: {trail:?}");
            };
            assert_eq!(
                (&line["event"], &line["outcome"]),
                (&json!("ended"), &json!(status))
            );
        };
        refused(&[], path, 401);
        refused(&[reader, media_type], path, 403);
        let long = ("x-long", &*"x".repeat(40_000));
        refused(&[authorization, media_type, long], path, 431);
        if method != "DELETE" {
            refused(&[authorization, ("content-type", "text/plain")], path, 415);
            refused(
                &[authorization, media_type, ("accept", "text/html")],
                path,
                406,
            );
        }
        // A handler looks at the query: the request is admitted before.
        let query = format!("{path}?color=red");
        assert_eq!(
            setting.ask(method, &query, &[authorization, media_type], "{}"),
            400
        );
        assert_eq!(setting.events(), ["begun", "400"], "{method} {path}");
    }
    // Nothing would have changed.
    setting.ask("PUT", "/users", &[authorization, JSON], "{}");
    setting.ask("GET", "/users/1", &[authorization], "");
    setting.ask("OPTIONS", "/users/1", &[], "");
    assert_eq!(setting.trail(), [] as [Value; 0]);
}

#[test]
fn a_change_at_the_wrong_place_or_time_leaves_a_line() {
    let mut setting = Setting::<Memory>::default();
    let elsewhere = [JSON, ("host", "evil.example")];
    assert_eq!(setting.ask("DELETE", "/users/1", &elsewhere, ""), 421);
    assert_eq!(setting.events(), ["421"]);
    let variables = &mut setting.platform.variables;
    variables.insert("rate_limit", "1".to_owned());
    assert_eq!(setting.ask("POST", "/users", &[JSON], "{}"), 422);
    assert_eq!(setting.ask("POST", "/users", &[JSON], "{}"), 429);
    assert_eq!(setting.events(), ["begun", "422", "429"]);
    let variables = &mut setting.platform.variables;
    variables.insert("rate_limit", "many".to_owned());
    assert_eq!(setting.ask("POST", "/users", &[JSON], "{}"), 503);
    assert_eq!(setting.events(), ["503"]);
}

/// A store that traps the instance at the first write, once it is armed.
#[derive(Default)]
struct Trap {
    store: Memory,
    armed: Cell<bool>,
}

impl Trap {
    fn spring(&self) {
        assert!(!self.armed.get(), "the trap");
    }
}

impl Store for Trap {
    type Watch = Watch;

    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.store.get(key).await
    }

    async fn set(&self, key: &str, value: &[u8]) -> Result<(), StoreError> {
        self.spring();
        self.store.set(key, value).await
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.spring();
        self.store.delete(key).await
    }

    async fn increment(&self, key: &str, delta: i64) -> Result<i64, StoreError> {
        self.spring();
        self.store.increment(key, delta).await
    }

    async fn current(&self, key: &str) -> Result<(Option<Vec<u8>>, Watch), StoreError> {
        self.store.current(key).await
    }

    async fn swap(&self, watch: Watch, value: &[u8]) -> Result<Report, StoreError> {
        self.spring();
        self.store.swap(watch, value).await
    }
}

#[test]
fn where_an_instance_dies_in_a_change_a_line_tells_that_it_was_begun() {
    let setting = Setting::<Trap>::default();
    let ada = r#"{"name":"Ada","email":"ada@example.com"}"#;
    assert_eq!(setting.ask("POST", "/users", &[JSON], ada), 201);
    assert_eq!(setting.events(), ["begun", "201"]);
    setting.store.armed.set(true);
    for (method, path, media_type, body) in [
        ("POST", "/users", JSON, r#"{"name":"Bea"}"#),
        ("PUT", "/users/1", JSON, r#"{"name":"Bea"}"#),
        ("PATCH", "/users/1", JSON, r#"{"name":"Bea"}"#),
        ("DELETE", "/users/1", JSON, ""),
        ("POST", "/users/import", NDJSON, "{\"name\":\"Bea\"}\n"),
    ] {
        let id = ("x-request-id", "r1");
        let ask = || setting.ask(method, path, &[media_type, id], body);
        catch_unwind(AssertUnwindSafe(ask)).expect_err("a trap");
        let trail = setting.trail();
        let line = &trail[0];
        assert_eq!(
            (&line["event"], &line["request"]),
            (&json!("begun"), &json!("r1"))
        );
        let named = (path == "/users/1").then_some(1);
        assert_eq!(line["user"].as_u64(), named, "{method} {path}");
        // An import that unwinds still says that it was cut off; one that traps could not.
        let ends = trail[1..].iter().map(|line| &line["end"]);
        assert!(ends.into_iter().all(|end| end == "cut-off"), "{trail:?}");
    }
}

#[test]
fn an_import_has_a_line_when_it_begins_one_for_each_line_and_one_when_it_ends() {
    let setting = Setting::<Memory>::default();
    let lines = "{\"name\":\"Ada\"}\n\nnonsense\n{\"name\":\"Bea\"}\n";
    assert_eq!(setting.ask("POST", "/users/import", &[NDJSON], lines), 200);
    let trail = setting.trail();
    let shown: Vec<_> = trail
        .iter()
        .map(|line| {
            let members = ["event", "action", "user", "outcome", "end"];
            members.map(|member| line[member].clone())
        })
        .collect();
    let null = Value::Null;
    let expected = [
        [
            json!("begun"),
            json!("import"),
            null.clone(),
            null.clone(),
            null.clone(),
        ],
        [
            json!("ended"),
            json!("import-line"),
            json!(1),
            json!(201),
            null.clone(),
        ],
        [
            json!("ended"),
            json!("import-line"),
            null.clone(),
            json!(400),
            null.clone(),
        ],
        [
            json!("ended"),
            json!("import-line"),
            json!(2),
            json!(201),
            null.clone(),
        ],
        [
            json!("ended"),
            json!("import"),
            null.clone(),
            json!(200),
            json!("complete"),
        ],
    ];
    assert_eq!(shown, expected);
}

#[test]
fn many_deletes_have_a_line_for_each_user() {
    let setting = Setting::<Memory>::default();
    let ada = r#"{"name":"Ada"}"#;
    assert_eq!(setting.ask("POST", "/users", &[JSON], ada), 201);
    setting.trail();
    let ids = r#"{"ids":[1,1]}"#;
    assert_eq!(setting.ask("POST", "/users/delete", &[JSON], ids), 200);
    let shown: Vec<_> = setting
        .trail()
        .iter()
        .map(|line| ["event", "action", "user", "outcome"].map(|member| line[member].clone()))
        .collect();
    let null = Value::Null;
    let one = |status: u16| {
        [
            json!("ended"),
            json!("bulk-delete-user"),
            json!(1),
            json!(status),
        ]
    };
    let all =
        |event: &str, status: Value| [json!(event), json!("bulk-delete"), null.clone(), status];
    let expected = [
        all("begun", null.clone()),
        one(204),
        one(404),
        all("ended", json!(200)),
    ];
    assert_eq!(shown, expected);
}

#[test]
fn a_name_that_a_client_chose_leaves_each_line_valid_json_in_visible_ascii() {
    let setting = closed(&[]);
    let subject = "a\"\\\n\u{7f}\u{85}\u{9b}\u{2028}\u{202e}é\u{1f600}";
    let token = bearer_jwt(subject, "write");
    let ada = r#"{"name":"Ada"}"#;
    let headers = [("authorization", &*token), JSON];
    assert_eq!(setting.ask("POST", "/users", &headers, ada), 201);
    for line in &*setting.platform.lines.borrow() {
        assert!(
            line.bytes().all(|byte| (b' '..=b'~').contains(&byte)),
            "{line}"
        );
    }
    let trail = setting.trail();
    assert_eq!(trail.len(), 2);
    for line in trail {
        assert_eq!(line["principal"], format!("jwt:{ISSUER}:{subject}"));
    }
}

#[test]
fn a_token_and_a_subject_of_one_name_are_two_callers() {
    let setting = closed(&["deploy", "anonymous"]);
    let callers = [
        (bearer("deploy"), "token:deploy".to_owned()),
        (bearer("anonymous"), "token:anonymous".to_owned()),
        (
            bearer_jwt("deploy", "write"),
            format!("jwt:{ISSUER}:deploy"),
        ),
        (
            bearer_jwt("anonymous", "write"),
            format!("jwt:{ISSUER}:anonymous"),
        ),
        (bearer_jwt("", "write"), format!("jwt:{ISSUER}:")),
    ];
    for (number, (authorization, name)) in callers.iter().enumerate() {
        // Each has idempotency keys of its own.
        let key = ("idempotency-key", "one");
        let headers = [("authorization", &**authorization), JSON, key];
        let body = format!("{{\"name\":\"User {number}\"}}");
        assert_eq!(
            setting.ask("POST", "/users", &headers, &body),
            201,
            "{name}"
        );
        assert_eq!(setting.trail()[1]["principal"], *name);
    }
    assert_eq!(setting.ask("POST", "/users", &[JSON], "{}"), 401);
    assert_eq!(setting.trail()[0]["principal"], "anonymous");
}

#[test]
fn a_caller_who_may_do_nothing_costs_others_nothing() {
    let mut setting = closed(&["deploy"]);
    setting
        .platform
        .variables
        .insert("rate_limit", "3".to_owned());
    let nobody = bearer_jwt("deploy", "");
    for number in 0..6 {
        let status = setting.ask("GET", "/users", &[("authorization", &*nobody)], "");
        assert_eq!(status, if number < 3 { 403 } else { 429 });
    }
    let token = bearer("deploy");
    let status = setting.ask("GET", "/users", &[("authorization", &*token)], "");
    assert_eq!(status, 200);
}
