//! Applications to serve, hosts to serve them, stores for these, and a client.

mod application;
pub mod client;
pub mod http2;
mod program;
pub mod redis_server;

pub use application::{Application, concurrent_probe_path, probe_path, start};
pub use client::{Client, get, put, request, rest_of, send};
pub use program::{Program, edge_host, refused};
pub use redis_server::RedisServer;

use std::io::Write as _;
use std::time::Duration;

/// Far longer than anything here takes, even on a busy machine. Nothing waits it
/// out but a test that fails.
pub const TEST_TIMEOUT: Duration = Duration::from_secs(60);

/// Says that the running test is skipped, for it needs a program that is not there.
pub fn skipped(needed: &str) {
    let test = std::thread::current().name().unwrap_or_default().to_owned();
    let line = format!("SKIPPED: {test}, for it needs {needed}\n");
    // Not eprintln!, which tests that succeed keep to themselves.
    std::io::stderr().write_all(line.as_bytes()).ok();
}
