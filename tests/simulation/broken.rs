//! The checker bites: whatever is broken on purpose is caught.

use crate::attributes;
use crate::backend::Backend;
use crate::explore::{Bounds, explore};
use crate::external_ids;
use crate::group_words;
use crate::groups;
use crate::meetings::meetings;
use crate::names;
use crate::random;
use crate::repeats::repeats;
use crate::sabotage::{ALL, Sabotage};
use crate::scenario::{Failure, Scenario};
use crate::scripts::{self, SCRIPTS};
use crate::updates;
use crate::usernames;
use crate::violation::Violation;
use crate::words;

/// The scenario that notices a sabotage, and the broken promise.
type Caught = (String, Violation);

fn caught(sabotage: Sabotage, backend: Backend) -> Option<Caught> {
    explored(sabotage, backend, 0, 0)
        .or_else(|| scripted(sabotage, backend))
        .or_else(|| explored(sabotage, backend, 0, 1))
        .or_else(|| explored(sabotage, backend, 1, 0))
        .or_else(|| random(sabotage, backend))
}

fn scenarios(backend: Backend, sabotage: Sabotage) -> impl Iterator<Item = Scenario> {
    let meetings = if sabotage.concerns_keys() {
        repeats()
    } else if sabotage.concerns_usernames() {
        usernames::meetings()
    } else {
        meetings()
    };
    meetings
        .into_iter()
        .map(move |meeting| Scenario::of(meeting, backend, Some(sabotage)))
}

fn explored(sabotage: Sabotage, backend: Backend, faults: usize, pauses: usize) -> Option<Caught> {
    // Requests that change a list have many steps; what meets there does so in a few turns.
    let concerns_lists = sabotage.concerns_names()
        || sabotage.concerns_external_ids()
        || sabotage.concerns_words()
        || sabotage.concerns_group_words()
        || sabotage.concerns_attributes()
        || sabotage.concerns_updates()
        || sabotage.concerns_groups();
    let (switches, patience) = match concerns_lists {
        true => (2, usize::MAX),
        false => (usize::MAX, 12),
    };
    let bounds = Bounds {
        faults,
        pauses,
        switches,
        patience,
    };
    let scenarios: Vec<_> = if sabotage.concerns_names() {
        names::scenarios(backend, Some(sabotage)).collect()
    } else if sabotage.concerns_words() {
        words::scenarios(backend, Some(sabotage)).collect()
    } else if sabotage.concerns_group_words() {
        group_words::scenarios(backend, Some(sabotage)).collect()
    } else if sabotage.concerns_attributes() {
        attributes::scenarios(backend, Some(sabotage)).collect()
    } else if sabotage.concerns_updates() {
        updates::scenarios(backend, Some(sabotage)).collect()
    } else if sabotage.concerns_external_ids() {
        external_ids::scenarios(backend, Some(sabotage)).collect()
    } else if sabotage.concerns_groups() {
        groups::scenarios(backend, Some(sabotage)).collect()
    } else {
        scenarios(backend, sabotage).collect()
    };
    let mut scenarios = scenarios.iter();
    scenarios.find_map(|scenario| explore(scenario, bounds).err().map(|failure| by(&failure)))
}

fn scripted(sabotage: Sabotage, backend: Backend) -> Option<Caught> {
    SCRIPTS.into_iter().find_map(|script| {
        let played = scripts::play(script, backend, Some(sabotage));
        let violation = played.err()?;
        Some((script.0.to_owned(), violation))
    })
}

fn random(sabotage: Sabotage, backend: Backend) -> Option<Caught> {
    (0..2000).find_map(|seed| {
        random::run(seed, backend, Some(sabotage))
            .err()
            .map(|failure| by(&failure))
    })
}

fn by(failure: &Failure) -> Caught {
    let (name, steps) = (&failure.scenario.name, failure.choices.len());
    (
        format!("{name} in {steps} steps"),
        failure.violation.clone(),
    )
}

#[test]
fn whatever_is_broken_on_purpose_is_caught() {
    let mut missed = Vec::new();
    for (sabotage, what, why) in ALL {
        println!("{what}: {why}.");
        for backend in sabotage.backends() {
            match caught(sabotage, *backend) {
                Some((by, Violation(what))) => {
                    let what = what.lines().next().unwrap_or_default();
                    println!("  {backend:?}: caught by {by}: {what:.120}");
                }
                None => missed.push((sabotage, *backend)),
            }
        }
    }
    assert!(missed.is_empty(), "not caught: {missed:?}");
}
