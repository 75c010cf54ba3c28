//! The embedded host with the real components and a store of its own.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use reqwest::{Client, Method};
use serde_json::Value;

use super::root;

/// A service, which ends with its last clone.
#[derive(Clone)]
pub struct Service {
    pub url: String,
    token: Option<String>,
    client: Client,
    _host: Arc<Host>,
}

/// Its program, and its store.
struct Host(Child, PathBuf);

impl Drop for Host {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
        std::fs::remove_dir_all(&self.1).ok();
    }
}

/// A token of that scope, and the line that makes it valid, perhaps for a while only, such as `8s`.
pub fn token(scope: &str, expires: Option<&str>) -> (String, String) {
    let mut command = Command::new(root().join("target/host/edge-users"));
    command.args(["token", "new", "--name", "browser", "--scope", scope]);
    command.args(expires.map(|time| format!("--expires={time}")));
    let output = command.output().expect("the client is built: make build");
    let text = String::from_utf8(output.stdout).expect("a text");
    let mut words = text.split_whitespace();
    let secret = words.find(|word| word.starts_with("eu_"));
    let mut lines = text.lines().map(str::trim);
    let line = lines.find(|line| line.starts_with(&format!("browser {scope} ")));
    let (secret, line) = (secret.expect("a secret"), line.expect("a line"));
    (secret.to_owned(), line.to_owned())
}

impl Service {
    /// A service that lets everybody in.
    pub fn open() -> Service {
        Service::start(&["auth=off", "indexed_attributes=team"], None)
    }

    /// A service that takes these tokens, by their lines; its own requests have `token`.
    pub fn closed(lines: &[&str], token: &str) -> Service {
        let tokens = format!("tokens={}", lines.join("\n"));
        Service::start(&[&tokens], Some(token.to_owned()))
    }

    fn start(variables: &[&str], token: Option<String>) -> Service {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let state = root().join(format!(
            "target/browser/state-{}-{number}",
            std::process::id()
        ));
        std::fs::remove_dir_all(&state).ok();
        let mut command = Command::new(root().join("target/host/edge-host"));
        command.args(["up", "--listen", "127.0.0.1:0", "--from"]);
        command.arg(root()).arg("--state-dir").arg(&state);
        for variable in variables {
            command.args(["--variable", variable]);
        }
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("the host is built: make build");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let serving = lines
            .by_ref()
            .map_while(Result::ok)
            .find(|line| line.starts_with("Serving "));
        // It prints its audit trail, and would wait for somebody to read it.
        std::thread::spawn(move || lines.for_each(drop));
        let url = serving.expect("the host serves").replace("Serving ", "");
        Service {
            url,
            token,
            client: Client::new(),
            _host: Arc::new(Host(child, state)),
        }
    }

    pub async fn request(
        &self,
        method: Method,
        path: &str,
        content: Option<(&str, String)>,
    ) -> Value {
        let mut request = self.client.request(method, format!("{}{path}", self.url));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some((media_type, body)) = content {
            request = request.header("content-type", media_type).body(body);
        }
        let response = request.send().await.expect("the service answers");
        let text = response.text().await.expect("a text");
        serde_json::from_str(&text).unwrap_or(Value::String(text))
    }

    /// How many users there are.
    pub async fn total(&self) -> String {
        let request = self.client.get(format!("{}/users?limit=1", self.url));
        let response = request.send().await.expect("the service answers");
        let total = response.headers()["x-total-count"].to_str();
        total.expect("a text").to_owned()
    }

    pub async fn get(&self, path: &str) -> Value {
        self.request(Method::GET, path, None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Value {
        self.request(
            Method::POST,
            path,
            Some(("application/json", body.to_string())),
        )
        .await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Value {
        self.request(
            Method::PATCH,
            path,
            Some(("application/json", body.to_string())),
        )
        .await
    }

    /// Makes users of these texts of JSON.
    pub async fn import(&self, users: impl IntoIterator<Item = Value>) {
        let lines = users.into_iter().map(|user| format!("{user}\n"));
        let content = ("application/x-ndjson", lines.collect());
        self.request(Method::POST, "/users/import", Some(content))
            .await;
    }
}
