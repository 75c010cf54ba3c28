//! Requests, routes and headers.

use std::time::Duration;

use bytes::Bytes;
use edge_host::{Host, UpOptions, VariableSource};
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::{Application, Client, get, probe_path, put, request, send, start};

#[tokio::test]
async fn a_component_answers() {
    let (host, _application) = start().await;
    let answer = get(host.local_addr(), "/hello").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.text(), "hello");
    assert_eq!(answer.headers["content-length"], "5");
    assert!(answer.headers.contains_key("date"));
}

#[tokio::test]
async fn bodies_pass_whole_in_both_directions() {
    let (host, _application) = start().await;
    let body = "0123456789abcdef".repeat(20_000);
    let answer = put(host.local_addr(), "/echo", &body).await;
    assert_eq!(answer.status, 200);
    assert!(answer.text() == body, "the body differs");
}

#[tokio::test]
async fn a_connection_serves_one_request_after_the_other() {
    let (host, _application) = start().await;
    let mut client = Client::connect(host.local_addr()).await;
    for _ in 0..3 {
        assert_eq!(client.get("/hello").await.text(), "hello");
    }
}

#[tokio::test]
async fn http_2_is_spoken_to_clients_that_begin_with_it() {
    let (host, _application) = start().await;
    let stream = TcpStream::connect(host.local_addr()).await.unwrap();
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .unwrap();
    tokio::spawn(connection);
    let request = Request::get(format!("http://{}/headers", host.local_addr()))
        .body(Full::<Bytes>::default())
        .unwrap();
    let response = sender.send_request(request).await.unwrap();
    assert_eq!(response.version(), http::Version::HTTP_2);
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let headers = String::from_utf8(body.into()).unwrap();
    // Spin says so of any request without a Host header.
    assert!(headers.contains("spin-full-url: http://localhost/headers\n"));
}

#[tokio::test]
async fn a_component_is_told_where_its_request_came_in() {
    let application = Application::manifest(&format!(
        "[[trigger.http]]\nroute = '/teams/:team_id/...'\ncomponent = 'probe'\n\
         [[trigger.http]]\nroute = '/headers/...'\ncomponent = 'probe'\n\
         [component.probe]\nsource = '{}'\n",
        probe_path()
    ));
    let host = Host::start(application.options()).await.unwrap();
    let mut client = Client::connect(host.local_addr()).await;
    let headers = client.get("/headers?q=1").await;
    let headers: Vec<&str> = headers.text().lines().collect();
    for expected in [
        "spin-path-info: ",
        "spin-full-url: http://edge.test/headers?q=1",
        "spin-matched-route: /headers/...",
        "spin-base-path: /",
        "spin-raw-component-route: /headers/...",
        "spin-component-route: /headers",
    ] {
        assert!(headers.contains(&expected), "{expected} in {headers:#?}");
    }
    let client_address = headers
        .iter()
        .find_map(|header| header.strip_prefix("spin-client-addr: "))
        .unwrap();
    assert!(client_address.starts_with("127.0.0.1:"));
    // The authority replaces the Host header, and what concerns the connection is
    // nobody else's business.
    assert!(!headers.iter().any(|header| header.starts_with("host:")));
}

#[tokio::test]
async fn what_a_client_forges_stays_beside_the_truth() {
    let (host, _application) = start().await;
    let mut forged = request("GET", "/headers", "");
    forged
        .headers_mut()
        .insert("spin-client-addr", "192.0.2.1:1".parse().unwrap());
    forged
        .headers_mut()
        .insert("connection", "keep-alive, x".parse().unwrap());
    let answer = send(host.local_addr(), forged).await;
    let addresses: Vec<&str> = answer
        .text()
        .lines()
        .filter(|header| header.starts_with("spin-client-addr: "))
        .collect();
    assert_eq!(addresses.len(), 2);
    assert_eq!(addresses[0], "spin-client-addr: 192.0.2.1:1");
    assert!(addresses[1].starts_with("spin-client-addr: 127.0.0.1:"));
    assert!(!answer.text().contains("connection:"));
}

#[tokio::test]
async fn the_most_exact_route_answers_and_private_ones_never() {
    let probe = probe_path();
    let application = Application::manifest(&format!(
        "[[trigger.http]]\nroute = '/hello'\ncomponent = 'probe'\n\
         [[trigger.http]]\nroute = '/static/...'\n\
         static_response = {{ status_code = 418, headers = {{ x-kind = 'teapot' }}, body = 'tea' }}\n\
         [[trigger.http]]\nroute = {{ private = true }}\ncomponent = 'hidden'\n\
         [component.probe]\nsource = '{probe}'\n\
         [component.hidden]\nsource = '{probe}'\n"
    ));
    let host = Host::start(application.options()).await.unwrap();
    let mut client = Client::connect(host.local_addr()).await;
    assert_eq!(client.get("/hello").await.text(), "hello");
    assert_eq!(client.get("/hello/").await.status, 404);
    let tea = client.get("/static/pot").await;
    assert_eq!(tea.status, 418);
    assert_eq!(tea.headers["x-kind"], "teapot");
    assert_eq!(tea.text(), "tea");
    let missing = client.get("/elsewhere").await;
    assert_eq!(missing.problem()["status"], 404);
}

#[tokio::test]
async fn the_host_answers_the_well_known_pages_itself() {
    let application = Application::probe("");
    let host = Host::start(application.options()).await.unwrap();
    let mut client = Client::connect(host.local_addr()).await;
    let health = client.get("/.well-known/spin/health").await;
    assert_eq!((health.status.as_u16(), health.text()), (200, "OK"));
    let info = client.get("/.well-known/spin/info").await;
    assert_eq!(info.headers["content-type"], "application/json");
    let info: serde_json::Value = serde_json::from_slice(&info.body).unwrap();
    assert_eq!(info, serde_json::json!({ "name": "test" }));
    assert_eq!(client.get("/.well-known/spin/else").await.status, 404);
    assert_eq!(host.store_operations().total(), 0);
}

#[tokio::test]
async fn a_request_without_a_host_or_with_two_is_refused() {
    let (host, _application) = start().await;
    for head in [
        "GET /hello HTTP/1.0\r\n\r\n",
        "GET /hello HTTP/1.1\r\nhost: a.test\r\nhost: a.test\r\nconnection: close\r\n\r\n",
        "GET http://a.test/hello HTTP/1.1\r\nhost: b.test\r\nconnection: close\r\n\r\n",
    ] {
        let mut stream = TcpStream::connect(host.local_addr()).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.contains(" 400 Bad Request\r\n"), "{answer}");
    }
}

#[tokio::test]
async fn an_instance_handles_as_many_requests_as_it_may() {
    let application = Application::probe("");
    let host = Host::start(UpOptions {
        max_instance_reuse_count: 3,
        // Long enough that it isn't the pause that ends it.
        idle_instance_timeout: Duration::from_secs(60),
        ..application.options()
    })
    .await
    .unwrap();
    let mut client = Client::connect(host.local_addr()).await;
    // Whichever instance is free answers, so how often each did is all there is to
    // see: up to three times, and never more.
    let mut reused = false;
    while !reused {
        let count: u32 = client.get("/requests").await.text().parse().unwrap();
        assert!(count <= 3);
        reused = count == 3;
    }
    for _ in 0..9 {
        let count: u32 = client.get("/requests").await.text().parse().unwrap();
        assert!(count <= 3);
    }
}

#[tokio::test]
async fn variables_and_environment_reach_the_component() {
    let application = Application::manifest(&format!(
        "[variables]\nhost = {{ default = 'localhost' }}\ntoken = {{ required = true, secret = true }}\n\
         [[trigger.http]]\nroute = '/...'\ncomponent = 'probe'\n\
         [component.probe]\nsource = '{}'\nenvironment = {{ A = '1', B = '2' }}\n\
         [component.probe.variables]\nurl = 'http://{{{{ host }}}}/?{{{{token}}}}'\n",
        probe_path()
    ));
    let host = Host::start(UpOptions {
        variables: vec![VariableSource::Literal("token".into(), "s3cret".into())],
        env: vec![("B".into(), "3".into())],
        ..application.options()
    })
    .await
    .unwrap();
    let mut client = Client::connect(host.local_addr()).await;
    for (path, answer) in [
        ("/variable/url", "Ok(\"http://localhost/?s3cret\")"),
        (
            "/variable/token",
            "Err(Error::Undefined(\"no variable for \\\"probe\\\".\\\"token\\\"\"))",
        ),
        ("/config/url", "Ok(Some(\"http://localhost/?s3cret\"))"),
        ("/config/token", "Ok(None)"),
        ("/config", "Ok([(\"url\", \"http://localhost/?s3cret\")])"),
        ("/environment/A", "Ok(\"1\")"),
        ("/environment/B", "Ok(\"3\")"),
        ("/environment/PATH", "Err(NotPresent)"),
    ] {
        assert_eq!(client.get(path).await.text(), answer, "{path}");
    }
    let invalid = client.get("/variable/NOPE").await;
    assert!(invalid.text().contains("InvalidName"));
}

#[tokio::test]
async fn a_component_sends_requests_where_the_manifest_lets_it() {
    for (more, answer) in [
        ("", "HttpRequestDenied"),
        (
            "allowed_outbound_hosts = ['https://127.0.0.1:*']",
            "HttpRequestDenied",
        ),
        (
            "allowed_outbound_hosts = ['http://127.0.0.1']",
            "HttpRequestDenied",
        ),
        // No server listens there.
        (
            "allowed_outbound_hosts = ['http://127.0.0.1:1']",
            "ConnectionRefused",
        ),
    ] {
        let application = Application::probe(more);
        let host = Host::start(application.options()).await.unwrap();
        let told = get(host.local_addr(), "/fetch").await;
        assert!(told.text().contains(answer), "{more}: {}", told.text());
    }
}
