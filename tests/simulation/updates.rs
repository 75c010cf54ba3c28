//! Everyone in the order of last changes, and in the reverse of it, while the first of these lists makes
//! the index, and once it is there, with leaves so small that a few users fill them.
//!
//! No time goes by while clients meet, unless it is said or their clocks differ: all that they change
//! is of one millisecond, after that of the setup.

use serde_json::json;

use crate::backend::Backend;
use crate::conditions::Conditions;
use crate::explore::Bounds;
use crate::meetings::Meeting;
use crate::names::{BOUNDS, TURNS, delete, explore_all, small, user};
use crate::request::{Action, Condition::Always, Direction, Who::Id};
use crate::sabotage::Sabotage;
use crate::scenario::Scenario;
use Action::{Patch, Updated};
use Direction::{Backwards, Forwards};

fn change(id: u64, what: &str) -> Action {
    let change = json!({ "attributes": { "what": what } });
    Patch(Id(id), change, Always)
}

/// All on one page.
fn list() -> Action {
    Updated(Forwards, 9)
}

fn backwards() -> Action {
    Updated(Backwards, 9)
}

/// So many users who are already in the index.
fn merged(users: usize) -> Vec<Action> {
    let users = (1..=users).map(|n| user(&format!("A{n}")));
    users.chain([list()]).collect()
}

/// The first list, which makes the index, beside a change.
fn firsts() -> Vec<Meeting> {
    vec![
        (
            "the first list/change",
            vec![user("A")],
            vec![vec![list()], vec![change(1, "x")]],
        ),
        (
            "the first list of several leaves/change of who is in the first of them",
            vec![user("A"), user("B"), user("C")],
            vec![vec![list()], vec![change(1, "x")]],
        ),
        (
            "the first list/create, and a change",
            vec![user("A")],
            vec![vec![list()], vec![user("B"), change(2, "x")]],
        ),
        (
            "the first list/another, backwards",
            vec![user("A")],
            vec![vec![list()], vec![backwards()]],
        ),
    ]
}

/// Changes once the index is there.
fn laters() -> Vec<Meeting> {
    vec![
        (
            "list/change",
            merged(3),
            vec![vec![list()], vec![change(2, "x")]],
        ),
        (
            "list backwards/change",
            merged(3),
            vec![vec![backwards()], vec![change(2, "x")]],
        ),
        (
            "list/change of one not merged",
            [merged(2), vec![user("B")]].concat(),
            vec![vec![list()], vec![change(3, "x")]],
        ),
        (
            "change/change, and both go to a new leaf",
            merged(2),
            vec![vec![change(1, "x")], vec![change(2, "x"), list()]],
        ),
        (
            "change/change of one user",
            merged(3),
            vec![vec![change(1, "x")], vec![change(1, "y"), list()]],
        ),
        (
            "change/change, and nobody is left in the first leaf but one",
            merged(5),
            vec![vec![change(3, "x")], vec![change(4, "x"), backwards()]],
        ),
        (
            "page by page/change",
            merged(3),
            vec![vec![Updated(Forwards, 1)], vec![change(1, "x")]],
        ),
        (
            "delete/list",
            merged(3),
            vec![vec![delete(2)], vec![list()]],
        ),
    ]
}

/// Clients whose clocks differ: that of the first one is 2 s behind, and that of the second one 2 s ahead.
fn skewed() -> Vec<Meeting> {
    vec![
        (
            "change by a clock that is behind/change",
            merged(3),
            vec![vec![change(1, "x")], vec![change(2, "x"), list()]],
        ),
        (
            "changes by a clock that is behind, which fill a leaf/change once more",
            merged(3),
            vec![
                vec![change(1, "x"), change(2, "x"), change(3, "x")],
                vec![change(1, "y"), list()],
            ],
        ),
    ]
}

/// The scenarios of all meetings, with small leaves.
pub fn scenarios(backend: Backend, sabotage: Option<Sabotage>) -> impl Iterator<Item = Scenario> {
    let meetings = firsts().into_iter().chain(laters());
    let meetings = meetings.map(move |meeting| small(meeting, backend, sabotage));
    let skewed = skewed().into_iter().map(move |meeting| Scenario {
        conditions: Conditions {
            clocks: 2_000,
            ..Conditions::default()
        },
        ..small(meeting, backend, sabotage)
    });
    meetings.chain(skewed)
}

#[test]
fn everyone_is_listed_in_the_order_of_last_changes_and_in_the_reverse_of_it() {
    for backend in Backend::ALL {
        let bounds = Bounds {
            switches: 2,
            ..BOUNDS
        };
        explore_all(scenarios(backend, None), bounds);
        explore_all(scenarios(backend, None).take(firsts().len()), TURNS);
    }
}

/// A user who is changed, and changed again a minute later, has three places.
#[test]
fn a_user_is_found_wherever_time_has_taken_it() {
    let again = || {
        let meeting = (
            "change, and change/list",
            merged(3),
            vec![vec![change(1, "x"), change(1, "y")], vec![list()]],
        );
        small(meeting, Backend::Sqlite, None)
    };
    let bounds = Bounds {
        faults: 0,
        pauses: 1,
        switches: 2,
        patience: 16,
    };
    explore_all([again()].into_iter(), bounds);
}
