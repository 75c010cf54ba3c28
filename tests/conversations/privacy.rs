//! What is known of people stays between them and who asks: not in a log, not in
//! the store when they are gone. What is written of requests names ids.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{RUNTIME, Send as _, Service, host_program, manifest, new_state_dir};
use edge_host::UpOptions;
use rusqlite::{Connection, OpenFlags};
use serde_json::{Value, json};

/// In everything that must not be found again.
const MARKER: &str = "zyxmarker";

/// A host in a process of its own, with all that it writes in files.
struct Process {
    child: Child,
    directory: PathBuf,
    service: Service,
}

impl Process {
    fn start(arguments: &[&str]) -> Process {
        let directory = new_state_dir();
        let file = |name| fs::File::create(directory.join(name)).expect("a file");
        let child = Command::new(host_program())
            .args([
                "up",
                "--listen",
                "127.0.0.1:0",
                "--variable",
                "auth=off",
                "--from",
            ])
            .arg(manifest())
            .arg("--state-dir")
            .arg(directory.join("state"))
            .arg("--log-dir")
            .arg(directory.join("logs"))
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(file("stdout.txt"))
            .stderr(file("stderr.txt"))
            .spawn()
            .expect("the host starts");
        let deadline = Instant::now() + Duration::from_secs(60);
        let url = loop {
            let said = fs::read_to_string(directory.join("stdout.txt")).expect("a file");
            let lines = said.split_once("Available").map(|(before, _)| before);
            if let Some((_, url)) = lines.and_then(|lines| lines.split_once("Serving ")) {
                break url.trim().to_owned();
            }
            assert!(Instant::now() < deadline, "the host does not serve");
            std::thread::sleep(Duration::from_millis(10));
        };
        let service = Service::at(&url);
        Process {
            child,
            directory,
            service,
        }
    }

    /// Stops it; answers each file that it wrote, but the store.
    fn stop(mut self) -> Vec<(PathBuf, String)> {
        let id = self.child.id().to_string();
        let kill = Command::new("kill").arg(id).status();
        assert!(kill.expect("kill runs").success());
        self.child.wait().expect("the host ends");
        let logs = fs::read_dir(self.directory.join("logs")).expect("a log directory");
        let logs = logs.map(|entry| entry.expect("a file").path());
        let own = ["stdout.txt", "stderr.txt"].map(|name| self.directory.join(name));
        let read = |path: PathBuf| {
            let text = fs::read(&path).expect("a file");
            (path, String::from_utf8_lossy(&text).into_owned())
        };
        logs.chain(own).map(read).collect()
    }
}

/// Requests of all kinds, with the marker wherever a client can put it but in
/// `X-Request-Id`, which is there to be logged.
fn ask_everything(service: &Service) {
    let person = json!({
        "name": format!("{MARKER} name"),
        "email": format!("{MARKER}@example.com"),
        "username": MARKER,
        "external_id": MARKER,
        "attributes": { MARKER: MARKER },
    });
    let created = service.post("/users", person.clone());
    assert_eq!(created.status, 201);
    let path = created.header("location").expect("a location").to_owned();
    assert_eq!(service.post("/users", person.clone()).status, 409);
    for target in [
        path.clone(),
        format!("/users?email={MARKER}@example.com"),
        format!("/users?username={MARKER}"),
        format!("/users?{MARKER}={MARKER}"),
        format!("/users?fields={MARKER}"),
        format!("/users/{MARKER}@example.com"),
        format!("/{MARKER}"),
        // A record that can't be read.
        "/users/2".to_owned(),
        format!("/users/2?{MARKER}"),
        "/users".to_owned(),
    ] {
        for method in ["GET", "POST", "PUT", "PATCH", "OPTIONS", MARKER] {
            for body in [
                person.to_string(),
                format!(r#"{{"{MARKER}":"{MARKER}"}}"#),
                format!(r#"{{"name":{MARKER}"#),
                format!(r#"[{{"op":"test","path":"/{MARKER}","value":"{MARKER}"}}]"#),
            ] {
                for media_type in ["application/json", "application/json-patch+json", MARKER] {
                    let request = service.request(method, &target).body(body.clone());
                    let request = request.header("content-type", media_type);
                    request.bearer_auth(MARKER).answer();
                }
            }
        }
        for header in ["if-match", "accept", "cookie", "user-agent", "traceparent"] {
            let request = service.request("GET", &target);
            request.header(header, MARKER).answer();
        }
    }
    let lines = [
        json!({ "name": MARKER, "description": MARKER, "members": [{ "username": MARKER }] }),
        json!({ "name": MARKER, "members": [{ "email": format!("{MARKER}@example.com") }] }),
        json!({ "name": MARKER, "members": [{ "username": format!("{MARKER}2") }, { "external_id": MARKER }] }),
        json!({ MARKER: MARKER, "members": [{ MARKER: MARKER }] }),
    ];
    let lines: String = lines.iter().map(|line| format!("{line}\n")).collect();
    for path in ["/groups/import?dry_run=true", "/groups/import"] {
        let request = service.request("POST", path).body(lines.clone());
        let request = request.header("content-type", "application/x-ndjson");
        let answer = request.answer();
        assert!(answer.body.contains("\"created\""), "{}", answer.body);
    }
    let exported = service.get("/groups/export");
    assert!(exported.body.contains(MARKER), "{}", exported.body);
    assert_eq!(service.delete(&path).status, 204);
}

#[test]
fn no_log_has_anything_that_a_client_sent() {
    let unreadable = format!("user/2={MARKER}");
    let host = Process::start(&["--key-value", &unreadable]);
    ask_everything(&host.service);
    let logs = host.stop();
    let said = |name: &str| logs.iter().find(|(path, _)| path.ends_with(name));
    let (_, errors) = said("logs/edge-users_stderr.txt").expect("a log");
    assert!(
        errors.contains("user/2"),
        "the unreadable record is told of"
    );
    for (path, text) in &logs {
        let line = text
            .lines()
            .find(|line| line.to_lowercase().contains(MARKER));
        assert_eq!(line, None, "in {}", path.display());
    }
}

#[test]
fn each_write_leaves_a_line_in_the_audit_trail() {
    let host = Process::start(&[]);
    let service = &host.service;
    let send = |request: &str, method: &str, path: &str, body: Value| {
        let sent = service.request(method, path).json(&body);
        sent.header("x-request-id", request).answer().status
    };
    let ada = json!({ "name": "Ada", "email": "ada@example.com" });
    assert_eq!(send("r1", "POST", "/users", ada.clone()), 201);
    assert_eq!(send("r2", "POST", "/users", ada.clone()), 409);
    assert_eq!(send("r3", "PATCH", "/users/1", json!({ "name": "" })), 422);
    assert_eq!(send("r4", "PUT", "/users/1", ada.clone()), 200);
    assert_eq!(send("r5", "GET", "/users/1", json!(null)), 200);
    assert_eq!(send("r6", "DELETE", "/users/ada", json!(null)), 404);
    assert_eq!(send("r7", "DELETE", "/users/1", json!(null)), 204);
    let logs = host.stop();
    let trail = logs
        .iter()
        .find(|(path, _)| path.ends_with("logs/edge-users_stdout.txt"));
    let (_, trail) = trail.expect("a log");
    let lines: Vec<Value> = trail
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let shown: Vec<_> = lines
        .iter()
        .map(|line| {
            assert_eq!(line["audit"], true, "{line}");
            assert!(
                line["time"].is_string() && line["principal"].is_string(),
                "{line}"
            );
            let text = |member: &str| line[member].as_str().expect("text").to_owned();
            let user = line["user"].as_u64();
            let outcome = line["outcome"].as_u64();
            assert_eq!(outcome.is_none(), text("event") == "begun", "{line}");
            (text("request"), text("action"), user, outcome)
        })
        .collect();
    let line = |request: &str, action: &str, user, outcome: u64| {
        let line = |user, outcome| (request.to_owned(), action.to_owned(), user, outcome);
        // What a create creates is not known when it begins.
        let named = if action == "create" { None } else { user };
        [line(named, None), line(user, Some(outcome))]
    };
    assert_eq!(
        shown,
        [
            line("r1", "create", Some(1), 201),
            line("r2", "create", None, 409),
            line("r3", "patch", Some(1), 422),
            line("r4", "replace", Some(1), 200),
            line("r6", "delete", None, 404),
            line("r7", "delete", Some(1), 204),
        ]
        .concat()
    );
}

/// The keys of the store that have this in their key or value, in either case. A value of 8 bytes is a
/// number, many of which are random: now and then the bytes of one are such letters.
fn keys_with(state_dir: &Path, text: &str) -> Vec<String> {
    let file = state_dir.join("sqlite_key_value.db");
    let store = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY);
    let store = store.expect("a database");
    let rows = "SELECT key || ' = ' || CAST(value AS TEXT) FROM spin_key_value
        WHERE instr(lower(key), ?1) OR length(value) <> 8 AND instr(lower(CAST(value AS TEXT)), ?1)";
    let mut rows = store.prepare(rows).expect("a query");
    let keys = rows.query_map([text], |row| row.get(0)).expect("rows");
    keys.map(|key| key.expect("a key")).collect()
}

/// All pages of a search.
fn search_all(service: &Service, query: &str) -> usize {
    let mut next = Some(format!("/users?{query}&limit=50"));
    let mut found = 0;
    while let Some(path) = next {
        let page = service.get(&path);
        assert_eq!(page.status, 200);
        found += page.json().as_array().expect("users").len();
        let link = page
            .header("link")
            .and_then(|link| link.split(['<', '>']).nth(1));
        next = link.map(str::to_owned);
    }
    found
}

#[test]
fn nothing_of_a_former_name_email_or_attribute_is_in_the_store() {
    let state_dir = new_state_dir();
    let host = crate::support::start_host_with(UpOptions {
        state_dir: Some(state_dir.clone()),
        ..UpOptions::default()
    });
    let service = Service::of(&host);
    let former = |number: usize| {
        json!({
            "name": match number % 2 {
                0 => "Qzx Namesake".to_owned(),
                _ => format!("Qzx{number} Person"),
            },
            "email": number.is_multiple_of(3).then(|| format!("qzx{number}@example.com")),
            "attributes": { "qzx key": [{ "qzx": format!("qzx {number}") }] },
        })
    };
    let users: Vec<String> = (0..160)
        .map(|number| {
            // Those who stay begin like those who go.
            service.create(json!({ "name": format!("{}{number}", ["P", "Q", "R"][number % 3]) }));
            let key = format!("qzx-key-{number}");
            let create = service.request("POST", "/users").json(&former(number));
            let created = match number % 4 {
                0 => create.header("idempotency-key", key).answer(),
                _ => create.answer(),
            };
            assert_eq!(created.status, 201);
            crate::support::path(&created.json())
        })
        .collect();
    assert_eq!(search_all(&service, "name=qz"), 160);
    assert_eq!(search_all(&service, "q=qz"), 160);
    assert_eq!(search_all(&service, "name=q"), 160 + 53);
    let keys = keys_with(&state_dir, "qz");
    for folder in ["names/", "words/"] {
        assert!(keys.iter().any(|key| key.starts_with(folder)), "{folder}");
    }

    // Each user goes or gets other values, in no order, several at a time.
    std::thread::scope(|scope| {
        for part in 0..4 {
            let (users, url) = (&users, &service.url);
            scope.spawn(move || {
                let service = Service::at(url);
                for number in (0..160).map(|number| number * 77 % 160) {
                    if number % 4 != part {
                        continue;
                    }
                    let (user, name) = (&users[number], format!("S{number}"));
                    let answer = match number % 5 {
                        0 => service.put(user, json!({ "name": name })),
                        1 => service.patch(
                            user,
                            json!({ "name": name, "email": null, "attributes": null }),
                        ),
                        2 => {
                            let mut patch = vec![
                                json!({ "op": "replace", "path": "/name", "value": name }),
                                json!({ "op": "remove", "path": "/attributes" }),
                            ];
                            if number % 3 == 0 {
                                patch.push(json!({ "op": "remove", "path": "/email" }));
                            }
                            let request = service.request("PATCH", user);
                            let request =
                                request.header("content-type", "application/json-patch+json");
                            request.body(json!(patch).to_string()).answer()
                        }
                        _ => service.delete(user),
                    };
                    assert!(matches!(answer.status, 200 | 204), "{answer:?}");
                }
            });
        }
    });
    assert_eq!(keys_with(&state_dir, "qz"), Vec::<String>::new());
    assert_eq!(
        (
            search_all(&service, "name=qz"),
            search_all(&service, "name=s")
        ),
        (0, 96)
    );
    RUNTIME.block_on(host.shutdown()).expect("the host stops");
    assert_eq!(keys_with(&state_dir, "qz"), Vec::<String>::new());
    // Nor does the file have it in what is free.
    let file = fs::read(state_dir.join("sqlite_key_value.db")).expect("a file");
    let file = String::from_utf8_lossy(&file).to_lowercase();
    for text in ["qzx", "[\"qz"] {
        assert!(!file.contains(text), "{text} is in the file");
    }
}

/// As `SECURITY.md` says it.
#[test]
fn a_deleted_user_leaves_numbers_and_hashes() {
    let state_dir = new_state_dir();
    let host = crate::support::start_host_with(UpOptions {
        state_dir: Some(state_dir.clone()),
        ..UpOptions::default()
    });
    let service = Service::of(&host);
    let wilma = json!({ "name": "Wilma", "email": "wilma@example.com", "attributes": { "team": "yellow" } });
    let create = service.request("POST", "/users").json(&wilma);
    let created = create.header("idempotency-key", "one").answer();
    assert_eq!(created.status, 201);
    let user = crate::support::path(&created.json());
    let other = json!({ "email": "other@example.com" });
    assert_eq!(service.patch(&user, other).status, 200);
    assert_eq!(search_all(&service, "name=wilma"), 1);
    assert_eq!(service.delete(&user).status, 204);
    RUNTIME.block_on(host.shutdown()).expect("the host stops");

    let file = state_dir.join("sqlite_key_value.db");
    let store = Connection::open(file).expect("a database");
    let mut rows = store
        .prepare("SELECT key, value FROM spin_key_value ORDER BY key")
        .expect("a query");
    let rows = rows.query_map([], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, Vec<u8>>(1)?))
    });
    let rows: Vec<_> = rows.expect("rows").map(|row| row.expect("a row")).collect();
    let of = |start: &str| {
        let rows = rows.iter().filter(|(key, _)| key.starts_with(start));
        rows.cloned().collect::<Vec<_>>()
    };
    // The record: the emails that it claimed, the number of the delete, and the last writes.
    let [(_, record)] = &of("user/")[..] else {
        panic!("{rows:?}");
    };
    let mut record: Value = serde_json::from_slice(record).expect("JSON");
    let by = record["value"]["state"]["deleted"]["by"].take();
    let writes = record["writes"].take();
    assert!(by.is_string() && writes.as_array().is_some_and(|writes| writes.contains(&by)));
    let left = json!({ "claims": 2, "state": { "deleted": { "by": null } } });
    assert_eq!(
        record,
        json!({ "format": 1, "writes": null, "value": left })
    );
    // The hash of each address, and of the key; each with a number that names the user.
    for (start, digits, count) in [("email/", 64, 2), ("idempotency/", 32, 1)] {
        let numbers = of(start);
        assert_eq!(numbers.len(), count, "{rows:?}");
        for (key, value) in numbers {
            let hash = key.strip_prefix(start).expect("a hash");
            assert!(hash.len() == digits && hash.bytes().all(|byte| byte.is_ascii_hexdigit()));
            let number = i64::from_le_bytes(value.try_into().expect("a number"));
            assert_eq!(number >> 27, 1);
        }
    }
    // The index, the counts and the ledger say nothing of it but its id.
    for text in ["wilma", "yellow", "team", "other", "example"] {
        assert_eq!(keys_with(&state_dir, text), Vec::<String>::new());
    }
}
