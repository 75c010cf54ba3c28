//! Sabotages of the index of names.

use serde_json::Value;

use super::{changed, edited, json, set, valued};
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
        (NameFenceSkipped, Operation::Swap(_, value))
            if record && is_unmarking(store, key, value) =>
        {
            Answer::Swap(true)
        }
        (UnmarkingUncounted, Operation::Swap(watch, value))
            if record && is_unmarking(store, key, value) =>
        {
            let before = unmarked(&mut valued(store, key));
            let uncounted = |record: &mut Value| {
                record["value"]["state"]["live"]["unmarked"] = before.clone().unwrap_or(0.into());
            };
            store.perform(&Operation::Swap(watch.clone(), changed(value, uncounted)))
        }
        (OpenForgotten, Operation::Swap(watch, value)) if key.starts_with("merged/") => {
            let none = |catalogue: &mut Value| catalogue["value"]["open"] = Value::Array(vec![]);
            store.perform(&Operation::Swap(watch.clone(), changed(value, none)))
        }
        (RightHalfLost, Operation::Set(_, value)) if node && is_new_leaf(value) => {
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
        (LowIgnored, Operation::Get(_) | Operation::Current(_)) if node => {
            let answer = store.perform(operation);
            let first = store.first_lows.get(key).cloned();
            edited(answer, |node| {
                if let (Some(first), Some(leaf)) =
                    (&first, node["value"]["content"].get_mut("leaf"))
                {
                    leaf["low"] = first.clone();
                }
            })
        }
        (LowIgnored, Operation::Swap(_, value)) if node => {
            let before = leaf(&store.value(key).expect("it was read"))["low"].clone();
            let lows = [before, leaf(value)["low"].clone()];
            if let Some(low) = lows.into_iter().find(|low| !low.is_null()) {
                store.first_lows.entry(key.to_owned()).or_insert(low);
            }
            store.perform(operation)
        }
        (BoundKept, Operation::Swap(_, value)) if node && is_raised(store, key, value) => {
            Answer::Swap(true)
        }
        (BoundUnmarked, Operation::Swap(watch, value))
            if record && is_marked(store, key, value) =>
        {
            let unmarked = |record: &mut Value| {
                record["value"]["state"]["live"]["gives_bound"] = false.into();
            };
            store.perform(&Operation::Swap(watch.clone(), changed(value, unmarked)))
        }
        (BoundUnfenced, Operation::Swap(_, value)) if node && is_same(store, key, value) => {
            Answer::Swap(true)
        }
        _ => store.perform(operation),
    }
}

/// Whether a leaf does not know yet where it begins.
fn is_new_leaf(node: &[u8]) -> bool {
    leaf(node).is_object() && leaf(node)["low"].is_null()
}

/// Whether a leaf that begins somewhere is written to begin elsewhere, or to be gone.
pub(super) fn is_raised(store: &SimStore, key: &str, new: &[u8]) -> bool {
    let before = leaf(&store.value(key).expect("it was read"))["low"].clone();
    let is_inner = json(new)["value"]["content"].get("inner").is_some();
    !before.is_null() && !is_inner && before != leaf(new)["low"]
}

/// Whether a record is written to say that its user gives a bound.
fn is_marked(store: &SimStore, key: &str, new: &[u8]) -> bool {
    let gives = |record: &Value| record["value"]["state"]["live"]["gives_bound"] == true;
    let before = json(&store.value(key).expect("it was read"));
    gives(&json(new)) && !gives(&before)
}

/// Whether a record is written as it was.
pub(super) fn is_same(store: &SimStore, key: &str, new: &[u8]) -> bool {
    json(&store.value(key).expect("it was read"))["value"] == json(new)["value"]
}

/// Takes from a record how often marks on its user were removed.
fn unmarked(record: &mut Value) -> Option<Value> {
    let live = record["state"].get_mut("live")?;
    live.as_object_mut()?.remove("unmarked")
}

/// Whether a record is written only to count that a mark on its user is removed.
pub(super) fn is_unmarking(store: &SimStore, key: &str, new: &[u8]) -> bool {
    let (mut before, mut new) = (valued(store, key), json(new)["value"].take());
    unmarked(&mut before) != unmarked(&mut new) && before == new
}

pub(super) fn leaf(node: &[u8]) -> Value {
    json(node)["value"]["content"]["leaf"].clone()
}

fn ids(store: &SimStore, key: &str) -> Value {
    leaf(&store.value(key).expect("it was read"))["ids"].clone()
}

/// Whether a node is written to let a user be found by the name that it is about to get.
pub(super) fn announces(store: &SimStore, key: &str, new: &[u8]) -> bool {
    let new = leaf(new);
    let before = ids(store, key);
    let (Some(before), Some(after)) = (before.as_array(), new["ids"].as_array()) else {
        return false;
    };
    new["moving"] != Value::Array(vec![]) && before.iter().all(|id| after.contains(id))
}
