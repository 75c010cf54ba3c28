//! Searches for groups, and changes of groups beside them: while the first search makes the index, and
//! once it is there, with leaves so small that a few groups split them.

use crate::backend::Backend;
use crate::explore::Bounds;
use crate::meetings::Meeting;
use crate::names::{BOUNDS, TURNS, explore_all, small};
use crate::request::{Action, GroupAsk};
use crate::sabotage::Sabotage;
use crate::scenario::Scenario;
use GroupAsk::{Backwards, Create, Remove, Rename, Search};

fn asks<const N: usize>(asks: [GroupAsk; N]) -> Vec<Action> {
    asks.map(Action::Group).to_vec()
}

/// Groups with these names, already in the index.
fn merged<const N: usize>(names: [&'static str; N]) -> Vec<Action> {
    [asks(names.map(Create)), asks([Search("l")])].concat()
}

/// The first search, which makes the index, beside a change.
fn firsts() -> Vec<Meeting> {
    let first = || asks([Search("l")]);
    vec![
        (
            "the first search/rename of a group",
            asks([Create("a")]),
            vec![first(), asks([Rename(1, "l")])],
        ),
        (
            "the first search/create of a group",
            asks([Create("a l")]),
            vec![first(), asks([Create("b l")])],
        ),
        (
            "the first search/delete of a group",
            asks([Create("a l"), Create("b l")]),
            vec![first(), asks([Remove(1)])],
        ),
        (
            "the first search for groups/another",
            asks([Create("l")]),
            vec![first(), asks([Search("")])],
        ),
    ]
}

/// Changes once the index is there.
fn laters() -> Vec<Meeting> {
    vec![
        (
            "search/create of a group",
            merged(["a l"]),
            vec![asks([Search("l")]), asks([Create("b l")])],
        ),
        (
            "search/rename of a group into it",
            merged(["a l", "b"]),
            vec![asks([Search("l")]), asks([Rename(2, "l")])],
        ),
        (
            "search/rename of a group out of it, and back",
            merged(["a l", "b l"]),
            vec![
                asks([Search("l")]),
                asks([Rename(1, "a"), Rename(1, "c l")]),
            ],
        ),
        (
            "delete of a group that gives a bound/rename, which splits the leaf",
            merged(["a l", "c l", "e l", "g l"]),
            vec![asks([Remove(2)]), asks([Rename(1, "h l")])],
        ),
        (
            "rename of a group that gives a bound/search",
            merged(["a l", "c l", "e l", "g l"]),
            vec![asks([Rename(2, "a")]), asks([Search("l")])],
        ),
        (
            "backwards/delete of a group that gives a bound",
            merged(["a", "c", "e", "g"]),
            vec![asks([Backwards]), asks([Remove(3)])],
        ),
    ]
}

/// The scenarios of all meetings, with small leaves.
pub fn scenarios(backend: Backend, sabotage: Option<Sabotage>) -> impl Iterator<Item = Scenario> {
    let meetings = firsts().into_iter().chain(laters());
    meetings.map(move |meeting| small(meeting, backend, sabotage))
}

#[test]
fn every_group_is_found_by_its_words() {
    for backend in Backend::ALL {
        let bounds = Bounds {
            switches: 2,
            patience: 12,
            ..BOUNDS
        };
        explore_all(scenarios(backend, None), bounds);
        explore_all(scenarios(backend, None), TURNS);
    }
}
