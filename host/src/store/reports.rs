//! Reports to the operator about a store that can't be written.

use std::sync::{Mutex, PoisonError};

use super::StoreError;
use crate::log::{Log, Seldom};

/// The reports about one database.
#[derive(Debug)]
pub(super) struct Reports {
    /// How the database is called in a sentence.
    name: String,
    log: Log,
    outage: Mutex<Option<Outage>>,
}

/// Nothing was written lately.
#[derive(Debug, Default)]
struct Outage {
    failed: usize,
    lines: Seldom,
}

impl Reports {
    /// About the database of this name, such as "the key-value store users.db".
    pub fn new(name: String, log: &Log) -> Self {
        Self {
            name,
            log: log.clone(),
            outage: Mutex::default(),
        }
    }

    /// Some operations failed together. That is reported at once, and then once a minute.
    pub fn failed(&self, error: &StoreError, operations: usize) {
        let mut outage = self.outage.lock().unwrap_or_else(PoisonError::into_inner);
        let outage = outage.get_or_insert_default();
        outage.failed += operations;
        if outage.lines.is_due() {
            self.log.line(format_args!(
                "cannot write to {}: {error} ({} operations failed)",
                self.name, outage.failed
            ));
        }
    }

    /// Operations succeeded.
    pub fn succeeded(&self) {
        let mut outage = self.outage.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(outage) = outage.take() {
            self.log.line(format_args!(
                "{} can be written again ({} operations failed)",
                self.name, outage.failed
            ));
        }
    }

    /// The thread that writes is gone.
    pub fn thread_is_gone(&self) {
        self.log.line(format_args!(
            "the thread that writes {} is gone, nothing is written any more",
            self.name
        ));
    }
}
