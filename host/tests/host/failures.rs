//! Components that fail, loop or want too much.

use std::time::Duration;

use edge_host::{Host, UpOptions};

use crate::support::{Application, Client, Program, get, request, start};

#[tokio::test]
async fn a_trap_is_answered_with_500_and_the_next_request_as_if_nothing_had_been() {
    let (host, _application) = start().await;
    let mut client = Client::connect(host.local_addr()).await;
    for _ in 0..3 {
        let answer = client.get("/trap").await;
        assert_eq!(answer.status, 500);
        assert_eq!(answer.problem()["status"], 500);
        assert_eq!(client.get("/hello").await.text(), "hello");
    }
}

#[tokio::test]
async fn a_component_that_returns_without_a_response_is_answered_for() {
    let (host, _application) = start().await;
    assert_eq!(get(host.local_addr(), "/no-response").await.status, 500);
}

#[tokio::test]
async fn a_response_that_breaks_off_does_not_look_whole() {
    let (host, _application) = start().await;
    let mut client = Client::connect(host.local_addr()).await;
    let broken = client
        .try_send(request("GET", "/trap-after-head", ""))
        .await;
    assert!(broken.is_err(), "{broken:?}");
    assert_eq!(get(host.local_addr(), "/hello").await.text(), "hello");
}

#[tokio::test]
async fn a_loop_without_end_ends_with_504_while_others_are_answered() {
    let application = Application::probe("");
    // One thread: the loop has to let go of it, again and again.
    let host = Host::start(UpOptions {
        request_timeout: Duration::from_secs(2),
        ..application.options()
    })
    .await
    .unwrap();
    let address = host.local_addr();
    let looping = tokio::spawn(async move { get(address, "/loop").await });
    let mut answered = 0;
    while !looping.is_finished() {
        assert_eq!(get(address, "/hello").await.text(), "hello");
        answered += 1;
    }
    assert!(answered > 0);
    assert_eq!(looping.await.unwrap().status, 504);
}

#[tokio::test]
async fn waiting_too_long_ends_with_504() {
    let application = Application::probe("");
    let host = Host::start(UpOptions {
        request_timeout: Duration::from_millis(500),
        ..application.options()
    })
    .await
    .unwrap();
    let answer = get(host.local_addr(), "/sleep/60000").await;
    assert_eq!(answer.status, 504);
}

#[tokio::test]
async fn memory_is_limited() {
    let application = Application::probe("");
    let host = Host::start(UpOptions {
        max_instance_memory: Some(16 << 20),
        ..application.options()
    })
    .await
    .unwrap();
    assert_eq!(get(host.local_addr(), "/memory/4").await.text(), "4194304");
    assert_eq!(get(host.local_addr(), "/memory/32").await.status, 500);
    let (host, _application) = start().await;
    assert_eq!(
        get(host.local_addr(), "/memory/32").await.text(),
        "33554432"
    );
}

#[tokio::test]
async fn it_all_works_without_a_pool_of_instances() {
    let application = Application::probe("");
    let host = Host::start(UpOptions {
        disable_pooling: true,
        disable_cache: true,
        ..application.options()
    })
    .await
    .unwrap();
    assert_eq!(get(host.local_addr(), "/hello").await.text(), "hello");
    assert_eq!(get(host.local_addr(), "/trap").await.status, 500);
}

#[tokio::test]
async fn each_failure_is_one_line_that_names_the_request() {
    let application = Application::probe("");
    let arguments = [
        "--request-timeout",
        "500ms",
        "--max-instance-memory",
        "8000000",
    ];
    let mut program = Program::start(&application, &arguments);
    for (path, reason) in [
        (
            "/trap",
            "failed: wasm trap: wasm `unreachable` instruction executed",
        ),
        ("/no-response", "failed: guest never invoked"),
        ("/sleep/60000", "took longer than 500ms and was given up"),
        ("/loop", "took longer than 500ms and was given up"),
    ] {
        get(program.address(), &format!("{path}?secret=1")).await;
        let line = program.wait_for_log(&format!("GET {path} in component probe "));
        assert!(line.contains(reason), "{line}");
        assert!(line.contains(" request="), "{line}");
    }
    get(program.address(), "/memory/32").await;
    program.wait_for_log("component probe was refused");
    program.wait_for_log("GET /memory/32 in component probe failed");
    program.signal("TERM");
    assert_eq!(program.wait().code(), Some(0));
    let log = program.rest_of_log();
    let reports = log.iter().filter(|line| line.starts_with("GET ")).count();
    assert_eq!(reports, 5, "{log:#?}");
    assert!(!log.iter().any(|line| line.contains("secret")), "{log:#?}");
}

#[tokio::test]
async fn a_body_that_keeps_coming_may_take_longer_than_the_limit() {
    let application = Application::probe("");
    let host = Host::start(UpOptions {
        request_timeout: Duration::from_secs(1),
        ..application.options()
    })
    .await
    .unwrap();
    let answer = get(host.local_addr(), "/drip/100").await;
    assert_eq!(answer.text(), "drop\n".repeat(100));
}
