//! Conditional requests, and what caches are told.

use crate::support::{
    Answer, Send, Service, new_email, new_state_dir, path, service, start_host_with,
};
use edge_host::UpOptions;
use serde_json::json;

/// A new user's path and entity tag.
fn user() -> (String, String) {
    let created = service().post("/users", json!({ "name": "Ivy" }));
    let tag = created.header("etag").expect("an entity tag").to_owned();
    (path(&created.json()), tag)
}

fn get(path: &str, header: &str, value: &str) -> Answer {
    let request = service().request("GET", path);
    request.header(header, value).answer()
}

#[test]
fn a_change_is_made_only_to_the_version_that_if_match_names() {
    let created = service().post("/users", json!({ "name": "Ivy" }));
    let (user, tag) = (path(&created.json()), created.header("etag").unwrap());
    let change = |method: &str, condition: &str| {
        let request = service()
            .request(method, &user)
            .header("if-match", condition);
        request.json(&json!({ "name": "Ida" })).answer()
    };
    for method in ["PUT", "PATCH", "DELETE"] {
        for condition in ["\"other\"", "", &format!("W/{tag}")] {
            let refused = change(method, condition);
            assert_eq!(refused.status, 412, "{method} {condition}");
            refused.problem();
        }
        assert_eq!(change(method, "not quoted").status, 400);
    }
    assert_eq!(service().get(&user).header("etag"), Some(tag));
    assert_eq!(change("PUT", &format!("\"other\", {tag}")).status, 200);
    assert_eq!(change("PATCH", tag).status, 412);
    let second = service().get(&user);
    assert_eq!(change("PATCH", second.header("etag").unwrap()).status, 200);
    assert_eq!(change("DELETE", "*").status, 204);
    assert_eq!(change("DELETE", "*").status, 412);
    assert_eq!(change("PUT", "*").status, 412);
}

#[test]
fn what_the_client_has_already_is_not_sent_again() {
    let (user, tag) = user();
    for path in [user.clone(), format!("{user}?fields=name")] {
        for tags in [
            tag.clone(),
            format!("W/{tag}"),
            format!("\"x\", {tag}"),
            "*".to_owned(),
        ] {
            for method in ["GET", "HEAD"] {
                let request = service()
                    .request(method, &path)
                    .header("if-none-match", &tags);
                let answer = request.answer();
                assert_eq!(
                    (answer.status, &answer.body[..]),
                    (304, ""),
                    "{method} {tags}"
                );
                let same = answer.header("etag").expect("an entity tag");
                assert!(tags.contains(same) || same == tag, "{tags} {same}");
                assert_eq!(answer.header("cache-control"), Some("no-store"));
                assert!(answer.header("vary").is_some());
            }
        }
    }
    assert_eq!(get(&user, "if-none-match", "\"other\"").status, 200);
    assert_eq!(get(&user, "if-none-match", "other").status, 400);
    assert_eq!(get("/users/0", "if-none-match", "*").status, 404);
}

#[test]
fn a_read_may_ask_for_a_version_too() {
    let (user, tag) = user();
    assert_eq!(get(&user, "if-match", &tag).status, 200);
    assert_eq!(get(&user, "if-match", "\"other\"").status, 412);
}

#[test]
fn a_page_has_an_entity_tag_that_changes_with_its_users() {
    let (user, _) = user();
    let page = format!("/users?id={}", user.trim_start_matches("/users/"));
    let tag = |answer: &Answer| answer.header("etag").expect("an entity tag").to_owned();
    let first = tag(&service().get(&page));
    assert_eq!(get(&page, "if-none-match", &first).status, 304);
    service().patch(&user, json!({ "name": "Ivy", "attributes": {} }));
    let second = get(&page, "if-none-match", &first);
    assert_eq!(second.status, 200);
    assert_ne!(tag(&second), first);
    service().delete(&user);
    let third = get(&page, "if-none-match", &tag(&second));
    assert_eq!((third.status, third.json()), (200, json!([])));
}

#[test]
fn if_none_match_keeps_a_change_from_what_is_there() {
    let (user, tag) = user();
    let put = |path: &str, value: &str| {
        let request = service()
            .request("PUT", path)
            .header("if-none-match", value);
        request.json(&json!({ "name": "Ida" })).answer().status
    };
    assert_eq!(put(&user, "*"), 412);
    assert_eq!(put(&user, &tag), 412);
    assert_eq!(put("/users/0", "*"), 404);
    assert_eq!(put(&user, "\"other\""), 200);
}

/// RFC 9110, section 13.2.1.
#[test]
fn a_precondition_is_evaluated_before_the_content_and_after_the_rest() {
    let (user, tag) = user();
    let put = |tag: &str, media_type: &str, body: &str| {
        let request = service().request("PUT", &user).header("if-match", tag);
        let request = request.header("content-type", media_type);
        request.body(body.to_owned()).answer().status
    };
    let json = "application/json";
    for body in ["{", "[]", "{\"name\":1}"] {
        assert_eq!(put("\"old\"", json, body), 412, "{body}");
    }
    assert_eq!(put(&tag, json, "{"), 400);
    assert_eq!(put(&tag, json, "{}"), 422);
    assert_eq!(put("\"old\"", "text/plain", "{"), 415);
}

/// RFC 9110, section 9.3.4: what is stored is more than what was sent.
#[test]
fn the_answer_to_a_put_has_no_entity_tag_and_that_to_a_patch_has_one() {
    let (user, before) = user();
    let put = service().put(&user, json!({ "name": "Ida" }));
    assert_eq!((put.status, put.header("etag")), (200, None));
    let patch = service().patch(&user, json!({ "name": "Ina" }));
    let tag = patch.header("etag").expect("an entity tag");
    assert_ne!(tag, before);
    assert_eq!(service().get(&user).header("etag"), Some(tag));
}

#[test]
fn everything_says_how_it_may_be_cached_and_on_what_it_depends() {
    let (user, _) = user();
    for (path, caching) in [
        ("/", "public, max-age=300"),
        ("/healthz", "no-store"),
        ("/readyz", "no-store"),
        ("/users?limit=1", "no-store"),
        (&user[..], "no-store"),
        ("/users/0", "no-store"),
        ("/nothing", "no-store"),
    ] {
        let answer = service().get(path);
        assert_eq!(answer.header("cache-control"), Some(caching), "{path}");
        let varies = answer.header("vary").expect("what it depends on");
        for header in ["accept", "authorization", "origin"] {
            assert!(
                varies.split(", ").any(|name| name == header),
                "{path} {varies}"
            );
        }
    }
    let eve = json!({ "name": "Eve", "email": new_email() });
    let import = service().request("POST", "/users/import");
    let import = import.header("content-type", "application/x-ndjson");
    for (status, answer) in [
        (201, service().post("/users", eve.clone())),
        (409, service().post("/users", eve)),
        (200, service().put(&user, json!({ "name": "Ada" }))),
        (200, service().patch(&user, json!({ "name": "Bea" }))),
        (200, service().get("/users?name=bea&limit=1")),
        (200, service().get("/users/export?after=999999999")),
        (200, import.body("nonsense").answer()),
        (200, service().request("HEAD", &user).answer()),
    ] {
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
}

/// Tests of services of their own, whatever `EDGE_USERS_URL` says.
mod not_by_url {
    use super::*;

    #[test]
    fn an_operator_can_require_preconditions() {
        let variable = "require_preconditions=on".parse();
        let host = start_host_with(UpOptions {
            state_dir: Some(new_state_dir()),
            variables: vec![variable.expect("a variable")],
            ..UpOptions::default()
        });
        let service = Service::of(&host);
        let user = path(&service.create(json!({ "name": "Ada" })));
        let change = json!({ "name": "Bea" });
        for method in ["PUT", "PATCH", "DELETE"] {
            let request = || service.request(method, &user).json(&change);
            let refused = request().answer();
            assert_eq!(refused.status, 428, "{method}");
            assert_eq!(refused.problem()["type"], "/problems/precondition-required");
            for other in ["\"x\"", ",", "*"] {
                let refused = request().header("if-none-match", other).answer();
                assert_eq!(refused.status, 428, "{method} {other}");
            }
            assert_eq!(request().header("if-match", ",").answer().status, 412);
            let changed = request().header("if-match", "*").answer().status;
            assert!([200, 204].contains(&changed), "{method} {changed}");
        }
    }
}
