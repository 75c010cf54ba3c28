//! Lists of users who are switched on or off, or who were created or changed after a time.

use serde_json::{Value, json};

use crate::support::{Answer, Service, encoded, new_email, path, service, start_host};

fn ids(users: &[Value]) -> Vec<u64> {
    let ids = users.iter().map(|user| user["id"].as_u64());
    ids.map(|id| id.expect("an id")).collect()
}

fn listed(answer: &Answer) -> Vec<u64> {
    assert_eq!(answer.status, 200, "{}", answer.body);
    ids(answer.json().as_array().expect("a list"))
}

/// The ids of all pages, and how many pages there were.
fn walk(service: &Service, first: &str) -> (Vec<u64>, usize) {
    let (mut found, mut pages) = (Vec::new(), 0);
    let mut next = Some(first.to_owned());
    while let Some(path) = next {
        let page = service.get(&path);
        found.extend(listed(&page));
        pages += 1;
        next = page.next_page();
    }
    (found, pages)
}

/// A later time than that of the user's last change, without another between them.
fn time(user: &Value, member: &str) -> String {
    encoded(user[member].as_str().expect("a time"))
}

/// Waits until the clock shows another millisecond.
fn tick() {
    std::thread::sleep(std::time::Duration::from_millis(3));
}

#[test]
fn every_way_to_find_users_can_be_narrowed() {
    let service = service();
    let (external_id, word) = (new_email(), new_email().replace(['@', '.'], "x"));
    let user = |active: bool| {
        let name = format!("{word} {active}");
        let (email, username) = (new_email(), new_email());
        tick();
        service.create(json!({
            "name": name, "email": email, "username": username, "external_id": external_id,
            "active": active,
        }))
    };
    let (on, off) = (user(true), user(false));
    let (on_id, off_id) = (
        &ids(std::slice::from_ref(&on)),
        &ids(std::slice::from_ref(&off)),
    );
    let text = |user: &Value, member: &str| encoded(user[member].as_str().expect("a text"));
    let between = time(&on, "created_at");
    for list in [
        format!("name={word}"),
        format!("external_id={}", encoded(&external_id)),
        format!("id={},{}", on["id"], off["id"]),
        format!("after={}", on_id[0] - 1),
    ] {
        let find = |more: &str| {
            let (found, _) = walk(service, &format!("/users?{list}&{more}"));
            // Other tests make users, too.
            let ours = [on_id[0], off_id[0]];
            Vec::from_iter(found.into_iter().filter(|id| ours.contains(id)))
        };
        assert_eq!(find("active=true"), *on_id, "{list}");
        assert_eq!(find("active=false"), *off_id, "{list}");
        assert_eq!(find(&format!("created_after={between}")), *off_id, "{list}");
        assert_eq!(find(&format!("updated_after={between}")), *off_id, "{list}");
        let all = format!("active=false&created_after={between}&updated_after={between}");
        assert_eq!(find(&all), *off_id, "{list}");
        assert_eq!(find(&all.replace("false", "true")), [0; 0], "{list}");
        let later = time(&off, "updated_at");
        assert_eq!(find(&format!("updated_after={later}")), [0; 0], "{list}");
    }
    for list in ["email", "username"].map(|member| format!("{member}={}", text(&off, member))) {
        let find = |active: bool| service.get(&format!("/users?{list}&active={active}"));
        assert_eq!(listed(&find(false)), *off_id);
        assert_eq!(find(false).header("x-total-count"), Some("1"));
        assert_eq!(listed(&find(true)), [0; 0]);
        assert_eq!(find(true).header("x-total-count"), Some("0"));
    }
    let switched_on = service.patch(&path(&off), json!({ "active": true }));
    assert_eq!(switched_on.status, 200);
    let found = service.get(&format!("/users?name={word}&active=false"));
    assert_eq!(listed(&found), [0; 0]);
    let found = service.get(&format!(
        "/users?name={word}&updated_after={}&created_after={between}",
        time(&off, "updated_at")
    ));
    assert_eq!(listed(&found), *off_id);
}

#[test]
fn a_time_may_be_written_with_any_offset_and_is_compared_to_the_millisecond() {
    let user = service().create(json!({ "name": "Ada" }));
    let created = user["created_at"].as_str().expect("a time");
    let find = |after: &str| {
        let found = service().get(&format!("/users?id={}&created_after={after}", user["id"]));
        listed(&found).len()
    };
    // Later by less than a millisecond is not later than the user.
    let fraction = created.replace('Z', "9Z");
    let offset = |sign: &str| created.replace('Z', sign);
    for (after, count) in [
        ("1970-01-01T00:00:00Z".to_owned(), 1),
        (created.to_owned(), 0),
        (fraction, 0),
        (offset("%2B00:00"), 0),
        (offset("+00:00"), 0),
        (offset("+00:01"), 1),
        (offset("-00:01"), 0),
        ("9999-12-31T23:59:59.999Z".to_owned(), 0),
    ] {
        assert_eq!(find(&after), count, "{after}");
    }
}

#[test]
fn a_link_to_the_next_page_narrows_as_the_first_one_did() {
    let service = service();
    let external_id = new_email();
    let users = (0..10).map(|number| {
        service.create(json!({
            "name": "Ada", "external_id": external_id, "active": number % 2 == 0,
        }))
    });
    let users: Vec<Value> = users.collect();
    let time = "2020-01-01T00:00:00+01:00";
    let first = format!(
        "/users?external_id={}&active=false&fields=id,active&limit=2&created_after={time}",
        encoded(&external_id)
    );
    let mut found = Vec::new();
    let mut next = Some(first);
    while let Some(path) = next {
        let page = service.get(&path);
        assert_eq!(page.status, 200, "{}", page.body);
        for user in page.json().as_array().expect("a list") {
            let id = user["id"].as_u64().expect("an id");
            assert_eq!(user, &json!({ "id": id, "active": false }));
            found.push(id);
        }
        next = page.next_page();
        for again in ["active=false", "fields=id,active", "limit=2", time] {
            assert!(
                next.as_ref().is_none_or(|next| next.contains(again)),
                "{next:?}"
            );
        }
    }
    let off = users.iter().skip(1).step_by(2).cloned();
    assert_eq!(found, ids(&Vec::from_iter(off)));
}

#[test]
fn an_export_is_narrowed_too() {
    let service = service();
    let (on, off) = (
        service.create(json!({ "name": "On" })),
        service.create(json!({ "name": "Off", "active": false })),
    );
    let after = on["id"].as_u64().expect("an id") - 1;
    let export = |more: &str| {
        let answer = service.get(&format!("/users/export?after={after}&fields=id&{more}"));
        assert_eq!(answer.status, 200, "{}", answer.body);
        let lines = answer
            .body
            .lines()
            .map(|line| serde_json::from_str(line).expect("JSON"));
        let mut lines: Vec<Value> = lines.collect();
        let last = lines.pop().expect("a last line");
        assert_eq!(last["users"], lines.len());
        lines
    };
    let has =
        |lines: &[Value], user: &Value| ids(lines).contains(&user["id"].as_u64().expect("an id"));
    let narrowed = export("active=false");
    assert!(has(&narrowed, &off) && !has(&narrowed, &on));
    let narrowed = export("active=true&created_after=1970-01-01T00:00:00Z");
    assert!(has(&narrowed, &on) && !has(&narrowed, &off));
    assert_eq!(
        export("updated_after=9999-12-31T23:59:59Z"),
        [json!(null); 0]
    );
}

#[test]
fn what_narrows_nothing_is_refused_with_the_parameters_name() {
    for (query, parameter) in [
        ("active=", "active"),
        ("active=1", "active"),
        ("active=True", "active"),
        ("active=true&active=true", "active"),
        ("created_after=", "created_after"),
        ("created_after=yesterday", "created_after"),
        ("created_after=2026-11-22", "created_after"),
        ("created_after=2026-11-22T21:53:40", "created_after"),
        ("updated_after=1795384420", "updated_after"),
        ("updated_after=2026-11-31T00:00:00Z", "updated_after"),
        ("created_before=2026-11-22T21:53:40Z", "created_before"),
    ] {
        for place in [
            "/users?",
            "/users?name=a&",
            "/users?email=a@example.com&",
            "/users/export?",
        ] {
            let refused = service().get(&format!("{place}{query}"));
            assert_eq!(refused.status, 400, "{place}{query}: {}", refused.body);
            let problem = refused.problem();
            assert_eq!(problem["type"], "/problems/invalid-query");
            let detail = problem["detail"].as_str().expect("a detail");
            assert!(
                detail.contains(&format!("{parameter}\"")),
                "{query}: {detail}"
            );
        }
    }
}

/// Tests of services of their own, whatever `EDGE_USERS_URL` says.
mod not_by_url {
    use super::*;

    /// 1,200 users of whom every 400th is switched off.
    #[test]
    fn a_page_that_leaves_out_many_users_ends_short_and_leads_on() {
        let host = start_host();
        let service = Service::of(&host);
        let lines = (1..=1200).map(|number| {
            let active = number % 400 != 0;
            json!({ "name": format!("U{number:04}"), "active": active }).to_string() + "\n"
        });
        let import = service.request("POST", "/users/import");
        let import = import.header("content-type", "application/x-ndjson");
        let import = crate::support::Send::answer(import.body(lines.collect::<String>()));
        assert!(
            import.body.contains("\"end\":\"complete\""),
            "{}",
            import.body
        );
        for (list, expected) in [
            ("sort=id", [400, 800, 1200]),
            ("sort=-id", [1200, 800, 400]),
            ("name=u", [400, 800, 1200]),
        ] {
            let (found, pages) = walk(&service, &format!("/users?{list}&active=false&limit=10"));
            assert_eq!(found, expected, "{list}");
            // By name, most users had to be merged first.
            assert!(pages >= 3, "{list}: {pages}");
        }
        let before = host.store_operations();
        let page = service.get("/users?active=false&limit=10");
        let cost = (host.store_operations() - before).total();
        assert_eq!(listed(&page), [400]);
        assert_eq!(page.header("x-total-count"), None);
        assert!(cost <= 512 + 40, "{cost}");
        let (all, _) = walk(&service, "/users?active=true&limit=1000");
        assert_eq!(all.len(), 1197);
        assert_eq!(service.get("/users").header("x-total-count"), Some("1200"));
    }
}
