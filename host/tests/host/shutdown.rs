//! Stopping.

use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::support::{Application, Client, Program, get, request, rest_of, start};

#[tokio::test]
async fn what_was_asked_is_answered_before_the_host_stops() {
    let (host, _application) = start().await;
    let address = host.local_addr();
    let mut client = Client::connect(address).await;
    // A body that is being written when the host is told to stop.
    let dripping = client.begin("/drip/25").await;
    let (stopped, text) = tokio::join!(host.shutdown(), rest_of(dripping));
    stopped.unwrap();
    assert_eq!(text, "drop\n".repeat(25));
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn idle_connections_do_not_keep_the_host() {
    let (host, _application) = start().await;
    let mut idle = Client::connect(host.local_addr()).await;
    idle.get("/hello").await;
    host.shutdown().await.unwrap();
    assert!(idle.try_send(request("GET", "/hello", "")).await.is_err());
}

#[tokio::test]
async fn a_request_that_is_only_begun_does_not_keep_the_host() {
    let (host, _application) = start().await;
    let mut begun = TcpStream::connect(host.local_addr()).await.unwrap();
    begun.write_all(b"GET /hello HTTP/1.1\r\nho").await.unwrap();
    // After it in the queue of new connections, so that it is accepted.
    get(host.local_addr(), "/hello").await;
    let stopping = Instant::now();
    host.shutdown().await.unwrap();
    // It would be kept for ten seconds if it had been asked for something.
    assert!(stopping.elapsed() < Duration::from_secs(9));
}

#[tokio::test]
async fn either_signal_ends_the_program_with_0() {
    for signal in ["INT", "TERM"] {
        let application = Application::probe("");
        let mut program = Program::start(&application, &[]);
        let address = program.address();
        let mut client = Client::connect(address).await;
        let dripping = client.begin("/drip/25").await;
        program.signal(signal);
        assert_eq!(rest_of(dripping).await, "drop\n".repeat(25), "{signal}");
        assert_eq!(program.wait().code(), Some(0), "{signal}");
    }
}

#[tokio::test]
async fn a_second_signal_ends_the_program_at_once() {
    let application = Application::probe("");
    let mut program = Program::start(&application, &[]);
    let address = program.address();
    let mut client = Client::connect(address).await;
    let _endless = client.begin("/drip/1000000").await;
    program.signal("INT");
    // The first has arrived when no connection is accepted any more.
    while TcpStream::connect(address).await.is_ok() {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    program.signal("TERM");
    assert_eq!(program.wait().code(), Some(128 + 15));
}
