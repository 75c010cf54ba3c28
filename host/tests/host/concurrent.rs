//! Components of WASI 0.3, whose instances can have several requests at the same time.

use std::time::Duration;

use edge_host::{Host, UpOptions};

use crate::support::{Application, Program, concurrent_probe_path, get, probe_path};

/// One of WASI 0.3 below `/concurrent`, and one of WASI 0.2 everywhere else.
fn application() -> Application {
    Application::manifest(&format!(
        "[[trigger.http]]\nroute = '/concurrent/...'\ncomponent = 'concurrent'\n\
         [component.concurrent]\nsource = '{}'\n\
         [[trigger.http]]\nroute = '/...'\ncomponent = 'probe'\n\
         [component.probe]\nsource = '{}'\nkey_value_stores = ['default']\n",
        concurrent_probe_path(),
        probe_path()
    ))
}

#[tokio::test]
async fn components_of_both_kinds_answer_side_by_side() {
    let application = application();
    let host = Host::start(application.options()).await.unwrap();
    for _ in 0..5 {
        let answer = get(host.local_addr(), "/concurrent/hello").await;
        assert_eq!(
            (answer.status.as_u16(), &answer.headers["present"]),
            (200, &"1".parse().unwrap())
        );
        assert_eq!(get(host.local_addr(), "/hello").await.text(), "hello");
    }
}

#[tokio::test]
async fn an_instance_that_waits_takes_another_request() {
    let application = application();
    let host = Host::start(UpOptions {
        idle_instance_timeout: Duration::from_secs(60),
        ..application.options()
    })
    .await
    .unwrap();
    let address = host.local_addr();
    let waiting = tokio::spawn(async move { get(address, "/concurrent/sleep/3000").await });
    tokio::time::sleep(Duration::from_millis(1000)).await;
    let answer = get(address, "/concurrent/hello").await;
    assert_eq!(answer.headers["present"], "2");
    assert!(!waiting.is_finished());
    assert_eq!(waiting.await.unwrap().headers["present"], "1");
}

#[tokio::test]
async fn each_failure_is_answered_and_reported() {
    let application = application();
    let mut program = Program::start(&application, &["--request-timeout", "1s"]);
    for (path, status, reason) in [
        (
            "/concurrent/trap",
            500,
            "failed: wasm trap: wasm `unreachable`",
        ),
        (
            "/concurrent/sleep/60000",
            504,
            "took longer than 1s and was given up",
        ),
    ] {
        assert_eq!(get(program.address(), path).await.status, status);
        let line = program.wait_for_log(&format!("GET {path} in component concurrent "));
        assert!(line.contains(reason), "{line}");
        assert_eq!(
            get(program.address(), "/concurrent/hello").await.status,
            200
        );
    }
}
