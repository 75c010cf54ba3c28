//! Sabotages of the lists of external ids.

use super::{json, valued};
use crate::operation::{Answer, Operation};
use crate::sabotage::Sabotage::{self, *};
use crate::store::SimStore;

/// Lets an operation happen, broken.
pub fn apply(sabotage: Sabotage, store: &mut SimStore, operation: &Operation) -> Answer {
    let key = operation.key();
    match (sabotage, operation) {
        (ExternalIdUnlisted, Operation::Swap(..)) if key.starts_with("external-ids/") => {
            Answer::Swap(true)
        }
        (CreateFenceSkipped, Operation::Swap(_, value))
            if key.starts_with("user/") && is_unchanged_create(store, key, value) =>
        {
            Answer::Swap(true)
        }
        _ => store.perform(operation),
    }
}

/// Whether the record of a create that is under way is written as it was.
fn is_unchanged_create(store: &SimStore, key: &str, new: &[u8]) -> bool {
    let before = valued(store, key);
    let is_pending = before["state"].get("pending").is_some();
    is_pending && before == json(new)["value"]
}
