//! The platform's services besides the store.

use std::time::Duration;

use http::{Response, Uri};

use crate::timestamp::Timestamp;

/// The most bytes of a document that is fetched.
pub const MAX_FETCHED_BYTES: usize = 64 * 1024;

/// Clocks, a source of random numbers, the operator's configuration, log and audit trail.
#[allow(async_fn_in_trait)] // As in `Store`.
pub trait Platform {
    /// The time of day. The clocks of two instances may differ, and may be set at any moment.
    fn now(&self) -> Timestamp;

    /// The time since some moment, by a monotonic clock: one that is never set. Two such times
    /// can be compared only within one request.
    fn monotonic(&self) -> Duration;

    /// A random number of 64 bits, evenly distributed, that is never drawn again.
    fn random(&self) -> u64;

    /// The value of a configuration variable, if the platform has one of that name. Fails with
    /// the reason, for the log. Only [`Configuration`](crate::configuration::Configuration)
    /// asks for it, and the interface SCIM for its schemas.
    fn variable(&self, name: &str) -> Result<Option<String>, String>;

    /// Gets the document at the URL, in 2 seconds and of at most [`MAX_FETCHED_BYTES`]. Fails
    /// with the reason, for the log. By default the platform sends no requests.
    async fn fetch(&self, _url: &Uri) -> Result<Response<Vec<u8>>, String> {
        Err("this platform sends no requests".to_owned())
    }

    /// Reports a failure to the operator, in one line without personal data.
    fn log_error(&self, line: &str);

    /// Keeps a line of the audit trail: JSON, without names, emails and usernames.
    fn audit(&self, line: &str);
}
