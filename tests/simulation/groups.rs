//! Groups of users: who is in which, from both sides, and whose name is whose, with leaves so small
//! that a few users split them.

use serde_json::json;

use crate::backend::Backend;
use crate::explore::Bounds;
use crate::meetings::Meeting;
use crate::names::{BOUNDS, TURNS, explore_all, small, user};
use crate::request::{Action, Condition::Always, GroupAsk, Who::Id};
use crate::sabotage::Sabotage;
use crate::scenario::Scenario;
use Action::{Delete, Patch};
use GroupAsk::{Create, Join, Leave, Members, Remove, Rename};

const G: &str = "g";

/// Two users in a group, whose leaf they fill, and another user.
fn two_of_three() -> Vec<Action> {
    let users = ["A", "B", "C", "D"].map(user);
    let group = [Create(G), Join(1, 1), Join(1, 2)].map(Action::Group);
    users.into_iter().chain(group).collect()
}

fn asks(asks: &[GroupAsk]) -> Vec<Action> {
    asks.iter().cloned().map(Action::Group).collect()
}

/// Two clients that get into each other's way by a group.
fn meetings() -> Vec<Meeting> {
    let one = || vec![user("A"), Action::Group(Create(G))];
    let joined = || [one(), asks(&[Join(1, 1)])].concat();
    vec![
        (
            "join/join of the first users of a group",
            [one(), vec![user("B")]].concat(),
            vec![asks(&[Join(1, 1)]), asks(&[Join(1, 2)])],
        ),
        (
            "join/join, which splits the leaf",
            two_of_three(),
            vec![asks(&[Join(1, 3)]), asks(&[Join(1, 4)])],
        ),
        (
            "join/leave of one user",
            joined(),
            vec![asks(&[Leave(1, 1), Join(1, 1)]), asks(&[Leave(1, 1)])],
        ),
        (
            "leave and join/join, which splits the leaf",
            two_of_three(),
            vec![asks(&[Leave(1, 1), Join(1, 1)]), asks(&[Join(1, 3)])],
        ),
        (
            "join/delete of the user",
            one(),
            vec![asks(&[Join(1, 1)]), vec![Delete(Id(1), Always)]],
        ),
        (
            "join/delete of the group",
            one(),
            vec![asks(&[Join(1, 1)]), asks(&[Remove(1)])],
        ),
        (
            "join/change of the user",
            one(),
            vec![
                asks(&[Join(1, 1)]),
                vec![Patch(Id(1), json!({ "attributes": { "a": 1 } }), Always)],
            ],
        ),
        (
            "join/join of two groups by one user",
            [one(), asks(&[Create("h")])].concat(),
            vec![asks(&[Join(1, 1)]), asks(&[Join(2, 1)])],
        ),
        (
            "join/members",
            joined(),
            vec![asks(&[Leave(1, 1)]), asks(&[Members(1)])],
        ),
        (
            "join again/members, which clears the leaf of the one who left",
            [joined(), asks(&[Leave(1, 1)])].concat(),
            vec![asks(&[Join(1, 1)]), asks(&[Members(1)])],
        ),
        (
            "create/create of one name",
            vec![],
            vec![asks(&[Create(G)]), asks(&[Create(G)])],
        ),
        (
            "create/rename to one name",
            asks(&[Create("h")]),
            vec![asks(&[Create(G)]), asks(&[Rename(1, G)])],
        ),
        (
            "create/delete of the group that has the name",
            asks(&[Create(G)]),
            vec![asks(&[Create(G)]), asks(&[Remove(1)])],
        ),
        (
            "rename/rename to one name",
            asks(&[Create("h"), Create("i")]),
            vec![asks(&[Rename(1, G)]), asks(&[Rename(2, G)])],
        ),
    ]
}

/// The scenarios of all meetings, with small leaves.
pub fn scenarios(backend: Backend, sabotage: Option<Sabotage>) -> impl Iterator<Item = Scenario> {
    let meetings = meetings().into_iter();
    meetings.map(move |meeting| small(meeting, backend, sabotage))
}

#[test]
fn membership_is_the_same_from_both_sides_and_names_are_unique() {
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
