//! Who may do what: every request by every kind of caller.

use std::process::Command;
use std::sync::LazyLock;

use crate::support::issuer::{Key, claims, trusting};
use crate::support::{
    Answer, Send, Service, client_program, new_email, new_state_dir, path, start_host_with,
    variable,
};
use edge_host::{Host, UpOptions};
use edge_users_token::Secret;
use serde_json::json;

/// The status of each request's answer, by who sends it. Nobody else than these
/// gets in: a token that is not there, malformed, unknown or expired; tokens of the
/// scopes read, write and admin; users with the scope self, of whom the first is the
/// one that the path names.
const TABLE: &str = "
    method  path         none malformed unknown expired read write admin owner other

    GET     /            200  200       200     200     200  200   200   200   200
    HEAD    /            200  200       200     200     200  200   200   200   200
    POST    /            405  405       405     405     405  405   405   405   405
    PUT     /            405  405       405     405     405  405   405   405   405
    PATCH   /            405  405       405     405     405  405   405   405   405
    DELETE  /            405  405       405     405     405  405   405   405   405
    OPTIONS /            204  204       204     204     204  204   204   204   204

    GET     /healthz     200  200       200     200     200  200   200   200   200
    HEAD    /healthz     200  200       200     200     200  200   200   200   200
    POST    /healthz     405  405       405     405     405  405   405   405   405
    PUT     /healthz     405  405       405     405     405  405   405   405   405
    PATCH   /healthz     405  405       405     405     405  405   405   405   405
    DELETE  /healthz     405  405       405     405     405  405   405   405   405
    OPTIONS /healthz     204  204       204     204     204  204   204   204   204

    GET     /readyz      200  200  200  200  200  200  200  200  200
    HEAD    /readyz      200  200  200  200  200  200  200  200  200
    POST    /readyz      405  405  405  405  405  405  405  405  405
    PUT     /readyz      405  405  405  405  405  405  405  405  405
    PATCH   /readyz      405  405  405  405  405  405  405  405  405
    DELETE  /readyz      405  405  405  405  405  405  405  405  405
    OPTIONS /readyz      204  204       204     204     204  204   204   204   204

    GET     /users       401  401       401     401     200  200   200   403   403
    HEAD    /users       401  401       401     401     200  200   200   403   403
    POST    /users       401  401       401     401     403  201   201   403   403
    PUT     /users       401  401       401     401     403  405   405   403   403
    PATCH   /users       401  401       401     401     403  405   405   403   403
    DELETE  /users       401  401       401     401     403  405   405   403   403
    OPTIONS /users       204  204       204     204     204  204   204   204   204

    GET     /users/{id}  401  401       401     401     200  200   200   200   403
    HEAD    /users/{id}  401  401       401     401     200  200   200   200   403
    POST    /users/{id}  401  401       401     401     403  405   405   403   403
    PUT     /users/{id}  401  401       401     401     403  200   200   200   403
    PATCH   /users/{id}  401  401       401     401     403  200   200   200   403
    DELETE  /users/{id}  401  401       401     401     403  204   204   403   403
    OPTIONS /users/{id}  204  204       204     204     204  204   204   204   204

    GET     /users/{id}/groups  401 401 401 401 200 200 200 200 403
    HEAD    /users/{id}/groups  401 401 401 401 200 200 200 200 403
    POST    /users/{id}/groups  401 401 401 401 405 405 405 403 403
    PUT     /users/{id}/groups  401 401 401 401 405 405 405 403 403
    PATCH   /users/{id}/groups  401 401 401 401 405 405 405 403 403
    DELETE  /users/{id}/groups  401 401 401 401 405 405 405 403 403
    OPTIONS /users/{id}/groups  204 204 204 204 204 204 204 204 204

    GET     /groups  401 401 401 401 200 200 200 403 403
    HEAD    /groups  401 401 401 401 200 200 200 403 403
    POST    /groups  401 401 401 401 403 201 201 403 403
    PUT     /groups  401 401 401 401 403 405 405 403 403
    PATCH   /groups  401 401 401 401 403 405 405 403 403
    DELETE  /groups  401 401 401 401 403 405 405 403 403
    OPTIONS /groups  204 204 204 204 204 204 204 204 204

    GET     /groups/{id}  401 401 401 401 200 200 200 403 403
    HEAD    /groups/{id}  401 401 401 401 200 200 200 403 403
    POST    /groups/{id}  401 401 401 401 403 405 405 403 403
    PUT     /groups/{id}  401 401 401 401 403 200 200 403 403
    PATCH   /groups/{id}  401 401 401 401 403 200 200 403 403
    DELETE  /groups/{id}  401 401 401 401 403 204 204 403 403
    OPTIONS /groups/{id}  204 204 204 204 204 204 204 204 204

    GET     /groups/{id}/members  401 401 401 401 200 200 200 403 403
    HEAD    /groups/{id}/members  401 401 401 401 200 200 200 403 403
    POST    /groups/{id}/members  401 401 401 401 403 422 422 403 403
    PUT     /groups/{id}/members  401 401 401 401 403 405 405 403 403
    PATCH   /groups/{id}/members  401 401 401 401 403 405 405 403 403
    DELETE  /groups/{id}/members  401 401 401 401 403 405 405 403 403
    OPTIONS /groups/{id}/members  204 204 204 204 204 204 204 204 204

    GET     /groups/{id}/members/{user}  401 401 401 401 403 405 405 403 403
    HEAD    /groups/{id}/members/{user}  401 401 401 401 403 405 405 403 403
    POST    /groups/{id}/members/{user}  401 401 401 401 403 405 405 403 403
    PUT     /groups/{id}/members/{user}  401 401 401 401 403 204 204 403 403
    PATCH   /groups/{id}/members/{user}  401 401 401 401 403 405 405 403 403
    DELETE  /groups/{id}/members/{user}  401 401 401 401 403 204 204 403 403
    OPTIONS /groups/{id}/members/{user}  204 204 204 204 204 204 204 204 204

    POST    /groups/import 401 401 401 401 403 415 415 403 403
    OPTIONS /groups/import 204 204 204 204 204 204 204 204 204
    GET     /groups/export 401 401 401 401 200 200 200 403 403
    HEAD    /groups/export 401 401 401 401 200 200 200 403 403
    POST    /groups/export 401 401 401 401 405 405 405 403 403
    OPTIONS /groups/export 204 204 204 204 204 204 204 204 204
    POST    /users/import 401 401      401     401     403  415   415   403   403
    OPTIONS /users/import 204 204      204     204     204  204   204   204   204
    POST    /users/delete 401 401      401     401     403  422   422   403   403
    OPTIONS /users/delete 204 204      204     204     204  204   204   204   204
    GET     /users/export 401 401      401     401     200  200   200   403   403
    HEAD    /users/export 401 401      401     401     200  200   200   403   403
    POST    /users/export 401 401      401     401     405  405   405   403   403
    OPTIONS /users/export 204 204      204     204     204  204   204   204   204

    GET     /openapi.json 200  200  200  200  200  200  200  200  200
    HEAD    /openapi.json 200  200  200  200  200  200  200  200  200
    POST    /openapi.json 405  405  405  405  405  405  405  405  405
    OPTIONS /openapi.json 204 204      204     204     204  204   204   204   204
    GET     /docs        200  200  200  200  200  200  200  200  200
    HEAD    /docs        200  200  200  200  200  200  200  200  200
    OPTIONS /docs        204  204       204     204     204  204   204   204   204
    GET     /problems    200  200  200  200  200  200  200  200  200
    HEAD    /problems    200  200  200  200  200  200  200  200  200
    OPTIONS /problems    204  204       204     204     204  204   204   204   204
    GET     /problems/{slug} 200  200  200  200  200  200  200  200  200
    HEAD    /problems/{slug} 200  200  200  200  200  200  200  200  200
    OPTIONS /problems/{slug} 204 204   204     204     204  204   204   204   204

    GET     /.well-known/api-catalog 200  200  200  200  200  200  200  200  200
    HEAD    /.well-known/api-catalog 200  200  200  200  200  200  200  200  200
    OPTIONS /.well-known/api-catalog 204 204 204 204   204  204   204   204   204

    GET     /nowhere     401  401       401     401     404  404   404   404   404
    POST    /nowhere     401  401       401     401     404  404   404   404   404
    OPTIONS /nowhere     401  401       401     401     404  404   404   404   404
";

/// A row of the table.
struct Row {
    method: &'static str,
    path: &'static str,
    /// By the name of the caller.
    statuses: Vec<(&'static str, u16)>,
}

fn rows() -> Vec<Row> {
    let mut lines = TABLE.lines().map(|line| line.split_whitespace());
    let mut next = || lines.find(|line| line.clone().next().is_some());
    let callers: Vec<_> = next().expect("a head").skip(2).collect();
    std::iter::from_fn(|| {
        let mut words = next()?;
        let (method, path) = (words.next()?, words.next()?);
        let statuses: Vec<u16> = words.map(|word| word.parse().expect("a status")).collect();
        assert_eq!(statuses.len(), callers.len(), "{method} {path}");
        let statuses = callers.iter().copied().zip(statuses).collect();
        Some(Row {
            method,
            path,
            statuses,
        })
    })
    .collect()
}

/// The secret of the token that is called so.
fn secret(name: &str) -> Secret {
    let mut bits = [7; 32];
    bits[..name.len()].copy_from_slice(name.as_bytes());
    Secret::new(bits)
}

fn line(name: &str, scope: &str, expires: &str) -> String {
    let digest = secret(name).digest().map(|byte| format!("{byte:02x}"));
    format!("{name} {scope} {} {expires}\n", digest.concat())
}

static HOST: LazyLock<Host> = LazyLock::new(|| {
    let tokens = [
        line("read", "read", "2999-01-01T00:00:00Z"),
        line("write", "write", ""),
        line("admin", "admin", ""),
        line("expired", "admin", "2026-01-01T00:00:00Z"),
    ];
    let mut variables = trusting(&[Key::ed25519().jwk("k")]);
    variables.push(variable("tokens", &tokens.concat()));
    start(variables)
});

fn start(variables: Vec<edge_host::VariableSource>) -> Host {
    start_host_with(UpOptions {
        state_dir: Some(new_state_dir()),
        variables,
        ..UpOptions::default()
    })
}

fn service() -> Service {
    Service::of(&HOST)
}

fn admin() -> Service {
    service().with_token(secret("admin").reveal())
}

/// The id of a group.
fn new_group() -> String {
    let group = admin().post("/groups", json!({ "name": new_email() }));
    group.json()["id"].to_string()
}

/// A JWT of the subject, with the scope self.
fn jwt(subject: &str) -> String {
    Key::ed25519().sign(json!({}), &claims(subject, "self"))
}

/// The credentials of that caller, if any, where the path names the user `own`, and
/// `other` is somebody else.
fn credentials(caller: &str, own: &str, other: &str) -> Option<String> {
    Some(match caller {
        "none" => return None,
        "malformed" => "Bearer".to_owned(),
        "owner" => format!("Bearer {}", jwt(own)),
        "other" => format!("Bearer {}", jwt(other)),
        token => format!("Bearer {}", secret(token).reveal()),
    })
}

fn ask(method: &str, path: &str, credentials: Option<&str>) -> Answer {
    let mut request = service().request(method, path);
    if let Some(credentials) = credentials {
        request = request.header("authorization", credentials);
    }
    let media_type = match method {
        "PATCH" => "application/merge-patch+json",
        _ => "application/json",
    };
    if matches!(method, "POST" | "PUT" | "PATCH") {
        // No two groups have one name.
        let name = match path.starts_with("/groups") {
            true => new_email(),
            false => "Ada".to_owned(),
        };
        let body = json!({ "name": name }).to_string();
        request = request.header("content-type", media_type).body(body);
    }
    request.answer()
}

/// A refusal says, in its header, what would be let in.
fn check_challenge(answer: &Answer, what: &str) {
    let challenge = answer.header("www-authenticate").unwrap_or_default();
    let expected = match answer.status {
        401 => "Bearer realm=\"edge-users\"",
        403 => "Bearer realm=\"edge-users\", error=\"insufficient_scope\", scope=\"",
        _ => return assert_eq!(challenge, "", "{what}"),
    };
    assert!(challenge.starts_with(expected), "{what}: {challenge}");
}

#[test]
fn every_request_by_every_caller_is_answered_as_the_table_says() {
    let other = admin().create(json!({ "name": "Other" }))["id"].to_string();
    for row in rows() {
        let (method, template) = (row.method, row.path);
        for (caller, status) in row.statuses {
            let own = admin().create(json!({ "name": "Own" }))["id"].to_string();
            let path = match template.strip_prefix("/groups/{id}") {
                Some(rest) => format!("/groups/{}{}", new_group(), rest.replace("{user}", &own)),
                None => template.replace("{id}", &own),
            };
            let path = path.replace("{slug}", "email-taken");
            let answer = ask(method, &path, credentials(caller, &own, &other).as_deref());
            let what = format!("{method} {template} by {caller}");
            assert_eq!(answer.status, status, "{what}: {}", answer.body);
            check_challenge(&answer, &what);
            if status >= 400 && method != "HEAD" {
                answer.problem();
            }
            // Who is refused changes nothing.
            if template == "/users/{id}" && matches!(answer.status, 401 | 403) {
                let user = admin().get(&path).json();
                assert_eq!(user["name"], "Own", "{what}");
            }
        }
    }
}

/// A path that the service describes and the table does not is one of which nobody
/// has said who may use it.
#[test]
fn every_path_that_the_service_describes_has_a_row() {
    let described = admin().get("/openapi.json").json();
    let rows = rows();
    for (path, operations) in described["paths"].as_object().expect("paths") {
        for method in operations.as_object().expect("operations").keys() {
            let method = method.to_uppercase();
            let is_method = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
                .contains(&method.as_str());
            let has_row = rows
                .iter()
                .any(|row| row.method == method && row.path == path);
            assert!(has_row || !is_method, "{method} {path}");
        }
    }
}

#[test]
fn a_user_does_not_learn_from_a_refusal_whether_there_is_another() {
    let own = admin().create(json!({ "name": "Own" }))["id"].to_string();
    let service = service().with_token(&jwt(&own));
    let gone = path(&admin().create(json!({ "name": "Gone" })));
    let there = path(&admin().create(json!({ "name": "There" })));
    assert_eq!(admin().delete(&gone).status, 204);
    for path in [&*gone, &there, "/users/999999999", "/users/x", "/users/0"] {
        let answer = service.get(path);
        let detail = "This needs a token of the scope read.";
        assert_eq!(answer.problem()["detail"], detail, "{path}");
        assert_eq!(answer.status, 403, "{path}");
    }
}

#[test]
fn without_a_token_in_the_configuration_nobody_is_let_in() {
    for auth in ["token", ""] {
        let host = start(vec![variable("auth", auth), variable("tokens", "")]);
        let closed = Service::of(&host);
        let with_token = closed.with_token(secret("admin").reveal());
        let with_jwt = closed.with_token(&jwt("1"));
        for service in [&closed, &with_token, &with_jwt] {
            let answer = service.get("/users");
            assert_eq!(answer.status, 401, "{auth:?}");
            let detail = answer.problem()["detail"].to_string();
            assert!(detail.contains("No token is configured"), "{detail}");
            assert!(detail.contains("edge-users token new"), "{detail}");
        }
        assert_eq!(closed.get("/healthz").status, 200);
        assert_eq!(closed.get("/").status, 200);
    }
}

/// The page on a refusal is there for whom it refuses.
#[test]
fn the_pages_that_explain_are_open_to_everybody_and_tell_nothing_of_users() {
    let refused = service().get("/users");
    let page = refused.problem()["type"]
        .as_str()
        .expect("a path")
        .to_owned();
    for path in [&*page, "/docs", "/openapi.json", "/problems", "/readyz"] {
        let answer = service().get(path);
        assert_eq!(answer.status, 200, "{path}");
    }
    assert_eq!(service().get("/readyz").json(), json!({ "status": "ok" }));
}

#[test]
fn a_refusal_says_what_is_wrong_with_the_token_and_never_repeats_it() {
    let admin = secret("admin");
    let (all_but_one, last) = admin.reveal().split_at(admin.reveal().len() - 1);
    let mistyped = format!("{all_but_one}{}", if last == "0" { "1" } else { "0" });
    for (credentials, error, detail) in [
        (None, "", "edge-users token new"),
        (
            Some("Basic YWRhOnNlY3JldA==".to_owned()),
            "",
            "edge-users token new",
        ),
        (Some("Bearer a b".to_owned()), "invalid_token", "malformed"),
        (credentials("unknown", "", ""), "invalid_token", "not known"),
        (
            credentials("expired", "", ""),
            "invalid_token",
            "has expired",
        ),
        (
            Some(format!("Bearer {mistyped}")),
            "invalid_token",
            "mistyped",
        ),
    ] {
        let answer = ask("GET", "/users", credentials.as_deref());
        assert_eq!(answer.status, 401);
        let challenge = answer.header("www-authenticate").expect("a challenge");
        assert_eq!(
            challenge.contains("invalid_token"),
            !error.is_empty(),
            "{challenge}"
        );
        let told = answer.problem()["detail"].to_string();
        assert!(told.contains(detail), "{told}");
        if let Some(credentials) = credentials {
            let (_, token) = credentials.split_once(' ').expect("a scheme and a token");
            assert!(!format!("{answer:?}").contains(token));
        }
    }
}

#[test]
fn a_token_counts_in_one_header_and_nowhere_else() {
    let secret = secret("admin");
    let token = secret.reveal();
    let query = service().get(&format!("/users?access_token={token}"));
    assert_eq!(query.status, 401);
    let cookie = service()
        .request("GET", "/users")
        .header("cookie", format!("access_token={token}"))
        .answer();
    assert_eq!(cookie.status, 401);
    let twice = service()
        .request("GET", "/users")
        .header("authorization", format!("Bearer {token}"))
        .header("authorization", format!("Bearer {token}"))
        .answer();
    assert_eq!(twice.status, 401);
    assert_eq!(admin().get("/users").status, 200);
}

#[test]
fn a_token_that_the_client_makes_opens_the_service() {
    let made = Command::new(client_program())
        .args([
            "token",
            "new",
            "--name",
            "deploy",
            "--scope",
            "write",
            "--expires",
            "90d",
        ])
        .output()
        .expect("it runs");
    assert!(made.status.success(), "{made:?}");
    let printed = String::from_utf8(made.stdout).expect("text");
    let lines: Vec<_> = printed.lines().map(str::trim).collect();
    let secret = lines
        .iter()
        .find(|line| line.starts_with("eu_"))
        .expect("a secret");
    let line = lines
        .iter()
        .find(|line| line.starts_with("deploy write "))
        .expect("a line");
    assert!(!line.contains(secret));
    let host = start(vec![variable("auth", "token"), variable("tokens", line)]);
    let service = Service::of(&host).with_token(secret);
    service.create(json!({ "name": "Ada" }));
    assert_eq!(Service::of(&host).get("/users").status, 401);
}
