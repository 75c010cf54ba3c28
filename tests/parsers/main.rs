//! The service answers every input, and names its fault: requests
//! that are nearly right, by the thousand, past all parsers of targets, headers,
//! bodies and patches, filters and patches of SCIM. `make fuzz-parsers` goes on for longer, with others each time.

#[path = "../support/mod.rs"]
mod support;

mod mutation;
mod scim;

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use fastrand::Rng;
use http::{HeaderValue, Request, Response, Uri};
use mutation::mutate;
use serde_json::Value;
use support::memory::{Memory, TestPlatform, respond};

const TARGETS: [&str; 12] = [
    "/users",
    "/users/1",
    "/users/17179869183?fields=id,name",
    "/users?limit=10&after=1&sort=-id&fields=id,email",
    "/users?email=ada%40example.com",
    "/users?username=%2b44+ada",
    "/users?email=%22ada+l%22@b%C3%BCcher.example",
    "/users?name=ada+%C3%A9&limit=3",
    "/users?id=1,2,3",
    "/users?limit=1000&after=18446744073709551615",
    "/healthz",
    "/",
];

const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

const MEDIA_TYPES: [&str; 4] = [
    "application/json",
    "application/merge-patch+json",
    "application/json-patch+json",
    "application/json; charset=utf-8",
];

/// Names, and values that are right.
const HEADERS: [(&str, &str); 11] = [
    ("if-match", "\"0000000000000001\", W/\"x,y\""),
    ("if-none-match", "*"),
    ("accept", "text/html;q=0.5, application/*;q=0.1, */*;q=0"),
    ("content-encoding", "identity"),
    (
        "traceparent",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    ),
    ("x-request-id", "A-1_b.c"),
    ("origin", "https://page.example"),
    (
        "authorization",
        "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.",
    ),
    (
        "idempotency-key",
        "\"8e03978e-40d5-43dd-bc93-6894a57f9324\"",
    ),
    ("spin-client-addr", "[2001:db8::1]:4711"),
    ("access-control-request-method", "PUT"),
];

const BODIES: [&str; 10] = [
    r#"{"name":"Ada","email":"ada@example.com","attributes":{"a":[1,2.5e-3,{"b":null}]}}"#,
    r#"{"name":"علی‌رضا","email":"संपर्क@xn--bcher-kva.example"}"#,
    r#"[{"op":"copy","from":"/attributes","path":"/attributes/a/0"},{"op":"test","path":"/id","value":1.0}]"#,
    r#"{"name":"Ada","username":"Ada@ｘ","external_id":"0815","active":false}"#,
    r#"{"email":null,"attributes":{"a":{"b":{}}}}"#,
    r#"[{"op":"test","path":"/id","value":1},{"op":"replace","path":"/name","value":"B"}]"#,
    r#"[{"op":"add","path":"/attributes/a/-","value":[]},{"op":"remove","path":"/email"}]"#,
    r#"[{"op":"move","from":"/attributes/a","path":"/attributes/~0~1"}]"#,
    r#"[{"op":"copy","from":"/attributes","path":"/attributes/a/0"}]"#,
    "[[[[[[[[{}]]]]]]]]",
];

/// A directory with one user.
fn directory() -> Memory {
    let store = Memory::default();
    let request = Request::post("/users").header("content-type", MEDIA_TYPES[0]);
    let request = request.body(BODIES[0].into()).expect("a request");
    let created = respond(&store, &TestPlatform::default(), request);
    assert_eq!(created.status(), 201);
    store
}

/// A request that is nearly right; `None` if no server would take it for one.
fn request(rng: &mut Rng) -> Option<Request<Vec<u8>>> {
    let mut pick = |from: &[&'static str]| from[rng.usize(0..from.len())];
    let (target, method, body) = (pick(&TARGETS), pick(&METHODS), pick(&BODIES));
    let media_type = pick(&MEDIA_TYPES);
    // Else most bodies would go to targets that don't read them.
    let target = match method {
        "PUT" | "PATCH" if rng.bool() => "/users/1",
        _ => target,
    };
    let uri = Uri::try_from(mutate(rng, target.as_bytes())).ok()?;
    let mut request = Request::new(mutate(rng, body.as_bytes()));
    *request.method_mut() = method.parse().expect("a method");
    *request.uri_mut() = uri;
    let headers = request.headers_mut();
    headers.insert("content-type", HeaderValue::from_static(media_type));
    for (name, value) in HEADERS {
        if rng.u8(0..8) == 0
            && let Ok(value) = HeaderValue::from_bytes(&mutate(rng, value.as_bytes()))
        {
            headers.append(name, value);
        }
    }
    Some(request)
}

fn check(request: &str, response: &Response<Vec<u8>>) {
    let status = response.status().as_u16();
    assert!(status < 500, "{status} to {request}");
    assert!(response.headers().contains_key("x-request-id"), "{request}");
    if status >= 400 {
        let problem: Value = serde_json::from_slice(response.body()).expect("a problem");
        assert_eq!(problem["status"], status, "{request}");
        assert!(problem["detail"].is_string(), "{request}");
    }
}

/// Sends one request, and looks whether the directory is as good as before.
fn send(directory: &Memory, rng: &mut Rng) {
    let Some(request) = request(rng) else {
        return;
    };
    let store = directory.clone();
    let platform = TestPlatform::default();
    let shown = format!("{request:?}");
    let (deletes, changes) = (request.method() == "DELETE", request.method() != "GET");
    let response = respond(&store, &platform, request);
    check(&shown, &response);
    if changes && response.status().is_success() {
        for (target, expected) in [("/users/1", 200), ("/users", 200)] {
            let request = Request::get(target).body(Vec::new()).expect("a request");
            let status = respond(&store, &platform, request).status();
            let gone = deletes && status == 404;
            assert!(
                status == expected || gone,
                "{status} of {target} after {shown}"
            );
        }
    }
}

#[test]
fn whatever_is_sent_is_answered() {
    let directory = directory();
    let mut rng = Rng::with_seed(5);
    for _ in 0..20_000 {
        send(&directory, &mut rng);
    }
}

#[test]
#[ignore = "takes as long as FUZZ_SECONDS says"]
fn whatever_is_sent_is_answered_for_a_while() {
    let directory = directory();
    for_a_while(|rng| send(&directory, rng));
}

/// Takes one step after the other, with other random numbers each time.
fn for_a_while(mut step: impl FnMut(&mut Rng)) {
    let seconds = std::env::var("FUZZ_SECONDS").ok();
    let seconds = seconds.map_or(60, |text| text.parse().expect("a number"));
    let end = Instant::now() + Duration::from_secs(seconds);
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let first = now.expect("a clock after 1970").as_secs() << 20;
    let mut taken = 0;
    for seed in first.. {
        if Instant::now() >= end {
            break;
        }
        // Shown if it fails: Rng::with_seed takes the same steps again.
        println!("seed {seed}");
        let mut rng = Rng::with_seed(seed);
        for _ in 0..1000 {
            step(&mut rng);
        }
        taken += 1000;
    }
    println!("{taken} steps");
    assert!(taken > 0);
}
