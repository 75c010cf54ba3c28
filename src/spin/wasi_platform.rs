//! Clock, random numbers, configuration and log, as WASI has them.

use std::time::Duration;

use http::{Response, Uri};
use spin_sdk::wit::wasi::clocks0_2_0::wall_clock;
use spin_sdk::wit::wasi::config::store as config;
use spin_sdk::wit::wasi::random0_2_0::random;
use wasi::cli::{stderr, stdout};
use wasi::clocks::monotonic_clock;
use wasi::io::streams::OutputStream;

use super::fetch;
use crate::log;
use crate::platform::Platform;
use crate::timestamp::Timestamp;

/// The platform, as one request uses it.
pub struct WasiPlatform {
    /// When the request arrived.
    pub arrived: monotonic_clock::Instant,
}

impl Platform for WasiPlatform {
    fn now(&self) -> Timestamp {
        let now = wall_clock::now();
        Timestamp(now.seconds as i64 * 1000 + i64::from(now.nanoseconds / 1_000_000))
    }

    fn monotonic(&self) -> Duration {
        Duration::from_nanos(monotonic_clock::now())
    }

    fn random(&self) -> u64 {
        random::get_random_u64()
    }

    fn variable(&self, name: &str) -> Result<Option<String>, String> {
        config::get(name).map_err(|error| format!("{error:?}"))
    }

    async fn fetch(&self, url: &Uri) -> Result<Response<Vec<u8>>, String> {
        fetch::fetch(url)
    }

    fn log_error(&self, line: &str) {
        write_line(&stderr::get_stderr(), format!("error: {}", log::text(line)));
    }

    fn audit(&self, line: &str) {
        write_line(&stdout::get_stdout(), line.to_owned());
    }
}

/// The most bytes that a stream takes at once.
const MAX_WRITE: usize = 4096;

/// Writes a line at once, so that those of other instances don't come in between. If the host can't
/// take it, the request goes on all the same. The streams of the standard library do this by way of
/// WASI preview 1, which costs an instance 18,000 instructions for its first line.
fn write_line(to: &OutputStream, mut line: String) {
    line.push('\n');
    for part in line.as_bytes().chunks(MAX_WRITE) {
        if to.blocking_write_and_flush(part).is_err() {
            return;
        }
    }
}
