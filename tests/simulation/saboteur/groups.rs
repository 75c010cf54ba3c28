//! Sabotages of groups: of their names, and of the lists of their users.

use serde_json::Value;

use super::names::is_unmarking;
use super::{changed, is_fence};
use crate::operation::{Answer, Operation};
use crate::sabotage::Sabotage::{self, *};
use crate::store::SimStore;

/// Lets an operation happen, broken.
pub fn apply(sabotage: Sabotage, store: &mut SimStore, operation: &Operation) -> Answer {
    let key = operation.key();
    let node = key.starts_with("members/");
    match (sabotage, operation) {
        (MemberUnlisted, Operation::Swap(..)) if node => Answer::Swap(true),
        (MemberFenceSkipped, Operation::Swap(_, value))
            if key.starts_with("user/") && is_unmarking(store, key, value) =>
        {
            Answer::Swap(true)
        }
        (MemberHalfLost, Operation::Set(_, value)) if node => {
            let empty = |node: &mut Value| {
                if let Some(leaf) = node["value"]["content"].get_mut("leaf") {
                    leaf["ids"] = Value::Array(vec![]);
                }
            };
            store.perform(&Operation::Set(key.to_owned(), changed(value, empty)))
        }
        (GroupNameClaimSkipped, Operation::Swap(..)) if key.starts_with("group-name/") => {
            Answer::Swap(true)
        }
        (GroupNameFenceSkipped, Operation::Swap(_, value))
            if key.starts_with("group/") && is_fence(store, key, value) =>
        {
            Answer::Swap(true)
        }
        _ => store.perform(operation),
    }
}
