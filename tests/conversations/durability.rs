//! What was answered is there after the host was killed.

use std::path::Path;

use crate::process::{Process, free_address, start_host};
use crate::support::{Service, new_state_dir, path};
use serde_json::{Value, json};

/// A host in a process of its own.
struct Host {
    process: Process,
    service: Service,
}

fn start(state_dir: &Path) -> Host {
    let address = free_address();
    Host {
        process: start_host(state_dir, address),
        service: Service::at(&format!("http://{address}")),
    }
}

impl Host {
    fn kill(mut self) {
        self.process.signal("KILL");
    }
}

#[test]
fn users_survive_a_kill() {
    let state_dir = new_state_dir();
    let host = start(&state_dir);
    let kept = host
        .service
        .create(json!({ "name": "Kept", "email": "kept@example.com" }));
    let changed = host.service.create(json!({ "name": "Changed" }));
    let deleted = host.service.create(json!({ "name": "Deleted" }));
    let change = json!({ "name": "Changed", "attributes": { "times": 1 } });
    let changed = host.service.put(&path(&changed), change).json();
    assert_eq!(host.service.delete(&path(&deleted)).status, 204);
    host.kill();

    let host = start(&state_dir);
    let users = host.service.get("/users");
    assert_eq!(users.json(), json!([kept, changed]));
    assert_eq!(users.header("x-total-count"), Some("2"));
    let again = json!({ "name": "Again", "email": "kept@example.com" });
    assert_eq!(host.service.post("/users", again).status, 409);
    assert_eq!(host.service.create(json!({ "name": "Next" }))["id"], 4);
    host.kill();
}

#[test]
fn every_create_that_was_answered_survives_kills_under_load() {
    let state_dir = new_state_dir();
    let mut answered: Vec<Value> = Vec::new();
    for round in 0..3 {
        let host = start(&state_dir);
        for user in &answered {
            assert_eq!(host.service.get(&path(user)).json(), *user);
        }
        let url = host.service.url.clone();
        let clients: Vec<_> = (0..4)
            .map(|client| {
                let url = url.clone();
                std::thread::spawn(move || create_until_refused(&url, &format!("{round}.{client}")))
            })
            .collect();
        std::thread::sleep(std::time::Duration::from_millis(300));
        host.kill();
        for client in clients {
            answered.extend(client.join().expect("a client ends"));
        }
    }
    assert!(!answered.is_empty());
    let host = start(&state_dir);
    for user in &answered {
        assert_eq!(host.service.get(&path(user)).json(), *user);
    }
    host.kill();
}

fn create_until_refused(url: &str, name: &str) -> Vec<Value> {
    let client = reqwest::blocking::Client::new();
    let mut answered = Vec::new();
    for number in 0.. {
        let email = format!("{name}.{number}@example.com");
        let profile = json!({ "name": name, "email": email });
        let sent = client.post(format!("{url}/users")).json(&profile).send();
        match sent.and_then(|response| response.error_for_status()?.json()) {
            Ok(user) => answered.push(user),
            Err(_) => break,
        }
    }
    answered
}

#[test]
fn two_hosts_with_two_state_directories_have_two_directories_of_users() {
    let (one, two) = (start(&new_state_dir()), start(&new_state_dir()));
    one.service.create(json!({ "name": "One" }));
    assert_eq!(one.service.get("/users").header("x-total-count"), Some("1"));
    assert_eq!(two.service.get("/users").json(), json!([]));
    one.kill();
    two.kill();
}
