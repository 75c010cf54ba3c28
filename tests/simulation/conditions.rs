//! The conditions under which a scenario runs, besides faults, and which promises hold under them.

use crate::history::Event;
use crate::request::{Ask, Outcome, Told};

/// How long a store operation may take without breaking a promise, in milliseconds.
pub const SLOW_MILLIS: i64 = 40_000;

/// By default all instances have the right time, the store is quick, and reads are never late.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Conditions {
    /// By how many milliseconds the clock of an instance is wrong, at most.
    pub clocks: i64,
    /// Whether `get` may answer any value that the key had while the clients meet, as DynamoDB's
    /// does by default. `current` and `increment` are never late.
    pub late_reads: bool,
    /// Whether store operations take up to [`SLOW_MILLIS`], on a host that lets requests take so long.
    pub slow: bool,
}

impl Conditions {
    /// By how many milliseconds the clock of a client's instance is wrong.
    pub fn skew(self, client: usize) -> i64 {
        [self.clocks, -self.clocks][client % 2]
    }

    /// Within how many milliseconds the first record of a create must be written, or the total is
    /// wrong and searches don't find the user: see [`Conditions::counts_and_finds`].
    pub fn first_write_millis(self) -> i64 {
        match self.counts_and_finds() {
            true => SLOW_MILLIS - 2 * self.clocks,
            false => i64::MAX,
        }
    }

    /// Whether the total is right and searches find every user, as far as clocks decide it.
    pub fn counts_and_finds(self) -> bool {
        2 * self.clocks < SLOW_MILLIS
    }

    /// Whether no promise is about the answer to this request.
    pub fn exempt(self, event: &Event) -> bool {
        let searches = match &*event.ask {
            Ask::Group(ask) => ask.searched().is_some(),
            ask => matches!(ask, Ask::Search { .. }),
        };
        // An upsert that changes nothing is a lookup.
        let looks_up = matches!(
            (&*event.ask, &event.told),
            (
                Ask::Upsert(..),
                Told::Status(409) | Told::Upserted(Outcome::Unchanged, _)
            )
        );
        (self.late_reads && event.reads_late && (event.ask.reads() || looks_up))
            || (searches && !self.counts_and_finds())
    }

    /// How much longer than usual it takes until nothing is stuck, in milliseconds.
    pub fn delay(self) -> i64 {
        self.clocks
    }
}
