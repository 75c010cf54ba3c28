//! `make fleet`: three hosts on one Redis behind nginx.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use crate::support::{Service, client_program, host_program, new_state_dir, root};
use serde_json::json;

/// Far longer than anything here takes.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The processes of a fleet, whose ports follow each other.
const PROCESSES: u16 = 5;

/// Whether there are the programs. If not, says so: the test is to be skipped.
fn is_installed() -> bool {
    let runs = |program: &str, flag: &str| {
        let path = format!("{}:/usr/sbin", std::env::var("PATH").unwrap_or_default());
        let output = Command::new(program).arg(flag).env("PATH", path).output();
        output.is_ok_and(|output| output.status.success())
    };
    let is_installed = runs("redis-server", "--version") && runs("nginx", "-v");
    if !is_installed {
        let test = thread::current().name().unwrap_or_default().to_owned();
        let line = format!("SKIPPED: {test}, for it needs redis-server and nginx\n");
        std::io::stderr().write_all(line.as_bytes()).ok();
    }
    is_installed
}

/// The first of ports that nobody listens on.
fn free_ports() -> u16 {
    let is_free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
    (0..)
        .map(|_| fastrand::u16(15_000..30_000))
        .find(|port| (*port..port + PROCESSES).all(is_free))
        .expect("there are some")
}

struct Fleet {
    child: Child,
    lines: Receiver<String>,
}

impl Fleet {
    fn start(port: u16, directory: &std::path::Path) -> Fleet {
        // It calls them by their place.
        host_program();
        client_program();
        let mut child = Command::new(root().join("examples/fleet"))
            .arg(format!("127.0.0.1:{port}"))
            .env("TMPDIR", directory)
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let stdout = child.stdout.take().expect("a pipe");
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            let lines = BufReader::new(stdout).lines().map_while(Result::ok);
            lines.for_each(|line| drop(sender.send(line)));
        });
        Fleet { child, lines }
    }

    /// Waits for a line that has this in it.
    fn line(&self, part: &str) -> String {
        loop {
            let line = self.lines.recv_timeout(TIMEOUT);
            let line = line.unwrap_or_else(|error| panic!("no {part:?}: {error}"));
            if line.contains(part) {
                return line;
            }
        }
    }
}

impl Drop for Fleet {
    /// After a failure it must not go on.
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            kill("TERM", &self.child.id().to_string());
            self.child.wait().ok();
        }
    }
}

fn kill(signal: &str, process: &str) {
    let sent = Command::new("kill").args(["-s", signal, process]).status();
    assert!(sent.expect("kill runs").success());
}

#[test]
fn a_fleet_serves_while_one_of_its_hosts_is_killed_and_leaves_nothing_behind() {
    if !is_installed() {
        return;
    }
    let port = free_ports();
    let directory = new_state_dir();
    let mut fleet = Fleet::start(port, &directory);
    let served = fleet.line("Serving ");
    assert_eq!(served, format!("Serving http://127.0.0.1:{port}"));
    let second = fleet.line("edge-host 2");
    let balanced = Service::at(&format!("http://127.0.0.1:{port}"));
    let users = balanced.get("/users");
    assert!(users.body.contains("Alice"), "{users:?}");
    let user = balanced.create(json!({ "name": "Ada" }));
    // Each host has what came through the balancer.
    for host in 1..=3 {
        let host = Service::at(&format!("http://127.0.0.1:{}", port + host));
        assert_eq!(host.get(&crate::support::path(&user)).json(), user);
    }
    let (_, process) = second.rsplit_once(' ').expect("words");
    kill("KILL", process);
    for _ in 0..50 {
        assert_eq!(balanced.get("/users").status, 200);
    }
    fleet.line("edge-host 2 has ended, and is started again");
    kill("TERM", &fleet.child.id().to_string());
    let status = fleet.child.wait().expect("it ends");
    assert_eq!(status.code(), Some(143), "{status}");
    for port in port..port + PROCESSES {
        assert!(TcpStream::connect(("127.0.0.1", port)).is_err(), "{port}");
    }
    let left = std::fs::read_dir(&directory).expect("a directory").count();
    assert_eq!(left, 0);
}

#[test]
fn a_port_that_is_in_use_is_named() {
    if !is_installed() {
        return;
    }
    let port = free_ports();
    let _taken = TcpListener::bind(("127.0.0.1", port + 3)).expect("a free port");
    let output = Command::new(root().join("examples/fleet"))
        .arg(format!("127.0.0.1:{port}"))
        .output()
        .expect("it starts");
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8_lossy(&output.stderr);
    let expected = format!("The port {} is in use", port + 3);
    assert!(told.starts_with(&expected), "{told}");
}
