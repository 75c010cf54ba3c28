//! Requests from one component of the application to another.

use std::net::SocketAddr;
use std::time::Duration;

use edge_host::{Host, UpOptions};

use crate::support::{Application, Client, Program, get, probe_path, put, request, send};

/// Two components: clients reach `front`, and `back` only by it. `front` may send requests to
/// these hosts.
fn application(allowed: &str) -> Application {
    let probe = probe_path();
    Application::manifest(&format!(
        "[[trigger.http]]\nroute = '/...'\ncomponent = 'front'\n\
         [[trigger.http]]\nroute = {{ private = true }}\ncomponent = 'back'\n\
         [component.front]\nsource = '{probe}'\nallowed_outbound_hosts = [{allowed}]\n\
         variables = {{ name = 'front' }}\n\
         [component.back]\nsource = '{probe}'\nkey_value_stores = ['default']\n\
         variables = {{ name = 'back' }}\n\
         [component.idle]\nsource = '{probe}'\n"
    ))
}

async fn start(allowed: &str) -> (Host, Application) {
    let application = application(allowed);
    let host = Host::start(application.options()).await.unwrap();
    (host, application)
}

const BACK: &str = "/call/http/back.spin.internal";

#[tokio::test]
async fn a_call_goes_to_the_component_that_its_host_names() {
    let (host, _application) = start("'http://back.spin.internal'").await;
    let address = host.local_addr();
    // The other component has its own variables and stores.
    let name = get(address, &format!("{BACK}/variable/name")).await;
    assert_eq!(name.text(), "Ok(\"back\")");
    let store = get(address, &format!("{BACK}/stores/default")).await;
    assert_eq!(store.text(), "opened");
    assert_ne!(get(address, "/stores/default").await.text(), "opened");
    let name = get(address, "/call/http/Back.Spin.Internal/variable/name").await;
    assert_eq!(name.text(), "Ok(\"back\")");
}

#[tokio::test]
async fn a_call_keeps_its_method_its_target_its_fields_and_its_body() {
    let (host, _application) = start("'http://back.spin.internal'").await;
    let address = host.local_addr();
    let method = send(address, request("PATCH", &format!("{BACK}/method"), "")).await;
    assert_eq!(method.text(), "PATCH");
    let body = "0123456789abcdef".repeat(20_000);
    let echo = put(address, &format!("{BACK}/echo"), &body).await;
    assert!(echo.text() == body, "the body differs");
    let teapot = get(address, &format!("{BACK}/refuse/418")).await;
    assert_eq!((teapot.status.as_u16(), teapot.text()), (418, "refused"));

    let mut asked = request("GET", &format!("{BACK}/headers?q=1"), "");
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let fields = asked.headers_mut();
    fields.insert("traceparent", trace.parse().unwrap());
    let told = send(address, asked).await;
    let told: Vec<&str> = told.text().lines().collect();
    let trace = format!("traceparent: {trace}");
    for expected in [
        trace.as_str(),
        "spin-path-info: /headers",
        // Spin says so of any request without a Host field.
        "spin-full-url: http://localhost/headers?q=1",
        "spin-matched-route: /...",
        "spin-base-path: /",
        "spin-raw-component-route: /...",
        "spin-component-route: ",
        "spin-client-addr: 0.0.0.0:0",
    ] {
        assert!(told.contains(&expected), "{expected} in {told:#?}");
    }
    assert!(!told.iter().any(|field| field.starts_with("host:")));
    let authority = get(address, &format!("{BACK}/authority")).await;
    assert_eq!(authority.text(), "Some(\"back.spin.internal\")");
}

#[tokio::test]
async fn a_change_has_the_same_id_in_both_components() {
    let (host, _application) = start("'http://back.spin.internal'").await;
    let mut change = request("PUT", &format!("{BACK}/headers"), "");
    let fields = change.headers_mut();
    fields.insert("x-request-id", "change-1".parse().unwrap());
    let told = send(host.local_addr(), change).await;
    let ids = told.text().matches("x-request-id: change-1\n").count();
    assert_eq!(ids, 1, "{}", told.text());
}

#[tokio::test]
async fn a_component_calls_those_that_the_manifest_lets_it() {
    let hello = (200, "hello");
    for (allowed, url, answer) in [
        ("", "http/back.spin.internal", (502, "HttpRequestDenied")),
        (
            "'http://idle.spin.internal'",
            "http/back.spin.internal",
            (502, "HttpRequestDenied"),
        ),
        (
            "'http://back.spin.internal'",
            "https/back.spin.internal",
            (502, "HttpRequestDenied"),
        ),
        (
            "'http://back.spin.internal'",
            "http/back.spin.internal:81",
            (502, "HttpRequestDenied"),
        ),
        (
            "'https://back.spin.internal'",
            "https/back.spin.internal",
            hello,
        ),
        (
            "'http://back.spin.internal:81'",
            "http/back.spin.internal:81",
            hello,
        ),
        ("'http://*.spin.internal'", "http/back.spin.internal", hello),
        (
            "'http://*.spin.internal'",
            "http/front.spin.internal",
            hello,
        ),
        ("'*://*:*'", "http/back.spin.internal", hello),
        (
            "'http://*.spin.internal'",
            "http/nobody.spin.internal",
            (502, "DestinationNotFound"),
        ),
        (
            "'http://*.spin.internal'",
            "http/a.back.spin.internal",
            (502, "DestinationNotFound"),
        ),
        // A component without a trigger, as in Spin.
        (
            "'http://*.spin.internal'",
            "http/idle.spin.internal",
            (502, "DestinationNotFound"),
        ),
        (
            "'*://*:*'",
            "http/ada@back.spin.internal",
            (502, "HttpRequestUriInvalid"),
        ),
    ] {
        let (host, _application) = start(allowed).await;
        let told = get(host.local_addr(), &format!("/call/{url}/hello")).await;
        let (status, text) = answer;
        assert_eq!(told.status, status, "{allowed} {url}: {}", told.text());
        assert!(
            told.text().contains(text),
            "{allowed} {url}: {}",
            told.text()
        );
    }
}

#[tokio::test]
async fn a_call_to_nobody_is_in_the_log() {
    let application = application("'http://*.spin.internal'");
    let mut program = Program::start(&application, &[]);
    let told = get(program.address(), "/call/http/nobody.spin.internal/").await;
    assert_eq!(told.status, 502);
    let line = program.wait_for_log("nobody");
    assert!(
        line.contains("no component of this id with a trigger"),
        "{line}"
    );
}

#[tokio::test]
async fn a_call_that_fails_is_an_answer_to_its_caller() {
    let (host, _application) = start("'http://back.spin.internal'").await;
    let address = host.local_addr();
    let trapped = get(address, &format!("{BACK}/trap")).await;
    assert_eq!(trapped.status, 500);
    // The caller has sent it on, without its fields.
    assert!(!trapped.headers.contains_key("content-type"));
    let problem: serde_json::Value = serde_json::from_slice(&trapped.body).unwrap();
    assert_eq!(problem["status"], 500);
    let broken = get(address, &format!("{BACK}/trap-after-head")).await;
    assert_eq!(broken.status, 502, "{}", broken.text());
    assert_eq!(get(address, &format!("{BACK}/hello")).await.text(), "hello");
}

#[tokio::test]
async fn a_caller_waits_as_long_as_it_says() {
    let (host, _application) = start("'http://back.spin.internal'").await;
    let waiting = async |field: &'static str, path: &str, error: &str| {
        let mut call = request("GET", &format!("{BACK}{path}"), "");
        call.headers_mut().insert(field, "10".parse().unwrap());
        let told = send(host.local_addr(), call).await;
        assert_eq!(told.status, 502, "{field} {path}");
        assert!(told.text().contains(error), "{}", told.text());
    };
    waiting("wait-first-byte", "/sleep/60000", "ConnectionReadTimeout").await;
    waiting("wait-between-bytes", "/drip/1/60000", "0 bytes, then ").await;
    let in_time = get(host.local_addr(), &format!("{BACK}/drip/10")).await;
    assert_eq!(in_time.text(), "drop\n".repeat(10));
}

#[tokio::test]
async fn a_call_has_the_time_limit_of_a_request() {
    let application = application("'http://back.spin.internal'");
    let host = Host::start(UpOptions {
        request_timeout: Duration::from_millis(500),
        ..application.options()
    })
    .await
    .unwrap();
    let told = get(host.local_addr(), &format!("{BACK}/loop")).await;
    assert_eq!(told.status, 504, "{}", told.text());
    assert_eq!(
        get(host.local_addr(), &format!("{BACK}/hello"))
            .await
            .text(),
        "hello"
    );
}

#[tokio::test]
async fn components_that_call_each_other_without_end_are_stopped() {
    let (host, _application) = start("'http://front.spin.internal'").await;
    let call = |deep: usize| format!("{}/hello", "/call/http/front.spin.internal".repeat(deep));
    let deepest = get(host.local_addr(), &call(8)).await;
    assert_eq!((deepest.status.as_u16(), deepest.text()), (200, "hello"));
    for deep in [9, 20] {
        let stopped = get(host.local_addr(), &call(deep)).await;
        assert_eq!(stopped.status, 502);
        assert!(
            stopped.text().contains("LoopDetected"),
            "{}",
            stopped.text()
        );
    }
}

/// The answers to so many requests at the same time, each on a connection of its own.
async fn ask(address: SocketAddr, clients: usize, path: &str) -> Vec<(u16, String)> {
    let mut asking = Vec::new();
    for _ in 0..clients {
        let mut client = Client::connect(address).await;
        let request = request("GET", path, "");
        asking.push(tokio::spawn(async move { client.send(request).await }));
    }
    let mut answers = Vec::new();
    for asked in asking {
        let answer = asked.await.unwrap();
        answers.push((answer.status.as_u16(), answer.text().to_owned()));
    }
    answers
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_do_not_wait_for_each_other() {
    let application = application("'http://*.spin.internal'");
    // Eight places for requests, and one for calls at each depth.
    let host = Host::start(UpOptions {
        max_memory: Some(16 << 20),
        ..application.options()
    })
    .await
    .unwrap();
    let twice = format!("/call/http/front.spin.internal{BACK}/sleep/20");
    for round in 0..3 {
        for (status, text) in ask(host.local_addr(), 16, &twice).await {
            assert_eq!((status, text.as_str()), (200, "slept"), "round {round}");
        }
    }
}
