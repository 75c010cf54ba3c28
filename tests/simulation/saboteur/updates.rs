//! Sabotages of the list of changes.

use serde_json::Value;

use super::names::{announces, leaf};
use super::{changed, json, set, valued};
use crate::operation::{Answer, Operation};
use crate::sabotage::Sabotage::{self, *};
use crate::store::SimStore;

/// Lets an operation happen, broken.
pub fn apply(sabotage: Sabotage, store: &mut SimStore, operation: &Operation) -> Answer {
    let key = operation.key();
    let (node, record) = (key.starts_with("updates/"), key.starts_with("user/"));
    match (sabotage, operation) {
        (UpdateUnlisted, Operation::Swap(_, value)) if node && announces(store, key, value) => {
            Answer::Swap(true)
        }
        (UpdateLeafSet, Operation::Swap(_, value)) if node => set(store, key, value),
        (UpdateUntold, Operation::Swap(watch, value)) if record => {
            let untold = |record: &mut Value| drop(told(&mut record["value"]));
            store.perform(&Operation::Swap(watch.clone(), changed(value, untold)))
        }
        (UpdateMergedUnfenced, Operation::Swap(_, value))
            if record && is_marking(store, key, value) =>
        {
            Answer::Swap(true)
        }
        (UpdateHighForgotten, Operation::Swap(watch, value)) if node && leaf(value).is_object() => {
            let forgotten = |node: &mut Value| {
                node["value"]["content"]["leaf"]["high"] = Value::Null;
            };
            store.perform(&Operation::Swap(watch.clone(), changed(value, forgotten)))
        }
        _ => store.perform(operation),
    }
}

/// Takes what a record says of the list.
fn told(record: &mut Value) -> Option<Value> {
    let live = record["state"].get_mut("live")?;
    live.as_object_mut()?.remove("in_updates")
}

/// Whether a record is written only to say that its user is in the list.
fn is_marking(store: &SimStore, key: &str, new: &[u8]) -> bool {
    let (mut before, mut new) = (valued(store, key), json(new)["value"].take());
    told(&mut before) != told(&mut new) && before == new
}
