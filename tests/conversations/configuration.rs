//! What the operator can set, and what becomes of a value that can't be read.

use crate::support::memory::{Memory, TestPlatform, respond};
use crate::support::{Service, new_state_dir, start_host_with};
use edge_host::UpOptions;
use http::{Request, Response};
use serde_json::{Value, json};

#[test]
fn the_page_size_is_what_the_variable_says_unless_the_client_says_otherwise() {
    for (value, users) in [("2", 2), ("1000", 3), ("", 3)] {
        let variable = format!("page_size={value}").parse();
        let host = start_host_with(UpOptions {
            state_dir: Some(new_state_dir()),
            variables: vec![variable.expect("a variable")],
            ..UpOptions::default()
        });
        let service = Service::of(&host);
        for name in ["Ada", "Bea", "Cleo"] {
            service.create(json!({ "name": name }));
        }
        let count = |path: &str| service.get(path).json().as_array().map(Vec::len);
        assert_eq!(count("/users"), Some(users), "{value}");
        assert_eq!(count("/users?limit=1"), Some(1), "{value}");
    }
}

/// A service with that value of a variable, and the answers to requests.
struct Misconfigured {
    store: Memory,
    platform: TestPlatform,
}

impl Misconfigured {
    fn new(variable: &'static str, value: &str) -> Misconfigured {
        let mut platform = TestPlatform::default();
        platform.variables.insert(variable, value.to_owned());
        let store = Memory::default();
        Misconfigured { store, platform }
    }

    fn ask(&self, method: &str, path: &str) -> Response<Vec<u8>> {
        let request = Request::builder().method(method).uri(path);
        let request = request.header("content-type", "application/json");
        let body = br#"{"name":"Ada"}"#.to_vec();
        respond(&self.store, &self.platform, request.body(body).unwrap())
    }
}

fn problem(response: &Response<Vec<u8>>) -> Value {
    serde_json::from_slice(response.body()).expect("JSON")
}

#[test]
fn what_cannot_be_read_is_refused_loudly_and_changes_nothing() {
    for (variable, value, rule) in [
        ("auth", "OFF", "must be token or off"),
        ("auth", "off\n", "must be token or off"),
        (
            "tokens",
            "admin admin not-a-digest",
            "at entry 1: its SHA-256",
        ),
        ("jwt_issuer", "https://login.example", "must be set"),
        ("allowed_hosts", "https://users.example", "must list names"),
        ("page_size", "0", "from 1 to 1000"),
        ("page_size", "many", "from 1 to 1000"),
        ("require_preconditions", "true", "must be off or on"),
        ("cors_origins", "app.example", "must list origins"),
        ("rate_limit", "100/min", "from 0 to 1000000"),
        ("rate_limit", "-1", "from 0 to 1000000"),
        ("rate_limit", " 2", "from 0 to 1000000"),
        ("rate_limit", "2.0", "from 0 to 1000000"),
        ("bulk_time_limit", "20s", "from 1 to 3600"),
    ] {
        let service = Misconfigured::new(variable, value);
        for (method, path) in [
            ("GET", "/users"),
            ("GET", "/users/1"),
            ("POST", "/users"),
            ("DELETE", "/users/1"),
            ("GET", "/users/export"),
            ("GET", "/nowhere"),
        ] {
            let refused = service.ask(method, path);
            assert_eq!(refused.status(), 503, "{variable}: {method} {path}");
            assert_eq!(problem(&refused)["type"], "/problems/misconfigured");
        }
        assert_eq!(service.store.operations(), 0);
        let ready = service.ask("GET", "/readyz");
        assert_eq!(ready.status(), 503);
        let told = problem(&ready)["detail"].as_str().expect("text").to_owned();
        assert!(told.contains(variable) && told.contains(rule), "{told}");
        assert_eq!(problem(&ready)["type"], "/problems/misconfigured");
        let log = service.platform.lines.borrow();
        let line = log.iter().find(|line| line.starts_with("misconfigured: "));
        let line = line.expect("a line in the log");
        assert!(line.contains(variable) && line.contains(rule), "{line}");
    }
}

/// To start the component again would not help, and whoever is refused can read why.
#[test]
fn what_needs_no_configuration_is_there_all_the_same() {
    let service = Misconfigured::new("rate_limit", "many");
    for path in ["/", "/healthz", "/docs", "/problems/misconfigured"] {
        assert_eq!(service.ask("GET", path).status(), 200, "{path}");
    }
}
