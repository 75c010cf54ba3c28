//! What the operator can set, and what becomes of a value that can't be read.

use std::collections::BTreeSet;
use std::process::Command;

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

/// Settings of variables, the last of which can't be read, and the rule that it breaks.
const UNREADABLE: &[(&[(&str, &str)], &str)] = &[
    (&[("auth", "OFF")], "must be token or off"),
    (&[("auth", "off\n")], "must be token or off"),
    (
        &[("tokens", "admin admin not-a-digest")],
        "at entry 1: its SHA-256",
    ),
    (
        &[("jwt_audience", "users"), ("jwt_issuer", "")],
        "must be set",
    ),
    (
        &[
            ("jwt_issuer", "https://login.example"),
            ("jwt_audience", ""),
        ],
        "must be set",
    ),
    (&[ISSUER, AUDIENCE, ("jwt_jwks", "")], "must be set"),
    (&[ISSUER, AUDIENCE, ("jwt_jwks", "{}")], "must be a JWK set"),
    (
        &[
            ISSUER,
            AUDIENCE,
            ("jwt_jwks_url", "http://login.example/keys"),
        ],
        "must be a URL that begins with https://",
    ),
    (
        &[("allowed_hosts", "https://users.example")],
        "must list names",
    ),
    (&[("page_size", "0")], "from 1 to 1000"),
    (&[("page_size", "many")], "from 1 to 1000"),
    (
        &[("indexed_attributes", "team, a..b")],
        "must list at most 16",
    ),
    (&[("require_preconditions", "true")], "must be off or on"),
    (&[("cors_origins", "app.example")], "must list origins"),
    (&[("rate_limit", "100/min")], "from 0 to 1000000"),
    (&[("rate_limit", "-1")], "from 0 to 1000000"),
    (&[("rate_limit", " 2")], "from 0 to 1000000"),
    (&[("rate_limit", "2.0")], "from 0 to 1000000"),
    (&[("bulk_time_limit", "20s")], "from 1 to 3600"),
];

const ISSUER: (&str, &str) = ("jwt_issuer", "https://login.example");
const AUDIENCE: (&str, &str) = ("jwt_audience", "users");

#[test]
fn each_variable_that_the_manifest_declares_has_values_that_cannot_be_read() {
    let text =
        std::fs::read_to_string(crate::support::root().join("spin.toml")).expect("the manifest");
    let manifest: toml::Table = text.parse().expect("TOML");
    let declared = manifest["variables"].as_table().expect("variables").keys();
    let declared = BTreeSet::from_iter(declared.map(String::as_str));
    let tried = UNREADABLE.iter().map(|(settings, _)| unreadable(settings));
    // One is read by its own component alone: tests/scim gives it such a value.
    let tried = tried.chain(["scim_schemas"]);
    assert_eq!(BTreeSet::from_iter(tried), declared);
}

/// The name of the variable that can't be read.
fn unreadable(settings: &[(&'static str, &str)]) -> &'static str {
    settings.last().expect("a setting").0
}

/// A service with those values of variables, and the answers to requests.
struct Misconfigured {
    store: Memory,
    platform: TestPlatform,
}

impl Misconfigured {
    fn new(settings: &[(&'static str, &str)]) -> Misconfigured {
        let mut platform = TestPlatform::default();
        let settings = settings.iter();
        let settings = settings.map(|(variable, value)| (*variable, (*value).to_owned()));
        platform.variables.extend(settings);
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
    for (settings, rule) in UNREADABLE {
        let variable = unreadable(settings);
        let service = Misconfigured::new(settings);
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

#[test]
fn edge_host_does_not_start_with_what_cannot_be_read() {
    for (settings, rule) in UNREADABLE {
        let variable = unreadable(settings);
        let mut command = Command::new(crate::support::host_program());
        command
            .args(["up", "--listen", "127.0.0.1:0", "--state-dir", "", "--from"])
            .arg(crate::support::manifest());
        for (name, value) in *settings {
            command.args(["--variable", &format!("{name}={value}")]);
        }
        let output = command.output().expect("the host runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{settings:?}: {said}");
        let told = said.lines().find(|line| line.starts_with("Error: "));
        let told = told.unwrap_or_else(|| panic!("{settings:?}: {said}"));
        assert!(
            told.contains(&format!("the variable {variable} ")) && told.contains(rule),
            "{told}"
        );
        assert!(!String::from_utf8_lossy(&output.stdout).contains("Serving"));
    }
}

/// To start the component again would not help, and whoever is refused can read why.
#[test]
fn what_needs_no_configuration_is_there_all_the_same() {
    let service = Misconfigured::new(&[("rate_limit", "many")]);
    for path in ["/", "/healthz", "/docs", "/problems/misconfigured"] {
        assert_eq!(service.ask("GET", path).status(), 200, "{path}");
    }
}
