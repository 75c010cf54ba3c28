//! Changes that take long, beside shorter ones of the same user.

use std::collections::BTreeMap;

use serde_json::json;

use crate::choice::{Choice, Fate};
use crate::names::{rename, user};
use crate::request::{Action, Condition, GroupAsk, Told, Who};
use crate::scheduler::Simulation;
use crate::violation::Violation;

/// The operations of a long change between two short ones.
const BETWEEN: usize = 3;

/// A rename writes a list for each start of each word: 13 here, some 110 operations. A short change of
/// the same user comes after every third of them. So no attempt that writes the lists ever gets to
/// the record in time, and by the end of one the record has forgotten the writes of its beginning.
pub fn a_rename_ends_beside_short_changes(run: &mut Simulation) -> Result<(), Violation> {
    let long = rename(1, "Ada Augusta King Lovelace");
    run.run_alone(vec![user("A"), Action::SearchWord("a".to_owned(), 9)])?;
    ends_beside(run, long, 60)?;
    run.run_alone(vec![Action::SearchWord("lovelace".to_owned(), 9)])?;
    run.history.check().map_err(Violation)
}

/// The same for a user who joins a group, which writes a list, too.
pub fn a_join_ends_beside_short_changes(run: &mut Simulation) -> Result<(), Violation> {
    let group = Action::Group;
    run.run_alone(vec![user("A"), group(GroupAsk::Create("g"))])?;
    ends_beside(run, group(GroupAsk::Join(1, 1)), 6)?;
    run.run_alone(vec![group(GroupAsk::Members(1))])?;
    run.history.check().map_err(Violation)
}

/// Fails unless a request succeeds beside so many short ones.
fn ends_beside(run: &mut Simulation, long: Action, most: usize) -> Result<(), Violation> {
    let client = run.join(vec![long], BTreeMap::new());
    let mut rounds = 0;
    while run.is_waiting(client) {
        for _ in 0..BETWEEN {
            if run.is_waiting(client) {
                run.step(Choice::Client(client, Fate::Happens))?;
            }
        }
        let patch = json!({ "attributes": { "round": rounds } });
        let short = Action::Patch(Who::Id(1), patch, Condition::Always);
        run.run_alone(vec![short])?;
        rounds += 1;
    }
    let mut answers = run.history.events.iter();
    let answer = answers.rfind(|event| event.client == client);
    let told = &answer.expect("it was answered").told;
    println!("{:?}: {told} beside {rounds}", run.store.backend);
    match rounds <= most && *told != Told::Unknown {
        true => Ok(()),
        false => Err(Violation(format!("{told} beside {rounds} short changes"))),
    }
}
