//! Media types, scripts and codings.

mod support;

use serde_json::json;
use support::{Send, path, service};

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
