//! The service on a Redis server, which several hosts may share.

#[path = "../../host/tests/host/support/redis_server.rs"]
mod redis_server;

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{Answer, Service, new_email, new_state_dir, path, root, start_host_with};
use edge_host::{Host, UpOptions};
use redis_server::RedisServer;
use serde_json::json;

/// A server, and a runtime configuration that names it.
struct Setting {
    redis: RedisServer,
    config: PathBuf,
}

impl Setting {
    /// None if there is no program `redis-server`: the test is to be skipped.
    fn new() -> Option<Setting> {
        RedisServer::is_installed().then(|| {
            let directory = new_state_dir();
            let redis = RedisServer::start(&directory, &[]);
            let config = directory.join("runtime-config.toml");
            let store = format!(
                "[key_value_store.default]\ntype = \"redis\"\nurl = \"{}\"\n",
                redis.url()
            );
            fs::write(&config, store).expect("the directory can be written");
            Setting { redis, config }
        })
    }

    fn host(&self) -> Host {
        start_host_with(UpOptions {
            runtime_config_file: Some(self.config.clone()),
            ..UpOptions::default()
        })
    }
}

/// Asks until that is the status of the answer.
fn wait_for(service: &Service, path: &str, status: u16) -> Answer {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let answer = service.get(path);
        if answer.status == status {
            return answer;
        }
        assert!(
            Instant::now() < deadline,
            "{path} is not {status}: {answer:?}"
        );
        thread::sleep(Duration::from_millis(5));
    }
}

fn assert_unavailable(answer: &Answer) {
    assert_eq!(answer.status, 503, "{}", answer.body);
    assert_eq!(answer.problem()["type"], "/problems/store-unavailable");
    assert_eq!(answer.header("retry-after"), Some("1"));
}

/// What clients meet while the server is away, and then when it is back.
fn meet_an_outage(setting: &mut Setting, away: fn(&mut RedisServer), back: fn(&mut RedisServer)) {
    let host = setting.host();
    let service = Service::of(&host);
    assert_eq!(service.get("/readyz").status, 200);
    let email = new_email();
    let kept = service.create(json!({ "name": "Kept", "email": email }));
    let count = |service: &Service| {
        let users = service.get("/users");
        let listed = users.json().as_array().expect("a list").len();
        assert_eq!(users.header("x-total-count"), Some(&*listed.to_string()));
        listed
    };
    let before = count(&service);
    away(&mut setting.redis);
    let ready = wait_for(&service, "/readyz", 503);
    assert_unavailable(&ready);
    // So many that it would take minutes if each of them waited for the server.
    for _ in 0..100 {
        assert_unavailable(&service.get(&path(&kept)));
        assert_unavailable(&service.get("/users"));
        assert_unavailable(&service.post("/users", json!({ "name": "Away" })));
        assert_unavailable(&service.delete(&path(&kept)));
        assert_unavailable(&service.get("/readyz"));
        assert_eq!(service.get("/healthz").status, 200);
        assert_eq!(service.get("/openapi.json").status, 200);
    }
    back(&mut setting.redis);
    wait_for(&service, "/readyz", 200);
    assert_eq!(service.get(&path(&kept)).json(), kept);
    assert_eq!(count(&service), before);
    let again = json!({ "name": "Again", "email": email });
    assert_eq!(service.post("/users", again).status, 409);
    service.create(json!({ "name": "After" }));
}

#[test]
fn while_a_server_is_down_clients_are_told_to_come_again() {
    if let Some(mut setting) = Setting::new() {
        meet_an_outage(&mut setting, RedisServer::kill, RedisServer::restart);
    }
}

#[test]
fn while_a_server_does_not_answer_clients_are_told_to_come_again() {
    if let Some(mut setting) = Setting::new() {
        meet_an_outage(
            &mut setting,
            |redis| redis.signal("STOP"),
            |redis| redis.signal("CONT"),
        );
    }
}

#[test]
fn hosts_that_share_a_server_share_the_users() {
    let Some(setting) = Setting::new() else {
        return;
    };
    let hosts: Vec<_> = (0..3).map(|_| setting.host()).collect();
    let services: &[_] = &hosts.iter().map(Service::of).collect::<Vec<_>>();
    // Of many who want an address at the same time one gets it, whichever hosts they ask.
    for _ in 0..10 {
        let email = new_email();
        let statuses: Vec<u16> = thread::scope(|scope| {
            let create = |service: &Service| {
                let user = json!({ "name": "One", "email": email });
                service.post("/users", user).status
            };
            let clients: Vec<_> = (0..6)
                .map(|client| scope.spawn(move || create(&services[client % 3])))
                .collect();
            let statuses = clients.into_iter().map(|client| client.join());
            statuses.map(|status| status.expect("an answer")).collect()
        });
        let created = statuses.iter().filter(|status| **status == 201);
        assert_eq!(created.count(), 1, "{statuses:?}");
        assert!(
            statuses.iter().all(|status| matches!(status, 201 | 409)),
            "{statuses:?}"
        );
    }
    // Of changes to one version one is made.
    let user = services[0].create(json!({ "name": "Shared" }));
    let tag = services[1].get(&path(&user));
    let tag = tag.header("etag").expect("an entity tag");
    let statuses = services.iter().map(|service| {
        let change = service.request("PUT", &path(&user)).header("if-match", tag);
        let change = change.json(&json!({ "name": "Changed" }));
        crate::support::Send::answer(change).status
    });
    assert_eq!(statuses.collect::<Vec<_>>(), [200, 412, 412]);
    let lists = services
        .iter()
        .map(|service| service.get("/users?limit=1000").body);
    let lists: Vec<_> = lists.collect();
    assert!(lists.iter().all(|list| *list == lists[0]));
}

#[test]
fn conversations_that_any_service_can_have_are_had_on_redis() {
    let Some(setting) = Setting::new() else {
        return;
    };
    let host = setting.host();
    // Those of `make test-url`.
    let makefile = fs::read_to_string(root().join("Makefile")).expect("a file");
    let (_, subjects) = makefile.split_once("URL_TESTS =").expect("a list");
    let (subjects, _) = subjects.split_once("\n\n").expect("its end");
    let subjects = subjects.replace('\\', " ");
    let this_program = std::env::current_exe().expect("tests have a path");
    let output = Command::new(this_program)
        .args(subjects.split_whitespace())
        .args(["--skip", "not_by_url"])
        .env("EDGE_USERS_URL", Service::of(&host).url)
        .env_remove("EDGE_USERS_TOKEN")
        .output()
        .expect("it starts");
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{printed}");
    assert!(printed.contains("test users::"), "{printed}");
}
