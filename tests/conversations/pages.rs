//! Pages of users who are as large as users may be: an answer is bounded by bytes as well as by
//! number, and so is the memory that it takes.

use crate::support::{RUNTIME, Send as _, Service, new_state_dir, start_host_with};
use edge_host::{Host, UpOptions};
use serde_json::{Value, json};

/// More users than there is room for in the memory of an instance.
const USERS: usize = 1000;

/// An instance that has a quarter of the memory that one may have.
const MEMORY: usize = 32 << 20;

/// The most bytes of users on a page, and those of one more.
const MOST: usize = (1 << 20) + (10 << 10);

/// A service whose users all have these attributes.
fn host_of(attributes: &Value) -> (Host, Service) {
    let host = start_host_with(UpOptions {
        state_dir: Some(new_state_dir()),
        max_instance_memory: Some(MEMORY),
        ..UpOptions::default()
    });
    let service = Service::of(&host);
    let user = |number| json!({ "name": format!("Heavy {number}"), "attributes": attributes });
    let lines = (1..=USERS).map(|number| format!("{}\n", user(number)));
    let import = service.request("POST", "/users/import");
    let import = import.header("content-type", "application/x-ndjson");
    let imported = import.body(lines.collect::<String>()).answer();
    assert!(
        imported.body.contains("\"end\":\"complete\""),
        "{attributes}"
    );
    (host, service)
}

/// The ids of all users of a list, page by page, and how many pages it has.
fn walk(service: &Service, first: &str) -> (Vec<u64>, usize) {
    let (mut ids, mut pages) = (Vec::new(), 0);
    let mut next = Some(first.to_owned());
    while let Some(path) = next {
        let page = service.get(&path);
        assert_eq!(page.status, 200, "{path}: {}", page.body);
        assert!(page.body.len() <= MOST, "{path}: {}", page.body.len());
        let users = page.json();
        let users = users.as_array().expect("a list").iter();
        ids.extend(users.map(|user| user["id"].as_u64().expect("an id")));
        next = page.next_page();
        pages += 1;
    }
    (ids, pages)
}

fn check(attributes: &Value) {
    let (host, service) = host_of(attributes);
    let all = Vec::from_iter(1..=USERS as u64);
    let descending = Vec::from_iter((1..=USERS as u64).rev());
    for (path, expected) in [
        ("/users?limit=1000", &all),
        ("/users?limit=1000&sort=-id", &descending),
        ("/users?limit=1000&fields=id,attributes", &all),
        ("/users?limit=1000&name=heavy", &all),
    ] {
        let (mut ids, pages) = walk(&service, path);
        if path.contains("name") {
            ids.sort_unstable();
        }
        assert_eq!(ids, *expected, "{path}");
        // None has more users than a page has bytes for, and hardly any has fewer.
        assert!((6..40).contains(&pages), "{path}: {pages}");
    }
    // What is not shown does not count.
    assert_eq!(walk(&service, "/users?limit=1000&fields=id"), (all, 1));
    let (found, _) = walk(&service, "/users?limit=1000&fields=id&name=heavy");
    assert_eq!(found.len(), USERS);

    let ids: Vec<_> = (1..=100).map(|id: u32| id.to_string()).collect();
    let (some, pages) = walk(&service, &format!("/users?id={}", ids.join(",")));
    assert_eq!((some.len(), pages), (100, 1));
    let export = service.get("/users/export");
    assert!(
        export
            .body
            .ends_with("{\"end\":\"complete\",\"users\":1000}\n")
    );
    RUNTIME.block_on(host.shutdown()).expect("the host stops");
}

#[test]
fn users_who_take_much_memory_are_listed_to_the_last() {
    // A few bytes of text, and many of memory.
    check(&json!({ "a": vec![json!({ "": 0 }); 999] }));
}

#[test]
fn users_who_have_much_text_are_listed_to_the_last() {
    check(&json!({ "a": "x".repeat(8 * 1024 - 8) }));
}
