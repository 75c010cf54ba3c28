//! The files of `deploy/` for Prometheus and Grafana, and `docs/monitoring.md`, held against the
//! page of metrics. Where Prometheus is installed, a real one asks for the page.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use edge_host::Host;
use serde_json::Value;

use crate::support::{Application, TEST_TIMEOUT, get, skipped};

const DASHBOARD: &str = "deploy/grafana/edge-users.json";
const ALERTS: &str = "deploy/prometheus/alerts.yaml";
const ALERT_TESTS: &str = "deploy/prometheus/alerts.test.yaml";
const CONFIGURATION: &str = "deploy/prometheus/prometheus.yaml";
const DOCUMENT: &str = "docs/monitoring.md";

fn path(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .join(file)
}

fn text(file: &str) -> String {
    fs::read_to_string(path(file)).unwrap()
}

/// The queries of the dashboard's panels, by the panel's title.
fn queries() -> Vec<(String, String)> {
    let dashboard: Value = serde_json::from_str(&text(DASHBOARD)).unwrap();
    let mut queries = Vec::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().into_iter().flatten() {
            let title = panel["title"].as_str().unwrap();
            let query = target["expr"].as_str().unwrap();
            queries.push((title.to_owned(), query.to_owned()));
        }
    }
    assert!(queries.len() > 20);
    queries
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
}

fn metrics_in(text: &str) -> BTreeSet<String> {
    let is_metric = |word: &&str| word.starts_with("edge_host_") || word.starts_with("process_");
    words(text).filter(is_metric).map(str::to_owned).collect()
}

/// A host with a page of metrics, after requests of all kinds.
async fn watched() -> (Host, Application) {
    let application = Application::probe("");
    let mut options = application.options();
    options.metrics = Some("127.0.0.1:0".parse().unwrap());
    let host = Host::start(options).await.unwrap();
    ask(host.local_addr()).await;
    (host, application)
}

async fn ask(address: SocketAddr) {
    for path in ["/hello", "/stores/default/get/a", "/trap"] {
        get(address, path).await;
    }
}

#[tokio::test]
async fn whatever_is_asked_for_is_on_the_page() {
    let (host, _application) = watched().await;
    let page = get(host.metrics_addr().unwrap(), "/metrics").await;
    let page = page.text();
    let on_the_page = metrics_in(page);
    let mut asked: Vec<(String, String)> = queries();
    for file in [ALERTS, ALERT_TESTS, DOCUMENT] {
        asked.push((file.to_owned(), text(file)));
    }
    for (place, text) in &asked {
        let unknown: Vec<_> = metrics_in(text).difference(&on_the_page).cloned().collect();
        assert!(
            unknown.is_empty(),
            "{place} has {unknown:?}, the page has {on_the_page:#?}"
        );
    }
    // Labels, too: Prometheus takes one that is not there for an empty one.
    let labels = page
        .split(['{', ','])
        .filter_map(|part| Some(part.split_once("=\"")?.0));
    let labels: BTreeSet<&str> = labels.chain(["job", "instance"]).collect();
    for (place, text) in asked.iter().filter(|(place, _)| place != DOCUMENT) {
        let lists = ["by (", "on (", "group_left ("].into_iter();
        let lists = lists.flat_map(|word| text.split(word).skip(1));
        let lists = lists.map(|rest| rest.split(')').next().unwrap());
        let selectors = text
            .split('{')
            .skip(1)
            .map(|rest| rest.split('}').next().unwrap());
        let selectors = selectors.flat_map(|selector| selector.split(','));
        let selected = selectors.filter_map(|part| Some(part.split_once(['=', '!'])?.0));
        for label in lists.flat_map(words).chain(selected.flat_map(words)) {
            assert!(labels.contains(label), "{place} asks for the label {label}");
        }
    }
}

#[tokio::test]
async fn every_metric_is_explained() {
    let (host, _application) = watched().await;
    let page = get(host.metrics_addr().unwrap(), "/metrics").await;
    let types = page
        .text()
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE "));
    let document = metrics_in(&text(DOCUMENT));
    for name in types.map(|line| line.split(' ').next().unwrap()) {
        assert!(
            document.contains(name),
            "{DOCUMENT} does not explain {name}"
        );
    }
    let alerts = text(ALERTS);
    let alerts = alerts
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- alert: "));
    for alert in alerts {
        let heading = format!("| `{alert}` |");
        assert!(
            text(DOCUMENT).contains(&heading),
            "{DOCUMENT} does not explain {alert}"
        );
        assert!(
            text(ALERT_TESTS).contains(alert),
            "{ALERT_TESTS} does not try {alert}"
        );
    }
}

#[test]
fn each_alert_comes_in_trouble_and_not_without() {
    let runs = [&["check", "rules", ALERTS], &["test", "rules", ALERT_TESTS]];
    for arguments in runs {
        let mut promtool = Command::new("promtool");
        promtool.args(arguments).current_dir(path(""));
        let Ok(output) = promtool.output() else {
            return skipped("promtool");
        };
        assert!(output.status.success(), "{arguments:?}: {output:?}");
    }
}

/// A Prometheus that watches a host, as `deploy/prometheus` configures it, but more often.
struct Prometheus {
    process: Child,
    address: SocketAddr,
    _directory: tempfile::TempDir,
}

impl Prometheus {
    /// None if it is not installed.
    async fn start(page: SocketAddr) -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let configuration = text(CONFIGURATION)
            .replace("127.0.0.1:9464", &page.to_string())
            .replace("interval: 15s", "interval: 200ms")
            .replace("- alerts.yaml", &format!("- {}", path(ALERTS).display()));
        assert!(configuration.contains(&page.to_string()) && configuration.contains("200ms"));
        let file = directory.path().join("prometheus.yaml");
        fs::write(&file, configuration).unwrap();
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let process = Command::new("prometheus")
            .arg(format!("--config.file={}", file.display()))
            .arg(format!(
                "--storage.tsdb.path={}",
                directory.path().join("data").display()
            ))
            .arg(format!("--web.listen-address={address}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let prometheus = Self {
            process,
            address,
            _directory: directory,
        };
        let deadline = Instant::now() + TEST_TIMEOUT;
        while tokio::net::TcpStream::connect(address).await.is_err() {
            assert!(Instant::now() < deadline, "Prometheus does not start");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Some(prometheus)
    }

    async fn api(&self, path: &str) -> Value {
        let answer = get(self.address, path).await;
        serde_json::from_slice(&answer.body).unwrap_or_default()
    }

    /// The values that a query has now.
    async fn query(&self, query: &str) -> Vec<f64> {
        let mut encoded = String::new();
        for byte in query.bytes() {
            write!(encoded, "%{byte:02X}").unwrap();
        }
        let answer = self.api(&format!("/api/v1/query?query={encoded}")).await;
        // While it starts, it answers nothing.
        assert_ne!(answer["status"], "error", "{query}: {answer}");
        let results = answer["data"]["result"].as_array().into_iter().flatten();
        let values = results.map(|result| result["value"][1].as_str().unwrap());
        values.map(|value| value.parse().unwrap()).collect()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

#[tokio::test]
async fn prometheus_answers_every_query_of_the_dashboard() {
    let (host, _application) = watched().await;
    let Some(prometheus) = Prometheus::start(host.metrics_addr().unwrap()).await else {
        return skipped("prometheus");
    };
    for (title, query) in queries() {
        let query = query
            .replace("$job", "edge-users")
            .replace("$__rate_interval", "3s")
            .replace("$__range:15s", "30s:200ms")
            .replace("$__range", "30s");
        assert!(!query.contains('$'), "{query}");
        let deadline = Instant::now() + TEST_TIMEOUT;
        loop {
            ask(host.local_addr()).await;
            let values = prometheus.query(&query).await;
            // A rate is unknown until Prometheus has asked twice; a quantile of no requests
            // is not a number.
            let is_known = match (title.as_str(), values.first()) {
                ("Throughput" | "Latency", Some(value)) => *value > 0.0,
                ("Availability", Some(value)) => *value == 1.0,
                ("Requests without a failure", Some(value)) => 0.0 < *value && *value < 1.0,
                _ => values.iter().any(|value| value.is_finite()),
            };
            if is_known {
                break;
            }
            assert!(Instant::now() < deadline, "{title}: {query} has {values:?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    // It evaluates the alerts, too.
    let rules = prometheus.api("/api/v1/rules").await;
    let rules = rules["data"]["groups"][0]["rules"].as_array().unwrap();
    assert!(
        rules.len() >= 12 && rules.iter().all(|rule| rule["health"] == "ok"),
        "{rules:#?}"
    );
    host.shutdown().await.unwrap();
}
