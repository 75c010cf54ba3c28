//! What the service needs of its platform besides the store.

use crate::timestamp::Timestamp;

/// A clock, a source of random numbers, the operator's configuration, log and audit trail.
pub trait Platform {
    /// The time of day.
    fn now(&self) -> Timestamp;

    /// A number that nobody else draws: 64 bits, evenly distributed.
    fn random(&self) -> u64;

    /// The value of a configuration variable, if the platform has one of that name.
    fn variable(&self, name: &str) -> Option<String>;

    /// Tells the operator of something to look into, in one line without personal data.
    fn log_error(&self, line: &str);

    /// Keeps a line of the audit trail: JSON, without names and emails.
    fn audit(&self, line: &str);
}
