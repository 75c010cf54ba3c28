//! Several users at once: by their ids, in either order, some members of them.

use crate::support::{Answer, Service, new_email, path, service, start_host};
use serde_json::{Value, json};

fn ids(answer: &Answer) -> Vec<u64> {
    assert_eq!(answer.status, 200, "{}", answer.body);
    let users = answer.json();
    let users = users.as_array().expect("a list").iter();
    users
        .map(|user| user["id"].as_u64().expect("an id"))
        .collect()
}

/// The ids of all pages from `first` on.
fn walk(service: &Service, first: &str) -> Vec<u64> {
    let mut page = service.get(first);
    let mut met = ids(&page);
    while let Some(next) = page.next_page() {
        page = service.get(&next);
        met.extend(ids(&page));
    }
    met
}

#[test]
fn users_are_asked_for_by_their_ids() {
    let users: Vec<Value> = ["Ada", "Bea", "Cleo"]
        .map(|name| service().create(json!({ "name": name })))
        .to_vec();
    let id = |n: usize| users[n]["id"].as_u64().unwrap();
    service().delete(&path(&users[1]));
    let list = format!("{},{},{},{},17179869183", id(2), id(1), id(0), id(2));
    let found = service().get(&format!("/users?id={list}"));
    assert_eq!(ids(&found), [id(0), id(2)]);
    assert_eq!(found.json(), json!([users[0], users[2]]));
    assert_eq!(found.header("x-total-count"), Some("2"));
    let hundred = vec!["1"; 100].join(",");
    assert_eq!(service().get(&format!("/users?id={hundred}")).status, 200);
    for list in [
        "",
        "1,",
        "0",
        "a",
        "1;2",
        "-1",
        "01",
        &format!("{hundred},1"),
    ] {
        let refused = service().get(&format!("/users?id={list}"));
        assert_eq!(refused.status, 400, "{list}");
        assert!(refused.problem()["detail"].to_string().contains("id"));
    }
}

#[test]
fn a_client_picks_the_members_that_it_wants() {
    let user = service().create(json!({ "name": "Ada", "email": new_email() }));
    let id = user["id"].clone();
    let picked = json!({ "id": id, "name": "Ada" });
    let one = service().get(&format!("{}?fields=name,id", path(&user)));
    assert_eq!(one.body, picked.to_string());
    let listed = service().get(&format!("/users?id={id}&fields=id,name"));
    assert_eq!(listed.json(), json!([picked]));
    let email = user["email"].as_str().unwrap();
    let found = service().get(&format!(
        "/users?email={email}&fields=created_at,attributes"
    ));
    assert_eq!(found.json(), json!([{ "created_at": user["created_at"] }]));
    service().create(json!({ "name": "Bea" }));
    let page = service().get("/users?limit=1&fields=id&sort=-id");
    assert!(page.header("link").unwrap().contains("fields=id"));
    for fields in ["", "colour", "id,", "id,,name", "ID"] {
        for path in [&path(&user)[..], "/users"] {
            let refused = service().get(&format!("{path}?fields={fields}"));
            assert_eq!(refused.status, 400, "{path} {fields}");
            assert!(refused.problem()["detail"].to_string().contains("fields"));
        }
    }
}

#[test]
fn a_parameter_that_does_not_go_with_another_is_refused_by_its_name() {
    for (query, name) in [
        ("id=1&limit=1", "limit"),
        ("email=a@b.example&sort=id", "sort"),
        ("id=1&email=a@b.example", "id"),
        ("sort=email", "sort"),
        ("sort=--name", "sort"),
        ("sort=name&name=a", "sort"),
        ("sort=name&after=7", "after"),
        ("sort=name&limit=0", "limit"),
        ("sort=", "sort"),
        ("sort=id&sort=id", "sort"),
    ] {
        let refused = service().get(&format!("/users?{query}"));
        assert_eq!(refused.status, 400, "{query}");
        let detail = refused.problem()["detail"].to_string();
        assert!(detail.contains(&format!("{name}\\\"")), "{query}: {detail}");
    }
}

/// Tests of services of their own, whatever `EDGE_USERS_URL` says.
mod not_by_url {
    use super::*;

    #[test]
    fn users_are_listed_in_either_order() {
        let host = start_host();
        let service = Service::of(&host);
        for n in 1..=9 {
            service.create(json!({ "name": format!("U{n}") }));
        }
        for gone in [1, 4, 5, 9] {
            service.delete(&format!("/users/{gone}"));
        }
        assert_eq!(walk(&service, "/users?limit=2"), [2, 3, 6, 7, 8]);
        assert_eq!(walk(&service, "/users?limit=2&sort=id"), [2, 3, 6, 7, 8]);
        assert_eq!(walk(&service, "/users?limit=2&sort=-id"), [8, 7, 6, 3, 2]);
        assert_eq!(walk(&service, "/users?limit=5&sort=-id"), [8, 7, 6, 3, 2]);
        assert_eq!(ids(&service.get("/users?sort=-id&after=7")), [6, 3, 2]);
        for after in [0, 1, 2] {
            assert!(ids(&service.get(&format!("/users?sort=-id&after={after}"))).is_empty());
        }
        let newest = service.get("/users?sort=-id&limit=1");
        assert_eq!(newest.header("x-total-count"), Some("5"));
    }

    #[test]
    fn users_are_listed_by_name_in_either_order() {
        let host = start_host();
        let service = Service::of(&host);
        assert!(ids(&service.get("/users?sort=name")).is_empty());
        assert!(ids(&service.get("/users?sort=-name")).is_empty());
        // More than two leaves of the index, some of one name, and one without a letter that counts.
        let names = (1..=90).map(|n| match n % 3 {
            0 => "Same".to_owned(),
            1 => format!("\u{e9}ve {:02}", n * 37 % 90),
            _ => format!("User {:02}", n * 53 % 90),
        });
        let names: Vec<String> = names.chain(["\u{301}a".to_owned()]).collect();
        let lines = names.iter().map(|name| {
            let active = !name.ends_with('7');
            json!({ "name": name, "active": active }).to_string() + "\n"
        });
        let import = service.request("POST", "/users/import");
        let import = import.header("content-type", "application/x-ndjson");
        let import = crate::support::Send::answer(import.body(lines.collect::<String>()));
        assert!(
            import.body.contains("\"end\":\"complete\""),
            "{}",
            import.body
        );
        let folded = |id: &u64| {
            let name = names[*id as usize - 1].to_lowercase();
            (name.replace('\u{e9}', "e").replace('\u{301}', ""), *id)
        };
        let mut expected = Vec::from_iter(1..=91);
        expected.sort_by_key(folded);
        let off = |id: &u64| names[*id as usize - 1].ends_with('7');
        for sort in ["name", "-name"] {
            for limit in [7, 32, 100] {
                let path = format!("/users?sort={sort}&limit={limit}");
                assert_eq!(walk(&service, &path), expected, "{path}");
            }
            let narrowed = walk(
                &service,
                &format!("/users?sort={sort}&limit=3&active=false"),
            );
            let mut switched_off = expected.clone();
            switched_off.retain(off);
            assert_eq!(narrowed, switched_off);
            let page = service.get(&format!("/users?sort={sort}&limit=2"));
            assert_eq!(page.header("x-total-count"), Some("91"));
            let page = service.get(&format!("/users?sort={sort}&limit=2&active=true"));
            assert_eq!(page.header("x-total-count"), None);
            expected.reverse();
        }
        // A walk goes on from where it was, whoever was there has gone or comes.
        let page = service.get("/users?sort=-name&limit=10");
        service.delete(&format!("/users/{}", ids(&page)[9]));
        service.create(json!({ "name": "zzz" }));
        let rest = walk(&service, &page.next_page().expect("a next page"));
        expected.reverse();
        assert_eq!(rest, expected[10..]);
    }

    /// 600 users, of whom the first and the last are left: two groups of ids are empty but for them.
    #[test]
    fn a_walk_steps_over_long_stretches_of_deleted_users_in_either_order() {
        let host = start_host();
        let service = Service::of(&host);
        for n in 1..=600 {
            service.create(json!({ "name": format!("U{n}") }));
        }
        for gone in 2..=599 {
            service.delete(&format!("/users/{gone}"));
        }
        assert_eq!(walk(&service, "/users"), [1, 600]);
        assert_eq!(walk(&service, "/users?sort=-id"), [600, 1]);
    }
}
