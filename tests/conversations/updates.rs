//! Everybody in the order of last changes: `sort=updated_at` and `sort=-updated_at`.

use std::collections::BTreeMap;

use edge_host::Host;
use serde_json::{Value, json};

use crate::support::{Answer, Service, encoded, service, start_host, walk};

fn id(user: &Value) -> u64 {
    user["id"].as_u64().expect("an id")
}

fn ids(users: &[Value]) -> Vec<u64> {
    users.iter().map(id).collect()
}

fn page(service: &Service, query: &str) -> Answer {
    loop {
        let answer = service.get(query);
        // On a machine that is busy, even a small index may take more than a request.
        if answer.status == 503 && answer.problem()["type"] == "/problems/indexing" {
            continue;
        }
        assert_eq!(answer.status, 200, "{query}: {}", answer.body);
        return answer;
    }
}

/// The ids of all pages.
fn all(service: &Service, query: &str) -> Vec<u64> {
    ids(&walk(query, |path| page(service, path)))
}

/// Waits until the clock shows another millisecond.
fn tick() {
    std::thread::sleep(std::time::Duration::from_millis(2));
}

#[test]
fn what_is_no_place_in_the_order_is_refused() {
    service().create(json!({ "name": "Ada" }));
    service().create(json!({ "name": "Bea" }));
    let by_name = page(service(), "/users?sort=name&limit=1");
    let of_names = by_name.next_page().expect("a next page");
    let (_, of_names) = of_names.split_once("&after=").expect("a place");
    for query in [
        "sort=updated_at&after=7",
        "sort=-updated_at&after=WyJhIiwwXQ",
        &format!("sort=updated_at&after={of_names}"),
    ] {
        let refused = service().get(&format!("/users?{query}"));
        assert_eq!(refused.status, 400, "{query}: {}", refused.body);
        let detail = refused.problem()["detail"].to_string();
        assert!(detail.contains("after\\\""), "{query}: {detail}");
    }
    for query in ["sort=updated", "sort=--updated_at", "sort=updated_at&q=ada"] {
        let refused = service().get(&format!("/users?{query}"));
        assert_eq!(refused.status, 400, "{query}: {}", refused.body);
        assert!(refused.problem()["detail"].to_string().contains("sort\\\""));
    }
}

/// Tests of services of their own, whatever `EDGE_USERS_URL` says.
mod not_by_url {
    use super::*;

    fn with_users(count: usize) -> (Host, Service) {
        let host = start_host();
        let service = Service::of(&host);
        let lines = (1..=count).map(|n| json!({ "name": format!("U{n}") }).to_string() + "\n");
        let import = service.request("POST", "/users/import");
        let import = import.header("content-type", "application/x-ndjson");
        let import = crate::support::Send::answer(import.body(lines.collect::<String>()));
        assert!(import.body.contains("\"end\":\"complete\""));
        (host, service)
    }

    fn change(service: &Service, id: u64, what: Value) {
        let change = json!({ "attributes": { "what": what } });
        let changed = service.patch(&format!("/users/{id}"), change);
        assert_eq!(changed.status, 200, "{}", changed.body);
    }

    /// How many store operations a request takes; its `answer` may be looked at.
    fn cost<T>(host: &Host, request: impl FnOnce() -> T) -> (u64, T) {
        let before = host.store_operations();
        let answer = request();
        ((host.store_operations() - before).total(), answer)
    }

    #[test]
    fn everybody_is_listed_in_the_order_of_last_changes() {
        let (_host, service) = with_users(90);
        // Some are changed before the index is made, and some after.
        for user in [3, 80, 7] {
            tick();
            change(&service, user, json!(1));
        }
        assert_eq!(all(&service, "/users?sort=updated_at&limit=40").len(), 90);
        let late = service.create(json!({ "name": "Late", "active": false }));
        for (at, user) in [50, 3, 91, 20, 50].into_iter().enumerate() {
            tick();
            change(&service, user, json!({ "at": at }));
        }
        service.delete("/users/60");
        // To be in a group is no change of a user.
        let group = service.post("/groups", json!({ "name": "G" }));
        assert_eq!(group.status, 201, "{}", group.body);
        let member = format!("/groups/{}/members/10", group.json()["id"]);
        assert_eq!(service.put(&member, Value::Null).status, 204);

        let users = walk("/users?limit=50", |path| page(&service, path));
        let times = users.iter().map(|user| {
            let time = user["updated_at"].as_str().expect("a time").to_owned();
            ((time, id(user)), user.clone())
        });
        let times: BTreeMap<(String, u64), Value> = times.collect();
        let mut expected = Vec::from_iter(times.keys().map(|(_, id)| *id));
        assert_eq!(expected.len(), 90);
        assert_eq!(expected[86..], [3, 91, 20, 50]);
        for sort in ["updated_at", "-updated_at"] {
            for limit in [7, 32, 100] {
                let query = format!("/users?sort={sort}&limit={limit}");
                assert_eq!(all(&service, &query), expected, "{query}");
            }
            let first = page(&service, &format!("/users?sort={sort}&limit=2"));
            assert_eq!(first.header("x-total-count"), Some("90"));
            let narrowed = format!("/users?sort={sort}&limit=2&active=false");
            assert_eq!(all(&service, &narrowed), [id(&late)]);
            for ((time, _), user) in times.iter().step_by(9) {
                let created = user["created_at"].as_str().expect("a time");
                let query = format!("/users?sort={sort}&limit=5&updated_after={}", encoded(time));
                let later = |id: &u64| times.keys().any(|(at, of)| of == id && at > time);
                let expected = Vec::from_iter(expected.iter().copied().filter(later));
                assert_eq!(all(&service, &query), expected, "{query}");
                let query = format!("{query}&created_after={}", encoded(created));
                let newer = |id: &u64| {
                    let user = times.values().find(|user| user["id"] == *id);
                    user.expect("a user")["created_at"].as_str() > Some(created)
                };
                let expected = Vec::from_iter(expected.into_iter().filter(newer));
                assert_eq!(all(&service, &query), expected, "{query}");
            }
            expected.reverse();
        }
    }

    #[test]
    fn a_walk_meets_whoever_changes_meanwhile_again_at_its_end() {
        let (_host, service) = with_users(70);
        let first = page(&service, "/users?sort=updated_at&limit=20");
        let mut met = ids(first.json().as_array().expect("a list"));
        assert_eq!(met, Vec::from_iter(1..=20));
        tick();
        // One who was met, one who will not be where it was, and a new one.
        change(&service, 5, json!(1));
        change(&service, 30, json!(1));
        service.create(json!({ "name": "New" }));
        met.extend(all(&service, &first.next_page().expect("a next page")));
        let stayed = (1..=70).filter(|id| *id != 30);
        assert_eq!(met, Vec::from_iter(stayed.chain([5, 30, 71])));
        let backwards = page(&service, "/users?sort=-updated_at&limit=20");
        let mut met = ids(backwards.json().as_array().expect("a list"));
        tick();
        change(&service, met[0], json!(2));
        change(&service, 1, json!(2));
        met.extend(all(&service, &backwards.next_page().expect("a next page")));
        met.sort();
        assert_eq!(met, Vec::from_iter(2..=71));
    }

    /// It begins where the time is, and ends there: it does not go by all who were not changed.
    #[test]
    fn what_changed_since_costs_what_it_finds() {
        let (host, service) = with_users(600);
        while service.get("/users?sort=updated_at").status == 503 {}
        let last = service.get("/users/600").json();
        let time = encoded(last["updated_at"].as_str().expect("a time"));
        tick();
        for user in [9, 400, 17] {
            change(&service, user, json!(1));
            tick();
        }
        for (sort, expected) in [("updated_at", [9, 400, 17]), ("-updated_at", [17, 400, 9])] {
            let query = format!("/users?sort={sort}&updated_after={time}");
            let (operations, page) = cost(&host, || page(&service, &query));
            assert_eq!(ids(page.json().as_array().expect("a list")), expected);
            assert_eq!(page.next_page(), None);
            // The users of the last leaves, and what leads there.
            assert!(operations <= 60, "{query}: {operations}");
        }
    }

    #[test]
    fn changes_cost_more_only_once_somebody_has_asked_for_the_order() {
        let (host, service) = with_users(3);
        let changed = |user: u64, what: Value| cost(&host, || change(&service, user, what)).0;
        assert_eq!(changed(1, json!(1)), 2);
        assert_eq!(all(&service, "/users?sort=updated_at"), [2, 3, 1]);
        tick();
        // With one leaf: the number of the list, the leaf, its swap. Where the user was, is the same leaf.
        assert_eq!(changed(2, json!(1)), 7);
        let create = json!({ "name": "D" });
        let (operations, _) = cost(&host, || service.create(create));
        assert_eq!(operations, 2);
        // It is not in the list yet.
        assert_eq!(changed(4, json!(1)), 2);
        assert_eq!(all(&service, "/users?sort=updated_at"), [3, 1, 2, 4]);
        // What changes nothing moves nobody.
        assert_eq!(changed(3, json!(1)), 7);
        assert_eq!(changed(3, json!(1)), 1);
    }

    /// Each of 40 users has been at 30 places, and the list has 40.
    #[test]
    fn the_list_forgets_where_users_were() {
        let (host, service) = with_users(40);
        let first = cost(&host, || all(&service, "/users?sort=updated_at&limit=1000"));
        assert_eq!(first.1.len(), 40);
        for round in 0..30 {
            tick();
            for user in 1..=40 {
                change(&service, user, json!(round));
            }
        }
        let query = "/users?sort=updated_at&limit=1000";
        let (operations, found) = cost(&host, || all(&service, query));
        assert_eq!(found, Vec::from_iter(1..=40));
        assert!(operations <= 70, "{operations}");
        let query = "/users?sort=-updated_at&limit=1000";
        let (operations, found) = cost(&host, || all(&service, query));
        assert_eq!(found, Vec::from_iter((1..=40).rev()));
        assert!(operations <= 70, "{operations}");
    }
}
