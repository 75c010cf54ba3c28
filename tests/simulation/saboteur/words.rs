//! Sabotages of the indexes of words: of users, and of groups.

use serde_json::Value;

use super::names::{announces, is_raised, is_same};
use super::{changed, json};
use crate::operation::{Answer, Operation};
use crate::sabotage::Sabotage::{self, *};
use crate::store::SimStore;

/// Lets an operation happen, broken.
pub fn apply(sabotage: Sabotage, store: &mut SimStore, operation: &Operation) -> Answer {
    let key = operation.key();
    let (nodes, records) = match sabotage.concerns_group_words() {
        true => ("group-words/", "group/"),
        false => ("words/", "user/"),
    };
    let (node, record) = (key.starts_with(nodes), key.starts_with(records));
    match (sabotage, operation) {
        (WordUnlisted | GroupUnlisted, Operation::Swap(_, value))
            if node && announces(store, key, value) =>
        {
            Answer::Swap(true)
        }
        (WordMergedUnfenced | GroupMergedUnfenced, Operation::Swap(_, value))
            if record && is_same(store, key, value) =>
        {
            Answer::Swap(true)
        }
        (WordBoundUnmarked, Operation::Swap(watch, value)) if record && is_marked(value) => {
            let unmarked = |record: &mut Value| {
                record["value"]["state"]["live"]["bounds"] = Value::Array(vec![]);
            };
            store.perform(&Operation::Swap(watch.clone(), changed(value, unmarked)))
        }
        (WordBoundKept | GroupBoundKept, Operation::Swap(_, value))
            if node && is_raised(store, key, value) =>
        {
            Answer::Swap(true)
        }
        _ => store.perform(operation),
    }
}

/// Whether a record says of lists of words that its user gives a bound.
fn is_marked(record: &[u8]) -> bool {
    let bounds = &json(record)["value"]["state"]["live"]["bounds"];
    bounds.as_array().is_some_and(|bounds| !bounds.is_empty())
}
