//! A Redis server of a test's own: the program `redis-server`, as a process.
#![allow(dead_code)] // Each test program uses its part of this.

use std::hash::{BuildHasher as _, RandomState};
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Below the ports of outgoing connections: one of them could take the port while the server is
/// away, even one that a host makes to the port itself.
const PORTS: Range<u16> = 15_000..30_000;

/// Far longer than it takes to start.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// A server that keeps what it answered. It ends with the test.
pub struct RedisServer {
    child: Child,
    port: u16,
    directory: PathBuf,
    arguments: Vec<String>,
}

impl RedisServer {
    /// Whether there is the program. If not, says so: the test is to be skipped.
    pub fn is_installed() -> bool {
        let version = Command::new("redis-server").arg("--version").output();
        let is_installed = version.is_ok_and(|output| output.status.success());
        if !is_installed {
            let test = thread::current().name().unwrap_or_default().to_owned();
            let line = format!("SKIPPED: {test}, for it needs redis-server\n");
            // Not eprintln!, which tests that succeed keep to themselves.
            std::io::stderr().write_all(line.as_bytes()).ok();
        }
        is_installed
    }

    /// Starts a server that keeps its data in `directory`, with these arguments in addition.
    pub fn start(directory: &Path, arguments: &[&str]) -> Self {
        let port = free_port();
        let arguments: Vec<_> = arguments.iter().map(|&argument| argument.into()).collect();
        let mut server = Self {
            child: spawn(directory, port, &arguments),
            port,
            directory: directory.to_owned(),
            arguments,
        };
        server.wait_until_ready();
        server
    }

    /// Its URL, without a user and a database.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Sends the signal of this name.
    pub fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &id]).status();
        assert!(sent.unwrap().success());
    }

    /// Ends it without a chance to finish anything.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again after it was killed.
    pub fn restart(&mut self) {
        self.child = spawn(&self.directory, self.port, &self.arguments);
        self.wait_until_ready();
    }

    /// Sends a line, such as `SET key value`, on a connection of its own, and returns the reply as
    /// it comes. Several lines have several replies.
    pub fn send(&self, line: &str) -> std::io::Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(START_TIMEOUT))?;
        stream.write_all(format!("{line}\r\nQUIT\r\n").as_bytes())?;
        let mut replies = Vec::new();
        stream.read_to_end(&mut replies)?;
        let replies = replies.strip_suffix(b"+OK\r\n").unwrap_or(&replies);
        Ok(String::from_utf8_lossy(replies).into_owned())
    }

    /// Waits until it answers, be it that it wants a password.
    fn wait_until_ready(&mut self) {
        let deadline = Instant::now() + START_TIMEOUT;
        let is_ready = |reply: String| reply.starts_with("+PONG") || reply.starts_with("-NOAUTH");
        while !self.send("PING").is_ok_and(is_ready) {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "redis-server ended: {ended:?}");
            assert!(Instant::now() < deadline, "redis-server does not answer");
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn spawn(directory: &Path, port: u16, arguments: &[String]) -> Child {
    let mut command = Command::new("redis-server");
    command
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
        .args(["--appendonly", "yes", "--appendfsync", "always"])
        .args(["--save", ""])
        .arg("--dir")
        .arg(directory)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    command.spawn().unwrap()
}

/// A port that nobody listens on.
pub fn free_port() -> u16 {
    loop {
        let random = RandomState::new().hash_one(Instant::now());
        let number = u16::try_from(random % PORTS.len() as u64).unwrap();
        let port = PORTS.start + number;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
