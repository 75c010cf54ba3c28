//! Media types, scripts and codings.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::support::{Send, path, service, start_host};
use serde_json::json;

#[test]
fn a_client_that_takes_no_json_is_told_so() {
    let user = path(&service().create(json!({ "name": "Ada" })));
    for accept in [
        "text/html",
        "application/json;q=0",
        "application/xml, text/*",
    ] {
        for path in ["/", "/users", &user] {
            let refused = service()
                .request("GET", path)
                .header("accept", accept)
                .answer();
            assert_eq!(refused.status, 406, "{path} {accept}");
            let problem = refused.problem();
            assert_eq!(problem["type"], "/problems/not-acceptable");
            assert!(problem["detail"].to_string().contains("application/json"));
        }
        // Nothing is made whose representation the client would not take.
        let request = service()
            .request("POST", "/users")
            .json(&json!({ "name": "Eve" }));
        assert_eq!(request.header("accept", accept).answer().status, 406);
    }
    for accept in [
        "application/json",
        "application/*",
        "*/*",
        "text/html, */*;q=0.1",
        "",
    ] {
        let answer = service()
            .request("GET", &user)
            .header("accept", accept)
            .answer();
        assert_eq!(answer.status, 200, "{accept}");
        assert_eq!(answer.header("content-type"), Some("application/json"));
    }
}

#[test]
fn a_method_that_is_not_there_comes_before_a_representation_that_is_not() {
    let request = |method: &str, path: &str| {
        let request = service().request(method, path);
        request.header("accept", "image/png").answer()
    };
    for (method, path) in [
        ("DELETE", "/users"),
        ("POST", "/docs"),
        ("PUT", "/users/import"),
    ] {
        assert_eq!(request(method, path).status, 405, "{method} {path}");
    }
    // Nothing is represented by the answer to a deletion.
    let user = path(&service().create(json!({ "name": "Ada" })));
    assert_eq!(request("DELETE", &user).status, 204);
}

#[test]
fn gzip_is_sent_to_clients_that_accept_it() {
    for (accepted, coding) in [
        ("gzip", Some(&b"gzip"[..])),
        ("gzip;q=0.001", Some(b"gzip")),
        ("gzip;Q=0", None),
        ("gzip; q =0", None),
        ("gzip;x=1;q=0", None),
        ("gzip;q=nothing", None),
    ] {
        let request = service().request("GET", "/problems");
        let answer = request.header("accept-encoding", accepted).send();
        let headers = answer.expect("an answer").headers().clone();
        let sent = headers.get("content-encoding");
        assert_eq!(sent.map(|value| value.as_bytes()), coding, "{accepted}");
    }
}

#[test]
fn a_health_check_may_ask_for_anything() {
    for path in ["/healthz", "/readyz"] {
        let answer = service()
            .request("GET", path)
            .header("accept", "text/plain")
            .answer();
        assert_eq!(answer.status, 200, "{path}");
    }
}

#[test]
fn a_compressed_body_is_refused_clearly() {
    let request = service()
        .request("POST", "/users")
        .json(&json!({ "name": "Ada" }));
    let refused = request.header("content-encoding", "gzip").answer();
    assert_eq!(refused.status, 415);
    assert_eq!(
        refused.problem()["type"],
        "/problems/unsupported-content-coding"
    );
    assert_eq!(refused.header("accept-encoding"), Some("identity"));
}

/// Tests of services of their own, whatever `EDGE_USERS_URL` says.
mod not_by_url {
    use super::*;

    /// RFC 9110, section 9.3.7.
    #[test]
    fn the_service_as_a_whole_has_options() {
        let host = start_host();
        let mut stream = TcpStream::connect(host.local_addr()).expect("a connection");
        let request = "OPTIONS * HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
        stream.write_all(request.as_bytes()).expect("it is sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 204 "), "{answer}");
        assert!(
            answer.to_lowercase().contains("\r\nallow: options\r\n"),
            "{answer}"
        );
    }
}
