//! Users who are changed if they are there, and made otherwise, beside others who make, change and
//! delete them.

use std::collections::BTreeMap;

use edge_users::directory::Sizes;
use serde_json::{Value, json};

use crate::backend::Backend;
use crate::choice::{Choice, Fate};
use crate::explore::Bounds;
use crate::meetings::Meeting;
use crate::names::explore_all;
use crate::request::{Action, Condition::Always, Told, Who::Id};
use crate::scenario::{RECOVERY, Scenario};
use crate::scheduler::Simulation;
use crate::violation::Violation;
use Action::{Create, Delete, DeleteMany, Patch, Upsert, Walk};

const X: &str = "x@example.com";
const Y: &str = "y@example.com";
const U: &str = "u";

/// One fault in each run. Those who overtake each other more often only repeat themselves.
pub const BOUNDS: Bounds = Bounds {
    faults: 1,
    pauses: 0,
    switches: usize::MAX,
    patience: 12,
};

fn upsert(name: &str) -> Action {
    Upsert("email", json!({ "name": name, "email": X }))
}

fn upsert_both(member: &'static str, name: &str) -> Action {
    Upsert(member, json!({ "name": name, "email": X, "username": U }))
}

fn user(name: &str) -> Action {
    Create(json!({ "name": name, "email": X }))
}

fn patch(patch: Value) -> Action {
    Patch(Id(1), patch, Always)
}

/// Two clients of whom one upserts.
pub fn meetings() -> Vec<Meeting> {
    let ada = || vec![user("Ada")];
    vec![
        (
            "upsert/upsert of nobody yet",
            vec![],
            vec![vec![upsert("A")], vec![upsert("B")]],
        ),
        (
            "upsert/create of nobody yet",
            vec![],
            vec![vec![upsert("A")], vec![user("B")]],
        ),
        (
            "upsert/create with the email and the username",
            vec![],
            vec![
                vec![upsert_both("email", "A")],
                vec![Create(json!({ "name": "B", "email": X, "username": U }))],
            ],
        ),
        (
            "upsert/upsert by the other member",
            vec![],
            vec![
                vec![upsert_both("email", "A")],
                vec![upsert_both("username", "B")],
            ],
        ),
        (
            "upsert/upsert",
            ada(),
            vec![vec![upsert("A")], vec![upsert("B")]],
        ),
        (
            "upsert/update",
            ada(),
            vec![
                vec![upsert("A")],
                vec![patch(json!({ "attributes": { "k": 1 } }))],
            ],
        ),
        (
            "upsert that changes nothing/update",
            ada(),
            vec![vec![upsert("Ada")], vec![patch(json!({ "name": "B" }))]],
        ),
        (
            "upsert/update away from the email",
            ada(),
            vec![vec![upsert("A")], vec![patch(json!({ "email": Y }))]],
        ),
        (
            "upsert/update away from the username and create with it and the email",
            vec![Create(json!({ "name": "Ada", "username": U }))],
            vec![
                vec![upsert_both("username", "A")],
                vec![
                    patch(json!({ "username": null })),
                    Create(json!({ "name": "B", "email": X, "username": U })),
                ],
            ],
        ),
        (
            "upsert/update to the email",
            vec![Create(json!({ "name": "Ada" }))],
            vec![vec![upsert("A")], vec![patch(json!({ "email": X }))]],
        ),
        (
            "upsert/delete",
            ada(),
            vec![vec![upsert("A")], vec![Delete(Id(1), Always)]],
        ),
        (
            "upsert/delete and create anew",
            ada(),
            vec![vec![upsert("A")], vec![Delete(Id(1), Always), user("B")]],
        ),
        (
            "upsert with a username/create with it",
            ada(),
            vec![
                vec![upsert_both("email", "A")],
                vec![Create(json!({ "name": "B", "username": U }))],
            ],
        ),
        (
            "upsert/upsert by an external id",
            vec![Create(json!({ "name": "Ada", "external_id": "x" }))],
            vec![
                vec![Upsert(
                    "external_id",
                    json!({ "name": "A", "external_id": "x" }),
                )],
                vec![patch(json!({ "external_id": null }))],
            ],
        ),
        (
            "two deletes of one user in one request/delete",
            vec![user("Ada")],
            vec![vec![DeleteMany(vec![1, 1])], vec![Delete(Id(1), Always)]],
        ),
    ]
}

/// Explores meetings on every backend, with one fault, and with one pause.
pub fn explore_meetings(meetings: fn() -> Vec<Meeting>) {
    let paused = Bounds {
        faults: 0,
        pauses: 1,
        ..BOUNDS
    };
    for backend in Backend::ALL {
        for bounds in [BOUNDS, paused] {
            let meetings = meetings().into_iter();
            let scenarios = meetings.map(|meeting| Scenario::of(meeting, backend, None));
            explore_all(scenarios, bounds);
        }
    }
}

#[test]
fn an_upsert_changes_the_user_who_is_there_and_makes_one_otherwise() {
    explore_meetings(meetings);
}

/// Two upserts by one external id. Each takes so many steps before the other goes on, and the first
/// one meets a fate then. At the end there must be one user.
fn meet(backend: Backend, steps: [usize; 2], fate: Fate) -> Result<(), Violation> {
    let upsert = |name| Upsert("external_id", json!({ "name": name, "external_id": "x" }));
    let mut run = Simulation::new(backend, Sizes::SERVICE);
    let clients = ["A", "B"].map(|name| run.join(vec![upsert(name)], BTreeMap::new()));
    for (client, steps) in clients.into_iter().zip(steps) {
        for _ in 0..steps {
            if run.is_waiting(client) {
                run.step(Choice::Client(client, Fate::Happens))?;
            }
        }
    }
    if run.is_waiting(clients[0]) {
        run.step(Choice::Client(clients[0], fate))?;
    }
    for client in clients {
        run.finish_client(client)?;
    }
    // What had to wait for a dead one is repeated later.
    run.settle(RECOVERY)?;
    run.run_alone(vec![upsert("B"), Walk(0, 10)])?;
    run.history.check().map_err(Violation)?;
    match &run.history.events.last().expect("it was made").told {
        Told::Users { users, .. } if users.len() == 1 => Ok(()),
        told => Err(Violation(format!("{told}, but there is to be one"))),
    }
}

/// External ids are not unique, and yet one of two upserts makes the user.
#[test]
fn upserts_by_one_external_id_make_one_user() {
    for backend in Backend::ALL {
        for fate in [Fate::Happens, Fate::Dies, Fate::DiesAfter] {
            for steps in (0..400).map(|steps| [steps / 20, steps % 20]) {
                meet(backend, steps, fate).unwrap_or_else(|Violation(what)| {
                    panic!("{backend:?}, {steps:?}, {fate:?}: {what}")
                });
            }
        }
    }
}
