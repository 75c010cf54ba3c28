//! Sabotages of the lists of external ids.

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
        _ => store.perform(operation),
    }
}
