//! Users with one value in their attributes, and searches for them, while the first of these makes the
//! index, and once it is there, with leaves so small that a few users split them.

use serde_json::{Value, json};

use crate::backend::Backend;
use crate::explore::Bounds;
use crate::meetings::Meeting;
use crate::names::{BOUNDS, TURNS, delete, explore_all, small, user};
use crate::request::{Action, Condition::Always, Who::Id};
use crate::sabotage::Sabotage;
use crate::scenario::Scenario;
use Action::{Create, Patch, SearchAttribute};

const X: &str = "x";

fn member(name: &str) -> Action {
    Create(json!({ "name": name, "attributes": { "team": X } }))
}

fn change(id: u64, team: impl Into<Value>) -> Action {
    let change = json!({ "attributes": { "team": team.into() } });
    Patch(Id(id), change, Always)
}

fn search() -> Action {
    SearchAttribute(X.to_owned(), 9)
}

/// Users who are already in the index.
fn merged(names: &[&str]) -> Vec<Action> {
    let users = names.iter().map(|name| member(name));
    users.chain([search()]).collect()
}

/// The first search, which makes the index, beside a change.
fn firsts() -> Vec<Meeting> {
    vec![
        (
            "the first search/change to the value",
            vec![user("A")],
            vec![vec![search()], vec![change(1, X)]],
        ),
        (
            "the first search/change from the value, and back",
            vec![member("A")],
            vec![vec![search()], vec![change(1, "y"), change(1, X)]],
        ),
        (
            "the first search/create",
            vec![user("A")],
            vec![vec![search()], vec![member("B")]],
        ),
        (
            "the first search/another",
            vec![member("A")],
            vec![vec![search()], vec![search()]],
        ),
    ]
}

/// Changes once the index is there.
fn laters() -> Vec<Meeting> {
    vec![
        (
            "search/change to the value, of one not merged",
            [merged(&["A"]), vec![user("B")]].concat(),
            vec![vec![search()], vec![change(2, X)]],
        ),
        (
            "change/change, which splits the leaf",
            [merged(&["A", "B"]), vec![user("C"), user("D"), search()]].concat(),
            vec![vec![change(3, X)], vec![change(4, X), search()]],
        ),
        (
            "change from the value, and back/create, and a search that splits the leaf",
            merged(&["A", "B"]),
            vec![
                vec![change(1, "y"), change(1, X)],
                vec![member("C"), search()],
            ],
        ),
        (
            "delete/search",
            merged(&["A", "B", "C"]),
            vec![vec![delete(2)], vec![search()]],
        ),
    ]
}

/// The scenarios of all meetings, with small leaves.
pub fn scenarios(backend: Backend, sabotage: Option<Sabotage>) -> impl Iterator<Item = Scenario> {
    let meetings = firsts().into_iter().chain(laters());
    meetings.map(move |meeting| small(meeting, backend, sabotage))
}

#[test]
fn whoever_has_a_value_is_found_by_it() {
    for backend in Backend::ALL {
        let bounds = Bounds {
            switches: 2,
            ..BOUNDS
        };
        explore_all(scenarios(backend, None), bounds);
        explore_all(scenarios(backend, None).take(firsts().len()), TURNS);
    }
}
