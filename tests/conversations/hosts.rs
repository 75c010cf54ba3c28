//! By which names a service may be reached that lets everybody in.

use crate::support::memory::{Memory, TestPlatform, respond};
use crate::support::{
    Send as _, Service, new_state_dir, path, start_host, start_host_with, variable,
};
use edge_host::UpOptions;
use http::{Request, Response};
use serde_json::{Value, json};

/// A page of `evil.example` can let that name lead to this machine (DNS rebinding).
#[test]
fn a_page_of_another_name_reaches_nothing_in_an_open_service() {
    let host = start_host();
    let service = Service::of(&host);
    let user = path(&service.create(json!({ "name": "Ada" })));
    for name in [
        "evil.example",
        "evil.example:3000",
        "localhost.evil.example",
        "192.0.2.1",
    ] {
        for (method, path) in [("DELETE", &*user), ("GET", "/users"), ("GET", "/readyz")] {
            let refused = service.request(method, path).header("host", name).answer();
            assert_eq!(refused.status, 421, "{method} {path} at {name}");
            assert_eq!(refused.problem()["type"], "/problems/misdirected");
        }
    }
    for name in ["localhost", "127.0.0.1:1", "[::1]:3000"] {
        let request = service.request("GET", &user).header("host", name);
        assert_eq!(request.answer().status, 200, "{name}");
    }
}

#[test]
fn the_operator_can_allow_other_names() {
    let host = start_host_with(UpOptions {
        state_dir: Some(new_state_dir()),
        variables: vec![variable("allowed_hosts", "users.example, 192.0.2.1")],
        // As `edge-host up --allow-host` has it.
        allow_hosts: vec!["given.example".to_owned()],
        ..UpOptions::default()
    });
    let service = Service::of(&host);
    for (name, status) in [
        ("users.example", 200),
        ("USERS.example:8080", 200),
        ("192.0.2.1:80", 200),
        ("given.example:3000", 200),
        ("other.example", 421),
    ] {
        let request = service.request("GET", "/users").header("host", name);
        assert_eq!(request.answer().status, status, "{name}");
    }
}

/// Whoever needs a token is not let in by a name.
#[test]
fn a_closed_service_answers_by_every_name() {
    let mut platform = TestPlatform::default();
    platform.variables.insert("auth", "token".to_owned());
    let request = Request::get("/users").header("host", "users.example");
    let answer: Response<_> = respond(
        &Memory::default(),
        &platform,
        request.body(Vec::new()).unwrap(),
    );
    assert_eq!(answer.status(), 401);
    let _: Value = serde_json::from_slice(answer.body()).expect("JSON");
}
