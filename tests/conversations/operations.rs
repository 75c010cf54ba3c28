//! What each request costs in store operations, on the embedded host. The costs
//! do not grow with the number of users.

use crate::support::{Service, path, start_host};
use serde_json::json;

#[test]
fn a_page_far_into_the_directory_reads_only_its_own_users() {
    let host = start_host();
    let service = Service::of(&host);
    let clients: Vec<_> = (0..8)
        .map(|_| {
            let url = service.url.clone();
            std::thread::spawn(move || {
                let service = Service::at(&url);
                for _ in 0..1250 {
                    service.create(json!({ "name": "One of many" }));
                }
            })
        })
        .collect();
    for client in clients {
        client.join().expect("users are created");
    }
    // A create may still put new users into the index of names, after its answer.
    let mut before = host.store_operations();
    loop {
        std::thread::sleep(std::time::Duration::from_millis(200));
        let now = host.store_operations();
        if now == before {
            break;
        }
        before = now;
    }
    let page = service.get("/users?limit=1000&after=9000");
    let cost = host.store_operations() - before;
    let users = page.json();
    assert_eq!(users.as_array().map(Vec::len), Some(1000));
    assert_eq!(
        (&users[0]["id"], &users[999]["id"]),
        (&json!(9001), &json!(10_000))
    );
    assert_eq!(page.header("x-total-count"), Some("10000"));
    assert_eq!(page.header("link"), None);
    assert!(cost.total() <= 1000 + 40, "{cost:?}");
}

#[test]
fn a_request_for_one_user_takes_the_operations_that_the_documentation_says() {
    let host = start_host();
    let service = Service::of(&host);
    let cost = |request: &dyn Fn() -> u16, status: u16| {
        let before = host.store_operations();
        assert_eq!(request(), status);
        (host.store_operations() - before).total()
    };
    let plain = json!({ "name": "Plain" });
    let ada = json!({ "name": "Ada", "email": "ada@example.com" });
    assert_eq!(
        cost(&|| service.post("/users", plain.clone()).status, 201),
        2
    );
    assert_eq!(cost(&|| service.post("/users", ada.clone()).status, 201), 7);
    assert_eq!(cost(&|| service.post("/users", ada.clone()).status, 409), 2);
    assert_eq!(cost(&|| service.get("/users/2").status, 200), 1);
    assert_eq!(
        cost(&|| service.get("/users?email=ada@example.com").status, 200),
        2
    );
    assert_eq!(
        cost(&|| service.get("/users?email=bob@example.com").status, 200),
        1
    );
    assert_eq!(cost(&|| service.get("/healthz").status, 200), 0);
    // It writes if the last one was more than five seconds ago.
    assert!((2..=3).contains(&cost(&|| service.get("/readyz").status, 200)));
    let user = path(&json!({ "id": 2 }));
    let attributes = json!({ "attributes": { "team": "blue" } });
    // The second one changes nothing.
    for operations in [2, 1] {
        assert_eq!(
            cost(&|| service.patch(&user, attributes.clone()).status, 200),
            operations
        );
    }
    // The first rename in a directory sets up the index of names too.
    for (name, operations) in [("Ada L.", 12), ("Ada Lovelace", 6), ("ADA LOVELACE", 2)] {
        let rename = json!({ "name": name });
        assert_eq!(
            cost(&|| service.patch(&user, rename.clone()).status, 200),
            operations
        );
    }
    // One user is put into the leaf, and the catalogue is written.
    assert_eq!(cost(&|| service.get("/users?name=ada").status, 200), 12);
    assert_eq!(cost(&|| service.get("/users?name=ada").status, 200), 6);
    let bob = json!({ "email": "bob@example.com" });
    assert_eq!(cost(&|| service.patch(&user, bob.clone()).status, 200), 7);
    // The first delete in a directory sets up its ledger too.
    assert_eq!(cost(&|| service.delete("/users/1").status, 204), 13);
    assert_eq!(cost(&|| service.delete(&user).status, 204), 8);
    let bob = json!({ "name": "Bob", "email": "bob@example.com" });
    assert_eq!(cost(&|| service.post("/users", bob.clone()).status, 201), 8);
    let once = |key: &str, body: &serde_json::Value| {
        let request = service.request("POST", "/users").json(body);
        crate::support::Send::answer(request.header("idempotency-key", key)).status
    };
    assert_eq!(cost(&|| once("k", &plain), 201), 7);
    assert_eq!(cost(&|| once("k", &plain), 201), 2);
    assert_eq!(cost(&|| once("k", &bob), 422), 2);
    let refused = json!({ "name": "", "email": "x" });
    assert_eq!(
        cost(&|| service.post("/users", refused.clone()).status, 422),
        0
    );
}
