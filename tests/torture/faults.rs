//! What was away under torture, and when.

use std::time::Duration;

use crate::history::{Record, Time, Told};

/// How long a host waits at most for an operation of the store. A request that was refused
/// sooner has nothing under way.
const STORE_TIME_LIMIT: Duration = Duration::from_secs(2);

/// How long a store that works may take to carry out what has reached it.
pub const LATE: Duration = Duration::from_secs(1);

/// How soon a host works again once its store is back.
pub const RECOVERY: Duration = Duration::from_secs(2);

/// A time in which something did not work: from before it was harmed until it was back.
#[derive(Clone, Copy, Debug)]
pub struct Away {
    pub from: Time,
    pub to: Time,
}

/// Everything that was away.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// For each host, in order.
    pub hosts: Vec<Vec<Away>>,
    /// The store that the hosts share; nothing where the host has a store of its own.
    pub store: Vec<Away>,
    /// In which hosts were stopped and started one after the other, and nothing else was harmed.
    pub rolling: Option<Away>,
    /// The hosts share a store that is not killed with them, behind a balancer.
    pub is_fleet: bool,
}

impl Faults {
    /// From when on a request can't take effect any more.
    pub fn settled(&self, record: &Record) -> Time {
        if self.is_fleet {
            self.settled_in_store(record)
        } else if record.told == Told::Lost {
            // The next kill ends it.
            let ends = self.hosts.iter().flatten().map(|away| away.to);
            ends.filter(|end| *end >= record.end)
                .min()
                .unwrap_or(Time::MAX)
        } else {
            record.end
        }
    }

    /// The same where the store outlives the hosts: it carries out what it was sent, though nobody
    /// waits for that any more, and after a pause if it was in one.
    fn settled_in_store(&self, record: &Record) -> Time {
        let took = Duration::from_nanos(record.end - record.start);
        let is_over = match record.told.status() {
            Some(503) => took < STORE_TIME_LIMIT,
            _ => !record.told.is_unknown(),
        };
        if is_over {
            return record.end;
        }
        let late = LATE.as_nanos() as Time;
        let mut store = self.store.iter();
        let paused = store.find(|away| away.from <= record.end + late && record.end <= away.to);
        paused.map_or(record.end, |away| away.to) + late
    }

    /// Whether at least one host worked all the time from `from` to `to`, and the store for long
    /// enough that the host had found it.
    pub fn can_serve(&self, from: Time, to: Time) -> bool {
        let recovery = RECOVERY.as_nanos() as Time;
        let is_there = |away: &Away| away.to < from || to < away.from;
        let is_found = |away: &Away| away.to + recovery < from || to < away.from;
        self.store.iter().all(is_found) && self.hosts.iter().any(|host| host.iter().all(is_there))
    }
}
