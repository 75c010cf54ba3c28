//! Reports to the operator about a store that can't be used.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use super::StoreError;
use crate::log::{Log, Seldom};

/// The reports about one backend.
#[derive(Debug)]
pub(super) struct Reports {
    /// How the backend is called in a sentence.
    name: String,
    work: Work,
    log: Log,
    outage: Mutex<Option<Outage>>,
}

/// The work that may fail, as a verb: "cannot write to it", "it can be written again".
#[derive(Clone, Copy, Debug)]
pub(super) struct Work {
    pub infinitive: &'static str,
    pub participle: &'static str,
}

/// Nothing was done lately.
#[derive(Debug, Default)]
struct Outage {
    failed: usize,
    lines: Seldom,
}

/// The end of a report: how many operations failed.
struct Failed(usize);

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => Ok(()),
            count => write!(f, " ({count} operations failed)"),
        }
    }
}

impl Reports {
    /// About the backend of this name, such as "the key-value store users.db".
    pub fn new(name: String, work: Work, log: &Log) -> Self {
        Self {
            name,
            work,
            log: log.clone(),
            outage: Mutex::default(),
        }
    }

    /// Some operations failed together, or none did yet, but the next would. That is reported at
    /// once, and then once a minute.
    pub fn failed(&self, error: &StoreError, operations: usize) {
        let mut outage = self.outage.lock().unwrap_or_else(PoisonError::into_inner);
        let outage = outage.get_or_insert_default();
        outage.failed += operations;
        if outage.lines.is_due() {
            self.log.line(format_args!(
                "cannot {} {}: {error}{}",
                self.work.infinitive,
                self.name,
                Failed(outage.failed)
            ));
        }
    }

    /// Operations succeeded, or can from now on.
    pub fn succeeded(&self) {
        let mut outage = self.outage.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(outage) = outage.take() {
            self.log.line(format_args!(
                "{} can be {} again{}",
                self.name,
                self.work.participle,
                Failed(outage.failed)
            ));
        }
    }

    /// Something that the operator should know of the backend.
    pub fn advise(&self, advice: &str) {
        self.log.line(format_args!("{}: {advice}", self.name));
    }
}
