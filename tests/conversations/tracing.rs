//! What names a request, and what pages of other origins may see.

use crate::support::memory::{Memory, TestPlatform, respond};
use crate::support::{Answer, Send, Service, new_state_dir, service, start_host_with};
use edge_host::UpOptions;
use http::Request;
use serde_json::json;

#[test]
fn every_answer_has_a_request_id_of_its_own_or_the_clients() {
    let id = |answer: &Answer| answer.header("x-request-id").expect("an id").to_owned();
    let (first, second) = (service().get("/healthz"), service().get("/healthz"));
    assert_ne!(id(&first), id(&second));
    assert_eq!(id(&first).len(), 32);
    for path in ["/", "/users", "/users/0", "/nothing"] {
        let request = service()
            .request("GET", path)
            .header("x-request-id", "Mine-1_2.3");
        assert_eq!(id(&request.answer()), "Mine-1_2.3", "{path}");
    }
    for refused in ["a b", "<x>", &"x".repeat(129)] {
        let request = service()
            .request("GET", "/")
            .header("x-request-id", refused);
        assert_eq!(id(&request.answer()).len(), 32, "{refused}");
    }
}

#[test]
fn a_problem_names_the_request_that_met_it() {
    let answer = service().get("/users/0");
    let id = answer.header("x-request-id").expect("an id").to_owned();
    let instance = format!("/problems/user-not-found#{id}");
    assert_eq!(answer.problem()["instance"], instance);
}

#[test]
fn an_answer_says_where_the_time_went() {
    for path in ["/healthz", "/users", "/users/1"] {
        let answer = service().get(path);
        let timing = answer.header("server-timing").expect("a timing").to_owned();
        let metric = |name: &str| -> f64 {
            let mut metrics = timing.split(", ");
            let metric =
                metrics.find_map(|metric| metric.strip_prefix(name)?.strip_prefix(";dur="));
            metric
                .and_then(|text| text.parse().ok())
                .unwrap_or_else(|| panic!("{timing}"))
        };
        assert!(
            metric("component") >= 0.0 && metric("component") < 10_000.0,
            "{timing}"
        );
        assert_eq!(
            metric("store") == 0.0,
            path == "/healthz",
            "{path} {timing}"
        );
    }
}

fn service_for(origins: &str) -> (edge_host::Host, Service) {
    let variable = format!("cors_origins={origins}").parse();
    let host = start_host_with(UpOptions {
        state_dir: Some(new_state_dir()),
        variables: vec![variable.expect("a variable")],
        ..UpOptions::default()
    });
    let service = Service::of(&host);
    (host, service)
}

fn from(service: &Service, origin: &str) -> Answer {
    service
        .request("GET", "/users")
        .header("origin", origin)
        .answer()
}

fn preflight(service: &Service, origin: &str) -> Answer {
    let request = service
        .request("OPTIONS", "/users/1")
        .header("origin", origin);
    let request = request.header("access-control-request-method", "PATCH");
    request
        .header("access-control-request-headers", "if-match")
        .answer()
}

const ALLOW_ORIGIN: &str = "access-control-allow-origin";

#[test]
fn no_page_of_another_origin_reads_an_answer_unless_the_operator_allows_it() {
    for answer in [
        from(service(), "https://a.example"),
        preflight(service(), "https://a.example"),
    ] {
        assert_eq!(answer.header(ALLOW_ORIGIN), None);
        assert_eq!(answer.header("access-control-allow-methods"), None);
    }
}

/// Tests of services of their own, whatever `EDGE_USERS_URL` says.
mod not_by_url {
    use super::*;

    #[test]
    fn each_failure_of_the_service_is_in_the_log_with_its_request_and_its_trace() {
        let (store, platform) = (Memory::default(), TestPlatform::default());
        let ask = |number: usize, method: &str, path: &str, media_type: &str, body: &str| {
            let trace = format!("{:032x}", 0xabc000 + number);
            let request = Request::builder().method(method).uri(path);
            let request = request
                .header("x-request-id", format!("id-{number}"))
                .header("traceparent", format!("00-{trace}-00f067aa0ba902b7-01"))
                .header("content-type", media_type);
            let request = request.body(body.as_bytes().to_vec()).expect("a request");
            platform.lines.borrow_mut().clear();
            respond(&store, &platform, request);
            let lines = platform.lines.borrow();
            let failures = lines.iter().filter(|line| !line.contains("\"audit\""));
            let named = format!("request=id-{number} trace={trace} {method} ");
            let failures: Vec<_> = failures.map(|line| line.starts_with(&named)).collect();
            (failures, lines.clone())
        };
        let (json, lines) = ("application/json", "application/x-ndjson");
        let ada = r#"{"name":"Ada"}"#;
        assert!(ask(0, "POST", "/users", json, ada).0.is_empty());
        store.put("user/1", b"garbage");
        store.put("count/created", b"garbage");
        for (number, (method, path, media_type)) in [
            ("GET", "/users/1", ""),
            ("PUT", "/users/1", json),
            ("PATCH", "/users/1", json),
            ("DELETE", "/users/1", ""),
            ("POST", "/users", json),
            ("GET", "/users", ""),
            ("GET", "/users?name=a", ""),
            ("GET", "/users?id=1", ""),
            ("GET", "/users/export", ""),
            ("POST", "/users/import", lines),
            ("GET", "/readyz", ""),
        ]
        .into_iter()
        .enumerate()
        {
            let (failures, lines) = ask(number + 1, method, path, media_type, ada);
            assert_eq!(failures, [true], "{method} {path}: {lines:#?}");
        }
    }

    #[test]
    fn pages_of_allowed_origins_read_answers_and_send_what_the_service_knows() {
        let (_host, service) = service_for("https://a.example, https://b.example:8080");
        for origin in ["https://a.example", "https://b.example:8080"] {
            let read = from(&service, origin);
            assert_eq!(read.header(ALLOW_ORIGIN), Some(origin));
            let exposed = read
                .header("access-control-expose-headers")
                .expect("headers");
            assert!(exposed.contains("etag") && exposed.contains("x-total-count"));
            let missing = service.request("GET", "/users/9").header("origin", origin);
            assert_eq!(missing.answer().header(ALLOW_ORIGIN), Some(origin));
            let asked = preflight(&service, origin);
            assert_eq!(
                (asked.status, asked.header(ALLOW_ORIGIN)),
                (204, Some(origin))
            );
            let methods = asked
                .header("access-control-allow-methods")
                .expect("methods");
            assert!(methods.contains("PATCH"), "{methods}");
            let headers = asked
                .header("access-control-allow-headers")
                .expect("headers");
            for header in ["if-match", "content-type", "authorization"] {
                assert!(headers.contains(header), "{headers}");
            }
        }
        for origin in [
            "https://c.example",
            "http://a.example",
            "https://a.example.org",
            "null",
        ] {
            assert_eq!(
                from(&service, origin).header(ALLOW_ORIGIN),
                None,
                "{origin}"
            );
        }
    }

    #[test]
    fn all_origins_can_be_allowed() {
        let (_host, service) = service_for("*");
        service.create(json!({ "name": "Ada" }));
        assert_eq!(
            from(&service, "https://c.example").header(ALLOW_ORIGIN),
            Some("*")
        );
    }
}
