//! Requests that could get into each other's way.

use edge_users::directory::Sizes;
use serde_json::{Value, json};

use crate::backend::Backend;
use crate::conditions::Conditions;
use crate::request::{Action, Condition, Who};
use crate::sabotage::Sabotage;
use crate::scenario::{RECOVERY, Scenario};
use Action::{Create, Delete, Find, Get, Patch, Put, Walk};
use Condition::{Always, AsSeen};
use Who::Id;

const X: &str = "x@example.com";
const Y: &str = "y@example.com";

fn user(name: &str, email: &str) -> Action {
    Create(json!({ "name": name, "email": email }))
}

fn anybody(name: &str) -> Action {
    Create(json!({ "name": name }))
}

fn patch(id: u64, patch: Value) -> Action {
    Patch(Id(id), patch, Always)
}

fn change_email(id: u64, email: &str) -> Action {
    patch(id, json!({ "email": email }))
}

fn delete(id: u64) -> Action {
    Delete(Id(id), Always)
}

/// A name, the users before, and the requests of each client.
pub type Meeting = (&'static str, Vec<Action>, Vec<Vec<Action>>);

/// Two clients, or three, that get into each other's way.
pub fn meetings() -> Vec<Meeting> {
    let ada = || vec![user("Ada", X)];
    let both = || vec![user("Ada", X), user("Bea", Y)];
    let x_y = || vec![user("Ada", X), anybody("Bea")];
    vec![
        (
            "create/create, one email",
            vec![],
            vec![vec![user("A", X)], vec![user("B", "X@example.com")]],
        ),
        (
            "create/create, two emails",
            vec![],
            vec![vec![user("A", X)], vec![user("B", Y)]],
        ),
        (
            "create/create, no email",
            vec![],
            vec![vec![anybody("A")], vec![anybody("B")]],
        ),
        (
            "create/delete of the holder",
            ada(),
            vec![vec![user("B", X)], vec![delete(1)]],
        ),
        (
            "create/update to the same email",
            x_y(),
            vec![vec![user("C", Y)], vec![change_email(2, Y)]],
        ),
        (
            "create/update away from the email",
            ada(),
            vec![vec![user("B", X)], vec![change_email(1, Y)]],
        ),
        (
            "update/update of the name",
            ada(),
            vec![
                vec![patch(1, json!({ "name": "B" }))],
                vec![patch(1, json!({ "name": "C" }))],
            ],
        ),
        (
            "update/update of name and attributes",
            ada(),
            vec![
                vec![patch(1, json!({ "name": "B" }))],
                vec![patch(1, json!({ "attributes": { "k": 1 } }))],
            ],
        ),
        (
            "update that changes nothing/update",
            ada(),
            vec![
                vec![patch(1, json!({ "name": "Ada" })), Get(Id(1))],
                vec![patch(1, json!({ "name": "B" }))],
            ],
        ),
        (
            "update back/update that changes nothing, of one version",
            ada(),
            vec![
                vec![
                    patch(1, json!({ "name": "B" })),
                    patch(1, json!({ "name": "Ada" })),
                ],
                vec![Put(Id(1), json!({ "name": "Ada", "email": X }), AsSeen)],
            ],
        ),
        (
            "update/update, emails swapped",
            both(),
            vec![vec![change_email(1, Y)], vec![change_email(2, X)]],
        ),
        (
            "update/update, both to one email",
            vec![anybody("A"), anybody("B")],
            vec![vec![change_email(1, X)], vec![change_email(2, X)]],
        ),
        (
            "update/update of one user, two emails",
            vec![anybody("A")],
            vec![vec![change_email(1, X)], vec![change_email(1, Y)]],
        ),
        (
            "update/update of one user to one email",
            vec![anybody("A")],
            vec![vec![change_email(1, X)], vec![change_email(1, X)]],
        ),
        (
            "update/update to the email given up",
            x_y(),
            vec![vec![change_email(1, Y)], vec![change_email(2, X)]],
        ),
        (
            "update/delete",
            ada(),
            vec![vec![change_email(1, Y)], vec![delete(1)]],
        ),
        (
            "update/delete of the holder",
            x_y(),
            vec![vec![change_email(2, X)], vec![delete(1)]],
        ),
        (
            "delete/delete",
            ada(),
            vec![vec![delete(1)], vec![delete(1)]],
        ),
        (
            "put/put of one version",
            ada(),
            vec![
                vec![Put(Id(1), json!({ "name": "B" }), AsSeen)],
                vec![Put(Id(1), json!({ "name": "C", "email": Y }), AsSeen)],
            ],
        ),
        (
            "patch/delete of one version",
            ada(),
            vec![
                vec![Patch(Id(1), json!({ "name": "B" }), AsSeen)],
                vec![Delete(Id(1), AsSeen)],
            ],
        ),
        (
            "get/create",
            vec![],
            vec![vec![Get(Id(1)), Get(Id(1))], vec![user("A", X)]],
        ),
        (
            "get/update",
            ada(),
            vec![vec![Get(Id(1)), Get(Id(1))], vec![change_email(1, Y)]],
        ),
        (
            "get/delete",
            ada(),
            vec![vec![Get(Id(1)), Get(Id(1))], vec![delete(1)]],
        ),
        (
            "find/create",
            vec![],
            vec![vec![Find(X.into()), Find(X.into())], vec![user("A", X)]],
        ),
        (
            "find/update",
            ada(),
            vec![
                vec![Find(X.into()), Find(Y.into())],
                vec![change_email(1, Y)],
            ],
        ),
        (
            "find/delete",
            ada(),
            vec![vec![Find(X.into()), Find(X.into())], vec![delete(1)]],
        ),
        (
            "walk/create",
            both(),
            vec![vec![Walk(0, 1)], vec![user("C", "z@example.com")]],
        ),
        (
            "walk/update",
            both(),
            vec![vec![Walk(0, 1)], vec![patch(2, json!({ "name": "C" }))]],
        ),
        (
            "walk/delete",
            both(),
            vec![vec![Walk(0, 1)], vec![delete(1)]],
        ),
        (
            "delete and create anew/find",
            ada(),
            vec![
                vec![delete(1), user("B", X)],
                vec![Find(X.into()), Find(X.into())],
            ],
        ),
        (
            "delete and create anew/update to the email",
            x_y(),
            vec![vec![delete(1), user("C", X)], vec![change_email(2, X)]],
        ),
        (
            "update away/create/find",
            ada(),
            vec![
                vec![change_email(1, Y)],
                vec![user("B", X)],
                vec![Find(X.into())],
            ],
        ),
        (
            "update/update/delete",
            ada(),
            vec![
                vec![patch(1, json!({ "name": "B" }))],
                vec![patch(1, json!({ "attributes": { "k": 1 } }))],
                vec![delete(1)],
            ],
        ),
        (
            "update/delete/get",
            ada(),
            vec![
                vec![change_email(1, Y)],
                vec![delete(1)],
                vec![Get(Id(1)), Get(Id(1))],
            ],
        ),
    ]
}

impl Scenario {
    /// The scenario of a meeting.
    pub fn of(meeting: Meeting, backend: Backend, sabotage: Option<Sabotage>) -> Scenario {
        let (name, setup, programs) = meeting;
        Scenario {
            name: name.to_owned(),
            backend,
            setup,
            died: Vec::new(),
            before: RECOVERY,
            programs,
            sizes: Sizes::SERVICE,
            conditions: Conditions::default(),
            sabotage,
        }
    }
}
