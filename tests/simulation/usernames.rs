//! Users who want a username, or an email and a username at once.

use serde_json::{Value, json};

use crate::meetings::Meeting;
use crate::request::{Action, Condition::Always, Who::Id};
use Action::{Create, CreateOnce, Delete, FindUsername, Patch};

const X: &str = "x@example.com";
const Y: &str = "y@example.com";
const U: &str = "u";

fn named(name: &str) -> Action {
    Create(json!({ "name": name, "username": U }))
}

fn with_both(name: &str, email: &str, username: &str) -> Action {
    Create(json!({ "name": name, "email": email, "username": username }))
}

fn anybody(name: &str) -> Action {
    Create(json!({ "name": name }))
}

fn patch(id: u64, patch: Value) -> Action {
    Patch(Id(id), patch, Always)
}

fn change_username(id: u64, username: &str) -> Action {
    patch(id, json!({ "username": username }))
}

fn change_both(id: u64, email: &str, username: &str) -> Action {
    patch(id, json!({ "email": email, "username": username }))
}

/// Two clients that get into each other's way by a username.
pub fn meetings() -> Vec<Meeting> {
    let ada = || vec![named("Ada")];
    vec![
        (
            "create/create, one username",
            vec![],
            vec![
                vec![named("A")],
                vec![Create(json!({ "name": "B", "username": "U" }))],
            ],
        ),
        (
            "create with both/update to the email",
            vec![anybody("A")],
            vec![
                vec![with_both("B", X, U)],
                vec![patch(1, json!({ "email": X }))],
            ],
        ),
        (
            "create with both/update to the username",
            vec![anybody("A")],
            vec![vec![with_both("B", X, U)], vec![change_username(1, U)]],
        ),
        (
            "create/delete of the holder of the username",
            ada(),
            vec![vec![named("B")], vec![Delete(Id(1), Always)]],
        ),
        (
            "create/update away from the username",
            ada(),
            vec![vec![named("B")], vec![change_username(1, "v")]],
        ),
        (
            "update/update, usernames swapped",
            vec![named("A"), Create(json!({ "name": "B", "username": "v" }))],
            vec![vec![change_username(1, "v")], vec![change_username(2, U)]],
        ),
        (
            "update/update, both to one username",
            vec![anybody("A"), anybody("B")],
            vec![vec![change_username(1, U)], vec![change_username(2, U)]],
        ),
        (
            "update/update of one user, to an email and to a username",
            vec![anybody("A")],
            vec![
                vec![patch(1, json!({ "email": X }))],
                vec![change_username(1, U)],
            ],
        ),
        (
            "update/update of one user, to both and to the username",
            vec![anybody("A")],
            vec![vec![change_both(1, X, U)], vec![change_username(1, U)]],
        ),
        (
            "update/update of one user, to two of both",
            vec![anybody("A")],
            vec![vec![change_both(1, X, U)], vec![change_both(1, Y, U)]],
        ),
        (
            "update to both/create with the username",
            vec![anybody("A")],
            vec![vec![change_both(1, X, U)], vec![named("B")]],
        ),
        (
            "update to both/delete",
            vec![anybody("A")],
            vec![vec![change_both(1, X, U)], vec![Delete(Id(1), Always)]],
        ),
        (
            "create/repeat, with a username",
            vec![],
            vec![
                vec![CreateOnce("k", json!({ "name": "A", "username": U }))],
                vec![CreateOnce("k", json!({ "name": "A", "username": U }))],
            ],
        ),
        (
            "find by username/update away",
            ada(),
            vec![
                vec![FindUsername(U.into()), FindUsername("v".into())],
                vec![change_username(1, "v")],
            ],
        ),
    ]
}
