//! Clients that want too much, or keep the host waiting.

use std::net::SocketAddr;
use std::time::Duration;

use edge_host::{Host, UpOptions};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::{Application, Client, Program, TEST_TIMEOUT, get, put, request, start};

const HEAD: &[u8] = b"GET /hello HTTP/1.1\r\nhost: edge.test\r\nx-much: ";
const BODY: &[u8] = b"PUT /echo HTTP/1.1\r\nhost: edge.test\r\ncontent-length: 60000\r\n\r\n";

/// A connection on which this was sent.
async fn open(address: SocketAddr, begin: &[u8]) -> TcpStream {
    let connecting = timeout(TEST_TIMEOUT, TcpStream::connect(address));
    let mut stream = connecting.await.expect("a connection").unwrap();
    stream.write_all(begin).await.unwrap();
    stream
}

/// Waits until the host closes the connection; answers what it sent before.
async fn read_to_close(mut stream: TcpStream) -> String {
    let mut bytes = Vec::new();
    let reading = timeout(TEST_TIMEOUT, stream.read_to_end(&mut bytes));
    // Unread bytes may make it a reset.
    reading.await.expect("the host closes it").ok();
    String::from_utf8(bytes).unwrap()
}

/// Sends a byte a second on each, until the host has closed it.
async fn drip(mut streams: Vec<TcpStream>) {
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        for stream in &mut streams {
            stream.write_all(b"x").await.ok();
        }
    }
}

async fn start_with(change: impl FnOnce(&mut UpOptions)) -> (Host, Application) {
    let application = Application::probe("");
    let mut options = application.options();
    change(&mut options);
    (Host::start(options).await.unwrap(), application)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_idle_and_dripping_clients_leave_it_answering_others() {
    rlimit::increase_nofile_limit(4096).unwrap();
    let application = Application::probe("");
    let program = Program::start(&application, &[]);
    let address = program.address();
    let (mut idle, mut dripping) = (Vec::new(), Vec::new());
    for number in 0..2000 {
        match number % 4 {
            0 => idle.push(open(address, b"").await),
            1 => dripping.push(open(address, HEAD).await),
            // More of them than there are places for requests.
            _ => dripping.push(open(address, BODY).await),
        }
    }
    for _ in 0..200 {
        dripping.push(open(address, BODY).await);
    }
    let dripping = tokio::spawn(drip(dripping));
    let mut kept = Client::connect(address).await;
    for _ in 0..30 {
        assert_eq!(get(address, "/hello").await.text(), "hello");
        assert_eq!(put(address, "/echo", "body").await.text(), "body");
        assert_eq!(kept.get("/hello").await.text(), "hello");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(!dripping.is_finished());
    dripping.abort();
}

#[tokio::test]
async fn where_there_is_no_room_the_connection_that_waits_longest_gives_way() {
    let (host, _application) = start_with(|options| options.max_connections = 8).await;
    let address = host.local_addr();
    let mut working = Client::connect(address).await;
    let dripping = working.begin("/drip/50").await;
    let mut streams = Vec::new();
    for number in 0..40 {
        let begin = [b"".as_slice(), HEAD, BODY][number % 3];
        streams.push(open(address, begin).await);
        assert_eq!(get(address, "/hello").await.text(), "hello");
    }
    // All but the last few were closed, and nothing that was asked for.
    for stream in streams.drain(..32) {
        assert_eq!(read_to_close(stream).await, "");
    }
    let text = crate::support::rest_of(dripping).await;
    assert_eq!(text, "drop\n".repeat(50));
}

#[tokio::test]
async fn clients_that_keep_it_waiting_are_given_up() {
    let (host, _application) =
        start_with(|options| options.client_timeout = Duration::from_millis(500)).await;
    let address = host.local_addr();
    // A slow body goes to an instance, whose time has a limit of its own.
    for begin in [b"".as_slice(), b"PRI * HTT", HEAD] {
        assert_eq!(read_to_close(open(address, begin).await).await, "");
    }
    let whole = b"GET /hello HTTP/1.1\r\nhost: edge.test\r\n\r\n";
    let answered = read_to_close(open(address, whole).await).await;
    assert!(answered.ends_with("\r\n\r\nhello"), "{answered}");
    // While it is the component that takes its time, nobody is.
    assert_eq!(get(address, "/sleep/1500").await.text(), "slept");
    assert_eq!(get(address, "/drip/75").await.text(), "drop\n".repeat(75));
}

#[tokio::test]
async fn a_client_that_does_not_read_is_given_up() {
    let (host, _application) =
        start_with(|options| options.client_timeout = Duration::from_millis(500)).await;
    let mut stream = open(host.local_addr(), b"").await;
    // Asks for more and more, and reads none of it, until it can't write any more.
    let whole = b"GET /headers HTTP/1.1\r\nhost: edge.test\r\n\r\n".repeat(100);
    let asking = async { while stream.write_all(&whole).await.is_ok() {} };
    timeout(TEST_TIMEOUT, asking)
        .await
        .expect("the host closes it");
    assert_eq!(get(host.local_addr(), "/hello").await.text(), "hello");
}

#[tokio::test]
async fn a_body_has_a_limit_whether_it_says_its_length_or_not() {
    let (host, _application) = start_with(|options| {
        options.max_body_size = 100_000;
        options.client_timeout = Duration::from_secs(2);
    })
    .await;
    let address = host.local_addr();
    let most = "x".repeat(100_000);
    assert_eq!(put(address, "/echo", &most).await.body.len(), 100_000);
    let mut said = Client::connect(address).await;
    let more = request("PUT", "/echo", &"x".repeat(100_001));
    // Told before it has sent all, it may fail to send the rest.
    if let Ok(answer) = said.try_send(more).await {
        assert_eq!(answer.status, 413);
    }
    let mut stream = open(
        address,
        b"PUT /echo HTTP/1.1\r\nhost: edge.test\r\ntransfer-encoding: chunked\r\n\r\n",
    )
    .await;
    for _ in 0..101 {
        let chunk = format!("3e8\r\n{}\r\n", "x".repeat(1000));
        if stream.write_all(chunk.as_bytes()).await.is_err() {
            break;
        }
    }
    stream.write_all(b"0\r\n\r\n").await.ok();
    let answer = read_to_close(stream).await;
    assert!(!answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(get(address, "/hello").await.text(), "hello");
}

#[tokio::test]
async fn a_head_has_a_limit() {
    let (host, _application) = start().await;
    let long = [HEAD, &b"x".repeat(100_000), b"\r\n\r\n"].concat();
    let mut stream = open(host.local_addr(), b"").await;
    stream.write_all(&long).await.ok();
    let answer = read_to_close(stream).await;
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 431 "),
        "{answer}"
    );
    assert_eq!(get(host.local_addr(), "/hello").await.text(), "hello");
}
