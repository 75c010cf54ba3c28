//! Searches, and who changes names beside them, with an index so small that a
//! few users split its nodes.

use std::time::Instant;

use edge_users::directory::Sizes;
use serde_json::json;

use crate::backend::Backend;
use crate::choice::{Choice, Fate};
use crate::explore::{Bounds, Figures, explore};
use crate::meetings::Meeting;
use crate::request::{Action, Condition, Who};
use crate::sabotage::Sabotage;
use crate::scenario::Scenario;
use crate::scheduler::Simulation;
use Action::{Create, Delete, Patch, Search};

/// Two users fill a leaf, two nodes a node above them; every second create merges, and a
/// search merges three. Two ids make a group.
pub const TINY: Sizes = Sizes {
    leaf: 2,
    inner: 2,
    merged: 3,
    open: 64,
    merge_every: 2,
    block: 2,
};

/// Four nodes fill a node above them, so that there is one level of those; only searches merge.
const LOW: Sizes = Sizes {
    inner: 4,
    merge_every: u64::MAX,
    ..TINY
};

pub fn user(name: &str) -> Action {
    Create(json!({ "name": name }))
}

pub fn rename(id: u64, name: &str) -> Action {
    Patch(Who::Id(id), json!({ "name": name }), Condition::Always)
}

pub fn delete(id: u64) -> Action {
    Delete(Who::Id(id), Condition::Always)
}

pub fn search(prefix: &str) -> Action {
    Search(prefix.to_owned(), 9)
}

/// Users with these names, already merged.
pub fn merged(names: &[&str]) -> Vec<Action> {
    let users = names.iter().map(|name| user(name));
    users.chain([search("a")]).collect()
}

/// Searches and changes that get into each other's way.
pub fn meetings() -> Vec<Meeting> {
    vec![
        (
            "search/create",
            vec![user("A1")],
            vec![vec![search("a")], vec![user("A2")]],
        ),
        (
            "search/create with email",
            vec![user("A1")],
            vec![
                vec![search("a")],
                vec![Create(json!({ "name": "A2", "email": "x@example.com" }))],
            ],
        ),
        (
            "search/search, both merge",
            [merged(&["A1", "A2"]), vec![user("A3")]].concat(),
            vec![vec![search("a")], vec![search("a")]],
        ),
        (
            "search/rename",
            merged(&["A1", "A2"]),
            vec![vec![search("a")], vec![rename(1, "A3")]],
        ),
        (
            "search/rename of one not merged",
            [merged(&["A1"]), vec![user("A2")]].concat(),
            vec![vec![search("a")], vec![rename(2, "A3")]],
        ),
        (
            "search/rename there and back",
            merged(&["A1", "A3", "A5"]),
            vec![vec![search("a")], vec![rename(1, "A4"), rename(1, "A1")]],
        ),
        (
            "search/delete",
            merged(&["A1", "A2", "A3"]),
            vec![vec![search("a")], vec![delete(2)]],
        ),
        (
            "rename/rename of two users into one leaf",
            merged(&["A1", "A2", "B1", "B2"]),
            vec![vec![rename(3, "A3")], vec![rename(4, "A4"), search("a")]],
        ),
        (
            "rename/rename of one user",
            merged(&["A1", "A3"]),
            vec![vec![rename(1, "A4")], vec![rename(1, "A5"), search("a")]],
        ),
        (
            "rename/split of the leaf",
            merged(&["A1", "A5"]),
            vec![vec![rename(1, "A9")], vec![user("A7"), search("a")]],
        ),
        (
            "rename back/split of the leaf it left",
            [
                merged(&["A1", "A3", "A5"]),
                vec![rename(1, "A9"), search("a")],
            ]
            .concat(),
            vec![vec![rename(1, "A2")], vec![user("A0"), search("a")]],
        ),
    ]
}

/// Users who go while others come to where they were. The leaves are [A1], [A3] and [A5, A7],
/// and A3 and A5 give their bounds.
pub fn departures() -> Vec<Meeting> {
    vec![
        (
            "delete of who gives a bound/search",
            leaves(),
            vec![vec![delete(3)], vec![search("a")]],
        ),
        (
            "delete of who gives a bound/rename, which splits the leaf",
            leaves(),
            vec![vec![delete(3)], vec![rename(1, "A8")]],
        ),
        (
            "rename of who gives a bound/rename, which splits the leaf",
            leaves(),
            vec![vec![rename(3, "A2")], vec![rename(1, "A8")]],
        ),
        (
            "delete of who gives a bound/delete of who gives it then",
            leaves(),
            vec![vec![delete(3)], vec![delete(4)]],
        ),
        (
            "delete of the last of a leaf/search",
            leaves(),
            vec![vec![delete(2)], vec![search("a")]],
        ),
        (
            "delete of the last of a leaf/rename into the leaf",
            leaves(),
            vec![vec![delete(2)], vec![rename(1, "A4"), search("a")]],
        ),
        (
            "delete of the last of a leaf/delete of the last of the one before",
            leaves(),
            vec![vec![delete(2)], vec![delete(1)]],
        ),
        (
            "delete of the last of a leaf/rename, which splits the one before",
            [leaves(), vec![user("A0"), search("a")]].concat(),
            vec![vec![delete(2)], vec![rename(4, "A2")]],
        ),
        (
            "rename of the last of a leaf there and back/search",
            leaves(),
            vec![vec![rename(2, "A8"), rename(2, "A3")], vec![search("a")]],
        ),
    ]
}

/// Users in three leaves: 1 in the first, 2 in the second, 3 and 4 in the third. One more was
/// deleted, so that there is a ledger.
pub fn leaves() -> Vec<Action> {
    let users = merged(&["A1", "A3", "A5", "A7"]);
    let deleted = [user("B"), delete(5), search("a")];
    users.into_iter().chain(deleted).collect()
}

/// The scenarios of all meetings, with a small index.
pub fn scenarios(backend: Backend, sabotage: Option<Sabotage>) -> impl Iterator<Item = Scenario> {
    let meetings = meetings().into_iter().chain(departures());
    meetings.map(move |meeting| small(meeting, backend, sabotage))
}

/// The scenario of a meeting, with lists so small that a few users split their nodes.
pub fn small(meeting: Meeting, backend: Backend, sabotage: Option<Sabotage>) -> Scenario {
    Scenario {
        sizes: LOW,
        ..Scenario::of(meeting, backend, sabotage)
    }
}

pub fn explore_all(scenarios: impl Iterator<Item = Scenario>, bounds: Bounds) {
    let mut sum = Figures::default();
    let begin = Instant::now();
    for scenario in scenarios {
        let start = Instant::now();
        let figures = explore(&scenario, bounds).unwrap_or_else(|failure| panic!("{failure}"));
        let seconds = start.elapsed().as_secs_f64();
        println!("{:44} {figures}, {seconds:.2} s", scenario.name);
        sum += figures;
    }
    let seconds = begin.elapsed().as_secs_f64();
    println!("all with {bounds:?}: {sum}, {seconds:.1} s");
}

/// Contenders for a leaf overtake each other once or twice before one is left alone.
pub const BOUNDS: Bounds = Bounds {
    faults: 1,
    pauses: 0,
    switches: usize::MAX,
    patience: 16,
};

/// The many steps of two requests that change the index, in every order with so few turns.
pub const TURNS: Bounds = Bounds {
    faults: 0,
    pauses: 0,
    switches: 3,
    patience: usize::MAX,
};

#[test]
fn every_search_on_sqlite_finds_who_is_there() {
    explore_all(scenarios(Backend::Sqlite, None), BOUNDS);
    explore_all(
        scenarios(Backend::Sqlite, None).skip(meetings().len()),
        TURNS,
    );
}

#[test]
fn every_search_on_redis_finds_who_is_there() {
    explore_all(scenarios(Backend::Redis, None), BOUNDS);
    explore_all(
        scenarios(Backend::Redis, None).skip(meetings().len()),
        TURNS,
    );
}

#[test]
fn every_search_on_dynamodb_finds_who_is_there() {
    explore_all(scenarios(Backend::DynamoDb, None), BOUNDS);
    explore_all(
        scenarios(Backend::DynamoDb, None).skip(meetings().len()),
        TURNS,
    );
}

#[test]
fn a_search_waits_for_so_many_dead_creates_and_not_longer_than_they_could_live() {
    let sizes = Sizes { open: 2, ..LOW };
    for backend in Backend::ALL {
        let mut run = Simulation::new(backend, sizes);
        for _ in 0..3 {
            let client = run.join(vec![user("A")], Default::default());
            run.step(Choice::Client(client, Fate::Happens))
                .expect("an id");
            run.step(Choice::Client(client, Fate::Dies))
                .expect("no record");
        }
        run.run_alone(vec![user("A4")]).expect("a user");
        let unsure = run.run_alone(vec![search("a")]);
        assert!(unsure.is_err(), "{backend:?}: there may be another user");
        run.settle(60_001).expect("nothing is late");
        run.run_alone(vec![search("a")]).expect("it is answered");
        run.history.check().expect("it finds the user");
    }
}
