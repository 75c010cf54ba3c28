//! Availability, which is the part of the time in which the service works: uptime / total time.

use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use reqwest::blocking::Client;

use crate::history::Time;
use crate::load::Stage;

/// The pause between two probes.
const INTERVAL: Duration = Duration::from_millis(50);

/// How long a probe waits for its answer.
const TIME_LIMIT: Duration = Duration::from_secs(1);

/// A probe, which ended at that time.
#[derive(Clone, Copy, Debug)]
pub struct Probe {
    end: Time,
    is_answered: bool,
}

/// Asks for users at `url` again and again, until the clients end.
pub fn probe(stage: &Stage, url: &str) -> Vec<Probe> {
    // On a connection of its own each time: one that has broken tells of an earlier moment.
    let client = Client::builder()
        .timeout(TIME_LIMIT)
        .pool_max_idle_per_host(0)
        .build()
        .expect("a client needs nothing that can be missing");
    let mut probes = Vec::new();
    while !stage.stop.load(Ordering::Relaxed) {
        let answer = client.get(format!("{url}/users?limit=1")).send();
        probes.push(Probe {
            is_answered: answer.is_ok_and(|answer| answer.status().is_success()),
            end: stage.now(),
        });
        thread::sleep(INTERVAL);
    }
    probes
}

/// The time between two probes counts as uptime if both were answered.
pub fn availability(probes: &[Probe]) -> f64 {
    let mut total = 0;
    let mut up = 0;
    for pair in probes.windows(2) {
        let time = pair[1].end - pair[0].end;
        total += time;
        if pair[0].is_answered && pair[1].is_answered {
            up += time;
        }
    }
    up as f64 / total.max(1) as f64
}

#[test]
fn the_time_around_a_probe_that_fails_is_no_uptime() {
    let probes = |answers: &[(Time, bool)]| {
        let probes = answers.iter();
        let probes = probes.map(|&(end, is_answered)| Probe { end, is_answered });
        availability(&probes.collect::<Vec<_>>())
    };
    assert_eq!(probes(&[(10, true), (20, true), (50, true)]), 1.0);
    assert_eq!(
        probes(&[(10, true), (20, true), (25, false), (50, true)]),
        0.25
    );
    assert_eq!(probes(&[(10, false), (20, false)]), 0.0);
    assert_eq!(probes(&[]), 0.0);
}
