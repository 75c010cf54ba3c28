//! Programs that run beside a test.

use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

use crate::support::{host_program, manifest};

/// A process that ends with this.
pub struct Process(pub Child);

impl Process {
    /// Sends it a signal that ends it, and waits for its end.
    pub fn signal(&mut self, name: &str) {
        let id = self.0.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &id]).status();
        assert!(sent.expect("kill runs").success());
        self.0.wait().expect("the process has ended");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Not SIGKILL, which the workers of nginx would outlive.
        if matches!(self.0.try_wait(), Ok(None)) {
            self.signal("TERM");
        }
    }
}

/// An address at which nobody listens.
pub fn free_address() -> SocketAddr {
    let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
    free.local_addr().expect("an address")
}

/// A host that serves at the address, to everybody.
pub fn start_host(state_dir: &Path, address: SocketAddr) -> Process {
    start_host_with(state_dir, address, &[])
}

/// The same with variables, as flags give them.
pub fn start_host_with(state_dir: &Path, address: SocketAddr, variables: &[&str]) -> Process {
    let mut child = Command::new(host_program())
        .arg("up")
        .arg("--from")
        .arg(manifest())
        .arg("--state-dir")
        .arg(state_dir)
        .args(["--listen", &address.to_string(), "--variable", "auth=off"])
        .args(
            variables
                .iter()
                .flat_map(|variable| ["--variable", variable]),
        )
        .stdout(Stdio::piped())
        .spawn()
        .expect("the host starts");
    // It says where it serves once it does.
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let serving = lines.any(|line| line.is_ok_and(|line| line.starts_with("Serving")));
    assert!(serving, "the host ended before it served");
    thread::spawn(move || lines.for_each(drop));
    Process(child)
}
