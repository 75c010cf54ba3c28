//! Everyone in the order of their names, and in the reverse of it, with leaves so small that a few
//! users split them.

use crate::backend::Backend;
use crate::meetings::Meeting;
use crate::names::{
    BOUNDS, TURNS, delete, explore_all, leaves, merged, rename, search, small, user,
};
use crate::request::{Action, Direction};
use crate::sabotage::Sabotage;
use crate::scenario::Scenario;
use Direction::{Backwards, Forwards};

/// All on one page.
fn backwards() -> Action {
    Action::Sorted(Backwards, 9)
}

/// Lists and changes that get into each other's way.
fn meetings() -> Vec<Meeting> {
    vec![
        (
            "backwards/create, and a search that splits the leaf",
            merged(&["A1", "A5"]),
            vec![vec![backwards()], vec![user("A3"), search("a")]],
        ),
        (
            "backwards/rename into the leaf before, which splits it",
            [leaves(), vec![user("A0"), search("a")]].concat(),
            vec![vec![backwards()], vec![rename(4, "A2")]],
        ),
        (
            "backwards/rename there and back",
            merged(&["A1", "A3", "A5"]),
            vec![vec![backwards()], vec![rename(3, "A0"), rename(3, "A5")]],
        ),
        (
            "backwards/delete of who gives a bound",
            leaves(),
            vec![vec![backwards()], vec![delete(3)]],
        ),
        (
            "backwards/delete of the last of a leaf",
            leaves(),
            vec![vec![backwards()], vec![delete(2)]],
        ),
    ]
}

/// The same, page by page.
fn walks() -> Vec<Meeting> {
    let walk = |direction| vec![Action::Sorted(direction, 1)];
    vec![
        (
            "backwards, page by page/delete of the last of a leaf",
            leaves(),
            vec![walk(Backwards), vec![delete(2)]],
        ),
        (
            "backwards, page by page/create, and a search that splits a leaf",
            merged(&["A1", "A5"]),
            vec![walk(Backwards), vec![user("A3"), search("a")]],
        ),
        (
            "forwards, page by page/delete of the last of a leaf",
            leaves(),
            vec![walk(Forwards), vec![delete(2)]],
        ),
    ]
}

/// The scenarios of all meetings, with small leaves.
pub fn scenarios(backend: Backend, sabotage: Option<Sabotage>) -> impl Iterator<Item = Scenario> {
    let meetings = meetings().into_iter().chain(walks());
    meetings.map(move |meeting| small(meeting, backend, sabotage))
}

#[test]
fn everyone_is_listed_in_the_order_of_names_and_in_the_reverse_of_it() {
    for backend in Backend::ALL {
        explore_all(scenarios(backend, None).take(meetings().len()), BOUNDS);
        explore_all(scenarios(backend, None), TURNS);
    }
}
