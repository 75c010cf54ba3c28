//! `edge-users import` and `edge-users export`, against a service whose connections break.

mod doubt;
mod refusals;
mod scripted;
mod sync;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::support::{Service, client_program, new_state_dir, start_host};
use edge_host::Host;
use scripted::{Asked, answer, scripted};
use serde_json::{Value, json};

/// What a command did.
#[derive(Debug)]
struct Done {
    code: i32,
    stdout: String,
    stderr: String,
}

/// Runs the client with these arguments, and `input` as standard input.
fn run(arguments: &[&str], url: &str, input: &str) -> Done {
    let mut child = Command::new(client_program())
        .args(arguments)
        .args(["--url", url])
        .env_remove("EDGE_USERS_URL")
        .env_remove("EDGE_USERS_TOKEN")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    let input = input.to_owned();
    // It may end without reading all.
    let writer = thread::spawn(move || stdin.write_all(input.as_bytes()).ok());
    let output = child.wait_with_output().expect("it ends");
    writer.join().expect("the input is written");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    Done {
        code: output.status.code().expect("a code"),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

fn start() -> (Host, Service) {
    let host = start_host();
    let service = Service::of(&host);
    (host, service)
}

/// The names of all users, ascending by id.
fn names(service: &Service) -> Vec<String> {
    let export = service.get("/users/export").body;
    let lines = export
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    lines
        .filter_map(|line| line["name"].as_str().map(str::to_owned))
        .collect()
}

/// Lines of users called `User 1` and so on, with an email if `with_email`.
fn users(count: usize, with_email: bool) -> String {
    let line = |number| match with_email {
        true => format!("{{\"name\":\"User {number}\",\"email\":\"u{number}@example.com\"}}\n"),
        false => format!("{{\"name\":\"User {number}\"}}\n"),
    };
    (1..=count).map(line).collect()
}

/// Passes connections on to a service, and breaks the first ones after some bytes of their answers.
struct Breaking {
    url: String,
    broken: Arc<AtomicUsize>,
}

impl Breaking {
    fn before(service: &Service, times: usize, after: usize) -> Breaking {
        let upstream = service
            .url
            .strip_prefix("http://")
            .expect("a URL")
            .to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let broken = Arc::new(AtomicUsize::new(0));
        let count = broken.clone();
        thread::spawn(move || {
            for (number, client) in listener.incoming().enumerate() {
                let client = client.expect("a connection");
                let server = TcpStream::connect(&upstream).expect("the service listens");
                let limit = if number < times { after } else { usize::MAX };
                let count = count.clone();
                let mut from = client.try_clone().expect("a second handle");
                let mut to = server.try_clone().expect("a second handle");
                thread::spawn(move || std::io::copy(&mut from, &mut to).ok());
                thread::spawn(move || {
                    let mut limited = (&server).take(limit as u64);
                    let passed = std::io::copy(&mut limited, &mut &client).unwrap_or(0);
                    count.fetch_add(usize::from(passed == limit as u64), Ordering::Relaxed);
                    client.shutdown(Shutdown::Both).ok();
                    server.shutdown(Shutdown::Both).ok();
                });
            }
        });
        Breaking { url, broken }
    }

    fn broken(&self) -> usize {
        self.broken.load(Ordering::Relaxed)
    }
}

#[test]
fn all_lines_are_imported_and_all_users_exported() {
    let (_host, service) = start();
    let file = new_state_dir().join("users.ndjson");
    std::fs::write(&file, users(1000, false)).expect("it is written");
    let path = file.to_str().expect("text");
    let imported = run(&["import", path], &service.url, "");
    assert_eq!(
        (imported.code, &imported.stdout[..]),
        (0, ""),
        "{imported:?}"
    );
    assert!(
        imported.stderr.starts_with("1000 imported, 0 refused, in "),
        "{imported:?}"
    );
    let exported = run(&["export", "--quiet"], &service.url, "");
    assert_eq!(
        (exported.code, &exported.stderr[..]),
        (0, ""),
        "{exported:?}"
    );
    let lines = exported.stdout.lines();
    let lines: Vec<Value> = lines
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let ids: Vec<_> = lines.iter().map(|user| user["id"].as_u64()).collect();
    assert_eq!(ids, (1..=1000).map(Some).collect::<Vec<_>>());

    // What one service exports, another one takes.
    let (_other_host, other) = start();
    let copied = run(
        &["import", "-", "--connections", "1"],
        &other.url,
        &exported.stdout,
    );
    assert_eq!(copied.code, 0, "{copied:?}");
    assert_eq!(names(&other), names(&service));
}

#[test]
fn a_line_that_is_refused_is_told_with_its_number() {
    let (_host, service) = start();
    let input = "{\"name\":\"Ada\"}\n\n{\"name\":\"\"}\n{\n{\"name\":\"Bea\"}\n";
    let done = run(&["import", "-"], &service.url, input);
    assert_eq!(done.code, 1, "{done:?}");
    let lines: Vec<&str> = done.stderr.lines().collect();
    assert!(
        lines[0].starts_with("line 3: 422 Some members break a rule; see errors. /name must have"),
        "{done:?}"
    );
    assert!(
        lines[1].starts_with("line 4: 400 The body is not JSON"),
        "{done:?}"
    );
    assert!(
        lines[2].starts_with("2 imported, 2 refused, in "),
        "{done:?}"
    );
    assert_eq!(names(&service), ["Ada", "Bea"]);
}

#[test]
fn an_import_goes_on_after_broken_connections_and_makes_nobody_twice() {
    let (_host, service) = start();
    let breaking = Breaking::before(&service, 6, 2000);
    let done = run(
        &["import", "-", "--connections", "2"],
        &breaking.url,
        &users(1000, true),
    );
    assert_eq!(done.code, 0, "{done:?}");
    assert!(
        done.stderr.starts_with("1000 imported, 0 refused, in "),
        "{done:?}"
    );
    assert_eq!(breaking.broken(), 6);
    // Not the total: ids that came to nothing, when a line met its own repeat, count for a while.
    let mut names = names(&service);
    assert_eq!(names.len(), 1000);
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 1000);
}

#[test]
fn without_an_email_a_line_in_doubt_is_told_rather_than_repeated() {
    let (_host, service) = start();
    let breaking = Breaking::before(&service, 1, 2000);
    let done = run(
        &["import", "-", "--connections", "1"],
        &breaking.url,
        &users(600, false),
    );
    assert_eq!(done.code, 2, "{done:?}");
    let first = done.stderr.lines().next().expect("a line");
    let range = first.strip_prefix("lines ").expect(first);
    let (from, rest) = range.split_once('-').expect(first);
    let from: usize = from.parse().expect("a number");
    assert!(rest.starts_with("256 may have been imported"), "{done:?}");
    let unsure = 256 - from + 1;
    let summary = format!("{} imported, 0 refused, {unsure} unsure, in ", 600 - unsure);
    assert!(done.stderr.contains(&summary), "{done:?}");
    let names = names(&service);
    let mut different = names.clone();
    different.sort();
    different.dedup();
    assert_eq!(names.len(), different.len());
    assert!(names.len() >= 600 - unsure);
}

#[test]
fn an_import_goes_on_where_the_service_says() {
    let first = "{\"line\":1,\"status\":201,\"id\":1}\n{\"end\":\"time-limit\",\"next\":\"/users/import?line=2\"}\n";
    let second = "{\"line\":2,\"status\":201,\"id\":2}\n{\"line\":3,\"status\":503,\"problem\":{\"detail\":\"Down.\"}}\n{\"end\":\"complete\"}\n";
    let third = "{\"line\":3,\"status\":201,\"id\":4}\n{\"end\":\"complete\"}\n";
    let (url, asked) = scripted(vec![
        answer("503 Service Unavailable", "retry-after: 1\r\n", ""),
        answer("200 OK", "", first),
        answer("200 OK", "", second),
        answer("200 OK", "", third),
    ]);
    let begun = std::time::Instant::now();
    let done = run(
        &["import", "-", "--connections", "1"],
        &url,
        &users(3, true),
    );
    assert_eq!(done.code, 0, "{done:?}");
    assert!(begun.elapsed() >= std::time::Duration::from_secs(1));
    let all = users(3, true);
    let lines: Vec<&str> = all.split_inclusive('\n').collect();
    let expected = [
        (1, lines.concat()),
        (1, lines.concat()),
        (2, lines[1..].concat()),
        (3, lines[2].to_owned()),
    ];
    for (line, body) in expected {
        let Asked { head, body: sent } = asked.recv().expect("a request");
        assert!(
            head.starts_with(&format!("POST /users/import?line={line} HTTP/1.1")),
            "{head}"
        );
        assert_eq!(sent, body);
    }
}

#[test]
fn the_token_is_sent_and_a_refusal_ends_it_all() {
    let problem = "{\"type\":\"/problems/forbidden\",\"detail\":\"Not for you.\"}";
    let refusal = answer("403 Forbidden", "", problem);
    let (url, asked) = scripted(vec![refusal.clone(), refusal]);
    let token = new_state_dir().join("token");
    std::fs::write(&token, "s3cret\n").expect("it is written");
    let token = token.to_str().expect("text");
    let done = run(
        &["import", "-", "--connections", "1", "--token-file", token],
        &url,
        "{\"name\":\"A\"}\n",
    );
    assert_eq!(done.code, 2, "{done:?}");
    assert!(
        done.stderr.starts_with(
            "Error: line 1 not imported: the service answers 403 Forbidden: Not for you.\n"
        ),
        "{done:?}"
    );
    let done = run(&["export", "--token-file", token], &url, "");
    assert_eq!((done.code, &done.stdout[..]), (2, ""), "{done:?}");
    for _ in 0..2 {
        let Asked { head, .. } = asked.recv().expect("a request");
        assert!(head.contains("authorization: Bearer s3cret"), "{head}");
    }
}

#[test]
fn what_cannot_be_reached_is_given_up_after_the_retries() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let done = run(&["import", "-", "--retries", "1"], &url, &users(2, false));
    assert_eq!(done.code, 2, "{done:?}");
    assert!(
        done.stderr.contains("Error: lines 1-2 not imported: "),
        "{done:?}"
    );
    assert!(
        done.stderr.contains("0 imported, 0 refused, 2 left, in "),
        "{done:?}"
    );
    for arguments in [
        &["import", "/no/such/file"][..],
        &["export", "--output", "/no/such/directory/file"],
    ] {
        let done = run(arguments, &url, "");
        assert_eq!(done.code, 2, "{done:?}");
        assert!(done.stderr.starts_with("Error: cannot "), "{done:?}");
    }
    let done = run(&["export"], "ftp://localhost", "");
    assert_eq!(done.code, 2, "{done:?}");
}

#[test]
fn an_export_goes_on_after_broken_connections() {
    let (_host, service) = start();
    let imported = run(&["import", "-"], &service.url, &users(2000, false));
    assert_eq!(imported.code, 0, "{imported:?}");
    let breaking = Breaking::before(&service, 5, 30_000);
    let directory = new_state_dir();
    let file: PathBuf = directory.join("users.ndjson");
    let done = run(
        &["export", "--output", file.to_str().expect("text")],
        &breaking.url,
        "",
    );
    assert_eq!((done.code, &done.stdout[..]), (0, ""), "{done:?}");
    assert!(
        done.stderr.starts_with("2000 users exported, in "),
        "{done:?}"
    );
    assert_eq!(breaking.broken(), 5);
    let exported = std::fs::read_to_string(&file).expect("it is written");
    let all = service.get("/users/export").body;
    let (all, _) = all.trim_end().rsplit_once('\n').expect("lines");
    assert_eq!(exported.trim_end(), all);
    assert_eq!(
        std::fs::read_dir(&directory).expect("a directory").count(),
        1
    );
}

#[test]
fn groups_are_exported_and_imported_with_their_members_through_broken_connections() {
    let (_host, service) = start();
    let user = |number| format!("{{\"name\":\"U\",\"username\":\"u{number}\"}}\n");
    let users: String = (1..=1500).map(user).collect();
    let imported = run(&["import", "-"], &service.url, &users);
    assert_eq!(imported.code, 0, "{imported:?}");
    let group = |name: &str, from: usize, to: usize| {
        let members =
            Vec::from_iter((from..=to).map(|number| json!({ "username": format!("u{number}") })));
        format!("{}\n", json!({ "name": name, "members": members }))
    };
    let large = (0..3).map(|part| group("Large", part * 500 + 1, part * 500 + 500));
    let small = (1..=40).map(|number| group(&format!("Small {number}"), number, number + 9));
    let groups: String = large.chain(small).collect();
    let broken = Breaking::before(&service, 3, 300);
    let done = run(&["import", "-", "--groups"], &broken.url, &groups);
    assert_eq!(done.code, 0, "{done:?}");
    assert!(
        done.stderr.contains("43 imported, 0 refused, in "),
        "{done:?}"
    );
    assert!(broken.broken() > 0);

    let breaking = Breaking::before(&service, 2, 20_000);
    let file = new_state_dir().join("groups.ndjson");
    let path = file.to_str().expect("text");
    let done = run(&["export", "--groups", "--output", path], &breaking.url, "");
    assert_eq!(done.code, 0, "{done:?}");
    assert!(
        done.stderr.starts_with("41 groups exported, in "),
        "{done:?}"
    );
    assert_eq!(breaking.broken(), 2);
    let exported = std::fs::read_to_string(&file).expect("it is written");
    let whole = service.get("/groups/export").body;
    let (all, _) = whole.trim_end().rsplit_once('\n').expect("lines");
    assert_eq!(exported.trim_end(), all);

    // Elsewhere, where nobody is yet, no line can be imported; then all can, as often as one likes.
    let (_other_host, other) = start();
    let refused = run(&["import", path, "--groups"], &other.url, "");
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(
        refused.stderr.contains("/members/0 names no user."),
        "{refused:?}"
    );
    other.create(json!({ "name": "First here" }));
    let copied = run(&["import", "-"], &other.url, &users);
    assert_eq!(copied.code, 0, "{copied:?}");
    for _ in 0..2 {
        let copied = run(&["import", "-", "--groups"], &other.url, &whole);
        assert_eq!(copied.code, 0, "{copied:?}");
    }
    // The order of lines may be another one, and with it the ids.
    let members = |service: &Service, name: &str| {
        let found = service.get(&format!("/groups?name={name}")).json();
        let users = service.get(&format!(
            "/groups/{}/members?fields=username&limit=1000",
            found[0]["id"]
        ));
        users.json()
    };
    for name in ["large", "small+7"] {
        let here = members(&service, name);
        let here = here.as_array().expect("users");
        assert_eq!(here.len(), if name == "large" { 1000 } else { 10 });
        let there = members(&other, name);
        let there = there.as_array().expect("users");
        assert_eq!(here.len(), there.len());
        assert!(
            here.iter()
                .all(|user| name == "large" || there.contains(user))
        );
    }
}

#[test]
fn an_export_that_stays_incomplete_does_not_look_complete() {
    let (_host, service) = start();
    let imported = run(&["import", "-"], &service.url, &users(500, false));
    assert_eq!(imported.code, 0, "{imported:?}");
    // Too few bytes for the head and a user.
    let breaking = Breaking::before(&service, usize::MAX, 100);
    let file = new_state_dir().join("users.ndjson");
    let path = file.to_str().expect("text");
    let done = run(
        &["export", "--output", path, "--retries", "2"],
        &breaking.url,
        "",
    );
    assert_eq!((done.code, breaking.broken()), (2, 3), "{done:?}");
    assert!(done.stderr.contains("It has 0 users in "), "{done:?}");
    assert!(!file.exists() && file.with_extension("ndjson.part").exists());
}

#[test]
fn a_pipe_is_imported_as_it_is_filled() {
    let (_host, service) = start();
    let mut child = Command::new(client_program())
        .args(["import", "-", "--quiet", "--url", &service.url])
        .stdin(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin
        .write_all(b"{\"name\":\"Early\"}\n")
        .expect("it is sent");
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while names(&service).is_empty() {
        assert!(std::time::Instant::now() < deadline, "it waits for more");
        thread::sleep(std::time::Duration::from_millis(10));
    }
    drop(stdin);
    assert!(child.wait().expect("it ends").success());
}

#[test]
fn if_asked_to_an_import_fills_only_a_service_without_users() {
    let (_host, service) = start();
    let arguments = ["import", "-", "--connections", "1", "--if-empty"];
    let first = run(&arguments, &service.url, &users(3, false));
    assert_eq!(first.code, 0, "{first:?}");
    assert!(first.stderr.starts_with("3 imported, "), "{first:?}");
    let again = run(&arguments, &service.url, &users(3, false));
    assert_eq!(again.code, 0, "{again:?}");
    assert!(
        again
            .stderr
            .starts_with("nothing sent: there are users already, in "),
        "{again:?}"
    );
    assert_eq!(names(&service).len(), 3);
}

#[test]
fn the_last_line_of_an_export_is_not_taken_for_a_user() {
    let (_host, service) = start();
    let imported = run(&["import", "-"], &service.url, &users(3, false));
    assert_eq!(imported.code, 0, "{imported:?}");
    let export = service.get("/users/export").body;
    assert!(export.contains("\"end\":\"complete\""), "{export}");
    let (_other_host, other) = start();
    let copied = run(&["import", "-"], &other.url, &export);
    assert_eq!(copied.code, 0, "{copied:?}");
    assert_eq!(names(&other), names(&service));

    let cut_off = "{\"name\":\"A\"}\n{\"end\":\"time-limit\",\"users\":1,\"next\":\"/users/export?after=1\"}\n";
    let copied = run(&["import", "-"], &other.url, cut_off);
    assert_eq!(copied.code, 2, "{copied:?}");
    assert!(
        copied
            .stderr
            .starts_with("Error: line 2 says that the export was cut off (time-limit)"),
        "{copied:?}"
    );
    assert!(
        copied.stderr.contains("1 imported, 0 refused, in "),
        "{copied:?}"
    );
}
