//! Users with one external id, and searches for them, with leaves so small that a few users split
//! them.

use serde_json::{Value, json};

use crate::backend::Backend;
use crate::explore::Bounds;
use crate::meetings::Meeting;
use crate::names::{BOUNDS, TURNS, explore_all, small};
use crate::request::{Action, Condition::Always, Who::Id};
use crate::sabotage::Sabotage;
use crate::scenario::Scenario;
use Action::{Create, Delete, Patch, SearchExternalId};

const X: &str = "x";

fn user(name: &str, external_id: impl Into<Value>) -> Action {
    Create(json!({ "name": name, "external_id": external_id.into() }))
}

fn change(id: u64, external_id: impl Into<Value>) -> Action {
    Patch(Id(id), json!({ "external_id": external_id.into() }), Always)
}

fn search() -> Action {
    SearchExternalId(X.to_owned(), 9)
}

/// Two clients that get into each other's way by an external id.
fn meetings() -> Vec<Meeting> {
    let two = || vec![user("A", X), user("B", X)];
    vec![
        (
            "create/search, the first of an external id",
            vec![],
            vec![vec![user("A", X)], vec![search()]],
        ),
        (
            "create/create of the first of an external id",
            vec![],
            vec![vec![user("A", X)], vec![user("B", X)]],
        ),
        (
            "create/create, which splits the leaf",
            two(),
            vec![vec![user("C", X)], vec![user("D", X)]],
        ),
        (
            "create/update, which splits the leaf",
            [two(), vec![user("C", Value::Null)]].concat(),
            vec![vec![user("D", X)], vec![change(3, X)]],
        ),
        (
            "update there and back/create, which splits the leaf",
            two(),
            vec![vec![change(1, "y"), change(1, X)], vec![user("C", X)]],
        ),
        (
            "update away/search",
            two(),
            vec![vec![change(2, Value::Null)], vec![search()]],
        ),
        (
            "delete/create, which splits the leaf",
            two(),
            vec![vec![Delete(Id(1), Always)], vec![user("C", X)]],
        ),
    ]
}

/// The scenarios of all meetings, with small leaves.
pub fn scenarios(backend: Backend, sabotage: Option<Sabotage>) -> impl Iterator<Item = Scenario> {
    let meetings = meetings().into_iter();
    meetings.map(move |meeting| small(meeting, backend, sabotage))
}

#[test]
fn whoever_has_an_external_id_is_found_by_it() {
    for backend in Backend::ALL {
        // Those who overtake each other more often only repeat themselves.
        let bounds = Bounds {
            patience: 12,
            ..BOUNDS
        };
        explore_all(scenarios(backend, None), bounds);
        explore_all(scenarios(backend, None), TURNS);
    }
}
