//! A stored value that the service did not write concerns its user alone.

use crate::support::{RUNTIME, Service, new_state_dir, start_host_with};
use edge_host::UpOptions;
use serde_json::json;

#[test]
fn a_value_that_cannot_be_read_is_an_error_for_its_user_alone_and_stays_as_it_is() {
    let state_dir = new_state_dir();
    let start = |key_values: Vec<(String, String)>| {
        start_host_with(UpOptions {
            state_dir: Some(state_dir.clone()),
            key_values,
            ..UpOptions::default()
        })
    };
    let host = start(Vec::new());
    let service = Service::of(&host);
    for name in ["Ada", "Bea", "Cleo"] {
        service.create(json!({ "name": name }));
    }
    RUNTIME.block_on(host.shutdown()).expect("the host stops");

    let newer = r#"{"format":2,"writes":["0000000000000001"],"value":{}}"#;
    for foreign in ["not json", newer, ""] {
        let host = start(vec![("user/2".to_owned(), foreign.to_owned())]);
        let service = Service::of(&host);
        for _ in 0..2 {
            for method in ["GET", "PUT", "PATCH", "DELETE"] {
                let request = service
                    .request(method, "/users/2")
                    .json(&json!({ "name": "New" }));
                let answer = crate::support::Send::answer(request);
                assert_eq!(answer.status, 500, "{method} {foreign:?}");
                assert_eq!(answer.problem()["title"], "Stored value unreadable");
            }
        }
        let users = service.get("/users");
        let names: Vec<_> = users
            .json()
            .as_array()
            .expect("users")
            .iter()
            .map(|user| user["name"].clone())
            .collect();
        assert_eq!(
            (users.status, names),
            (200, vec![json!("Ada"), json!("Cleo")])
        );
        assert_eq!(service.get("/users/3").status, 200);
        RUNTIME.block_on(host.shutdown()).expect("the host stops");
    }
}
