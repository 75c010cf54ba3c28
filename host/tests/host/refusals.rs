//! Requests that the host refuses by itself: each gets a problem document that arrives.

use std::net::SocketAddr;

use edge_host::{Host, UpOptions};
use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::client::Answer;
use crate::support::http2::{Http2, answer_of};
use crate::support::{Application, Client, TEST_TIMEOUT, get, request, start};

/// Sends these bytes, all of them, and reads the answer only then, as many clients do.
async fn exchange(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let exchange = async {
        stream.write_all(bytes).await.expect("all is sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("an answer");
        answer
    };
    timeout(TEST_TIMEOUT, exchange).await.expect("an end")
}

/// Checks the text of a refusal.
fn check(answer: &str, status: u16) {
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
    let field = |name: &str| {
        let mut fields = head.lines().filter_map(|line| line.split_once(": "));
        let field = fields.find(|(other, _)| other.eq_ignore_ascii_case(name));
        field.unwrap_or_else(|| panic!("no {name}: {answer}")).1
    };
    assert_eq!(field("content-type"), "application/problem+json");
    assert_eq!(field("content-length"), body.len().to_string());
    assert!(!field("x-request-id").is_empty());
    let problem: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(problem["status"], status);
    assert_eq!(problem["type"], "about:blank");
    assert!(
        problem["detail"].as_str().unwrap().ends_with('.'),
        "{problem}"
    );
}

#[tokio::test]
async fn what_is_no_request_is_refused_with_a_document() {
    let (host, _application) = start().await;
    let address = host.local_addr();
    let many = "x-field: 1\r\n".repeat(100);
    let long = "x".repeat(70_000);
    for (head, status) in [
        ("GET /hello HTTP/1.1\r\n\r\n".to_owned(), 400),
        ("GET /hello HTTP/1.1\r\nhost: a@b\r\n\r\n".to_owned(), 400),
        (
            "GET /hello HTTP/1.1\r\nhost: a\r\nhost: a\r\n\r\n".to_owned(),
            400,
        ),
        (
            "GET /hello HTTP/1.1\r\nhost: a\r\nb c: d\r\n\r\n".to_owned(),
            400,
        ),
        ("nonsense\r\n\r\n".to_owned(), 400),
        (format!("GET /hello HTTP/1.1\r\nhost: a\r\n{many}\r\n"), 431),
        (
            format!("GET /hello HTTP/1.1\r\nhost: a\r\nx: {long}\r\n\r\n"),
            431,
        ),
        (format!("GET /{long} HTTP/1.1\r\nhost: a\r\n\r\n"), 431),
    ] {
        let head = head.replacen("host: ", "connection: close\r\nhost: ", 1);
        let answer = exchange(address, head.as_bytes()).await;
        check(&answer, status);
    }
    for codings in [
        "gzip, chunked",
        "chunked, chunked",
        "chunked\r\ntransfer-encoding: chunked",
    ] {
        let request = format!(
            "PUT /echo HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\
             transfer-encoding: {codings}\r\n\r\n1\r\nx\r\n0\r\n\r\n"
        );
        check(&exchange(address, request.as_bytes()).await, 400);
    }
}

#[tokio::test]
async fn a_request_keeps_the_id_that_its_client_gave() {
    let (host, _application) = start().await;
    let mut request = request("GET", "/trap", "");
    let id = HeaderValue::from_static("my-id.1");
    request.headers_mut().insert("x-request-id", id);
    let mut client = Client::connect(host.local_addr()).await;
    let answer = client.send(request).await;
    assert_eq!(answer.status, 500);
    assert_eq!(answer.headers["x-request-id"], "my-id.1");
    assert_eq!(answer.problem()["title"], "Internal Server Error");
    // A change without one gets one, which the component is told.
    let change = crate::support::request("DELETE", "/headers", "");
    let headers = client.send(change).await;
    assert!(headers.text().contains("x-request-id: "), "{headers:?}");
}

#[tokio::test]
async fn every_failure_of_a_component_is_a_document() {
    let application = Application::probe("");
    let host = Host::start(UpOptions {
        request_timeout: std::time::Duration::from_millis(500),
        max_instance_memory: Some(8 << 20),
        ..application.options()
    })
    .await
    .unwrap();
    for (path, status) in [
        ("/trap", 500),
        ("/no-response", 500),
        ("/memory/32", 500),
        ("/loop", 504),
        ("/sleep/60000", 504),
    ] {
        let answer = get(host.local_addr(), path).await;
        assert_eq!(answer.status, status, "{path}");
        assert_eq!(answer.problem()["status"], status, "{path}");
    }
}

#[tokio::test]
async fn a_path_without_a_route_is_a_document() {
    let application = Application::manifest(&format!(
        "[[trigger.http]]\nroute = '/hello'\ncomponent = 'probe'\n\
         [component.probe]\nsource = '{}'\n",
        crate::support::probe_path()
    ));
    let host = Host::start(application.options()).await.unwrap();
    let mut client = Client::connect(host.local_addr()).await;
    assert_eq!(client.get("/elsewhere").await.problem()["status"], 404);
    let head = client.send(request("HEAD", "/elsewhere", "")).await;
    assert_eq!(head.status, 404);
    assert!(head.body.is_empty() && head.headers["content-length"] != "0");
    let page = client.get("/.well-known/spin/else").await;
    assert_eq!(page.problem()["status"], 404);
}

#[tokio::test]
async fn a_refusal_arrives_though_the_client_is_still_sending() {
    const LENGTH: usize = 20 << 20;
    let (host, _application) = start().await;
    let address = host.local_addr();
    let body = vec![b'x'; LENGTH];
    for (path, status) in [
        ("/refuse/401", 401),
        ("/refuse/415", 415),
        ("/nowhere", 404),
    ] {
        let head =
            format!("PUT {path} HTTP/1.1\r\nhost: edge.test\r\ncontent-length: {LENGTH}\r\n\r\n");
        let answer = exchange(address, &[head.as_bytes(), &body].concat()).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_is_told_so_however_it_is_sent() {
    let application = Application::probe("");
    let host = Host::start(UpOptions {
        max_body_size: 100_000,
        ..application.options()
    })
    .await
    .unwrap();
    let address = host.local_addr();
    let length = 3 << 20;
    let head = format!("PUT /echo HTTP/1.1\r\nhost: edge.test\r\ncontent-length: {length}\r\n\r\n");
    let answer = exchange(address, &[head.as_bytes(), &vec![b'x'; length]].concat()).await;
    check(&answer, 413);
    let head = "PUT /echo HTTP/1.1\r\nhost: edge.test\r\ntransfer-encoding: chunked\r\n\r\n";
    let chunk = format!("2800\r\n{}\r\n", "x".repeat(0x2800));
    let body = chunk.repeat(300) + "0\r\n\r\n";
    check(
        &exchange(address, format!("{head}{body}").as_bytes()).await,
        413,
    );
}

#[tokio::test]
async fn a_refusal_over_http_2_arrives_though_the_client_is_still_sending() {
    let (host, _application) = start().await;
    let mut connection = Http2::connect(host.local_addr(), 65_535).await;
    let (response, mut body) = connection
        .begin("PUT", "/refuse/401", HeaderMap::new())
        .await;
    body.reserve_capacity(3 << 20);
    body.send_data(vec![b'x'; 3 << 20].into(), true).unwrap();
    let answer = answer_of(response).await.unwrap();
    assert_eq!((answer.status.as_u16(), answer.text()), (401, "refused"));
    // Others on the connection are not affected.
    let answer = answer_of(connection.get("/hello").await).await.unwrap();
    assert_eq!(answer.text(), "hello");
}

#[tokio::test]
async fn heads_of_http_2_have_the_limits_of_http_1() {
    let (host, _application) = start().await;
    let mut connection = Http2::connect(host.local_addr(), 65_535).await;
    let mut send = async |fields: HeaderMap| -> Answer {
        let (response, mut body) = connection.begin("PUT", "/echo", fields).await;
        body.send_data("".into(), true).ok();
        answer_of(response).await.unwrap()
    };
    let one = |length: usize| {
        let value = HeaderValue::try_from("x".repeat(length)).unwrap();
        HeaderMap::from_iter([(HeaderName::from_static("x-field"), value)])
    };
    assert_eq!(send(one(20_000)).await.status, 200);
    assert_eq!(send(one(70_000)).await.problem()["status"], 431);
    let many: HeaderMap = (0..101)
        .map(|number| {
            let name = HeaderName::try_from(format!("x-{number}")).unwrap();
            (name, HeaderValue::from_static("1"))
        })
        .collect();
    assert_eq!(send(many).await.problem()["status"], 431);
    // Beyond the host's limit for a request, the answer is the status alone.
    assert_eq!(send(one(200_000)).await.status, 431);
}

#[tokio::test]
async fn a_client_that_closes_its_side_after_a_request_is_answered() {
    let (host, _application) = start().await;
    for (request, answer) in [
        ("GET /sleep/200 HTTP/1.1\r\nhost: a\r\n\r\n", "slept"),
        (
            "PUT /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\n\r\nbody",
            "body",
        ),
    ] {
        let mut stream = TcpStream::connect(host.local_addr()).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answered = String::new();
        let reading = timeout(TEST_TIMEOUT, stream.read_to_string(&mut answered));
        reading.await.expect("an end").unwrap();
        assert!(
            answered.ends_with(&format!("\r\n\r\n{answer}")),
            "{answered}"
        );
    }
    // A request that is not complete is none.
    for begun in [
        "GET /hello HT",
        "PUT /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\n\r\nbo",
    ] {
        let mut stream = TcpStream::connect(host.local_addr()).await.unwrap();
        stream.write_all(begun.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answered = String::new();
        let reading = timeout(TEST_TIMEOUT, stream.read_to_string(&mut answered));
        reading.await.expect("an end").unwrap();
        assert!(
            answered.is_empty() || answered.starts_with("HTTP/1.1 400 "),
            "{answered}"
        );
    }
}
