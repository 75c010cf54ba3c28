//! A fleet hides its faults: a request fails only where no host could have answered it.

use super::Findings;
use crate::faults::Away;
use crate::history::{History, Record, Told};

pub fn check(history: &History, findings: &mut Findings) {
    if !history.faults.is_fleet {
        return;
    }
    let mut hidden = 0;
    for record in &history.records {
        if record.ask.changes() || !history.faults.can_serve(record.start, record.end) {
            continue;
        }
        hidden += usize::from(is_anything_away(history, record));
        if record.told.is_unknown() {
            let what = "a safe request failed that another host would have answered".to_owned();
            findings.violation("failing well", what, [record]);
        }
    }
    findings.count("safe requests while hosts were away and others not", hidden);
    if let Some(Away { from, to }) = history.faults.rolling {
        let during = history.records.iter();
        let during: Vec<&Record> = during
            .filter(|record| record.start <= to && from <= record.end)
            .collect();
        for record in &during {
            // What others do to the same user at the same time is not of the restart.
            if record.told.is_unknown() && record.told != Told::Contended {
                let what = "a request was lost in a rolling restart".to_owned();
                findings.violation("rolling restart", what, [*record]);
            }
        }
        findings.count("requests during the rolling restart", during.len());
    }
}

fn is_anything_away(history: &History, record: &Record) -> bool {
    let mut aways = history.faults.hosts.iter().flatten();
    aways.any(|away| away.from <= record.end && record.start <= away.to)
}

#[cfg(test)]
mod tests {
    use super::super::example::{Example, broken};
    use super::*;
    use crate::history::{Ask, Time, Told};

    const SECOND: Time = 1_000_000_000;

    /// A fleet of two hosts, one of which is away from 10 to 20 s.
    fn fleet() -> Example {
        let mut example = Example::new();
        example.faults.is_fleet = true;
        let away = Away {
            from: 10 * SECOND,
            to: 20 * SECOND,
        };
        example.faults.hosts = vec![vec![away], Vec::new()];
        example
    }

    fn at(mut example: Example, seconds: Time, ask: Ask, status: u16) -> Vec<&'static str> {
        let start = seconds * SECOND;
        example.at(start, start + 1, ask, Told::Status(status));
        broken(check, example)
    }

    #[test]
    fn a_safe_request_does_not_fail_while_one_host_is_there() {
        for status in [502, 503, 504] {
            assert_eq!(at(fleet(), 15, Ask::Get(1), status), ["failing well"]);
        }
        assert!(at(fleet(), 15, Ask::Get(1), 404).is_empty());
        let mut lost = fleet();
        lost.at(15 * SECOND, 16 * SECOND, Ask::Find(0), Told::Lost);
        assert_eq!(broken(check, lost), ["failing well"]);
    }

    #[test]
    fn a_safe_request_may_fail_while_all_hosts_are_away_or_the_store_is() {
        let mut without_hosts = fleet();
        let away = without_hosts.faults.hosts[0][0];
        without_hosts.faults.hosts[1].push(away);
        assert!(at(without_hosts, 15, Ask::Get(1), 502).is_empty());
        let mut without_store = fleet();
        without_store.faults.store.push(away);
        assert!(at(without_store.clone(), 15, Ask::Get(1), 502).is_empty());
        // The hosts find the store a little later.
        assert!(at(without_store.clone(), 21, Ask::Get(1), 503).is_empty());
        assert_eq!(at(without_store, 23, Ask::Get(1), 503), ["failing well"]);
    }

    #[test]
    fn a_change_may_fail_with_the_host_that_has_it() {
        let mut example = fleet();
        let ask = example.creating(None);
        assert!(at(example, 15, ask, 502).is_empty());
    }

    #[test]
    fn no_request_is_lost_in_a_rolling_restart() {
        let mut example = fleet();
        example.faults.rolling = Some(Away {
            from: 10 * SECOND,
            to: 20 * SECOND,
        });
        let ask = example.creating(None);
        for status in [502, 503] {
            let broken = at(example.clone(), 15, ask.clone(), status);
            assert_eq!(broken, ["rolling restart"]);
        }
        assert!(at(example.clone(), 15, ask.clone(), 409).is_empty());
        let mut contended = example.clone();
        contended.at(15 * SECOND, 16 * SECOND, ask.clone(), Told::Contended);
        assert!(broken(check, contended).is_empty());
        assert!(at(example, 25, ask, 502).is_empty());
    }

    #[test]
    fn one_host_alone_hides_nothing() {
        let mut example = fleet();
        example.faults.is_fleet = false;
        assert!(at(example, 15, Ask::Get(1), 503).is_empty());
    }
}
