//! Clock, random numbers, configuration and log, as WASI has them.

use std::io::Write;

use http::{Response, Uri};
use spin_sdk::wit::wasi::clocks0_2_0::wall_clock;
use spin_sdk::wit::wasi::config::store as config;
use spin_sdk::wit::wasi::random0_2_0::random;
use wasi::clocks::monotonic_clock;

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
        write_line(std::io::stderr(), format!("error: {}", log::text(line)));
    }

    fn audit(&self, line: &str) {
        write_line(std::io::stdout(), line.to_owned());
    }
}

/// Writes a line at once, so that those of other instances don't come in between. If the host can't
/// take it, the request goes on all the same.
fn write_line(mut to: impl Write, mut line: String) {
    line.push('\n');
    let _ = to.write_all(line.as_bytes());
}
