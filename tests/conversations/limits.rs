//! How much a client may ask for, and how often.

use crate::support::memory::{Memory, TestPlatform, respond};
use crate::support::{RUNTIME, Send as _, Service, new_state_dir, service, start_host_with};
use edge_host::UpOptions;
use http::Request;
use serde_json::{Value, json};

#[test]
fn a_target_has_at_most_8_kib() {
    let get = |length: usize| {
        let path = format!("/users/{}", "1".repeat(length - "/users/".len()));
        service().get(&path)
    };
    assert_eq!(get(8 * 1024).status, 404);
    let refused = get(8 * 1024 + 1);
    assert_eq!(refused.status, 414);
    let detail = refused.problem()["detail"].to_string();
    assert!(detail.contains("8192"), "{detail}");
}

#[test]
fn header_fields_have_at_most_32_kib() {
    let get = |name: &str, length: usize| {
        let request = service().request("GET", "/healthz");
        request.header(name, "x".repeat(length)).answer()
    };
    // The service reads no cookies, but counts them.
    for name in ["x-much", "cookie"] {
        assert_eq!(get(name, 30 * 1024).status, 200);
        let refused = get(name, 32 * 1024);
        assert_eq!(refused.status, 431);
        let detail = refused.problem()["detail"].to_string();
        assert!(detail.contains("32768"), "{detail}");
    }
}

#[test]
fn a_body_has_at_most_64_levels_and_10_000_values() {
    let post = |body: String| {
        let request = service().request("POST", "/users");
        let request = request.header("content-type", "application/json");
        request.body(body).answer()
    };
    let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    let wide = |values: usize| json!(vec![0; values]).to_string();
    for (body, status, limit) in [
        (deep(64), 422, "Some members"),
        (deep(65), 422, "at most 64 levels"),
        (deep(20_000), 422, "at most 64 levels"),
        (wide(10_000), 422, "Some members"),
        (wide(10_001), 422, "at most 10000 members"),
    ] {
        let refused = post(body);
        assert_eq!(refused.status, status);
        let detail = refused.problem()["detail"].to_string();
        assert!(detail.contains(limit), "{detail}");
    }
}

#[test]
fn attributes_have_at_most_1000_members() {
    let attributes = |count: usize| (0..count).map(|n| (format!("{n:x}"), json!(0)));
    let user = |count| {
        let attributes: serde_json::Map<_, _> = attributes(count).collect();
        json!({ "name": "Ada", "attributes": attributes })
    };
    assert_eq!(service().post("/users", user(1000)).status, 201);
    let refused = service().post("/users", user(1001));
    assert_eq!(
        (refused.status, refused.pointers()),
        (422, vec!["/attributes".to_owned()])
    );
}

/// The status of a request from an address at a time, and the store operations it took.
fn ask(store: &Memory, platform: &TestPlatform, address: &str, minute: i64) -> (u16, u64) {
    platform.now.set(minute * 60_000);
    let before = store.operations();
    let request = Request::get("/users/1").header("spin-client-addr", address);
    let response = respond(store, platform, request.body(Vec::new()).unwrap());
    (response.status().as_u16(), store.operations() - before)
}

fn limited(limit: u32) -> TestPlatform {
    let mut platform = TestPlatform::default();
    platform.variables.insert("rate_limit", limit.to_string());
    platform
}

/// Tests of services of their own, whatever `EDGE_USERS_URL` says.
mod not_by_url {
    use super::*;

    #[test]
    fn beyond_the_limit_of_a_minute_a_client_has_to_wait() {
        let host = start_host_with(UpOptions {
            state_dir: Some(new_state_dir()),
            variables: vec!["rate_limit=3".parse().expect("a variable")],
            ..UpOptions::default()
        });
        let service = Service::of(&host);
        // Not across the end of a minute: what is left of it stands in the answer.
        let left = |answer: &crate::support::Answer| -> u64 {
            let limit = answer.header("ratelimit").expect("a limit");
            let (_, seconds) = limit.split_once(";t=").expect("a time");
            seconds.parse().expect("seconds")
        };
        let first = loop {
            let answer = service.get("/users");
            if left(&answer) > 20 {
                break answer;
            }
            std::thread::sleep(std::time::Duration::from_secs(left(&answer)));
        };
        assert_eq!(
            first.header("ratelimit-policy"),
            Some("\"minute\";q=3;w=60")
        );
        let mut statuses = Vec::new();
        let mut last = first;
        for _ in 0..4 {
            // Who makes up an address is the same client still.
            let request = service.request("GET", "/users");
            let made_up = format!("198.51.100.{}:1", statuses.len());
            last = request.header("spin-client-addr", made_up).answer();
            statuses.push(last.status);
        }
        assert!(statuses.ends_with(&[429, 429]), "{statuses:?}");
        last.problem();
        let wait: u64 = last.header("retry-after").expect("a time").parse().unwrap();
        assert!((1..=60).contains(&wait));
        assert!(
            last.header("ratelimit")
                .unwrap()
                .starts_with("\"minute\";r=0;t=")
        );
        // Health checks are answered all the same, and browsers that ask before a request (CORS).
        let asked = service.request("OPTIONS", "/users").answer();
        assert_eq!((asked.status, asked.header("ratelimit")), (204, None));
        assert_eq!(service.get("/healthz").status, 200);
        assert_eq!(service.get("/readyz").header("ratelimit"), None);
        RUNTIME.block_on(host.shutdown()).expect("the host stops");
    }

    #[test]
    fn each_minute_and_each_client_is_counted_by_itself() {
        let (store, platform) = (Memory::default(), limited(5));
        let now = 29_700_000;
        for minute in [now, now + 1, now + 2, now + 7, now + 1000] {
            for address in ["192.0.2.1:80", "192.0.2.2:80"] {
                for number in 1..=8 {
                    let (status, _) = ask(&store, &platform, address, minute);
                    // The first one that meets the counter of an earlier minute is not counted.
                    let expected = if number <= 5 {
                        vec![404]
                    } else {
                        vec![404, 429]
                    };
                    assert!(expected.contains(&status), "{number} at {minute}");
                }
                assert_eq!(ask(&store, &platform, address, minute).0, 429);
            }
        }
        // One counter for each client and parity.
        assert_eq!(store.keys(), 4);
    }

    #[test]
    fn counting_costs_one_store_operation_and_one_more_to_begin_a_minute_anew() {
        let (store, platform) = (Memory::default(), limited(3));
        let costs = |minute| [(); 5].map(|()| ask(&store, &platform, "192.0.2.1:80", minute).1);
        // To look for the user costs one, too.
        assert_eq!(costs(100), [2, 2, 2, 1, 1]);
        assert_eq!(costs(102), [3, 2, 2, 2, 1]);
        let (store, unlimited) = (Memory::default(), TestPlatform::default());
        assert_eq!(ask(&store, &unlimited, "192.0.2.1:80", 100), (404, 1));
    }

    #[test]
    fn hosts_whose_clocks_differ_do_not_disturb_each_other() {
        let (store, platform) = (Memory::default(), limited(3));
        let mut admitted = 0;
        for _ in 0..10 {
            for minute in [200, 201] {
                let (status, _) = ask(&store, &platform, "192.0.2.1:80", minute);
                admitted += u32::from(status == 404);
            }
        }
        assert_eq!(admitted, 6);
    }

    #[test]
    fn an_import_counts_each_line_and_says_when_to_go_on() {
        let (store, platform) = (Memory::default(), limited(4));
        platform.now.set(29_700_000 * 60_000 + 20_000);
        let import = |body: &str| -> Vec<Value> {
            let request = Request::post("/users/import?line=11");
            let request = request.header("content-type", "application/x-ndjson");
            let answer = respond(&store, &platform, request.body(body.into()).unwrap());
            assert_eq!(answer.status(), 200);
            let text = String::from_utf8(answer.into_body()).expect("text");
            let lines = text
                .lines()
                .map(|line| serde_json::from_str(line).expect("JSON"));
            lines.collect()
        };
        // The request counts, and each line that is not blank, also one that is refused.
        let lines =
            import("{\"name\":\"Ada\"}\n\nnonsense\n{\"name\":\"Bea\"}\n{\"name\":\"Cleo\"}");
        let statuses: Vec<_> = lines.iter().map(|line| line["status"].as_u64()).collect();
        assert_eq!(statuses, [Some(201), Some(400), Some(201), None]);
        assert_eq!(
            lines[3],
            json!({
                "end": "rate-limit", "created": 2, "refused": 1, "failed": 0,
                "next": "/users/import?line=15", "retry_after": 40,
            })
        );
        let request = Request::get("/users").body(Vec::new()).unwrap();
        assert_eq!(respond(&store, &platform, request).status(), 429);
    }
}
