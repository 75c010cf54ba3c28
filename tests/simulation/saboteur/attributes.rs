//! Sabotages of the indexes of attributes.

use serde_json::Value;

use super::names::announces;
use super::{changed, json, valued};
use crate::operation::{Answer, Operation};
use crate::sabotage::Sabotage::{self, *};
use crate::store::SimStore;

/// Lets an operation happen, broken.
pub fn apply(sabotage: Sabotage, store: &mut SimStore, operation: &Operation) -> Answer {
    let key = operation.key();
    let (node, record) = (key.starts_with("attributes/"), key.starts_with("user/"));
    match (sabotage, operation) {
        (AttributeUnlisted, Operation::Swap(_, value)) if node && announces(store, key, value) => {
            Answer::Swap(true)
        }
        (AttributeUnmarked, Operation::Swap(watch, value)) if record => {
            let unmarked = |record: &mut Value| drop(indexed(&mut record["value"]));
            store.perform(&Operation::Swap(watch.clone(), changed(value, unmarked)))
        }
        (AttributeMergedUnfenced, Operation::Swap(_, value))
            if record && is_marking(store, key, value) =>
        {
            Answer::Swap(true)
        }
        _ => store.perform(operation),
    }
}

/// Takes the paths by which the user of a record is in lists.
fn indexed(record: &mut Value) -> Option<Value> {
    let live = record["state"].get_mut("live")?;
    live.as_object_mut()?.remove("indexed")
}

/// Whether a record is written only to say that its user is in lists.
fn is_marking(store: &SimStore, key: &str, new: &[u8]) -> bool {
    let (mut before, mut new) = (valued(store, key), json(new)["value"].take());
    indexed(&mut before) != indexed(&mut new) && before == new
}
