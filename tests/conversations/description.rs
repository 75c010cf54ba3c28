//! The description of the interface, and what leads to it. That it is true is
//! checked by every other test: see `support/contract.rs`.

use crate::support::{Send, contract, service};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

#[test]
fn the_description_is_served_as_it_is_embedded_with_the_version_of_the_service() {
    let answer = service().get("/openapi.json");
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.body.as_bytes(), *edge_users::rest::DESCRIPTION);
    let document = answer.json();
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
    let media_type = "application/vnd.oai.openapi+json";
    let request = service().request("GET", "/openapi.json");
    let answer = request.header("accept", media_type).answer();
    assert_eq!(answer.header("content-type"), Some(media_type));
}

#[test]
fn what_is_published_is_sent_again_only_when_it_changed() {
    for path in ["/openapi.json", "/docs", "/problems", "/problems/exhausted"] {
        let first = service().get(path);
        assert_eq!(first.status, 200, "{path}");
        assert_eq!(first.header("cache-control"), Some("public, max-age=300"));
        let tag = first.header("etag").expect("an entity tag");
        let request = service().request("GET", path).header("if-none-match", tag);
        let again = request.answer();
        assert_eq!(
            (again.status, again.header("etag")),
            (304, Some(tag)),
            "{path}"
        );
    }
}

#[test]
fn a_page_is_complete_in_itself_and_runs_nothing_but_its_own_script() {
    for path in ["/docs", "/problems", "/problems/email-taken"] {
        let request = service().request("GET", path).header("accept", "text/html");
        let page = request.answer();
        assert_eq!(
            page.header("content-type"),
            Some("text/html; charset=utf-8")
        );
        assert!(page.body.len() < 20_000, "{path}");
        let policy = page.header("content-security-policy").expect("a policy");
        for directive in ["default-src 'none'", "frame-ancestors 'none'"] {
            assert!(policy.contains(directive), "{path}: {policy}");
        }
        for element in ["style", "script"] {
            let (open, close) = (format!("<{element}>"), format!("</{element}>"));
            let inside = page.body.split_once(&open).map(|(_, rest)| rest);
            let inside = inside.and_then(|rest| rest.split_once(&close));
            let hash = inside.map(|(inside, _)| BASE64.encode(Sha256::digest(inside)));
            let allowed = hash.map(|hash| format!("{element}-src 'sha256-{hash}'"));
            assert!(allowed.is_none_or(|allowed| policy.contains(&allowed)));
        }
        for foreign in ["src=", "<link", "@import", "url(", "=\"http", "=\"//"] {
            assert!(!page.body.contains(foreign), "{path} has {foreign}");
        }
    }
}

#[test]
fn a_problem_leads_to_a_page_that_says_what_to_do() {
    let problem = service().get("/users/0").problem();
    let url = problem["type"].as_str().expect("a URL");
    let explained = service().get(url).json();
    assert_eq!(explained["title"], problem["title"]);
    assert_eq!(explained["status"], 404);
    let request = service()
        .request("GET", url)
        .header("accept", "text/html, */*;q=0.8");
    let page = request.answer();
    for part in ["title", "meaning", "remedy"] {
        let part = explained[part].as_str().expect("text");
        assert!(page.body.contains(part), "{part}");
    }
    for unknown in ["/problems/unknown", "/problems/%ff"] {
        assert_eq!(service().get(unknown).status, 404, "{unknown}");
    }
}

#[test]
fn the_catalog_leads_to_what_describes_the_service() {
    let catalog = service().get("/.well-known/api-catalog");
    let profile = "profile=\"https://www.rfc-editor.org/info/rfc9727\"";
    let media_type = format!("application/linkset+json; {profile}");
    assert_eq!(catalog.header("content-type"), Some(&media_type[..]));
    let head = service()
        .request("HEAD", "/.well-known/api-catalog")
        .answer();
    let links = head.header("link").expect("links").to_owned();
    assert!(
        links.contains("rel=\"api-catalog\"") && links.contains("rel=\"item\""),
        "{links}"
    );
    let described = &catalog.json()["linkset"][1];
    assert_eq!(described["anchor"], "/");
    for relation in ["service-desc", "service-doc", "status"] {
        let target = described[relation][0]["href"].as_str().expect("a target");
        assert_eq!(service().get(target).status, 200, "{relation}");
    }
}

#[test]
fn the_root_links_to_the_description_in_header_and_body() {
    let root = service().get("/");
    let header = root.header("link").expect("links");
    for relation in ["service-desc", "service-doc", "status", "api-catalog"] {
        let target = root.json()["links"][relation].clone();
        let link = format!("<{}>; rel=\"{relation}\"", target.as_str().expect("a path"));
        assert!(header.contains(&link), "{header}");
    }
}

/// The harness must not be blind: answers that differ in one respect are refused.
#[test]
fn an_answer_that_is_not_described_is_noticed() {
    let refused = |method: &'static str, path: &'static str, answer: crate::support::Answer| {
        std::panic::catch_unwind(move || contract::check(method, path, &answer)).is_err()
    };
    let get = || service().get("/healthz");
    assert!(!refused("GET", "/healthz", get()));
    assert!(refused("GET", "/elsewhere", get()));
    assert!(refused("POST", "/healthz", get()));
    assert!(refused("GET", "/users", get()));
    let changed = |change: &dyn Fn(&mut crate::support::Answer)| {
        let mut answer = get();
        change(&mut answer);
        refused("GET", "/healthz", answer)
    };
    assert!(changed(&|answer| answer.status = 201));
    assert!(changed(
        &|answer| answer.body = json!({ "status": "well" }).to_string()
    ));
    assert!(changed(
        &|answer| answer.body = json!({ "status": "ok", "more": 1 }).to_string()
    ));
    assert!(changed(&|answer| answer.remove_header("x-request-id")));
    assert!(changed(&|answer| answer.set_header("x-new", "1")));
    assert!(changed(
        &|answer| answer.set_header("content-type", "text/plain")
    ));
    let mut problem = service().get("/users/0");
    let mut other: Value = problem.json();
    other["type"] = json!("/problems/email-taken");
    problem.body = other.to_string();
    assert!(refused("GET", "/users/{id}", problem));
}

/// Tests that need no service.
mod not_by_url {
    use super::*;

    #[test]
    fn every_example_is_valid() {
        let examples = contract::examples();
        assert!(examples.len() > 50, "{}", examples.len());
        for (schema, example) in examples {
            if let Err(error) = contract::validate(&schema, &example) {
                panic!("{schema}: {error}");
            }
        }
    }
}
