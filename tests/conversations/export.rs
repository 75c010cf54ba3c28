//! Every user, line by line: whole, in parts, and how an export ends.

use crate::support::{
    Answer, RUNTIME, Send, Service, new_state_dir, path, service, start_host_with,
};
use edge_host::{Host, UpOptions};
use serde_json::{Value, json};

const NDJSON: &str = "application/x-ndjson";

/// A service with this many users, called `User 1` and so on.
fn host_of(users: usize, options: UpOptions) -> (Host, Service) {
    let host = start_host_with(UpOptions {
        state_dir: Some(new_state_dir()),
        ..options
    });
    let service = Service::of(&host);
    let lines = (1..=users).map(|number| format!("{{\"name\":\"User {number}\"}}\n"));
    let import = service.request("POST", "/users/import");
    let import = import
        .header("content-type", NDJSON)
        .body(lines.collect::<String>());
    assert!(import.answer().body.contains("\"end\":\"complete\""));
    (host, service)
}

/// The users of an export, and its last line.
fn lines(answer: &Answer) -> (Vec<Value>, Value) {
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.header("content-type"), Some(NDJSON));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let lines = answer.body.lines().map(serde_json::from_str);
    let mut lines: Vec<Value> = lines.map(|line| line.expect("JSON")).collect();
    let last = lines.pop().expect("a last line");
    assert!(last["end"].is_string(), "{last}");
    (lines, last)
}

fn ids(users: &[Value]) -> Vec<u64> {
    users
        .iter()
        .map(|user| user["id"].as_u64().expect("an id"))
        .collect()
}

#[test]
fn what_is_no_export_is_refused_as_everywhere() {
    let head = service().request("HEAD", "/users/export").answer();
    assert_eq!((head.status, &head.body[..]), (200, ""));
    assert_eq!(head.header("content-type"), Some(NDJSON));
    assert_eq!(head.header("content-length"), None);
    let accepts = |types: &str| {
        service()
            .request("GET", "/users/export")
            .header("accept", types)
            .answer()
    };
    assert_eq!(accepts("application/json").status, 406);
    assert_eq!(accepts("application/x-ndjson;q=0.1").status, 200);
    let options = service().request("OPTIONS", "/users/export").answer();
    assert_eq!(
        (options.status, options.header("allow")),
        (204, Some("GET, HEAD, OPTIONS"))
    );
    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        let answer = service().request(method, "/users/export").answer();
        assert_eq!(
            (answer.status, answer.header("allow")),
            (405, Some("GET, HEAD, OPTIONS"))
        );
    }
}

/// Tests of services of their own, whatever `EDGE_USERS_URL` says.
mod not_by_url {
    use super::*;

    #[test]
    fn every_user_is_a_line_as_it_is_represented_by_itself() {
        let (host, service) = host_of(3, UpOptions::default());
        service.delete("/users/2");
        service.patch(
            "/users/3",
            json!({ "email": "c@example.com", "attributes": { "ü": [1] } }),
        );
        let before = host.store_operations();
        let (users, last) = lines(&service.get("/users/export"));
        let cost = (host.store_operations() - before).total();
        assert_eq!(ids(&users), [1, 3]);
        assert_eq!(last, json!({ "end": "complete", "users": 2 }));
        for user in &users {
            assert_eq!(&service.get(&path(user)).json(), user);
        }
        // How many ids there are, three records, and whether anybody is left in the group.
        assert_eq!(cost, 5);
    }

    #[test]
    fn an_export_of_many_reads_each_once() {
        let (host, service) = host_of(1000, UpOptions::default());
        let before = host.store_operations();
        let (users, last) = lines(&service.get("/users/export"));
        let cost = (host.store_operations() - before).total();
        assert_eq!(ids(&users), Vec::from_iter(1..=1000));
        assert_eq!(last, json!({ "end": "complete", "users": 1000 }));
        assert_eq!(cost, 1001);
    }

    #[test]
    fn a_client_chooses_where_to_begin_and_what_it_gets() {
        let (_host, service) = host_of(5, UpOptions::default());
        let (users, last) = lines(&service.get("/users/export?after=3&fields=id,name"));
        let expected = [
            json!({ "id": 4, "name": "User 4" }),
            json!({ "id": 5, "name": "User 5" }),
        ];
        assert_eq!(users, expected);
        assert_eq!(last["users"], 2);
        let (users, _) = lines(&service.get("/users/export?after=3&fields=id,etag"));
        for user in &users {
            let one = service.get(&path(user));
            assert_eq!(user["etag"].as_str(), one.header("etag"));
        }
        for after in ["5", "18446744073709551615"] {
            let (users, last) = lines(&service.get(&format!("/users/export?after={after}")));
            assert_eq!(
                (users.len(), last),
                (0, json!({ "end": "complete", "users": 0 }))
            );
        }
        for query in [
            "after=-1",
            "after=x",
            "fields=color",
            "limit=1",
            "after=1&after=2",
        ] {
            let refused = service.get(&format!("/users/export?{query}"));
            assert_eq!(refused.status, 400, "{query}");
            assert_eq!(refused.problem()["type"], "/problems/invalid-query");
        }
    }

    #[test]
    fn a_user_who_cannot_be_read_is_left_out() {
        let key_values = vec![("user/2".to_owned(), "not a record".to_owned())];
        let state_dir = Some(new_state_dir());
        let options = UpOptions {
            state_dir: state_dir.clone(),
            ..UpOptions::default()
        };
        let host = start_host_with(options.clone());
        for name in ["Ada", "Bea", "Cleo"] {
            Service::of(&host).create(json!({ "name": name }));
        }
        RUNTIME.block_on(host.shutdown()).expect("the host stops");
        let host = start_host_with(UpOptions {
            key_values,
            ..options
        });
        let (users, last) = lines(&Service::of(&host).get("/users/export"));
        assert_eq!(
            (ids(&users), &last["end"]),
            (vec![1, 3], &json!("complete"))
        );
    }

    #[test]
    fn a_slow_client_gets_all_in_several_requests() {
        let variable = "bulk_time_limit=1".parse().expect("a variable");
        let (_host, service) = host_of(
            0,
            UpOptions {
                variables: vec![variable],
                max_instance_memory: Some(4 << 20),
                ..UpOptions::default()
            },
        );
        // Users of 8 KB: more of them than sockets hold for a client that does not read.
        let note = "x".repeat(8000);
        let line = format!("{{\"name\":\"Large\",\"attributes\":{{\"note\":\"{note}\"}}}}\n");
        let mut created = 0;
        while created < 2000 {
            let import = service
                .request("POST", "/users/import")
                .header("content-type", NDJSON);
            let (_, last) = lines(&import.body(line.repeat(100)).answer());
            created += last["created"].as_u64().expect("a number");
        }
        let mut next = Some("/users/export".to_owned());
        let mut received = Vec::new();
        let mut requests = 0;
        while let Some(path) = next {
            let response = service.request("GET", &path).send().expect("an answer");
            if requests < 2 {
                std::thread::sleep(std::time::Duration::from_millis(1500));
            }
            requests += 1;
            let text = response.text().expect("a whole body");
            let mut lines: Vec<Value> = text
                .lines()
                .map(|line| serde_json::from_str(line).expect("JSON"))
                .collect();
            let last = lines.pop().expect("a last line");
            received.extend(ids(&lines));
            next = last["next"].as_str().map(str::to_owned);
            let expected = if next.is_some() {
                "time-limit"
            } else {
                "complete"
            };
            assert_eq!(last["end"], expected);
        }
        assert!(requests >= 2, "{requests}");
        assert_eq!(received, Vec::from_iter(1..=created));
    }
}
