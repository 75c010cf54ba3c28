//! `make run`: what a newcomer meets first.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::support::{Service, client_program, host_program, new_state_dir, root, start_host};

/// A run, and the lines that it printed so far.
struct Run {
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Run {
    /// Starts what `make run LISTEN=address AUTH=auth` does, on users of its own.
    fn start(address: &str, auth: &str, state_dir: &Path) -> Run {
        // It calls them by their place.
        host_program();
        client_program();
        let mut child = Command::new(root().join("examples/run"))
            .args([address, auth])
            .env("STATE_DIR", state_dir)
            .env_remove("EDGE_USERS_URL")
            .env_remove("EDGE_USERS_TOKEN")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let lines = Arc::new(Mutex::new(Vec::new()));
        let stdout = child.stdout.take().expect("a pipe");
        let stderr = child.stderr.take().expect("a pipe");
        let outputs: [Box<dyn std::io::Read + Send>; 2] = [Box::new(stdout), Box::new(stderr)];
        for output in outputs {
            let lines = Arc::clone(&lines);
            std::thread::spawn(move || {
                for line in BufReader::new(output).lines().map_while(Result::ok) {
                    lines.lock().expect("no panic while it is held").push(line);
                }
            });
        }
        Run { child, lines }
    }

    /// Waits for a line that has this in it.
    fn line(&self, part: &str) -> String {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let lines = self
                .lines
                .lock()
                .expect("no panic while it is held")
                .clone();
            if let Some(line) = lines.iter().find(|line| line.contains(part)) {
                return line.clone();
            }
            assert!(Instant::now() < deadline, "no {part:?} in {lines:#?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn service(&self) -> Service {
        let line = self.line("Serving ");
        Service::at(line.strip_prefix("Serving ").expect("a URL"))
    }

    /// Sends it a SIGTERM, and waits for its end.
    fn stop(mut self) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").arg(&id).status().expect("kill runs");
        assert!(sent.success());
        let status = self.child.wait().expect("it ends");
        assert_eq!(status.code(), Some(0), "{status}");
    }
}

fn names(service: &Service) -> Vec<String> {
    let users = service.get("/users").json();
    let users = users.as_array().expect("a list");
    let names = users.iter().map(|user| user["name"].as_str());
    names.map(|name| name.expect("a name").to_owned()).collect()
}

#[test]
fn the_first_users_go_into_a_directory_that_is_empty() {
    let state_dir = new_state_dir();
    let run = Run::start("127.0.0.1:0", "off", &state_dir);
    run.line("The first users are there: Alice, Bob and Charlie");
    let service = run.service();
    let told = run.line("The page for administrators: ");
    assert_eq!(
        told.strip_prefix("The page for administrators: "),
        Some(&*format!("{}/admin/", service.url))
    );
    assert_eq!(names(&service), ["Alice", "Bob", "Charlie"]);
    assert_eq!(service.delete("/users/2").status, 204);
    run.stop();
    let run = Run::start("127.0.0.1:0", "off", &state_dir);
    let service = run.service();
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(names(&service), ["Alice", "Charlie"]);
    run.stop();
}

#[test]
fn nothing_is_written_into_another_service_that_has_the_address() {
    let host = start_host();
    let other = Service::of(&host);
    let address = host.local_addr().to_string();
    let mut run = Run::start(&address, "off", &new_state_dir());
    let status = run.child.wait().expect("it ends");
    assert!(!status.success());
    run.line("already in use");
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(other.get("/users").body, "[]");
}

#[test]
fn with_a_token_nobody_else_comes_in() {
    let run = Run::start("127.0.0.1:0", "token", &new_state_dir());
    run.line("The first users are there");
    let service = run.service();
    assert_eq!(service.get("/users").status, 401);
    let shown = run.line("authorization: Bearer eu_");
    let (_, token) = shown.rsplit_once(' ').expect("words");
    let token = token.trim_end_matches('\'');
    assert_eq!(
        names(&service.with_token(token)),
        ["Alice", "Bob", "Charlie"]
    );
    let lines = run.lines.lock().expect("no panic while it is held").clone();
    let shown = lines.iter().filter(|line| line.contains(token));
    assert_eq!(shown.count(), 1, "{lines:#?}");
    let error = lines.iter().find(|line| line.contains("rror"));
    assert_eq!(error, None);
    run.stop();
}

#[test]
fn two_of_them_on_the_same_users_are_told_of_each_other() {
    let state_dir = new_state_dir();
    let first = Run::start("127.0.0.1:0", "off", &state_dir);
    first.line("The first users are there");
    let second = Run::start("127.0.0.1:0", "off", &state_dir);
    let told = second.line("Another make run serves the users in");
    assert!(told.contains(&first.service().url), "{told}");
    let told = first.line("Another make run serves the users in");
    assert!(told.contains(&second.service().url), "{told}");
    assert_eq!(names(&second.service()), ["Alice", "Bob", "Charlie"]);
    second.stop();
    // Who has gone is not told of.
    let third = Run::start("127.0.0.1:0", "off", &state_dir);
    third.line("Another make run serves the users in");
    let lines = third
        .lines
        .lock()
        .expect("no panic while it is held")
        .clone();
    let told = lines
        .iter()
        .filter(|line| line.contains("Another make run"));
    assert_eq!(told.count(), 1, "{lines:#?}");
    third.stop();
    first.stop();
}

#[test]
fn an_address_that_is_free_is_served() {
    let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = free.local_addr().expect("an address").to_string();
    drop(free);
    let run = Run::start(&address, "off", &new_state_dir());
    assert_eq!(run.service().url, format!("http://{address}"));
    run.stop();
}
