//! How many store operations a request makes that meets no other: bounds that do
//! not depend on how many users there are.

use serde_json::json;

use crate::backend::Backend;
use crate::choice::{Choice, Fate};
use crate::request::{Action, Condition::Always, Direction::*, Who::Id};
use crate::scheduler::Simulation;
use crate::violation::Violation;
use Action::{
    Create, CreateOnce, Delete, Find, FindUsername, Get, Patch, Search, SearchExternalId,
    SearchWord, Sorted, Walk,
};

/// A request, and the most operations that it makes on SQLite and DynamoDB, and
/// on Redis, where each swap has to be read back. They run one after another.
fn table() -> Vec<(&'static str, Action, usize, usize)> {
    let user = |name: &str, email: &str| Create(json!({ "name": name, "email": email }));
    let email = |email: &str| json!({ "email": email });
    let search = || Search("b".to_owned(), 10);
    let once = |key, profile| CreateOnce(key, profile);
    let (x, y, z) = ("x@example.com", "y@example.com", "z@example.com");
    vec![
        ("the first create", user("A", x), 7, 9),
        ("create without email", Create(json!({ "name": "B" })), 2, 2),
        ("email taken", user("C", x), 2, 2),
        ("get", Get(Id(1)), 1, 1),
        ("get of nobody", Get(Id(9)), 1, 1),
        ("find", Find(x.to_owned()), 2, 2),
        ("find of nobody", Find(y.to_owned()), 1, 1),
        (
            "update of attributes",
            Patch(Id(1), json!({ "attributes": { "k": 1 } }), Always),
            2,
            3,
        ),
        (
            "update of the case of the name",
            Patch(Id(1), json!({ "name": "a" }), Always),
            2,
            3,
        ),
        ("the first search", search(), 18, 21),
        ("search", search(), 6, 6),
        (
            "update of the name",
            Patch(Id(1), json!({ "name": "D" }), Always),
            6,
            8,
        ),
        ("update of the email", Patch(Id(1), email(y), Always), 7, 9),
        ("find of an email given up", Find(x.to_owned()), 2, 2),
        (
            "update to an email given up",
            Patch(Id(2), email(x), Always),
            6,
            8,
        ),
        (
            "update to an email taken",
            Patch(Id(2), email(y), Always),
            3,
            3,
        ),
        (
            "update to no email",
            Patch(Id(1), json!({ "email": null }), Always),
            2,
            3,
        ),
        ("create with an email given up", user("E", y), 8, 10),
        (
            "update of a new user to no email",
            Patch(Id(3), json!({ "email": null }), Always),
            2,
            3,
        ),
        (
            "update to the email that it gave up",
            Patch(Id(1), email(y), Always),
            6,
            8,
        ),
        ("the first delete", Delete(Id(1), Always), 13, 16),
        ("delete", Delete(Id(2), Always), 8, 10),
        ("delete of nobody", Delete(Id(2), Always), 1, 1),
        (
            "create with the email of a user deleted",
            user("F", y),
            8,
            10,
        ),
        (
            "create with a key",
            once("k1", json!({ "name": "F" })),
            7,
            9,
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
            4,
            4,
        ),
        (
            "create with a username",
            Create(json!({ "name": "J", "username": "j" })),
            7,
            9,
        ),
        (
            "create with an email and a username",
            Create(json!({ "name": "K", "email": "k@example.com", "username": "k" })),
            10,
            13,
        ),
        (
            "username taken",
            Create(json!({ "name": "L", "username": "J" })),
            2,
            2,
        ),
        ("find by username", FindUsername("J".to_owned()), 2, 2),
        (
            "find by a username of nobody",
            FindUsername("n".to_owned()),
            1,
            1,
        ),
        (
            "update of a new user to both",
            Patch(
                Id(3),
                json!({ "email": "l@example.com", "username": "l" }),
                Always,
            ),
            11,
            14,
        ),
        (
            "create with a new external id",
            Create(json!({ "name": "M", "external_id": "m" })),
            12,
            15,
        ),
        (
            "create with an external id",
            Create(json!({ "name": "N", "external_id": "m" })),
            7,
            9,
        ),
        (
            "users with an external id",
            SearchExternalId("m".to_owned(), 10),
            4,
            4,
        ),
        (
            "users with an external id that nobody has",
            SearchExternalId("n".to_owned(), 10),
            1,
            1,
        ),
        // It makes the index, and merges all users: in each list some five operations.
        (
            "the first search by words",
            SearchWord("b".to_owned(), 10),
            250,
            300,
        ),
        ("search by words", SearchWord("b".to_owned(), 10), 6, 6),
        (
            "search by words that nobody has",
            SearchWord("nobody".to_owned(), 10),
            4,
            4,
        ),
        ("page", Walk(0, 10), 27, 28),
        ("page by name", Sorted(Forwards, 10), 60, 60),
        (
            "page by name, the last first",
            Sorted(Backwards, 10),
            60,
            60,
        ),
    ]
}

/// Each request makes the store operations that it may.
pub fn requests_cost_what_they_may(run: &mut Simulation) -> Result<(), Violation> {
    for (name, action, most, on_redis) in table() {
        let most = match run.store.backend {
            Backend::Redis => on_redis,
            _ => most,
        };
        run.run_alone(vec![action])?;
        bounded(run, name, most)?;
    }
    run.history.check().map_err(Violation)
}

/// How many store operations the last request made.
pub fn cost(run: &Simulation) -> usize {
    run.history.events.last().expect("it was made").operations
}

/// Fails if the last request made more store operations than it may.
pub fn bounded(run: &Simulation, name: &str, most: usize) -> Result<(), Violation> {
    let made = cost(run);
    if run.store.sabotage.is_none() {
        println!("{:?}: {name}: {made} of {most}", run.store.backend);
    }
    match made > most {
        true => Err(Violation(format!("{name} makes {made}, not {most}"))),
        false => Ok(()),
    }
}

/// 257 users, of whom the last is left, and maybe others; the first 256 fill a block of ids.
fn some_left(deleted: impl Iterator<Item = u64>) -> Vec<Action> {
    let created = (1..=257).map(|id| Create(json!({ "name": format!("U{id}") })));
    let deleted = deleted.map(|id| Delete(Id(id), Always));
    created.chain(deleted).collect()
}

/// A page finds the one that is left in a block of ids, and steps over the block once that one is
/// gone too.
pub fn a_page_steps_over_ids_that_name_nobody(run: &mut Simulation) -> Result<(), Violation> {
    run.run_alone(some_left((1..=256).filter(|id| *id != 200)))?;
    run.run_alone(vec![Walk(0, 10), Walk(0, 10), Delete(Id(200), Always)])?;
    run.run_alone(vec![Walk(0, 10)])?;
    bounded(run, "page after a block without users", 30)?;
    run.history.check().map_err(Violation)
}

/// The same if it is not counted that the last one is gone: it costs one page its time.
pub fn a_page_steps_over_them_also_after_a_delete_that_died(
    run: &mut Simulation,
) -> Result<(), Violation> {
    run.run_alone(some_left(1..256))?;
    let client = run.join(vec![Delete(Id(256), Always)], Default::default());
    while !run.increments(client) {
        run.step(Choice::Client(client, Fate::Happens))?;
    }
    run.step(Choice::Client(client, Fate::Dies))?;
    run.settle(1)?;
    for (name, most) in [("first page", 300), ("second page", 30)] {
        run.run_alone(vec![Walk(0, 10)])?;
        bounded(run, name, most)?;
    }
    run.history.check().map_err(Violation)
}
