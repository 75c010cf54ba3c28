//! The service under test, and conversations with it.
//!
//! With `EDGE_USERS_URL` set, that is the service at the URL, whatever runs it
//! and whatever users it has; with `EDGE_USERS_TOKEN`, the requests to it have that
//! token, which needs the scope admin. Without, it is the compiled component on an
//! embedded host in this process, with a store of its own.
//!
//! Tests of services of their own stand in modules named `not_by_url`. With
//! `EDGE_USERS_URL` they fail rather than pass without a word of that service:
//! `make test-url` leaves them out.
#![allow(dead_code)] // Each test binary uses its part of this.

pub mod contract;
pub mod issuer;
pub mod memory;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use edge_host::{Host, UpOptions, VariableSource};
use reqwest::Method;
use reqwest::blocking::{Client, RequestBuilder};
use reqwest::header::{HeaderMap, HeaderValue};
use serde_json::Value;
use tokio::runtime::Runtime;

/// The runtime of all hosts in this process.
pub static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime"));

/// Where the service is that is to be tested, if it is not one of our own.
const URL: &str = "EDGE_USERS_URL";

/// The token for it.
const TOKEN: &str = "EDGE_USERS_TOKEN";

/// How long the service may take to show that it is there.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);

/// Fails if a service at a URL is to be tested, as this test needs its own service.
fn not_by_url() {
    assert!(
        std::env::var_os(URL).is_none(),
        "this test tells nothing of the service at {URL}: leave it out, as make test-url does"
    );
}

/// The manifest of the application.
pub fn manifest() -> PathBuf {
    not_by_url();
    let component = root().join("target/wasm32-wasip1/release/edge_users.wasm");
    assert!(
        component.exists(),
        "there is no component to test; build it: make build"
    );
    root().join("spin.toml")
}

/// The root of the repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The embedded host's program.
pub fn host_program() -> PathBuf {
    program("edge-host")
}

/// The command-line client's program.
pub fn client_program() -> PathBuf {
    program("edge-users")
}

/// A program of the workspace, which `make` builds beside the tests.
fn program(name: &str) -> PathBuf {
    not_by_url();
    let test = std::env::current_exe().expect("tests have a path");
    let program = test
        .ancestors()
        .nth(2)
        .expect("target/PROFILE/deps")
        .join(name);
    assert!(
        program.exists(),
        "there is no {name} to test; build it: make build"
    );
    program
}

/// An empty directory of this test process, for a store.
pub fn new_state_dir() -> PathBuf {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("state-{}-{number}", std::process::id());
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).expect("the target directory can be written");
    path
}

/// An embedded host with a store of its own.
pub fn start_host() -> Host {
    start_host_with(UpOptions::default())
}

/// An embedded host with the options that a test needs; the others are set here.
/// It lets everybody in, unless the test gives the variable `auth`.
pub fn start_host_with(options: UpOptions) -> Host {
    let mut variables = vec![variable("auth", "off")];
    variables.extend(options.variables);
    let options = UpOptions {
        variables,
        from: manifest(),
        listen: ([127, 0, 0, 1], 0).into(),
        quiet: true,
        discard_stdout: true,
        state_dir: Some(options.state_dir.unwrap_or_else(new_state_dir)),
        ..options
    };
    let started = RUNTIME.block_on(Host::start(options));
    started.expect("the host starts")
}

/// A variable's value.
pub fn variable(name: &str, value: &str) -> VariableSource {
    VariableSource::Literal(name.to_owned(), value.to_owned())
}

/// A client of one service.
#[derive(Clone)]
pub struct Service {
    pub url: String,
    /// The token of each request, if there is one.
    token: Option<String>,
    client: Client,
}

/// A word that no other test has, nor an earlier run.
pub fn new_word() -> String {
    let email = new_email();
    let digits = email.split('@').next().unwrap_or_default();
    digits.replace('.', "x")
}

/// What is in all pages of a list, the first of which has that path.
pub fn walk(first: &str, page: impl Fn(&str) -> Answer) -> Vec<Value> {
    let mut found = Vec::new();
    let mut next = Some(first.to_owned());
    while let Some(path) = next {
        let page = page(&path);
        assert_eq!(page.status, 200, "{page:?}");
        found.extend(page.json().as_array().expect("a list").clone());
        next = page.next_page();
    }
    found
}

/// The names of users.
pub fn names(users: &[Value]) -> Vec<String> {
    let names = users.iter().map(|user| user["name"].as_str());
    names.map(|name| name.expect("a name").to_owned()).collect()
}

/// The service that the tests share: they must not assume that its users are theirs
/// alone. Fails at once if it is one at a URL, and is not there or not open to these tests.
pub fn service() -> &'static Service {
    static HOST: LazyLock<Host> = LazyLock::new(start_host);
    static SERVICE: LazyLock<Result<Service, String>> =
        LazyLock::new(|| match std::env::var(URL) {
            Ok(url) => Service::of_the_environment(url.trim_end_matches('/')),
            Err(_) => Ok(Service::of(&HOST)),
        });
    SERVICE.as_ref().unwrap_or_else(|why| panic!("{why}"))
}

impl Service {
    pub fn at(url: &str) -> Service {
        Service {
            url: url.to_owned(),
            token: None,
            client: Client::new(),
        }
    }

    fn of_the_environment(url: &str) -> Result<Service, String> {
        let service = Service {
            token: std::env::var(TOKEN).ok(),
            ..Service::at(url)
        };
        let probe = |path| {
            let probe = service.request("GET", path).timeout(PROBE_TIMEOUT).send();
            probe.map_err(|_| format!("{URL} is {url}, and nobody answers there"))
        };
        for path in ["/healthz", "/users?limit=1"] {
            let status = probe(path)?.status();
            if matches!(status.as_u16(), 401 | 403) {
                return Err(format!(
                    "{url} wants a token with the scope admin: set {TOKEN}"
                ));
            }
            if !status.is_success() {
                return Err(format!("{URL} is {url}, and {path} is {status} there"));
            }
        }
        // Not eprintln!, which tests that succeed keep to themselves.
        let told = format!("The users that these tests make stay behind at {url}\n");
        std::io::stderr().write_all(told.as_bytes()).ok();
        Ok(service)
    }

    /// The same service, for a caller with that token.
    pub fn with_token(&self, token: &str) -> Service {
        Service {
            token: Some(token.to_owned()),
            ..Service::at(&self.url)
        }
    }

    pub fn of(host: &Host) -> Service {
        Service::at(&format!("http://{}", host.local_addr()))
    }

    /// Its host and port, for a conversation without a library; `None` where that takes more than
    /// a socket.
    pub fn authority(&self) -> Option<&str> {
        let authority = self.url.strip_prefix("http://")?;
        (!authority.contains('/')).then_some(authority)
    }

    /// The line of a request's head that shows the token; empty if there is none.
    pub fn authorization(&self) -> String {
        let token = self.token.as_ref();
        token.map_or(String::new(), |token| {
            format!("authorization: Bearer {token}\r\n")
        })
    }

    pub fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let request = self.client.request(method, format!("{}{path}", self.url));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    pub fn get(&self, path: &str) -> Answer {
        self.request("GET", path).answer()
    }

    pub fn delete(&self, path: &str) -> Answer {
        self.request("DELETE", path).answer()
    }

    pub fn post(&self, path: &str, body: Value) -> Answer {
        self.request("POST", path).json(&body).answer()
    }

    pub fn put(&self, path: &str, body: Value) -> Answer {
        self.request("PUT", path).json(&body).answer()
    }

    pub fn patch(&self, path: &str, body: Value) -> Answer {
        let request = self.request("PATCH", path).body(body.to_string());
        request
            .header("content-type", "application/merge-patch+json")
            .answer()
    }

    /// A new user, as the service represents it.
    pub fn create(&self, profile: Value) -> Value {
        let created = self.post("/users", profile);
        assert_eq!(created.status, 201, "{}", created.body);
        created.json()
    }

    /// Fails unless the query is refused there, with a detail that names the parameter.
    #[track_caller]
    pub fn refuses_query(&self, path: &str, query: &str, parameter: &str) {
        let refused = self.get(&format!("{path}?{query}"));
        assert_eq!(refused.status, 400, "{query}: {refused:?}");
        let problem = refused.problem();
        let detail = problem["detail"].as_str().expect("a detail");
        assert!(detail.contains(parameter), "{query}: {detail}");
    }
}

/// An email address that no other test uses, nor an earlier run.
pub fn new_email() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = now.expect("a clock after 1970").as_nanos();
    format!("u{now}.{}.{number}@example.com", std::process::id())
}

/// A text as a part of a query, each of its bytes encoded.
pub fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// The path of a user.
pub fn path(user: &Value) -> String {
    format!("/users/{}", user["id"])
}

/// A response, read whole.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    headers: HeaderMap,
    pub body: String,
}

impl Answer {
    /// A header's value, if it is there.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .get(name)
            .map(|value| value.to_str().expect("a header of ASCII"))
    }

    /// The path of the next page, if there is one.
    pub fn next_page(&self) -> Option<String> {
        let (target, relation) = self.header("link")?.split_once("; ").expect("a link");
        assert_eq!(relation, "rel=\"next\"");
        Some(target.trim_matches(['<', '>']).to_owned())
    }

    /// Changes a header, for tests of the tests.
    pub fn set_header(&mut self, name: &'static str, value: &'static str) {
        let value = HeaderValue::from_static(value);
        self.headers.insert(name, value);
    }

    /// Takes a header out, for tests of the tests.
    pub fn remove_header(&mut self, name: &str) {
        self.headers.remove(name);
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {:?}", self.body))
    }

    /// The problem document, which must be one and say what the status says.
    pub fn problem(&self) -> Value {
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json"),
            "{self:?}"
        );
        let problem = self.json();
        assert_eq!(problem["status"], self.status, "{self:?}");
        for member in ["type", "title", "detail"] {
            assert!(problem[member].is_string(), "{self:?}");
        }
        problem
    }

    /// The pointers of the members that a problem names, in order.
    pub fn pointers(&self) -> Vec<String> {
        let problem = self.problem();
        let errors = problem["errors"]
            .as_array()
            .unwrap_or_else(|| panic!("no errors: {problem}"));
        let pointers = errors.iter().map(|error| {
            assert!(error["detail"].is_string(), "{problem}");
            error["pointer"].as_str().expect("a pointer").to_owned()
        });
        pointers.collect()
    }
}

/// Sends a request and reads the response.
pub trait Send {
    /// The response must be one that the description has.
    fn answer(self) -> Answer;

    /// The response to a procedure call, which the description does not have.
    fn answer_of_call(self) -> Answer;
}

impl Send for RequestBuilder {
    fn answer(self) -> Answer {
        let (method, path, answer) = send(self);
        contract::check(&method, &path, &answer);
        answer
    }

    fn answer_of_call(self) -> Answer {
        let (.., answer) = send(self);
        answer
    }
}

/// The method and the path of a request, and its response.
fn send(request: RequestBuilder) -> (String, String, Answer) {
    let (client, request) = request.build_split();
    let request = request.expect("a request");
    let method = request.method().to_string();
    let path = request.url().path().to_owned();
    let response = client.execute(request).expect("the service answers");
    let answer = Answer {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        body: response.text().expect("a body of text"),
    };
    (method, path, answer)
}
