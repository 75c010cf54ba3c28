//! Stopping.

use std::time::{Duration, Instant};

use edge_host::{Host, UpOptions};
use http::{Method, StatusCode};
use std::io::Write as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::http2::{Http2, answer_of, status_of};
use crate::support::{
    Application, Client, Program, get, probe_path, request, rest_of, send, start,
};

/// An application that says at `/hello` whether it is ready.
fn ready_at_hello() -> Application {
    Application::manifest(&format!(
        "[application.tool.edge-host]\nreadiness = ['/hello']\n\
         [[trigger.http]]\nroute = '/...'\ncomponent = 'probe'\n\
         [component.probe]\nsource = '{}'\nkey_value_stores = ['default']\n",
        probe_path()
    ))
}

/// A host of it that drains for so long.
async fn start_with_drain(drain: Duration) -> (Host, Application) {
    let application = ready_at_hello();
    let options = UpOptions {
        drain,
        ..application.options()
    };
    (Host::start(options).await.unwrap(), application)
}

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

#[tokio::test]
async fn a_host_that_drains_is_not_ready_and_serves_everything_else() {
    let mut program = Program::start(&ready_at_hello(), &["--drain", "1h"]);
    let address = program.address();
    assert_eq!(get(address, "/hello").await.text(), "hello");
    program.signal("TERM");
    let mut asked = get(address, "/hello").await;
    while asked.status == StatusCode::OK {
        tokio::time::sleep(Duration::from_millis(5)).await;
        asked = get(address, "/hello").await;
    }
    assert_eq!(asked.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(asked.headers["retry-after"], "1");
    let detail = asked.problem()["detail"].to_string();
    assert!(detail.contains("about to stop"), "{detail}");
    let echo = request("POST", "/echo", "still");
    assert_eq!(send(address, echo).await.text(), "still");
    assert_eq!(get(address, "/.well-known/spin/health").await.text(), "OK");
    program.signal("TERM");
    assert_eq!(program.wait().code(), Some(128 + 15));
}

#[tokio::test]
async fn a_host_stops_listening_when_it_has_drained() {
    const DRAIN: Duration = Duration::from_millis(500);
    let (host, _application) = start_with_drain(DRAIN).await;
    let address = host.local_addr();
    let stopping = Instant::now();
    let watch = async {
        tokio::task::yield_now().await;
        assert!(TcpStream::connect(address).await.is_ok());
    };
    let (stopped, ()) = tokio::join!(host.shutdown(), watch);
    stopped.unwrap();
    assert!(stopping.elapsed() >= DRAIN);
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn while_a_host_drains_each_response_says_that_its_connection_ends() {
    let (host, _application) = start_with_drain(Duration::from_secs(2)).await;
    let address = host.local_addr();
    let mut kept = Client::connect(address).await;
    assert!(!kept.get("/hello").await.headers.contains_key("connection"));
    let mut http2 = Http2::connect(address, 1 << 16).await;
    let watch = async {
        tokio::task::yield_now().await;
        for method in [Method::GET, Method::HEAD] {
            let asked = request(method.as_str(), "/drip/1", "");
            let mut other = Client::connect(address).await;
            assert_eq!(other.send(asked).await.headers["connection"], "close");
        }
        let refused = kept.get("/hello").await;
        assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(refused.headers["connection"], "close");
        assert!(kept.try_send(request("GET", "/drip/1", "")).await.is_err());
        // HTTP/2 has no such header.
        let answer = answer_of(http2.get("/drip/1").await).await.unwrap();
        assert_eq!(answer.text(), "drop\n");
        assert!(!answer.headers.contains_key("connection"));
    };
    let (stopped, ()) = tokio::join!(host.shutdown(), watch);
    stopped.unwrap();
}

#[tokio::test]
async fn http2_is_told_to_go_away_and_gets_what_it_asked_for() {
    let (host, _application) = start().await;
    let mut http2 = Http2::connect(host.local_addr(), 1 << 16).await;
    let (status, mut body) = status_of(http2.get("/drip/25").await).await.unwrap();
    assert_eq!(status, StatusCode::OK);
    let stopping = tokio::spawn(host.shutdown());
    let mut text = Vec::new();
    while let Some(data) = body.data().await {
        text.extend_from_slice(&data.unwrap());
        body.flow_control().release_capacity(0).unwrap();
    }
    assert_eq!(String::from_utf8(text).unwrap(), "drop\n".repeat(25));
    stopping.await.unwrap().unwrap();
    let gone = match http2.try_get("/hello").await {
        Ok(response) => status_of(response).await.unwrap_err(),
        Err(error) => error,
    };
    assert!(gone.is_go_away() || gone.is_io(), "{gone:?}");
    http2.closed().await;
}

#[tokio::test]
async fn clients_that_have_connected_before_the_host_stops_listening_are_answered() {
    let (host, _application) = start().await;
    let address = host.local_addr();
    // The host is not given a turn meanwhile: none of these is accepted yet.
    let mut clients: Vec<_> = (0..50)
        .map(|_| std::net::TcpStream::connect(address).unwrap())
        .collect();
    let stopping = tokio::spawn(host.shutdown());
    while std::net::TcpStream::connect_timeout(&address, Duration::from_millis(10)).is_ok() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    for client in &mut clients {
        let sent = client.write_all(b"GET /hello HTTP/1.1\r\nhost: edge.test\r\n\r\n");
        sent.unwrap();
    }
    for client in clients {
        client.set_nonblocking(true).unwrap();
        let mut client = TcpStream::from_std(client).unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer:?}");
        assert!(answer.contains("connection: close"), "{answer:?}");
    }
    stopping.await.unwrap().unwrap();
}
