//! Who may do what, and what is kept of it.

use edge_host::{Host, UpOptions};
use serde_json::{Value, json};

use crate::support::issuer::{AUDIENCE, ISSUER, Key, claims, jwks};
use crate::support::{
    Send, Service, host_program, manifest, new_state_dir, new_word, start_host_with, variable,
};
use crate::{ENTERPRISE, PATCH, USER, ask, at, expect};

/// A host with these variables, which lets everybody in unless they say otherwise.
pub fn start(variables: &[(&str, &str)]) -> Host {
    start_host_with(UpOptions {
        state_dir: Some(new_state_dir()),
        variables: variables
            .iter()
            .map(|(name, value)| variable(name, value))
            .collect(),
        ..UpOptions::default()
    })
}

mod not_by_url {
    use super::*;

    fn closed() -> Host {
        let keys = jwks(&[Key::ed25519().jwk("k")]);
        start(&[
            ("auth", "token"),
            ("jwt_issuer", ISSUER),
            ("jwt_audience", AUDIENCE),
            ("jwt_jwks", &keys),
        ])
    }

    fn caller(host: &Host, subject: &str, scopes: &str) -> Service {
        let token = Key::ed25519().sign(json!({ "kid": "k" }), &claims(subject, scopes));
        Service::of(host).with_token(&token)
    }

    #[test]
    fn each_request_needs_its_scope() {
        let host = closed();
        let admin = caller(&host, "a", "admin");
        for name in ["ada", "bea"] {
            let body = json!({ "schemas": [USER], "userName": name });
            expect(ask(&admin, "POST", "/Users", Some(body)), 201);
        }
        expect(
            ask(
                &admin,
                "POST",
                "/Groups",
                Some(json!({ "displayName": "All" })),
            ),
            201,
        );
        let callers = [
            ("nobody", Service::of(&host)),
            ("other", caller(&host, "9", "self")),
            ("own", caller(&host, "1", "self")),
            ("read", caller(&host, "x", "read")),
            ("write", caller(&host, "x", "write")),
        ];
        let search = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "count": 0 });
        let patch = json!({ "schemas": [PATCH], "Operations": [{ "op": "add", "path": "title", "value": "x" }] });
        let of_group = json!({ "schemas": [PATCH], "Operations": [{ "op": "add", "path": "externalId", "value": "x" }] });
        let user = json!({ "schemas": [USER], "userName": "ada" });
        let bulk = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": [] });
        for (method, path, body, expected) in [
            (
                "GET",
                "/ServiceProviderConfig",
                None,
                [200, 200, 200, 200, 200],
            ),
            ("GET", "/Schemas", None, [200, 200, 200, 200, 200]),
            ("GET", "/Users", None, [401, 403, 403, 200, 200]),
            ("GET", "/Users/1", None, [401, 403, 200, 200, 200]),
            (
                "POST",
                "/Users/.search",
                Some(search.clone()),
                [401, 403, 403, 200, 200],
            ),
            (
                "POST",
                "/.search",
                Some(search.clone()),
                [401, 403, 403, 200, 200],
            ),
            ("POST", "/Users", Some(json!({})), [401, 403, 403, 403, 400]),
            ("PATCH", "/Users/1", Some(patch), [401, 403, 200, 403, 200]),
            ("PUT", "/Users/1", Some(user), [401, 403, 200, 403, 200]),
            ("GET", "/Me", None, [401, 404, 200, 404, 404]),
            ("GET", "/Groups", None, [401, 403, 403, 200, 200]),
            ("GET", "/Groups/1", None, [401, 403, 403, 200, 200]),
            (
                "POST",
                "/Groups/.search",
                Some(search),
                [401, 403, 403, 200, 200],
            ),
            (
                "POST",
                "/Groups",
                Some(json!({})),
                [401, 403, 403, 403, 400],
            ),
            (
                "PATCH",
                "/Groups/1",
                Some(of_group),
                [401, 403, 403, 403, 204],
            ),
            (
                "PUT",
                "/Groups/1",
                Some(json!({ "displayName": "All" })),
                [401, 403, 403, 403, 200],
            ),
            ("DELETE", "/Groups/1", None, [401, 403, 403, 403, 204]),
            ("POST", "/Bulk", Some(bulk), [401, 403, 403, 403, 200]),
            ("DELETE", "/Users/2", None, [401, 403, 403, 403, 204]),
        ] {
            for ((name, service), status) in callers.iter().zip(expected) {
                let answer = ask(service, method, path, body.clone());
                assert_eq!(
                    answer.status, status,
                    "{name}: {method} {path} {}",
                    answer.body
                );
                if status == 401 {
                    let challenge = answer.header("www-authenticate").expect("a challenge");
                    assert!(challenge.starts_with("Bearer"), "{challenge}");
                }
            }
        }
    }

    #[test]
    fn a_user_reads_and_changes_itself_but_not_what_others_decide_of_it() {
        let host = closed();
        let admin = caller(&host, "a", "admin");
        let body = json!({ "schemas": [USER], "userName": "ada", "externalId": "e" });
        let user = expect(ask(&admin, "POST", "/Users", Some(body)), 201);
        let own = caller(&host, "1", "self");
        assert_eq!(expect(ask(&own, "GET", "/Me", None), 200), user);
        let patch = |path: &str, value: Value| {
            let operations = json!([{ "op": "replace", "path": path, "value": value }]);
            let body = json!({ "schemas": [PATCH], "Operations": operations });
            ask(&own, "PATCH", "/Me", Some(body))
        };
        assert_eq!(expect(patch("nickName", json!("A")), 200)["nickName"], "A");
        let department = format!("{ENTERPRISE}:department");
        for (path, value) in [
            ("active", json!(false)),
            ("externalId", json!("x")),
            ("roles", json!([{ "value": "admin" }])),
            ("ENTITLEMENTS", json!([{ "value": "all" }])),
            ("userType", json!("Employee")),
            (&department, json!("Board")),
        ] {
            expect(patch(path, value), 403);
        }
        // REST has them in another place, in any spelling.
        let attributes = own.get("/users/1").json()["attributes"].clone();
        assert_eq!(attributes["scim"]["nickName"], "A", "{attributes}");
        for kept in [
            json!({ "Roles": [{ "value": "admin" }] }),
            json!({ "URN:example:rights": { "all": true } }),
        ] {
            let answer = own.patch("/users/1", json!({ "attributes": { "scim": kept } }));
            assert_eq!(answer.status, 403, "{}", answer.body);
            assert_eq!(answer.problem()["type"], "/problems/protected-member");
            assert_eq!(answer.pointers(), ["/attributes"]);
        }
        let answer = own.patch(
            "/users/1",
            json!({ "attributes": { "scim": { "title": "Dr" } } }),
        );
        assert_eq!(answer.status, 200, "{}", answer.body);
        let granted = json!([{ "op": "add", "path": "roles", "value": [{ "value": "reader" }] }]);
        let body = json!({ "schemas": [PATCH], "Operations": granted });
        expect(ask(&admin, "PATCH", &at("Users", &user), Some(body)), 200);
        // What is granted is not taken away either, nor changed with all that is kept.
        expect(patch("roles", json!([])), 403);
        for attributes in [json!(null), json!({ "scim": null }), json!({ "scim": "x" })] {
            let answer = own.patch("/users/1", json!({ "attributes": attributes }));
            assert_eq!(answer.status, 403, "{}", answer.body);
        }
        let replaced =
            json!({ "schemas": [USER], "userName": "ada", "externalId": "e", "active": true });
        expect(ask(&own, "PUT", "/Me", Some(replaced.clone())), 403);
        let mut replaced = replaced;
        replaced["roles"] = json!([{ "value": "reader" }]);
        expect(ask(&own, "PUT", "/Me", Some(replaced)), 200);
        let operations = json!([{ "op": "replace", "path": "active", "value": false }]);
        let body = json!({ "schemas": [PATCH], "Operations": operations });
        expect(ask(&admin, "PATCH", &at("Users", &user), Some(body)), 200);
        expect(ask(&own, "GET", "/Me", None), 403);
    }

    #[test]
    fn a_password_is_kept_nowhere() {
        let secret = format!("secret{}", new_word());
        let state = new_state_dir();
        let host = start_host_with(UpOptions {
            state_dir: Some(state.clone()),
            ..UpOptions::default()
        });
        let service = Service::of(&host);
        let body = json!({ "schemas": [USER], "userName": "ada", "password": secret });
        let user = expect(ask(&service, "POST", "/Users", Some(body.clone())), 201);
        expect(ask(&service, "PUT", &at("Users", &user), Some(body)), 200);
        let operations = json!([
            { "op": "replace", "path": "password", "value": secret },
            { "op": "add", "value": { "password": secret } },
        ]);
        let body = json!({ "schemas": [PATCH], "Operations": operations });
        expect(ask(&service, "PATCH", &at("Users", &user), Some(body)), 200);
        let answers = [
            ask(&service, "GET", "/Users", None).body,
            service.request("GET", "/users/1").answer_of_call().body,
        ];
        for answer in answers {
            assert!(!answer.contains(&secret), "{answer}");
        }
        drop(host);
        for file in std::fs::read_dir(state).expect("a directory") {
            let path = file.expect("a file").path();
            let bytes = std::fs::read(&path).expect("a file");
            let found = bytes
                .windows(secret.len())
                .any(|part| part == secret.as_bytes());
            assert!(!found, "{path:?}");
        }
    }

    #[test]
    fn preconditions_can_be_required_and_requests_be_limited() {
        let host = start(&[("require_preconditions", "on"), ("rate_limit", "4")]);
        let service = Service::of(&host);
        let body = json!({ "schemas": [USER], "userName": "ada" });
        let user = expect(ask(&service, "POST", "/Users", Some(body.clone())), 201);
        expect(ask(&service, "PUT", &at("Users", &user), Some(body)), 428);
        expect(ask(&service, "DELETE", &at("Users", &user), None), 428);
        expect(ask(&service, "GET", "/Users", None), 200);
        let limited = ask(&service, "GET", "/Users", None);
        assert!(limited.header("retry-after").is_some());
        expect(limited, 429);
    }

    #[test]
    fn the_host_does_not_start_with_schemas_that_can_not_be_read() {
        let output = std::process::Command::new(host_program())
            .args(["up", "--listen", "127.0.0.1:0", "--state-dir", "", "--from"])
            .arg(manifest())
            .args(["--variable", "scim_schemas=[{}]"])
            .output()
            .expect("the host runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("the variable scim_schemas "), "{said}");
    }
}
