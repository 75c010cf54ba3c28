//! Very many users or groups in one request, one after the other: what the interfaces have in common.
//!
//! - [`batch`]: changes of up to 1,000 users, which are answered together
//! - [`import`]: users or groups that are made while they arrive
//! - [`work`]: what is to be done with one of them; [`user`], [`group`]: what that is
//! - [`upsert`]: users that change those who are there
//! - [`outcome`]: what becomes of them
//! - [`export`]: users or groups that are read while they are sent

pub mod batch;
pub mod export;
pub mod group;
pub mod import;
pub mod outcome;
pub mod upsert;
pub mod user;
pub mod work;

use std::time::Duration;

use crate::message::problem::Problem;
use crate::platform::Platform;
use crate::service::resource::Call;
use crate::timestamp::Timestamp;

/// A bulk operation ends after the service failed at so many users or groups in a row.
pub const FAILURES: u32 = 3;

/// How many bytes are made before they are sent.
const CHUNK: usize = 16 * 1024;

/// How long bytes wait for others before they are sent, in milliseconds.
const CHUNK_TIME: i64 = 250;

/// Why a bulk operation ends.
#[derive(Debug)]
pub enum End {
    Complete,
    /// The client went away before the end of what it sends.
    IncompleteBody,
    /// It took as long as it may, until then.
    TimeLimit(Timestamp),
    /// The service failed several times in a row.
    Failures,
    /// The client read nothing for long.
    ResultsUnread,
    /// The client may send no more for so many seconds.
    RateLimit(i64),
    /// It can't go on.
    Problem(Problem),
}

impl End {
    /// Its name, for clients and for the audit trail.
    pub fn name(&self) -> &'static str {
        match self {
            End::Complete => "complete",
            End::IncompleteBody => "incomplete-body",
            End::TimeLimit(_) => "time-limit",
            End::Failures => "failures",
            End::ResultsUnread => "results-unread",
            End::RateLimit(_) => "rate-limit",
            End::Problem(_) => "problem",
        }
    }

    /// After how many seconds the client may go on, if it has to wait.
    pub fn retry_after(&self) -> Option<i64> {
        match self {
            End::RateLimit(reset) => Some(*reset),
            _ => None,
        }
    }
}

/// When an operation that begins now has to end: by the operator's time limit, or by the
/// client's if that is sooner.
pub fn deadline<S, P: Platform, B>(
    call: &Call<'_, S, P, B>,
    clients: Option<Timestamp>,
) -> Timestamp {
    let now = call.directory.platform.now();
    let limit = call.configuration.bulk_time_limit;
    let operators = Timestamp(now.0 + limit.as_millis() as i64);
    clients.map_or(operators, |clients| clients.min(operators))
}

/// How long it is from `now` to then.
fn until(then: Timestamp, now: Timestamp) -> Duration {
    Duration::from_millis(u64::try_from(then.0 - now.0).unwrap_or(0))
}

/// What is sent together.
struct Chunk {
    bytes: Vec<u8>,
    begun: Timestamp,
}

impl Chunk {
    fn new(now: Timestamp) -> Chunk {
        let bytes = Vec::new();
        Chunk { bytes, begun: now }
    }

    /// Whether it is to be sent now: it is large enough, or a client may wait for it.
    fn is_due(&self, now: Timestamp) -> bool {
        // The clock may have been set back.
        let waited = (now.0 - self.begun.0).abs() >= CHUNK_TIME;
        self.bytes.len() >= CHUNK || waited && !self.bytes.is_empty()
    }
}
