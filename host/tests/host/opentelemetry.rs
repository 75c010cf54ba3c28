//! Traces, metrics and logs by OTLP, received by a program on OpenTelemetry's own messages.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use http::{Request, header::HeaderValue};
use http_body_util::Full;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::support::{Application, Program, edge_host, get, request, send, skipped};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

/// A receiver of OTLP.
struct Collector {
    process: Child,
    grpc: u16,
    http: u16,
    lines: Receiver<Value>,
}

impl Collector {
    /// None, and a line that says so, where the program is not ready.
    fn start() -> Option<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let process = Command::new(root.join("target/otlp/bin/python"))
            .arg(root.join("host/tests/otlp/receiver.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let Ok(mut process) = process else {
            skipped("host/tests/otlp/install");
            return None;
        };
        let mut stdout = BufReader::new(process.stdout.take().unwrap());
        let mut ports = String::new();
        stdout.read_line(&mut ports).unwrap();
        let (grpc, http) = ports.trim().split_once(' ').unwrap();
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in stdout.lines() {
                let line = serde_json::from_str(&line.unwrap()).unwrap();
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Some(Self {
            process,
            grpc: grpc.parse().unwrap(),
            http: http.parse().unwrap(),
            lines,
        })
    }

    /// A program that sends here by `protocol`.
    fn program(&self, application: &Application, protocol: &str) -> Program {
        let variables = [
            ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
            ("OTEL_EXPORTER_OTLP_HEADERS", "x-key=secret"),
            ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
            ("OTEL_SERVICE_NAME", "users"),
            (
                "OTEL_RESOURCE_ATTRIBUTES",
                "deployment.environment.name=test",
            ),
        ];
        let port = if protocol == "grpc" {
            self.grpc
        } else {
            self.http
        };
        program(application, port, &variables)
    }

    /// All that the program has sent when it has ended.
    fn received(&self, mut program: Program) -> Received {
        program.signal("TERM");
        assert_eq!(program.wait().code(), Some(0));
        // It is received before the program ends.
        let mut requests = Vec::new();
        while let Ok(request) = self.lines.recv_timeout(Duration::from_millis(500)) {
            requests.push(request);
        }
        Received(requests)
    }
}

/// A program with these variables whose collector is at this port, on HTTP if they don't say more.
fn program(application: &Application, port: u16, variables: &[(&str, &str)]) -> Program {
    let mut command = edge_host();
    command
        .args(["up", "--listen", "127.0.0.1:0"])
        .current_dir(application.directory())
        .env(
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            format!("http://127.0.0.1:{port}"),
        )
        .envs(variables.iter().copied());
    Program::spawn(command)
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

struct Received(Vec<Value>);

impl Received {
    fn of(&self, signal: &str) -> impl Iterator<Item = &Value> {
        self.0
            .iter()
            .filter(move |request| request["signal"] == signal)
    }

    /// What is under these members, of all requests of a signal.
    fn all(&self, signal: &str, members: [&str; 3]) -> Vec<&Value> {
        let mut values: Vec<&Value> = self.of(signal).map(|request| &request["message"]).collect();
        for member in members {
            let inner = values.iter().map(|value| value[member].as_array());
            values = inner.flatten().flatten().collect();
        }
        values
    }

    fn spans(&self) -> Vec<Span> {
        let spans = self.all("traces", ["resourceSpans", "scopeSpans", "spans"]);
        spans.into_iter().map(Span::of).collect()
    }

    fn span(&self, name: &str) -> Span {
        let mut spans = self.spans().into_iter().filter(|span| span.name == name);
        let span = spans.next();
        span.unwrap_or_else(|| panic!("no span {name}: {:#?}", self.spans()))
    }

    fn metric(&self, name: &str) -> Vec<Value> {
        let metrics = self.all("metrics", ["resourceMetrics", "scopeMetrics", "metrics"]);
        let mut metrics = metrics.into_iter().rev();
        let metric = metrics.find(|metric| metric["name"] == name);
        let metric = metric.unwrap_or_else(|| panic!("no metric {name}"));
        let points = ["histogram", "sum", "gauge"].iter();
        let mut points = points.filter_map(|kind| metric[kind]["dataPoints"].as_array());
        points.next().unwrap().clone()
    }
}

/// A span, with its ids in hexadecimal digits.
#[derive(Clone, Debug)]
struct Span {
    name: String,
    kind: String,
    trace: String,
    id: String,
    parent: String,
    has_failed: bool,
    attributes: Vec<(String, String)>,
}

impl Span {
    fn of(span: &Value) -> Self {
        Self {
            name: span["name"].as_str().unwrap().to_owned(),
            kind: span["kind"].as_str().unwrap_or_default().to_owned(),
            trace: hex(&span["traceId"]),
            id: hex(&span["spanId"]),
            parent: hex(&span["parentSpanId"]),
            has_failed: span["status"]["code"] == "STATUS_CODE_ERROR",
            attributes: attributes(span),
        }
    }

    fn attribute(&self, name: &str) -> Option<&str> {
        let mut attributes = self.attributes.iter();
        let found = attributes.find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// The bytes of a member, which JSON has in base64.
fn hex(value: &Value) -> String {
    let digit = |letter: u8| match letter {
        b'A'..=b'Z' => letter - b'A',
        b'a'..=b'z' => letter - b'a' + 26,
        b'0'..=b'9' => letter - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let letters = value.as_str().unwrap_or_default().trim_end_matches('=');
    let bits: String = letters
        .bytes()
        .map(|letter| format!("{:06b}", digit(letter)))
        .collect();
    let bytes = bits.as_bytes().chunks_exact(8);
    let bytes =
        bytes.map(|bits| u8::from_str_radix(std::str::from_utf8(bits).unwrap(), 2).unwrap());
    bytes.map(|byte| format!("{byte:02x}")).collect()
}

fn attributes(value: &Value) -> Vec<(String, String)> {
    let attributes = value["attributes"].as_array().into_iter().flatten();
    let pairs = attributes.map(|attribute| {
        let value = attribute["value"]
            .as_object()
            .unwrap()
            .values()
            .next()
            .unwrap();
        let value = value.as_str().map_or(value.to_string(), str::to_owned);
        (attribute["key"].as_str().unwrap().to_owned(), value)
    });
    pairs.collect()
}

fn traced(path: &str) -> Request<Full<bytes::Bytes>> {
    let mut request = request("GET", path, "");
    let parent = format!("00-{TRACE}-{PARENT}-01");
    let parent = HeaderValue::try_from(parent).unwrap();
    request.headers_mut().insert("traceparent", parent);
    request
}

#[tokio::test]
async fn a_request_is_traced_from_its_client_to_the_store() {
    for protocol in ["grpc", "http/protobuf"] {
        let Some(collector) = Collector::start() else {
            return;
        };
        let application = Application::probe("");
        let program = collector.program(&application, protocol);
        let path = "/stores/default/get/ada@example.com?secret";
        send(program.address(), traced(path)).await;
        let received = collector.received(program);
        let server = received.span("GET /...");
        assert_eq!(
            (server.trace.as_str(), server.parent.as_str()),
            (TRACE, PARENT)
        );
        assert_eq!(server.kind, "SPAN_KIND_SERVER");
        for (name, value) in [
            ("http.request.method", "GET"),
            ("http.route", "/..."),
            ("http.response.status_code", "200"),
            ("component_id", "probe"),
        ] {
            assert_eq!(server.attribute(name), Some(value), "{server:?}");
        }
        let execution = received.span("execute_wasm_component probe");
        assert_eq!(
            (&execution.trace, &execution.parent),
            (&server.trace, &server.id)
        );
        let operation = received.span("wasi_key_value.get");
        assert_eq!(
            (&operation.trace, &operation.parent),
            (&server.trace, &execution.id)
        );
        assert_eq!(operation.kind, "SPAN_KIND_CLIENT");
        assert!(received.spans().iter().all(|span| !span.has_failed));
        for request in &received.0 {
            assert_eq!(request["protocol"], protocol);
            assert_eq!(request["headers"]["x-key"], "secret");
        }
        // Nothing of a user: not the key of the store, not the query.
        let text = format!("{:?}", received.0);
        assert!(!text.contains("ada") && !text.contains("?secret"), "{text}");
    }
}

#[tokio::test]
async fn metrics_have_the_names_of_the_page() {
    for protocol in ["grpc", "http/protobuf"] {
        let Some(collector) = Collector::start() else {
            return;
        };
        let application = Application::probe("");
        let program = collector.program(&application, protocol);
        for _ in 0..3 {
            get(program.address(), "/stores/default/get/a").await;
        }
        let received = collector.received(program);
        let requests = received.metric("edge_host_request_duration_seconds");
        assert_eq!((requests.len(), &requests[0]["count"]), (1, &"3".into()));
        assert!(requests[0]["explicitBounds"].as_array().unwrap().len() > 10);
        let mut labels = attributes(&requests[0]);
        labels.sort();
        let expected = [
            ("component", "probe"),
            ("method", "GET"),
            ("route", "/..."),
            ("status", "2xx"),
        ];
        assert_eq!(
            labels,
            expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
        let operations = received.metric("edge_host_store_operation_duration_seconds");
        let is_get = |point: &&Value| {
            attributes(point).contains(&("operation".to_owned(), "get".to_owned()))
        };
        assert_eq!(operations.iter().find(is_get).unwrap()["count"], "3");
        let created = received.metric("edge_host_instances_created");
        assert!(created[0]["asDouble"].as_f64().unwrap() >= 1.0);
        let memory = received.metric("edge_host_memory_limit_bytes");
        assert!(memory[0]["asDouble"].as_f64().unwrap() > 1e6);
        assert!(
            received.metric("process_resident_memory_bytes")[0]["asDouble"]
                .as_f64()
                .unwrap()
                > 1e6
        );
    }
}

#[tokio::test]
async fn lines_of_the_log_are_sent_with_their_component() {
    for protocol in ["grpc", "http/protobuf"] {
        let Some(collector) = Collector::start() else {
            return;
        };
        let application = Application::probe("");
        let program = collector.program(&application, protocol);
        get(program.address(), "/print/words").await;
        get(program.address(), "/trap").await;
        let received = collector.received(program);
        let records = received.all("logs", ["resourceLogs", "scopeLogs", "logRecords"]);
        let record = |text: &str| {
            let body = |record: &&&Value| {
                record["body"]["stringValue"]
                    .as_str()
                    .unwrap()
                    .starts_with(text)
            };
            *records
                .iter()
                .find(body)
                .unwrap_or_else(|| panic!("{text}: {records:#?}"))
        };
        let stdout = attributes(record("words to stdout"));
        let expected = [("component_id", "probe"), ("log.iostream", "stdout")];
        assert_eq!(
            stdout,
            expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
        assert!(
            attributes(record("words to stderr"))
                .contains(&("log.iostream".into(), "stderr".into()))
        );
        let report = record("GET /trap in component probe failed: ");
        assert_eq!(report["severityNumber"], "SEVERITY_NUMBER_WARN");
        let resource = received.of("logs").next().unwrap();
        let resource = attributes(&resource["message"]["resourceLogs"][0]["resource"]);
        for (name, value) in [
            ("service.name", "users"),
            ("deployment.environment.name", "test"),
        ] {
            assert!(
                resource.contains(&(name.to_owned(), value.to_owned())),
                "{resource:?}"
            );
        }
    }
}

#[tokio::test]
async fn failures_are_failures_of_their_spans() {
    let Some(collector) = Collector::start() else {
        return;
    };
    let application = Application::probe("");
    let program = collector.program(&application, "http/protobuf");
    assert_eq!(get(program.address(), "/trap").await.status, 500);
    let received = collector.received(program);
    let server = received.span("GET /...");
    assert!(server.has_failed);
    assert_eq!(server.attribute("error.type"), Some("500"));
    assert!(received.span("execute_wasm_component probe").has_failed);
    // Without a parent it begins a trace.
    assert_eq!((server.parent.as_str(), server.trace.len()), ("", 32));
}

#[tokio::test]
async fn the_context_goes_on_to_the_component_and_to_its_requests() {
    let Some(collector) = Collector::start() else {
        return;
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let authority = listener.local_addr().unwrap();
    let application =
        Application::probe(&format!("allowed_outbound_hosts = ['http://{authority}']"));
    let program = collector.program(&application, "http/protobuf");
    let headers = send(program.address(), traced("/headers")).await;
    let line = headers
        .text()
        .lines()
        .find_map(|line| line.strip_prefix("traceparent: "));
    let context = line.unwrap().to_owned();
    let other = tokio::spawn(async move { head_of_request(&listener).await });
    let path = format!("/fetch/{authority}");
    assert_eq!(get(program.address(), &path).await.text(), "Ok(204)");
    let head = other.await.unwrap();
    let received = collector.received(program);
    let executions = received.spans().into_iter();
    let mut executions = executions.filter(|span| span.name == "execute_wasm_component probe");
    let execution = executions.find(|span| span.trace == TRACE).unwrap();
    assert_eq!(context, format!("00-{TRACE}-{}-01", execution.id));
    let outbound = received.span("GET");
    assert_eq!(outbound.attribute("http.response.status_code"), Some("204"));
    assert_eq!(outbound.attribute("server.address"), Some("127.0.0.1"));
    let context = format!("traceparent: 00-{}-{}-01", outbound.trace, outbound.id);
    assert!(head.contains(&context), "{head} lacks {context}");
}

/// The head of a request, which is answered by 204.
async fn head_of_request(listener: &TcpListener) -> String {
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    let answer = b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n";
    stream.write_all(answer).await.unwrap();
    String::from_utf8(head).unwrap()
}

#[tokio::test]
async fn without_its_variables_nothing_is_sent_and_the_context_stays() {
    let Some(collector) = Collector::start() else {
        return;
    };
    let application = Application::probe("");
    for variable in [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", ""),
        ("OTEL_SDK_DISABLED", "true"),
    ] {
        let program = program(&application, collector.http, &[variable]);
        let headers = send(program.address(), traced("/headers")).await;
        let context = format!("traceparent: 00-{TRACE}-{PARENT}-01\n");
        assert!(headers.text().contains(&context), "{}", headers.text());
        assert!(collector.received(program).0.is_empty());
    }
}

#[tokio::test]
async fn each_signal_can_be_left_out() {
    let Some(collector) = Collector::start() else {
        return;
    };
    let application = Application::probe("");
    let signals = ["traces", "metrics", "logs"];
    for kept in signals {
        let left_out = signals.iter().filter(|signal| **signal != kept);
        let names: Vec<_> = left_out
            .map(|signal| format!("OTEL_{}_EXPORTER", signal.to_uppercase()))
            .collect();
        let variables: Vec<_> = names.iter().map(|name| (name.as_str(), "none")).collect();
        let program = program(&application, collector.http, &variables);
        get(program.address(), "/print/words").await;
        let received = collector.received(program);
        assert!(!received.0.is_empty(), "no {kept}");
        let text = format!("{:?}", received.0);
        assert!(
            text.contains("edge-host"),
            "it has a name by default: {text}"
        );
        assert!(received.0.iter().all(|request| request["signal"] == kept));
    }
}

#[tokio::test]
async fn a_trace_that_is_not_sampled_is_not_sent_but_goes_on() {
    let Some(collector) = Collector::start() else {
        return;
    };
    let application = Application::probe("");
    let never = [
        ("OTEL_TRACES_SAMPLER", "always_off"),
        ("OTEL_METRICS_EXPORTER", "none"),
        ("OTEL_LOGS_EXPORTER", "none"),
    ];
    let program = program(&application, collector.http, &never);
    let headers = send(program.address(), traced("/headers")).await;
    let context = headers
        .text()
        .lines()
        .find(|line| line.starts_with("traceparent: "));
    let context = context.unwrap();
    let is_same_trace = context.starts_with(&format!("traceparent: 00-{TRACE}-"));
    assert!(is_same_trace && context.ends_with("-00"), "{context}");
    assert!(collector.received(program).0.is_empty());
}

#[tokio::test]
async fn a_collector_that_is_away_is_reported_and_costs_no_request() {
    for protocol in ["grpc", "http/protobuf"] {
        let application = Application::probe("");
        let variables = [
            ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
            ("OTEL_BSP_SCHEDULE_DELAY", "50"),
        ];
        // Nobody listens there.
        let mut program = program(&application, 1, &variables);
        for _ in 0..10 {
            assert_eq!(get(program.address(), "/hello").await.text(), "hello");
        }
        program.wait_for_log("cannot send traces by OTLP, they are dropped: ");
        program.signal("TERM");
        assert_eq!(program.wait().code(), Some(0));
    }
}

#[test]
fn a_protocol_that_is_not_spoken_is_refused() {
    let application = Application::probe("");
    let output = edge_host()
        .args(["up", "--listen", "127.0.0.1:0"])
        .current_dir(application.directory())
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
        .env("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let line = String::from_utf8(output.stderr).unwrap();
    let expected = "Error: OTEL_EXPORTER_OTLP_PROTOCOL is \"http/json\"; it must be \
                    http/protobuf or grpc\n";
    assert_eq!(line, expected);
}
