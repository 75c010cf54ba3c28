//! Searches by words, and changes beside them: while the first search makes the index, and once it is
//! there, with leaves so small that a few users split them.

use serde_json::json;

use crate::backend::Backend;
use crate::explore::Bounds;
use crate::meetings::Meeting;
use crate::names::{BOUNDS, TURNS, delete, explore_all, rename, small, user};
use crate::request::Action;
use crate::sabotage::Sabotage;
use crate::scenario::Scenario;
use Action::{Create, SearchWord};

fn search() -> Action {
    SearchWord("l".to_owned(), 9)
}

/// Users with these names, already in the index.
fn merged(names: &[&str]) -> Vec<Action> {
    let users = names.iter().map(|name| user(name));
    users.chain([search()]).collect()
}

/// The first search, which makes the index, beside a change.
fn firsts() -> Vec<Meeting> {
    vec![
        (
            "the first search/rename",
            vec![user("A")],
            vec![vec![search()], vec![rename(1, "L")]],
        ),
        (
            "the first search/create",
            vec![user("A L")],
            vec![vec![search()], vec![user("B L")]],
        ),
        (
            "the first search/create with email",
            vec![user("A L")],
            vec![
                vec![search()],
                vec![Create(json!({ "name": "B L", "email": "x@example.com" }))],
            ],
        ),
        (
            "the first search/delete",
            vec![user("A L"), user("B L")],
            vec![vec![search()], vec![delete(1)]],
        ),
        (
            "the first search/another",
            vec![user("A L")],
            vec![vec![search()], vec![search()]],
        ),
    ]
}

/// Changes once the index is there.
fn laters() -> Vec<Meeting> {
    vec![
        (
            "search/rename into it",
            merged(&["A L", "B"]),
            vec![vec![search()], vec![rename(2, "L")]],
        ),
        (
            "search/rename out of it, and back",
            merged(&["A L", "B L"]),
            vec![vec![search()], vec![rename(1, "A"), rename(1, "C L")]],
        ),
        (
            "rename/rename, which split the leaf",
            merged(&["A L", "B L", "C"]),
            vec![vec![rename(3, "C L")], vec![rename(1, "D L"), search()]],
        ),
        (
            "delete of one that gives a bound/rename, which splits the leaf",
            merged(&["A L", "C L", "E L", "G L"]),
            vec![vec![delete(2)], vec![rename(1, "H L")]],
        ),
        (
            "rename of one that gives a bound/search",
            merged(&["A L", "C L", "E L", "G L"]),
            vec![vec![rename(2, "A")], vec![search()]],
        ),
    ]
}

/// The scenarios of all meetings, with small leaves.
pub fn scenarios(backend: Backend, sabotage: Option<Sabotage>) -> impl Iterator<Item = Scenario> {
    let meetings = firsts().into_iter().chain(laters());
    meetings.map(move |meeting| small(meeting, backend, sabotage))
}

#[test]
fn whoever_has_a_word_is_found_by_it() {
    for backend in Backend::ALL {
        explore_all(
            scenarios(backend, None),
            Bounds {
                switches: 2,
                ..BOUNDS
            },
        );
        // Two renames have more steps than pay here: names have them in every order.
        let few = |scenario: &Scenario| !scenario.name.starts_with("rename/rename");
        explore_all(scenarios(backend, None).filter(few), TURNS);
    }
}
