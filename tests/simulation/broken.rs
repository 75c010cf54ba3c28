//! The checker bites: whatever is broken on purpose is caught.

use crate::explore::{Bounds, explore};
use crate::meetings::meetings;
use crate::random;
use crate::repeats::repeats;
use crate::sabotage::{ALL, Sabotage};
use crate::scenario::{Failure, Scenario};
use crate::store::Backend;

fn caught(sabotage: Sabotage, backend: Backend) -> Option<Box<Failure>> {
    let meetings = match sabotage.concerns_keys() {
        true => repeats(),
        false => meetings(),
    };
    for faults in [0, 1] {
        for meeting in meetings.clone() {
            let scenario = Scenario::of(meeting, backend, Some(sabotage));
            let bounds = Bounds {
                faults,
                patience: 12,
            };
            if let Err(failure) = explore(&scenario, bounds) {
                return Some(failure);
            }
        }
    }
    (0..2000).find_map(|seed| random::run(seed, backend, Some(sabotage)).err())
}

#[test]
fn whatever_is_broken_on_purpose_is_caught() {
    let mut missed = Vec::new();
    for (sabotage, what, why) in ALL {
        println!("{what}: {why}.");
        for backend in sabotage.backends() {
            match caught(sabotage, *backend) {
                Some(failure) => {
                    let steps = failure.choices.len();
                    let violation = failure
                        .violation
                        .0
                        .lines()
                        .next()
                        .unwrap_or_default()
                        .to_owned();
                    println!(
                        "  {backend:?}: caught by {} in {steps} steps: {violation:.120}",
                        failure.scenario.name
                    );
                }
                None => missed.push((sabotage, *backend)),
            }
        }
    }
    assert!(missed.is_empty(), "not caught: {missed:?}");
}
