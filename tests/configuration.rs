//! What the operator can set.

mod support;

use edge_host::UpOptions;
use serde_json::json;
use support::{Service, new_state_dir, start_host_with};

#[test]
fn the_page_size_is_what_the_variable_says_unless_the_client_says_otherwise() {
    for (value, users) in [("2", 2), ("1000", 3), ("0", 3), ("many", 3)] {
        let variable = format!("page_size={value}").parse();
        let host = start_host_with(UpOptions {
            state_dir: Some(new_state_dir()),
            variables: vec![variable.expect("a variable")],
            ..UpOptions::default()
        });
        let service = Service::of(&host);
        for name in ["Ada", "Bea", "Cleo"] {
            service.create(json!({ "name": name }));
        }
        let count = |path: &str| service.get(path).json().as_array().map(Vec::len);
        assert_eq!(count("/users"), Some(users), "{value}");
        assert_eq!(count("/users?limit=1"), Some(1), "{value}");
    }
}
