//! Instances, from request to request, and the tasks in which they work.

use std::time::Duration;

use edge_host::{Host, UpOptions};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::support::http2::{Http2, answer_of};
use crate::support::{Application, Client, Program, get};

async fn start_with(change: impl FnOnce(&mut UpOptions)) -> (Host, Application) {
    let application = Application::probe("");
    let mut options = application.options();
    change(&mut options);
    (Host::start(options).await.unwrap(), application)
}

#[tokio::test]
async fn an_instance_that_is_not_used_is_replaced() {
    let (host, _application) =
        start_with(|options| options.idle_instance_timeout = Duration::from_millis(500)).await;
    let mut client = Client::connect(host.local_addr()).await;
    for _ in 0..2 {
        assert_eq!(client.get("/requests").await.text(), "1");
        while client.get("/requests").await.text() != "3" {}
        tokio::time::sleep(Duration::from_millis(1500)).await;
    }
}

#[tokio::test]
async fn a_guest_whose_client_leaves_goes_on_to_its_end() {
    let application = Application::probe("");
    let mut program = Program::start(&application, &[]);
    for version in ["HTTP/1", "HTTP/2"] {
        let path = format!("/sleep/1000/went-on-{}", &version[5..]);
        if version == "HTTP/2" {
            let mut client = Http2::connect(program.address(), 1000).await;
            drop(client.get(&path).await);
            tokio::time::sleep(Duration::from_millis(300)).await;
        } else {
            let mut stream = TcpStream::connect(program.address()).await.unwrap();
            let head = format!("GET {path} HTTP/1.1\r\nhost: edge.test\r\n\r\n");
            stream.write_all(head.as_bytes()).await.unwrap();
            tokio::time::sleep(Duration::from_millis(300)).await;
            // With a reset: a client that only closes its side may still wait.
            stream.set_zero_linger().unwrap();
        }
        program.wait_for_output(&format!("went-on-{}", &version[5..]));
    }
    program.signal("TERM");
    assert_eq!(program.wait().code(), Some(0));
    let log = program.rest_of_log();
    assert!(!log.iter().any(|line| line.contains("failed")), "{log:#?}");
}

#[tokio::test]
async fn a_guest_that_goes_on_without_end_keeps_neither_its_response_nor_others() {
    let application = Application::probe("");
    let mut program = Program::start(&application, &["--request-timeout", "1s"]);
    let mut client = Client::connect(program.address()).await;
    for _ in 0..3 {
        assert_eq!(client.get("/answer-and-loop").await.text(), "answered");
        assert_eq!(client.get("/hello").await.text(), "hello");
    }
    program.wait_for_log("component probe failed after it had answered: ");
    assert_eq!(get(program.address(), "/hello").await.text(), "hello");
}

#[tokio::test]
async fn a_guest_that_computes_lets_the_other_streams_of_its_connection_go_on() {
    // One thread for all of them.
    let (host, _application) =
        start_with(|options| options.request_timeout = Duration::from_secs(1)).await;
    let mut connection = Http2::connect(host.local_addr(), 1000).await;
    let looping = tokio::spawn(answer_of(connection.get("/loop").await));
    let mut answered = 0;
    while !looping.is_finished() {
        let answer = answer_of(connection.get("/hello").await).await.unwrap();
        assert_eq!(answer.text(), "hello");
        answered += 1;
    }
    assert!(answered > 0);
    assert_eq!(looping.await.unwrap().unwrap().status, 504);
}
