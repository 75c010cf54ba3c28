//! Who may call what, how often, and what is kept of it: all as REST has it.

use edge_users::rpc::Rpc;
use edge_users_token::Secret;
use http::{Request, Response};
use serde_json::{Value, json};

use crate::support::issuer::{AUDIENCE, ISSUER, Key, claims, jwks};
use crate::support::memory::{Memory, TestPlatform, respond, respond_by};

/// A service that knows a token of each scope, and an issuer.
fn closed() -> (Memory, TestPlatform) {
    let mut platform = TestPlatform::default();
    let tokens = ["read", "write"].map(|scope| {
        let digest = secret(scope).digest().map(|byte| format!("{byte:02x}"));
        format!("{scope} {scope} {}\n", digest.concat())
    });
    let variables = &mut platform.variables;
    variables.insert("auth", "token".to_owned());
    variables.insert("tokens", tokens.concat());
    variables.insert("jwt_issuer", ISSUER.to_owned());
    variables.insert("jwt_audience", AUDIENCE.to_owned());
    variables.insert("jwt_jwks", jwks(&[Key::ed25519().jwk("k")]));
    (Memory::default(), platform)
}

fn secret(name: &str) -> Secret {
    let mut bits = [7; 32];
    bits[..name.len()].copy_from_slice(name.as_bytes());
    Secret::new(bits)
}

/// The credentials of a user with the scope `self`.
fn user(id: &str) -> String {
    let token = Key::ed25519().sign(json!({ "kid": "k" }), &claims(id, "self"));
    format!("Bearer {token}")
}

fn token(scope: &str) -> String {
    format!("Bearer {}", secret(scope).reveal())
}

type Setting = (Memory, TestPlatform);

fn call(
    (store, platform): &Setting,
    path: &str,
    credentials: &str,
    message: &Value,
) -> Response<Value> {
    let request = Request::post(path).header("content-type", "application/json");
    let request = match credentials {
        "" => request,
        credentials => request.header("authorization", credentials),
    };
    let request = request
        .body(message.to_string().into_bytes())
        .expect("a request");
    let answer = respond_by::<Rpc, _>(store, platform, request);
    answer.map(|body| serde_json::from_slice(&body).expect("JSON"))
}

/// The path of a procedure.
fn users(method: &str) -> String {
    format!("/edgeusers.v1.UserService/{method}")
}

/// The lines of the audit trail so far, which are then forgotten.
fn trail((_, platform): &Setting) -> Vec<Value> {
    let lines = platform.lines.take();
    let lines = lines.iter().filter(|line| line.starts_with("{\"audit\""));
    lines
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

#[test]
fn each_call_asks_for_the_scope_that_rest_asks_for() {
    let setting = closed();
    let (first, second) = (json!({ "name": "A" }), json!({ "id": 1, "name": "B" }));
    let create = json!({ "user": first });
    for _ in 0..2 {
        call(&setting, &users("CreateUser"), &token("write"), &create);
    }
    let callers = [
        "".to_owned(),
        "Bearer x".to_owned(),
        token("read"),
        token("write"),
        user("1"),
        user("2"),
    ];
    // By caller: nobody, somebody with an unknown token, the scopes, the user, another one.
    for (method, message, statuses) in [
        (
            "GetUser",
            json!({ "id": 1 }),
            [401, 401, 200, 200, 200, 403],
        ),
        ("ListUsers", json!({}), [401, 401, 200, 200, 403, 403]),
        (
            "BatchGetUsers",
            json!({ "ids": [1] }),
            [401, 401, 200, 200, 403, 403],
        ),
        ("CreateUser", create, [401, 401, 403, 200, 403, 403]),
        (
            "UpdateUser",
            json!({ "user": second }),
            [401, 401, 403, 200, 200, 403],
        ),
        (
            "DeleteUser",
            json!({ "id": 1 }),
            [401, 401, 403, 200, 403, 403],
        ),
        // What there is and what is not is for those who are known.
        ("Nothing", json!({}), [401, 401, 501, 501, 501, 501]),
        // A user who is not there is nobody's own.
        (
            "GetUser",
            json!({ "id": 0 }),
            [401, 401, 400, 400, 403, 403],
        ),
    ] {
        for (caller, status) in callers.iter().zip(statuses) {
            let answer = call(&setting, &users(method), caller, &message);
            assert_eq!(
                answer.status(),
                status,
                "{method} {caller}: {:?}",
                answer.body()
            );
            let code = match status {
                401 => json!("unauthenticated"),
                403 => json!("permission_denied"),
                _ => continue,
            };
            assert_eq!(answer.body()["code"], code);
            assert!(answer.headers().contains_key("www-authenticate"));
        }
    }
    // Health and the files are for everybody.
    for path in [
        "/grpc.health.v1.Health/Check",
        "/grpc.health.v1.Health/List",
    ] {
        assert_eq!(call(&setting, path, "", &json!({})).status(), 200);
    }
}

#[test]
fn the_audit_trail_is_the_one_of_rest() {
    let setting = closed();
    let write = token("write");
    let both =
        |path: &str, message: &Value, method: &str, rest: &str, body: &Value, credentials: &str| {
            call(&setting, &users(path), credentials, message);
            let by_rpc = trail(&setting);
            let request = Request::builder().method(method).uri(rest);
            let request = request.header("content-type", "application/json");
            let request = request.header("authorization", credentials);
            let request = request
                .body(body.to_string().into_bytes())
                .expect("a request");
            respond(&setting.0, &setting.1, request);
            let by_rest = trail(&setting);
            assert_eq!(by_rpc.len(), by_rest.len(), "{by_rpc:?} {by_rest:?}");
            for (rpc, rest) in by_rpc.iter().zip(&by_rest) {
                for member in ["event", "principal", "action"] {
                    assert_eq!(rpc[member], rest[member], "{rpc} {rest}");
                }
            }
            (by_rpc, by_rest)
        };
    let ada = json!({ "name": "Ada" });
    let (rpc, _) = both(
        "CreateUser",
        &json!({ "user": ada }),
        "POST",
        "/users",
        &ada,
        &write,
    );
    assert_eq!(
        (&rpc[1]["user"], &rpc[1]["outcome"]),
        (&json!(1), &json!(200))
    );
    let eve = json!({ "name": "Eve" });
    let change = json!({ "user": { "id": 1, "name": "Eve" } });
    let (rpc, rest) = both("UpdateUser", &change, "PATCH", "/users/1", &eve, &write);
    assert_eq!(rpc[0]["user"], rest[0]["user"]);
    assert_eq!(rpc[1]["outcome"], rest[1]["outcome"]);
    // Refused: no line that it had begun.
    let (rpc, rest) = both("UpdateUser", &change, "PATCH", "/users/1", &eve, &user("2"));
    assert_eq!((rpc.len(), &rpc[0]["user"]), (1, &json!(1)));
    assert_eq!(rpc[0]["outcome"], rest[0]["outcome"]);
    let (rpc, rest) = both(
        "DeleteUser",
        &json!({ "id": 9 }),
        "DELETE",
        "/users/9",
        &json!({}),
        &write,
    );
    assert_eq!(
        (&rpc[0]["user"], &rpc[1]["outcome"]),
        (&json!(9), &json!(404))
    );
    assert_eq!(rpc[1]["outcome"], rest[1]["outcome"]);
    // Nothing of a user's name is in there, nor of what reads.
    call(&setting, &users("GetUser"), &write, &json!({ "id": 1 }));
    assert!(setting.1.lines.borrow().is_empty());
}

#[test]
fn a_call_counts_like_a_request_and_health_does_not() {
    let mut platform = TestPlatform::default();
    platform.variables.insert("rate_limit", "2".to_owned());
    let setting = (Memory::default(), platform);
    for _ in 0..3 {
        call(&setting, "/grpc.health.v1.Health/Check", "", &json!({}));
    }
    let get = || call(&setting, &users("GetUser"), "", &json!({ "id": 1 }));
    assert_eq!(
        [get(), get()].map(|answer| answer.status().as_u16()),
        [404, 404]
    );
    let refused = get();
    assert_eq!(refused.status(), 429);
    assert_eq!(refused.body()["code"], "resource_exhausted");
    assert_eq!(refused.body()["details"][1]["type"], "google.rpc.RetryInfo");
    assert!(refused.headers().contains_key("retry-after"));
    assert!(refused.headers().contains_key("ratelimit"));
    let request = Request::get("/users/1")
        .body(Vec::new())
        .expect("a request");
    assert_eq!(respond(&setting.0, &setting.1, request).status(), 429);
}

#[test]
fn a_precondition_is_asked_for_where_the_operator_wants_one() {
    let mut platform = TestPlatform::default();
    platform
        .variables
        .insert("require_preconditions", "on".to_owned());
    let setting = (Memory::default(), platform);
    let created = call(
        &setting,
        &users("CreateUser"),
        "",
        &json!({ "user": { "name": "Ada" } }),
    );
    let etag = &created.body()["user"]["etag"];
    for (method, message) in [
        ("UpdateUser", json!({ "user": { "id": 1, "name": "Eve" } })),
        ("DeleteUser", json!({ "id": 1 })),
    ] {
        let refused = call(&setting, &users(method), "", &message);
        assert_eq!(
            refused.body()["details"][0]["debug"]["reason"],
            "precondition-required"
        );
    }
    for wrong in ["x", "\"", "W/\"0\" y"] {
        let refused = call(
            &setting,
            &users("DeleteUser"),
            "",
            &json!({ "id": 1, "etag": wrong }),
        );
        assert_eq!(refused.body()["code"], "invalid_argument", "{wrong}");
    }
    let deleted = call(
        &setting,
        &users("DeleteUser"),
        "",
        &json!({ "id": 1, "etag": etag }),
    );
    assert_eq!(deleted.status(), 200);
}

#[test]
fn health_tells_of_a_configuration_that_cannot_be_read() {
    let mut platform = TestPlatform::default();
    platform.variables.insert("rate_limit", "x".to_owned());
    let setting = (Memory::default(), platform);
    let health = call(&setting, "/grpc.health.v1.Health/Check", "", &json!({}));
    assert_eq!(health.body(), &json!({ "status": "NOT_SERVING" }));
    let unknown = call(
        &setting,
        "/grpc.health.v1.Health/Check",
        "",
        &json!({ "service": "x" }),
    );
    assert_eq!(
        (unknown.status().as_u16(), &unknown.body()["code"]),
        (404, &json!("not_found"))
    );
    let refused = call(&setting, &users("GetUser"), "", &json!({ "id": 1 }));
    assert_eq!(
        (refused.status().as_u16(), &refused.body()["code"]),
        (503, &json!("unavailable"))
    );
}

#[test]
fn pages_of_other_origins_may_call_where_the_operator_lets_them() {
    let mut platform = TestPlatform::default();
    platform
        .variables
        .insert("cors_origins", "https://app.example".to_owned());
    let request = Request::options(users("GetUser"))
        .header("origin", "https://app.example")
        .header("access-control-request-method", "POST")
        .body(Vec::new())
        .expect("a request");
    let answer = respond_by::<Rpc, _>(&Memory::default(), &platform, request);
    let allowed = answer.headers()["access-control-allow-headers"]
        .to_str()
        .unwrap();
    for header in [
        "connect-protocol-version",
        "connect-timeout-ms",
        "x-grpc-web",
        "authorization",
    ] {
        assert!(allowed.split(", ").any(|name| name == header), "{header}");
    }
}

#[test]
fn a_user_by_itself_acts_only_while_it_is_active_and_not_on_what_others_decide() {
    let setting = closed();
    let created = json!({ "user": { "name": "A", "externalId": "1" } });
    call(&setting, &users("CreateUser"), &token("write"), &created);
    let reason = |answer: Response<Value>| {
        assert_eq!(answer.status(), 403, "{answer:?}");
        assert_eq!(answer.body()["code"], "permission_denied");
        answer.body()["details"][0]["debug"]["reason"].clone()
    };
    let update = |credentials: &str, change: Value| {
        let mut change = change;
        change["id"] = 1.into();
        let message = json!({ "user": change });
        call(&setting, &users("UpdateUser"), credentials, &message)
    };
    for change in [
        json!({ "active": false }),
        json!({ "externalId": "2", "name": "B" }),
    ] {
        assert_eq!(reason(update(&user("1"), change)), "protected-member");
    }
    let same = json!({ "externalId": "1", "active": true, "name": "B" });
    assert_eq!(update(&user("1"), same).status(), 200);

    let off = json!({ "active": false });
    assert_eq!(update(&token("write"), off).status(), 200);
    let get = |credentials: &str| {
        call(
            &setting,
            &users("GetUser"),
            credentials,
            &json!({ "id": 1 }),
        )
    };
    assert_eq!(reason(get(&user("1"))), "switched-off");
    let rename = json!({ "name": "C" });
    assert_eq!(reason(update(&user("1"), rename)), "switched-off");
    let read = get(&token("read"));
    assert_eq!(read.status(), 200);
    assert_eq!(read.body()["user"]["name"], "B");
    assert_eq!(read.body()["user"]["active"], false);
}
