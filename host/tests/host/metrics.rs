//! The page of metrics.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::{SocketAddr, TcpListener};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use edge_host::{Host, UpOptions};
use http::Method;

use crate::support::http2::Http2;
use crate::support::{
    Application, Client, Program, TEST_TIMEOUT, get, put, refused, request, rest_of, send, skipped,
};

const DURATION_COUNT: &str = "edge_host_request_duration_seconds_count";
const OPERATION_COUNT: &str = "edge_host_store_operation_duration_seconds_count";

/// A host of the probe that has a page of metrics.
struct Watched {
    host: Host,
    _application: Application,
}

impl Watched {
    async fn start() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut UpOptions)) -> Self {
        let application = Application::probe("");
        let mut options = application.options();
        options.metrics = Some("127.0.0.1:0".parse().unwrap());
        change(&mut options);
        Self {
            host: Host::start(options).await.unwrap(),
            _application: application,
        }
    }

    fn address(&self) -> SocketAddr {
        self.host.local_addr()
    }

    async fn page(&self) -> String {
        let answer = get(self.host.metrics_addr().unwrap(), "/metrics").await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.headers["content-type"], "text/plain; version=0.0.4");
        answer.text().to_owned()
    }

    async fn series(&self) -> BTreeMap<String, f64> {
        series(&self.page().await)
    }

    /// Waits until a series has this value: responses are counted once their clients have them.
    async fn wait_for(&self, series: &str, value: f64) {
        let deadline = Instant::now() + TEST_TIMEOUT;
        loop {
            let all = self.series().await;
            if all.get(series).copied().unwrap_or_default() == value {
                return;
            }
            assert!(
                Instant::now() < deadline,
                "{series} is not {value}: {all:#?}"
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Waits until so many requests of the route have ended so.
    async fn wait_for_requests(&self, method: &str, status: &str, count: f64) {
        let labels =
            format!("component=\"probe\",method=\"{method}\",route=\"/...\",status=\"{status}\"");
        self.wait_for(&format!("{DURATION_COUNT}{{{labels}}}"), count)
            .await;
    }
}

fn series(page: &str) -> BTreeMap<String, f64> {
    let lines = page.lines().filter(|line| !line.starts_with('#'));
    let lines = lines.map(|line| line.rsplit_once(' ').unwrap());
    lines
        .map(|(series, value)| (series.to_owned(), value.parse().unwrap()))
        .collect()
}

#[tokio::test]
async fn the_page_has_a_port_of_its_own() {
    let application = Application::probe("");
    let program = Program::start(&application, &["--metrics", "127.0.0.1:0"]);
    let line = |line: &String| Some(line.strip_prefix("Metrics: http://")?.to_owned());
    let url = program.summary().iter().find_map(line).unwrap();
    let address = url.strip_suffix("/metrics").unwrap().parse().unwrap();
    let page = get(address, "/metrics").await;
    assert!(page.text().contains("\nedge_host_build_info{version=\""));
    assert_eq!(get(address, "/hello").await.status, 404);
    let post = send(address, request("POST", "/metrics", "")).await;
    assert_eq!(
        (post.status.as_u16(), &post.headers["allow"]),
        (405, &"GET, HEAD".parse().unwrap())
    );
    // Clients of the application get no metrics.
    assert_eq!(get(program.address(), "/metrics").await.status, 404);
    // Nobody who does not ask for the page has it.
    let (host, _application) = crate::support::start().await;
    assert_eq!(host.metrics_addr(), None);
}

#[tokio::test]
async fn a_port_that_is_taken_is_told_by_its_flag() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let line = refused(&Application::probe(""), &["--metrics", &address]);
    let expected = format!("{address} is already in use; choose another with --metrics");
    assert_eq!(line, expected);
}

#[tokio::test]
async fn requests_are_counted_by_route_method_and_class_of_status() {
    let watched = Watched::start().await;
    for _ in 0..3 {
        get(watched.address(), "/hello").await;
    }
    get(watched.address(), "/nothing").await;
    get(watched.address(), "/refuse/503").await;
    put(watched.address(), "/echo", "a body").await;
    watched.wait_for_requests("GET", "2xx", 3.0).await;
    watched.wait_for_requests("GET", "4xx", 1.0).await;
    watched.wait_for_requests("GET", "5xx", 1.0).await;
    watched.wait_for_requests("PUT", "2xx", 1.0).await;
    // The host's own page, and a request that it refuses for its target.
    get(watched.address(), "/.well-known/spin/health").await;
    let own = "component=\"\",method=\"GET\",route=\"/.well-known/spin/...\",status=\"2xx\"";
    let own = format!("{DURATION_COUNT}{{{own}}}");
    watched.wait_for(&own, 1.0).await;
}

#[tokio::test]
async fn clients_cannot_make_series() {
    let watched = Watched::start().await;
    let methods = ["GET", "BREW", "PROPFIND", "get"];
    let ask = async |round: usize| {
        for method in methods {
            for path in ["/hello", "/users/ada@example.com", "/.well-known/spin/x"] {
                let method = if method == "BREW" {
                    format!("BREW{round}")
                } else {
                    method.to_owned()
                };
                let mut request = request("GET", &format!("{path}?{round}"), "");
                *request.method_mut() = Method::from_bytes(method.as_bytes()).unwrap();
                send(watched.address(), request).await;
            }
        }
    };
    ask(0).await;
    let names = |all: BTreeMap<String, f64>| all.into_keys().collect::<Vec<_>>();
    watched.wait_for("edge_host_requests_in_flight", 0.0).await;
    let before = names(watched.series().await);
    for round in 1..20 {
        ask(round).await;
    }
    watched.wait_for("edge_host_requests_in_flight", 0.0).await;
    assert_eq!(names(watched.series().await), before);
    let page = watched.page().await;
    assert!(!page.contains("ada@example.com") && !page.contains("BREW"));
    assert!(page.contains("method=\"other\""));
}

#[tokio::test]
async fn what_is_there_is_counted_while_it_is_there() {
    let watched = Watched::with(|options| {
        options.idle_instance_timeout = Duration::from_millis(300);
        options.max_connections = 50;
    })
    .await;
    let mut client = Client::connect(watched.address()).await;
    let dripping = client.begin("/drip/25").await;
    let all = watched.series().await;
    assert_eq!(all["edge_host_requests_in_flight"], 1.0);
    assert_eq!(all["edge_host_requests_waiting"], 0.0);
    assert_eq!(all["edge_host_connections"], 1.0);
    assert_eq!(all["edge_host_connections_limit"], 50.0);
    assert_eq!(all["edge_host_instances{component=\"probe\"}"], 1.0);
    // The instance's, the request's and the connection's.
    let (memory, limit) = ("edge_host_memory_bytes", "edge_host_memory_limit_bytes");
    assert!(all[memory] > 1e6 && all[memory] < all[limit], "{all:#?}");
    rest_of(dripping).await;
    watched.wait_for("edge_host_requests_in_flight", 0.0).await;
    assert_eq!(watched.series().await["edge_host_connections"], 1.0);
    drop(client);
    watched.wait_for("edge_host_connections", 0.0).await;
    watched
        .wait_for("edge_host_instances{component=\"probe\"}", 0.0)
        .await;
    let all = watched.series().await;
    assert_eq!(all["edge_host_memory_bytes"], 0.0);
    assert_eq!(all["edge_host_connections_accepted_total"], 1.0);
    assert_eq!(
        all["edge_host_instances_created_total{component=\"probe\"}"],
        1.0
    );
}

#[tokio::test]
async fn the_process_is_measured() {
    let watched = Watched::start().await;
    get(watched.address(), "/hello").await;
    let all = watched.series().await;
    let now = std::time::SystemTime::now();
    let now = now
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs_f64();
    let started = all["process_start_time_seconds"];
    assert!(now - 3600.0 < started && started <= now + 1.0, "{started}");
    assert!(all["process_resident_memory_bytes"] > 1e6);
    assert!(all["process_open_fds"] > 3.0);
    assert!(all["process_max_fds"] > all["process_open_fds"]);
    let used = all["process_cpu_seconds_total"];
    assert!(watched.series().await["process_cpu_seconds_total"] >= used);
}

#[tokio::test]
async fn a_request_that_its_client_leaves_is_aborted() {
    // The instance goes on until then.
    let limit = Duration::from_secs(1);
    let watched = Watched::with(|options| options.request_timeout = limit).await;
    let mut connection = Http2::connect(watched.address(), 65_535).await;
    let left = connection.get("/sleep/60000").await;
    watched.wait_for("edge_host_requests_in_flight", 1.0).await;
    // The client resets the stream.
    drop(left);
    watched.wait_for_requests("GET", "aborted", 1.0).await;
}

#[tokio::test]
async fn a_response_that_breaks_off_is_a_failure() {
    let watched = Watched::start().await;
    let mut client = Client::connect(watched.address()).await;
    let request = request("GET", "/trap-after-head", "");
    assert!(client.try_send(request).await.is_err());
    watched.wait_for_requests("GET", "5xx", 1.0).await;
}

#[tokio::test]
async fn failures_of_a_component_are_counted_by_their_reason() {
    let limit = Duration::from_millis(200);
    let watched = Watched::with(|options| options.request_timeout = limit).await;
    let failures = |reason| {
        let labels = format!("component=\"probe\",reason=\"{reason}\"");
        format!("edge_host_component_failures_total{{{labels}}}")
    };
    let all = watched.series().await;
    assert_eq!(
        (all[&failures("failure")], all[&failures("time_limit")]),
        (0.0, 0.0)
    );
    assert_eq!(get(watched.address(), "/trap").await.status, 500);
    assert_eq!(get(watched.address(), "/loop").await.status, 504);
    watched.wait_for(&failures("failure"), 1.0).await;
    watched.wait_for(&failures("time_limit"), 1.0).await;
}

#[tokio::test]
async fn store_operations_are_counted_by_kind_with_their_errors() {
    let watched = Watched::start().await;
    let labels = |operation| format!("{{operation=\"{operation}\",store=\"default\"}}");
    let errors = |operation| {
        format!(
            "edge_host_store_operation_errors_total{}",
            labels(operation)
        )
    };
    let count = |operation| format!("{OPERATION_COUNT}{}", labels(operation));
    put(watched.address(), "/stores/default/set/a", "words").await;
    for key in ["a", "b", "c"] {
        get(watched.address(), &format!("/stores/default/get/{key}")).await;
    }
    // It is no counter.
    get(watched.address(), "/atomics/increment/a/1").await;
    let all = watched.series().await;
    for (operation, expected) in [
        ("set", 1.0),
        ("get", 3.0),
        ("increment", 1.0),
        ("swap", 0.0),
    ] {
        assert_eq!(all[&count(operation)], expected, "{operation}");
    }
    for (operation, expected) in [("set", 0.0), ("get", 0.0), ("increment", 1.0)] {
        assert_eq!(all[&errors(operation)], expected, "{operation}");
    }
}

#[tokio::test]
async fn the_phases_of_requests_make_up_their_time() {
    let watched = Watched::start().await;
    for _ in 0..3 {
        get(watched.address(), "/sleep/20").await;
    }
    watched.wait_for_requests("GET", "2xx", 3.0).await;
    let all = watched.series().await;
    let sum = |prefix: &str| {
        let values = all.iter().filter(|(series, _)| series.starts_with(prefix));
        values.map(|(_, value)| value).sum::<f64>()
    };
    let time = sum("edge_host_request_duration_seconds_sum");
    let phases = sum("edge_host_request_phase_seconds_total");
    assert!((time - phases).abs() < 1e-6, "{all:#?}");
    let process = "edge_host_request_phase_seconds_total{component=\"probe\",phase=\"process\"}";
    assert!(all[process] >= 0.06);
}

#[tokio::test]
async fn promtool_finds_no_fault_with_the_page() {
    let watched = Watched::start().await;
    get(watched.address(), "/stores/default/get/a").await;
    watched.wait_for_requests("GET", "2xx", 1.0).await;
    let page = watched.page().await;
    let promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut promtool) = promtool else {
        return skipped("promtool");
    };
    let mut stdin = promtool.stdin.take().unwrap();
    stdin.write_all(page.as_bytes()).unwrap();
    drop(stdin);
    let output = promtool.wait_with_output().unwrap();
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{output:?}"
    );
}
