//! Every pair of requests that could get into each other's way, in every order
//! of their store operations, with a fault of either or a long pause at every point.

use std::thread;
use std::time::Instant;

use edge_users::directory::Sizes;
use serde_json::json;

use crate::backend::Backend;
use crate::conditions::Conditions;
use crate::explore::{Bounds, Figures, explore};
use crate::meetings::meetings;
use crate::repeats::{leftover_keys, repeats};
use crate::request::{Action, Condition, Who};
use crate::scenario::{RECOVERY, Scenario};
use crate::usernames;

/// One fault in each run. Contenders for one email overtake each other about
/// twice before one of them is left alone.
const BOUNDS: Bounds = Bounds {
    faults: 1,
    pauses: 0,
    switches: usize::MAX,
    patience: 16,
};

/// No faults, but more than a minute between any two operations, so that a request goes on after
/// others have taken it for dead.
const PAUSED: Bounds = Bounds {
    faults: 0,
    pauses: 1,
    switches: usize::MAX,
    patience: 12,
};

/// Explores every meeting on a backend, and tells the figures.
fn explore_all(backend: Backend, bounds: Bounds) {
    let mut sum = Figures::default();
    let begin = Instant::now();
    let meetings = meetings().into_iter().chain(repeats());
    let meetings = meetings.chain(usernames::meetings());
    let scenarios = meetings.map(|meeting| Scenario::of(meeting, backend, None));
    for scenario in scenarios.chain(leftover_keys(backend)) {
        let start = Instant::now();
        let figures = explore(&scenario, bounds).unwrap_or_else(|failure| panic!("{failure}"));
        let seconds = start.elapsed().as_secs_f64();
        println!("{:44} {figures}, {seconds:.2} s", scenario.name);
        sum += figures;
    }
    let seconds = begin.elapsed().as_secs_f64();
    println!("all on {backend:?} with {bounds:?}: {sum}, {seconds:.1} s");
}

#[test]
fn every_meeting_on_sqlite_keeps_every_promise() {
    explore_all(Backend::Sqlite, BOUNDS);
    explore_all(Backend::Sqlite, PAUSED);
}

#[test]
fn every_meeting_on_redis_keeps_every_promise() {
    explore_all(Backend::Redis, BOUNDS);
    explore_all(Backend::Redis, PAUSED);
}

#[test]
fn every_meeting_on_dynamodb_keeps_every_promise() {
    explore_all(Backend::DynamoDb, BOUNDS);
    explore_all(Backend::DynamoDb, PAUSED);
}

/// More deletes than the ledger has room for: who needs a place in it clears it
/// of those that died, beside one that did not.
#[test]
fn deletes_are_counted_beside_more_that_died_than_the_ledger_lists() {
    for backend in Backend::ALL {
        let delete = |id| Action::Delete(Who::Id(id), Condition::Always);
        let users = (1..=65).map(|id| Action::Create(json!({ "name": format!("U{id}") })));
        let scenario = Scenario {
            name: "delete/delete with a full ledger".to_owned(),
            backend,
            setup: users.collect(),
            died: (1..=63).map(delete).collect(),
            before: RECOVERY,
            programs: vec![vec![delete(64)], vec![delete(65)]],
            sizes: Sizes::SERVICE,
            conditions: Conditions::default(),
            sabotage: None,
        };
        // To clear the ledger takes two operations or three for each entry.
        let bounds = Bounds {
            faults: 0,
            pauses: 0,
            switches: usize::MAX,
            patience: usize::MAX,
        };
        let figures = explore(&scenario, bounds).unwrap_or_else(|failure| panic!("{failure}"));
        println!("{backend:?}: {figures}");
    }
}

/// Two pages find that a create died, and both settle it.
#[test]
fn a_create_that_died_is_settled_once() {
    let email = |email| Action::Create(json!({ "name": "A", "email": email }));
    for backend in Backend::ALL {
        let scenario = Scenario {
            name: "walk/walk beside creates that died".to_owned(),
            backend,
            setup: vec![Action::Create(json!({ "name": "A" })); 6],
            died: vec![email("x@example.com"), email("y@example.com")],
            before: RECOVERY,
            programs: vec![vec![Action::Walk(8, 10)], vec![Action::Walk(8, 10)]],
            sizes: Sizes::SERVICE,
            conditions: Conditions::default(),
            sabotage: None,
        };
        let figures = explore(&scenario, PAUSED).unwrap_or_else(|failure| panic!("{failure}"));
        println!("{backend:?}: {figures}");
    }
}

/// Pages beside those who leave a group of ids, and the last to come to it: none steps over a user.
#[test]
fn a_walk_meets_all_users_while_a_group_of_ids_becomes_empty_or_full() {
    let user = || Action::Create(json!({ "name": "A" }));
    let delete = |id| Action::Delete(Who::Id(id), Condition::Always);
    let left = || vec![user(), user(), user(), user(), delete(1)];
    let came = || vec![user(), user(), delete(1), delete(2)];
    let beside = |program| vec![vec![Action::Walk(0, 10)], program];
    for meeting in [
        (
            "walk/delete of the last but one",
            left(),
            beside(vec![delete(3)]),
        ),
        (
            "walk/delete of both",
            left(),
            beside(vec![delete(2), delete(3)]),
        ),
        ("walk/create of the last", came(), beside(vec![user()])),
    ] {
        for backend in Backend::ALL {
            let scenario = Scenario {
                sizes: Sizes {
                    block: 3,
                    ..Sizes::SERVICE
                },
                ..Scenario::of(meeting.clone(), backend, None)
            };
            for bounds in [BOUNDS, PAUSED] {
                // A page and what it settles take some 20 operations.
                let bounds = Bounds {
                    patience: 22,
                    ..bounds
                };
                let figures =
                    explore(&scenario, bounds).unwrap_or_else(|failure| panic!("{failure}"));
                println!("{} on {backend:?}: {figures}", scenario.name);
            }
        }
    }
}

/// Checks of the store at the same time: none takes another one's numbers, or a failure, for a
/// store that can't be trusted.
#[test]
fn a_sound_store_is_taken_for_one_by_each_of_two_checks() {
    for backend in Backend::ALL {
        let meeting = ("ready/ready", Vec::new(), vec![vec![Action::Ready]; 2]);
        let scenario = Scenario::of(meeting, backend, None);
        let bounds = Bounds {
            patience: 24,
            ..BOUNDS
        };
        let figures = explore(&scenario, bounds).unwrap_or_else(|failure| panic!("{failure}"));
        println!("{backend:?}: {figures}");
    }
}

/// `make simulate`: the same, with two faults in each run.
#[test]
#[ignore = "takes minutes"]
fn every_meeting_with_two_faults_keeps_every_promise() {
    let bounds = Bounds {
        faults: 2,
        ..BOUNDS
    };
    thread::scope(|scope| {
        for backend in Backend::ALL {
            scope.spawn(move || explore_all(backend, bounds));
        }
    });
}
