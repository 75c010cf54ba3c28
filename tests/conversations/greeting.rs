//! The example of a component that asks the user service, `examples/greeting/`.

use std::fs;
use std::path::Path;

use edge_host::{Host, UpOptions, VariableSource};
use edge_users_token::Secret;
use serde_json::json;

use crate::support::{Answer, RUNTIME, Send as _, Service, new_state_dir, root, variable};

fn greet(host: &Host, id: impl std::fmt::Display) -> Answer {
    let request = Service::of(host).request("GET", &format!("/greeting/{id}"));
    request.answer_of_call()
}

/// A token's secret, and its line.
fn token(name: &str, scope: &str) -> (String, String) {
    let mut bits = [9; 32];
    bits[..name.len()].copy_from_slice(name.as_bytes());
    let secret = Secret::new(bits);
    let digest = secret.digest().map(|byte| format!("{byte:02x}"));
    let line = format!("{name} {scope} {}\n", digest.concat());
    (secret.reveal().to_owned(), line)
}

/// A host of the example, as it is.
fn start(variables: Vec<VariableSource>) -> Host {
    start_host_of(&root().join("examples/greeting"), variables)
}

fn start_host_of(directory: &Path, variables: Vec<VariableSource>) -> Host {
    let options = UpOptions {
        from: directory.to_owned(),
        state_dir: Some(new_state_dir()),
        variables,
        listen: ([127, 0, 0, 1], 0).into(),
        quiet: true,
        discard_stdout: true,
        ..UpOptions::default()
    };
    let started = RUNTIME.block_on(Host::start(options));
    started.expect("the host starts")
}

#[test]
fn a_user_is_greeted_by_a_component_that_has_a_token_to_read() {
    let (reader, may_read) = token("greeting", "read");
    let (writer, may_write) = token("test", "write");
    let host = start(vec![
        variable("tokens", &format!("{may_read}{may_write}")),
        variable("greeting_token", &reader),
    ]);
    let service = Service::of(&host).with_token(&writer);
    let user = service.create(json!({ "name": "Ada \"Countess\" Lovelace" }));
    // The client has no token, and needs none.
    let greeting = greet(&host, &user["id"]);
    assert_eq!(greeting.status, 200, "{greeting:?}");
    assert_eq!(greeting.header("content-type"), Some("application/json"));
    assert_eq!(greeting.header("cache-control"), Some("no-store"));
    let expected = json!({ "greeting": "Hello, Ada \"Countess\" Lovelace!" });
    assert_eq!(greeting.json(), expected);

    let service = Service::of(&host);
    let path = format!("/greeting/{}", user["id"]);
    let head = service.request("HEAD", &path).answer_of_call();
    assert_eq!((head.status, &*head.body), (200, ""));
    let length = greeting.body.len().to_string();
    assert_eq!(head.header("content-length"), Some(&*length));
    let refused = service.request("DELETE", &path).answer_of_call();
    assert_eq!(refused.problem()["status"], 405);
    assert_eq!(refused.header("allow"), Some("GET, HEAD"));

    let missing = greet(&host, 99);
    assert_eq!(missing.problem()["status"], 404);
    // The path is not one of the user service.
    for id in [
        "",
        "1/2",
        "..%2Fusers",
        "1%3Ffields=email",
        "-1",
        "12345678901234567890",
    ] {
        assert_eq!(greet(&host, id).problem()["status"], 404, "{id}");
    }
}

#[test]
fn an_open_user_service_is_asked_without_a_token() {
    let host = start(vec![variable("auth", "off")]);
    let user = Service::of(&host).create(json!({ "name": "Ada" }));
    let greeting = greet(&host, &user["id"]);
    assert_eq!(greeting.json(), json!({ "greeting": "Hello, Ada!" }));
}

#[test]
fn a_token_that_the_user_service_refuses_is_not_the_clients_failure() {
    let (_, may_read) = token("greeting", "read");
    let (unknown, _) = token("unknown", "read");
    for secret in ["", &unknown] {
        let host = start(vec![
            variable("tokens", &may_read),
            variable("greeting_token", secret),
        ]);
        let answer = greet(&host, 1);
        let problem = answer.problem();
        assert_eq!(problem["status"], 502);
        let detail = problem["detail"].as_str().unwrap_or_default();
        assert!(detail.contains("greeting_token"), "{detail}");
        assert_eq!(answer.header("www-authenticate"), None);
    }
}

/// A user service of which each user has the status of its answer as its id.
fn start_with_stub() -> Host {
    // The tests' manifest, where it is not a service at a URL that is to be tested.
    let wasm = crate::support::manifest().with_file_name("target/wasm32-wasip1/release");
    let manifest = include_str!("../../examples/greeting/spin.toml");
    let manifest = manifest
        .replace(
            "../../target/wasm32-wasip1/release",
            wasm.to_str().expect("a path"),
        )
        .replace("edge_users.wasm", "edge_host_probe.wasm");
    let directory = new_state_dir();
    fs::write(directory.join("spin.toml"), manifest).expect("a manifest");
    start_host_of(&directory, vec![variable("greeting_token", "s3cret")])
}

#[test]
fn each_failure_of_the_user_service_is_answered_clearly() {
    let host = start_with_stub();
    for (of_users, status, retry_after) in [
        (404, 404, None),
        (401, 502, None),
        (403, 502, None),
        (429, 503, Some("7")),
        (503, 503, Some("7")),
        (504, 504, None),
        (500, 502, None),
        (302, 502, None),
        // Takes a minute, which is more than the example waits.
        (1, 504, None),
    ] {
        let answer = greet(&host, of_users);
        assert_eq!(answer.problem()["status"], status, "{of_users}");
        assert_eq!(answer.header("retry-after"), retry_after, "{of_users}");
        assert!(!answer.body.contains("s3cret"));
    }
}

#[test]
fn the_user_service_gets_the_token_and_the_trace_of_the_request() {
    let host = start_with_stub();
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let request = Service::of(&host).request("GET", "/greeting/200");
    let told = request
        .header("traceparent", trace)
        .header("tracestate", "vendor=1")
        .header("x-request-id", "greeting-1")
        .header("authorization", "Bearer of-the-client")
        .header("cookie", "of-the-client")
        .answer_of_call();
    let told = told.json();
    let told = told["greeting"].as_str().expect("a text");
    for field in [
        &format!("traceparent: {trace}, "),
        "tracestate: vendor=1, ",
        "x-request-id: greeting-1, ",
        "authorization: Bearer s3cret, ",
        "accept: application/json, ",
    ] {
        assert!(told.contains(field), "{field} in {told}");
    }
    assert!(!told.contains("of-the-client"), "{told}");
}
