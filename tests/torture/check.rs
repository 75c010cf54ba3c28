//! Whether the answers keep the service's promises. Nothing here talks to the service: each check
//! takes a history and reports the broken promises in it.
//!
//! - [`answers`]: each request by itself
//! - [`identity`]: ids are given once, and deleted users stay deleted
//! - [`winners`]: of several changes to one version one succeeds
//! - [`whole`]: only written values are read
//! - [`order`]: for each user there is an order of the requests that explains all answers
//! - [`emails`]: an email has one user at a time, and none that has none
//! - [`found`]: searches find who has what is searched for
//! - [`membership`]: groups and users tell the same of who is in which
//! - [`walks`]: walks show every user once
//! - [`outages`]: a fleet hides the faults of its hosts
//! - [`quiet`]: with one request at a time, everything is exact

mod answers;
mod emails;
#[cfg(test)]
mod example;
mod found;
mod identity;
mod membership;
mod order;
mod outages;
mod quiet;
mod walks;
mod whole;
mod winners;

use std::fmt;

use crate::history::{History, Record};

/// The most records that are shown for a violation.
const SHOWN: usize = 30;

/// A promise that was broken.
#[derive(Clone, Debug)]
pub struct Violation {
    pub promise: &'static str,
    pub what: String,
    /// The records that show it.
    pub records: Vec<Record>,
}

/// The number of things that a check looked at, and its findings.
#[derive(Default)]
pub struct Findings {
    pub counts: Vec<(&'static str, usize)>,
    pub violations: Vec<Violation>,
}

impl Findings {
    fn count(&mut self, what: &'static str, count: usize) {
        self.counts.push((what, count));
    }

    fn violation<'a>(
        &mut self,
        promise: &'static str,
        what: String,
        records: impl IntoIterator<Item = &'a Record>,
    ) {
        self.violations.push(Violation {
            promise,
            what,
            records: records.into_iter().cloned().collect(),
        });
    }
}

/// Makes every check.
pub fn check(history: &History) -> Findings {
    let mut findings = Findings::default();
    for check in [
        answers::check,
        identity::check,
        winners::check,
        whole::check,
        order::check,
        emails::check,
        found::check,
        membership::check,
        walks::check,
        quiet::check,
        outages::check,
    ] {
        check(history, &mut findings);
    }
    findings
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}", self.promise, self.what)?;
        for record in self.records.iter().take(SHOWN) {
            writeln!(f, "    {record}")?;
        }
        match self.records.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => writeln!(f, "    and {more} more"),
        }
    }
}
