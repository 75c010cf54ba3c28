//! How many store operations a request makes that meets no other: bounds that do
//! not depend on how many users there are.

use serde_json::json;

use crate::choice::{Choice, Fate};
use crate::explore::{Bounds, explore};
use crate::request::{Action, Condition::Always, Who::Id};
use crate::scenario::Scenario;
use crate::scheduler::Simulation;
use crate::store::Backend;
use Action::{Create, CreateOnce, Delete, Find, Get, Patch, Walk};

/// A request, and the most operations that it makes on SQLite and DynamoDB, and
/// on Redis, where each swap has to be read back. They run one after another.
fn table() -> Vec<(&'static str, Action, usize, usize)> {
    let user = |name: &str, email: &str| Create(json!({ "name": name, "email": email }));
    let email = |email: &str| json!({ "email": email });
    let once = |key, profile| CreateOnce(key, profile);
    let (x, y, z) = ("x@example.com", "y@example.com", "z@example.com");
    vec![
        ("the first create", user("A", x), 8, 9),
        ("create without email", Create(json!({ "name": "B" })), 2, 2),
        ("email taken", user("C", x), 2, 2),
        ("get", Get(Id(1)), 1, 1),
        ("get of nobody", Get(Id(9)), 1, 1),
        ("find", Find(x.to_owned()), 2, 2),
        ("find of nobody", Find(y.to_owned()), 1, 1),
        (
            "update of the name",
            Patch(Id(1), json!({ "name": "D" }), Always),
            2,
            3,
        ),
        ("update of the email", Patch(Id(1), email(y), Always), 8, 10),
        (
            "update to an email given up",
            Patch(Id(2), email(x), Always),
            4,
            6,
        ),
        (
            "update to an email taken",
            Patch(Id(2), email(y), Always),
            3,
            3,
        ),
        ("the first delete", Delete(Id(1), Always), 13, 16),
        ("delete", Delete(Id(2), Always), 8, 10),
        ("delete of nobody", Delete(Id(2), Always), 1, 1),
        (
            "create with the email of a user deleted",
            user("E", y),
            8,
            10,
        ),
        (
            "the first create with a key of a slot",
            once("k1", json!({ "name": "F" })),
            8,
            10,
        ),
        ("repeat", once("k1", json!({ "name": "F" })), 2, 2),
        (
            "key used for another user",
            once("k1", json!({ "name": "G" })),
            2,
            2,
        ),
        (
            "create with a key and an email",
            once("k2", json!({ "name": "H", "email": z })),
            10,
            13,
        ),
        (
            "create with a key and an email taken",
            once("k3", json!({ "name": "I", "email": z })),
            6,
            6,
        ),
        ("page", Walk(0, 10), 24, 24),
    ]
}

#[test]
fn a_request_makes_the_store_operations_that_it_may() {
    for backend in Backend::ALL {
        let mut run = Simulation::new(backend);
        for (name, action, most, on_redis) in table() {
            let most = if backend == Backend::Redis {
                on_redis
            } else {
                most
            };
            run.run_alone(vec![action])
                .unwrap_or_else(|violation| panic!("{name}: {violation:?}"));
            let made = run.history.events.last().expect("it was made").operations;
            println!("{backend:?}: {name}: {made} of {most}");
            assert!(
                made <= most,
                "{name} on {backend:?} makes {made} operations, not {most}"
            );
        }
    }
}

/// 257 users, of whom only the last is left; the others fill a group of ids.
fn one_left(deleted: impl Iterator<Item = u64>) -> Vec<Action> {
    let created = (1..=257).map(|id| Create(json!({ "name": format!("U{id}") })));
    let deleted = deleted.map(|id| Delete(Id(id), Always));
    created.chain(deleted).collect()
}

#[test]
fn a_page_steps_over_ids_that_name_nobody_also_after_a_delete_that_died() {
    for backend in Backend::ALL {
        let mut run = Simulation::new(backend);
        run.run_alone(one_left(1..256)).expect("users are deleted");
        let client = run.join(vec![Delete(Id(256), Always)], Default::default());
        // The last operation would have counted that nobody is left.
        let last = if backend == Backend::Redis { 9 } else { 7 };
        let happens = [Choice::Client(client, Fate::Happens)].repeat(last);
        let dies = Choice::Client(client, Fate::Dies);
        for choice in happens.into_iter().chain([dies]) {
            run.step(choice).expect("nothing is wrong");
        }
        run.settle(1).expect("nothing is late");
        let mut page = || {
            run.run_alone(vec![Walk(0, 10)]).expect("it is read");
            run.history.events.last().expect("it was made").operations
        };
        let (first, second) = (page(), page());
        println!("{backend:?}: {first}, then {second}");
        assert!(
            first <= 300 && second <= 30,
            "{backend:?}: {first}, then {second}"
        );
        run.history.check().expect("the last user is on each page");
    }
}

/// `make simulate`: a page of many steps beside two deletes.
#[test]
#[ignore = "takes minutes"]
fn a_walk_finds_all_users_while_the_ids_before_them_are_left_by_the_last() {
    for backend in Backend::ALL {
        let scenario = Scenario {
            name: "walk/delete of the last of a group".to_owned(),
            backend,
            setup: one_left((1..256).filter(|id| *id != 200)),
            died: Vec::new(),
            programs: vec![
                vec![Walk(0, 10)],
                vec![Delete(Id(200), Always), Delete(Id(256), Always)],
            ],
            sabotage: None,
        };
        let bounds = Bounds {
            faults: 0,
            patience: usize::MAX,
        };
        let figures = explore(&scenario, bounds).unwrap_or_else(|failure| panic!("{failure}"));
        println!("{backend:?}: {figures}");
    }
}
