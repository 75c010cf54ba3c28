//! Scripts about requests that died, were slow, or were refused: what they leave
//! behind is taken for what it is, and is cleared up.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::backend::Backend;
use crate::choice::{Choice, Fate};
use crate::counts::{bounded, cost};
use crate::request::{Action, Condition, Condition::Always, Told, Who::Id};
use crate::scheduler::Simulation;
use crate::violation::Violation;
use Action::{Create, Delete, Get, Patch, Walk};

fn users(count: usize) -> Vec<Action> {
    let user = |number| Create(json!({ "name": format!("U{number}") }));
    (1..=count).map(user).collect()
}

fn delete(id: u64) -> Action {
    Delete(Id(id), Always)
}

fn patch(id: u64, patch: Value) -> Action {
    Patch(Id(id), patch, Always)
}

/// The leftovers of a dead request are read once or twice, not by every later page.
pub fn pages_cost_no_more_after_requests_that_died(run: &mut Simulation) -> Result<(), Violation> {
    run.run_alone(users(16))?;
    run.run_alone(vec![delete(16), Walk(0, 1), Walk(0, 1)])?;
    let before = cost(run);
    // Is overtaken, and announced once more.
    let client = run.join(vec![delete(4)], BTreeMap::new());
    run.run_until_commit(client)?;
    run.run_alone(vec![patch(4, json!({ "name": "V" }))])?;
    run.finish_client(client)?;
    run.run_alone(vec![Walk(0, 1)])?;
    bounded(run, "page after a delete that was overtaken", before)?;
    // Dies before it replaces the record,
    let client = run.join(vec![delete(2)], BTreeMap::new());
    run.run_until_commit(client)?;
    run.step(Choice::Client(client, Fate::Dies))?;
    // and after that.
    let client = run.join(vec![delete(3)], BTreeMap::new());
    run.run_until_commit(client)?;
    run.step(Choice::Client(client, Fate::DiesAfter))?;
    run.settle(0)?;
    // The one that is done is cleared up at once, the one that is not when it is old.
    run.run_alone(vec![Walk(15, 1), Walk(0, 1)])?;
    bounded(
        run,
        "page after deletes of which one died just now",
        before + 1,
    )?;
    run.step(Choice::Pause)?;
    run.run_alone(vec![Walk(15, 1), Walk(0, 1)])?;
    bounded(run, "page after deletes that died", before)?;
    run.history.check().map_err(Violation)
}

/// Ids that were given to creates that died before they wrote anything, more than one page looks at.
pub fn ids_of_which_nothing_came_are_settled(run: &mut Simulation) -> Result<(), Violation> {
    for _ in 0..20 {
        let client = run.join(users(1), BTreeMap::new());
        run.step(Choice::Client(client, Fate::DiesAfter))?;
    }
    run.run_alone(vec![Walk(0, 10)])?;
    run.step(Choice::Pause)?;
    run.run_alone(vec![Walk(0, 10), Walk(0, 10)])?;
    total(run, 0)
}

/// A page clears the ledger of a delete that died, and leaves alone one that is under way.
pub fn a_delete_is_not_disturbed_by_pages(run: &mut Simulation) -> Result<(), Violation> {
    run.run_alone(users(3))?;
    run.run_alone(vec![delete(3)])?;
    let client = run.join(vec![delete(1)], BTreeMap::new());
    run.run_until_commit(client)?;
    let died = run.join(vec![delete(2)], BTreeMap::new());
    run.run_until_commit(died)?;
    run.step(Choice::Client(died, Fate::DiesAfter))?;
    run.run_alone(vec![Walk(0, 10)])?;
    run.finish_client(client)?;
    let mut events = run.history.events.iter();
    let made = events.find(|event| event.client == client);
    let made = made.expect("it was made").operations;
    // To begin again is to announce it and to replace the record once more.
    match made > 12 {
        true => Err(Violation(format!("a delete beside a page makes {made}"))),
        false => Ok(()),
    }
}

/// The ledger has room for so many deletes at once, or every page would have to read all of them.
pub fn deletes_beyond_the_room_in_the_ledger_are_put_off(
    run: &mut Simulation,
) -> Result<(), Violation> {
    run.run_alone(users(65))?;
    for id in 1..=64 {
        let client = run.join(vec![delete(id)], BTreeMap::new());
        run.run_until_commit(client)?;
    }
    let one_more = run.join(vec![delete(65)], BTreeMap::new());
    run.finish_client(one_more)?;
    match &run.history.events.last().expect("it was made").told {
        Told::Unknown => {}
        told => return Err(Violation(format!("one delete too many is told {told}"))),
    }
    // Deletes that have not ended by now make room.
    run.step(Choice::Pause)?;
    run.run_alone(vec![delete(65)]).map(|_| ())
}

/// So many write after an update that it can't tell whether it was made: it must not be made again.
pub fn an_update_is_answered_after_many_others(run: &mut Simulation) -> Result<(), Violation> {
    run.run_alone(users(1))?;
    let client = run.join(vec![patch(1, json!({ "name": "B" }))], BTreeMap::new());
    run.run_until_commit(client)?;
    run.step(Choice::Client(client, Fate::Lingers))?;
    for round in 0..20 {
        let name = json!({ "name": format!("C{round}") });
        run.run_alone(vec![Get(Id(1)), patch(1, name)])?;
    }
    run.finish_client(client)?;
    run.settle(0)?;
    run.run_alone(vec![Get(Id(1))])?;
    run.history.check().map_err(Violation)
}

/// So many write the ledger after a delete was announced that it can't tell whether it was.
pub fn a_delete_is_announced_before_many_others(run: &mut Simulation) -> Result<(), Violation> {
    run.run_alone(users(23))?;
    run.run_alone(vec![delete(22)])?;
    let client = run.join(vec![delete(1)], BTreeMap::new());
    while !run.swaps(client) {
        run.step(Choice::Client(client, Fate::Happens))?;
    }
    run.step(Choice::Client(client, Fate::Lingers))?;
    run.run_alone((2..=21).map(delete).collect())?;
    run.run_until_commit(client)?;
    run.step(Choice::Client(client, Fate::DiesAfter))?;
    run.run_alone(vec![Walk(0, 10)])?;
    total(run, 1)?;
    run.run_alone(vec![Walk(0, 10)])?;
    total(run, 1)
}

/// All but one are answered 409 after an id was given to them. Nobody dies, so the total must not
/// wait for the time after which a request is taken for dead.
pub fn many_creates_meet_on_one_email(run: &mut Simulation) -> Result<(), Violation> {
    let create = || vec![Create(json!({ "name": "A", "email": "x@example.com" }))];
    let clients: Vec<_> = (0..20)
        .map(|_| run.join(create(), BTreeMap::new()))
        .collect();
    for client in &clients {
        run.step(Choice::Client(*client, Fate::Happens))?;
    }
    for client in clients {
        run.finish_client(client)?;
    }
    // Each walk looks at 16 ids that are not settled.
    run.run_alone(vec![Walk(0, 10), Walk(0, 10)])?;
    total(run, 1)
}

/// An update is slow to claim an email, which its user has got, given up and got again meanwhile: it
/// must leave that later claim alone, or another user could take the email.
pub fn a_slow_claim_leaves_a_later_one_alone(run: &mut Simulation) -> Result<(), Violation> {
    let email = |email: Option<&str>| json!({ "email": email });
    let x = Some("x@example.com");
    run.run_alone(users(2))?;
    let slow = run.join(vec![patch(1, email(x))], BTreeMap::new());
    run.step(Choice::Client(slow, Fate::Happens))?;
    let updates = [x, None, x].map(|address| patch(1, email(address)));
    run.run_alone(updates.into())?;
    run.finish_client(slow)?;
    run.run_alone(vec![patch(2, email(x)), Get(Id(1)), Get(Id(2))])?;
    run.history.check().map_err(Violation)
}

/// A user is deleted while it is about to get an email: that is free, and costs who takes it no more
/// than one that was given up.
pub fn an_email_that_a_deleted_user_was_about_to_get_is_free(
    run: &mut Simulation,
) -> Result<(), Violation> {
    run.run_alone(users(1))?;
    let late = run.join(
        vec![patch(1, json!({ "email": "x@example.com" }))],
        BTreeMap::new(),
    );
    run.run_until_commit(late)?;
    run.run_alone(vec![delete(1)])?;
    let create = Create(json!({ "name": "A", "email": "x@example.com" }));
    run.run_alone(vec![create])?;
    let most = match run.store.backend {
        Backend::Redis => 10,
        _ => 8,
    };
    bounded(
        run,
        "create with an email that a deleted user was about to get",
        most,
    )?;
    run.finish_client(late)?;
    run.run_alone(vec![Get(Id(2))])?;
    run.history.check().map_err(Violation)
}

/// More deletes are refused, because others were faster, than the ledger has room for.
pub fn many_deletes_are_refused_late(run: &mut Simulation) -> Result<(), Violation> {
    run.run_alone(users(2))?;
    for round in 0..70 {
        let seen = run.run_alone(vec![Get(Id(1))])?;
        let client = run.join(vec![Delete(Id(1), Condition::AsSeen)], seen);
        run.run_until_commit(client)?;
        run.run_alone(vec![patch(1, json!({ "attributes": { "round": round } }))])?;
        run.finish_client(client)?;
    }
    run.run_alone(vec![delete(2), Walk(0, 10)])?;
    total(run, 1)?;
    run.history.check().map_err(Violation)
}

/// The store gives an id at once and tells so a minute later, when nobody believes any more that a
/// user will come of it.
pub fn an_id_is_given_very_late(run: &mut Simulation) -> Result<(), Violation> {
    let client = run.join(users(1), BTreeMap::new());
    run.step(Choice::Client(client, Fate::Lingers))?;
    run.run_alone(vec![Walk(0, 10)])?;
    run.step(Choice::Pause)?;
    run.run_alone(vec![Walk(0, 10)])?;
    run.finish_client(client)?;
    run.settle(1)?;
    run.run_alone(vec![Walk(0, 10)])?;
    run.history.check().map_err(Violation)
}

/// Fails if the last request did not tell this number of users.
fn total(run: &Simulation, expected: u64) -> Result<(), Violation> {
    match &run.history.events.last().expect("it was made").told {
        Told::Users { total, .. } if *total == expected => Ok(()),
        told => Err(Violation(format!("{told}, but there is {expected}"))),
    }
}
