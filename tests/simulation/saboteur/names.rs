//! What is broken of the index of names.

use serde_json::Value;

use super::{changed, edited, json, set};
use crate::operation::{Answer, Operation};
use crate::sabotage::Sabotage::{self, *};
use crate::store::SimStore;

/// Lets an operation happen, broken.
pub fn apply(sabotage: Sabotage, store: &mut SimStore, operation: &Operation) -> Answer {
    let key = operation.key();
    let (node, record) = (key.starts_with("names/"), key.starts_with("user/"));
    match (sabotage, operation) {
        (NameUnannounced, Operation::Swap(_, value)) if node && announces(store, key, value) => {
            Answer::Swap(true)
        }
        (NameAnnouncedOnce, Operation::Swap(_, value))
            if node && announces(store, key, value) && ids(store, key) == leaf(value)["ids"] =>
        {
            Answer::Swap(true)
        }
        (LeafSet, Operation::Swap(_, value)) if node => set(store, key, value),
        (NameFenceSkipped, Operation::Swap(_, value)) if record && is_same(store, key, value) => {
            Answer::Swap(true)
        }
        (OpenForgotten, Operation::Swap(watch, value)) if key.starts_with("merged/") => {
            let none = |catalogue: &mut Value| catalogue["value"]["open"] = Value::Array(vec![]);
            store.perform(&Operation::Swap(watch.clone(), changed(value, none)))
        }
        (RightHalfLost, Operation::Set(_, value)) if node && !is_first(value) => {
            let empty = |node: &mut Value| {
                if let Some(leaf) = node["value"]["content"].get_mut("leaf") {
                    leaf["ids"] = Value::Array(vec![]);
                }
            };
            store.perform(&Operation::Set(key.to_owned(), changed(value, empty)))
        }
        (NextIgnored, Operation::Get(_) | Operation::Current(_)) if node => {
            edited(store.perform(operation), |node| {
                node["value"]["next"] = Value::Null
            })
        }
        _ => store.perform(operation),
    }
}

/// Whether a node covers the first of all positions.
fn is_first(node: &[u8]) -> bool {
    json(node)["value"]["low"][0] == ""
}

/// Whether a record is written as it was.
fn is_same(store: &SimStore, key: &str, new: &[u8]) -> bool {
    json(&store.value(key).expect("it was read"))["value"] == json(new)["value"]
}

fn leaf(node: &[u8]) -> Value {
    json(node)["value"]["content"]["leaf"].clone()
}

fn ids(store: &SimStore, key: &str) -> Value {
    leaf(&store.value(key).expect("it was read"))["ids"].clone()
}

/// Whether a node is written to let a user be found by the name that it is about to get.
fn announces(store: &SimStore, key: &str, new: &[u8]) -> bool {
    let new = leaf(new);
    let before = ids(store, key);
    let (Some(before), Some(after)) = (before.as_array(), new["ids"].as_array()) else {
        return false;
    };
    new["moving"] != Value::Array(vec![]) && before.iter().all(|id| after.contains(id))
}
