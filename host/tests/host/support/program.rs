//! The program `edge-host`, as a process.

use std::io::{BufRead as _, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Instant;

use super::{Application, TEST_TIMEOUT};

/// The command, with an environment that doesn't interfere.
pub fn edge_host() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_edge-host"));
    for name in [
        "SPIN_HTTP_LISTEN_ADDR",
        "RUNTIME_CONFIG_FILE",
        "SPIN_LOG_DIR",
        "SPIN_MAX_INSTANCE_MEMORY",
        "DISABLE_WASMTIME_CACHE",
    ] {
        command.env_remove(name);
    }
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("OTEL_") {
            command.env_remove(name);
        }
    }
    command.stdin(Stdio::null());
    command
}

/// Runs `up` on an application that can't be; the line it ends with.
pub fn refused(application: &Application, arguments: &[&str]) -> String {
    let output = edge_host()
        .env("SPIN_HTTP_LISTEN_ADDR", "127.0.0.1:0")
        .arg("up")
        .args(arguments)
        .current_dir(application.directory())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let stderr = String::from_utf8(output.stderr).unwrap();
    let line = stderr.strip_suffix('\n').unwrap();
    assert!(!line.contains('\n'), "more than one line: {line}");
    assert!(output.stdout.is_empty());
    line.strip_prefix("Error: ").unwrap().to_owned()
}

/// A process that serves.
pub struct Program {
    child: Child,
    address: SocketAddr,
    stdout: Lines,
    stderr: Lines,
}

impl Program {
    /// Serves the application on a free port, with these arguments in addition.
    pub fn start(application: &Application, arguments: &[&str]) -> Self {
        let mut command = edge_host();
        command
            .args(["up", "--listen", "127.0.0.1:0"])
            .args(arguments)
            .current_dir(application.directory());
        Self::spawn(command)
    }

    pub fn spawn(mut command: Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = Lines::of(child.stdout.take().unwrap());
        let stderr = Lines::of(child.stderr.take().unwrap());
        let serving = stdout.wait_for("Serving http://");
        let address = serving.split_once("http://").unwrap().1.parse().unwrap();
        // The rest of the summary; without a route there is nothing to test.
        stdout.wait_for("  ");
        Self {
            child,
            address,
            stdout,
            stderr,
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The number of the process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its output when it started.
    pub fn summary(&self) -> &[String] {
        &self.stdout.seen
    }

    /// Waits for a line on standard output that contains `text`.
    pub fn wait_for_output(&mut self, text: &str) -> String {
        self.stdout.wait_for(text)
    }

    /// Waits for a line on standard error that contains `text`.
    pub fn wait_for_log(&mut self, text: &str) -> String {
        self.stderr.wait_for(text)
    }

    /// Everything on standard output until the process ends.
    pub fn rest_of_output(&mut self) -> Vec<String> {
        self.stdout.rest()
    }

    /// Everything on standard error until the process ends.
    pub fn rest_of_log(&mut self) -> Vec<String> {
        self.stderr.rest()
    }

    /// Sends the signal of this name.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args(["-s", name, &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(sent.success());
    }

    pub fn wait(&mut self) -> ExitStatus {
        let deadline = Instant::now() + TEST_TIMEOUT;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "it doesn't end");
            thread::sleep(std::time::Duration::from_millis(5));
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// The lines of a pipe, as they come.
struct Lines {
    lines: Receiver<String>,
    seen: Vec<String>,
}

impl Lines {
    fn of(pipe: impl Read + Send + 'static) -> Self {
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(pipe).lines() {
                let Ok(line) = line else { return };
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Self {
            lines,
            seen: Vec::new(),
        }
    }

    fn wait_for(&mut self, text: &str) -> String {
        loop {
            match self.lines.recv_timeout(TEST_TIMEOUT) {
                Ok(line) => {
                    self.seen.push(line.clone());
                    if line.contains(text) {
                        return line;
                    }
                }
                Err(error) => panic!("no line with {text:?} ({error}) after {:#?}", self.seen),
            }
        }
    }

    fn rest(&mut self) -> Vec<String> {
        while let Ok(line) = self.lines.recv_timeout(TEST_TIMEOUT) {
            self.seen.push(line);
        }
        self.seen.clone()
    }
}
