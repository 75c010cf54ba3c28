//! Sabotages of the claims on usernames.

use super::{changed, is_fence, json, valued};
use crate::operation::{Answer, Operation};
use crate::sabotage::Sabotage::{self, *};
use crate::store::SimStore;

/// Lets an operation of a client happen, broken.
pub fn apply(
    sabotage: Sabotage,
    store: &mut SimStore,
    client: usize,
    operation: &Operation,
) -> Answer {
    let key = operation.key();
    let (claim, record) = (key.starts_with("username/"), key.starts_with("user/"));
    match (sabotage, operation) {
        (UsernameClaimSkipped, Operation::Swap(..)) if claim => Answer::Swap(true),
        (UsernameUnconfirmed, Operation::Swap(watch, value)) if record => {
            let unconfirmed = changed(value, |record| {
                if let Some(live) = record["value"]["state"].get_mut("live") {
                    live["username_claim"] = serde_json::Value::Null;
                }
            });
            store.perform(&Operation::Swap(watch.clone(), unconfirmed))
        }
        // A newcomer who wants an email raises the number by one.
        (UsernameFenceSkipped, Operation::Swap(_, value))
            if record && is_fence(store, key, value) && raised(store, key, value) == 2 =>
        {
            Answer::Swap(true)
        }
        (UsernameNumberShared, Operation::Swap(watch, value)) => {
            let email = (client, "email".to_owned());
            if key.starts_with("email/") {
                store.written.push((client, "email".to_owned()));
            }
            let lower = (claim || record) && !store.written.contains(&email);
            if record {
                store.written.retain(|written| *written != email);
            }
            let value = match lower {
                false => value.clone(),
                true if claim => store.count_down(value),
                true => lowered(store, key, value),
            };
            store.perform(&Operation::Swap(watch.clone(), value))
        }
        _ => store.perform(operation),
    }
}

/// By how much a record counts more claims than before.
fn raised(store: &SimStore, key: &str, new: &[u8]) -> u64 {
    let claims = |record: &serde_json::Value| record["claims"].as_u64().unwrap_or(0);
    claims(&json(new)["value"]) - claims(&valued(store, key))
}

/// A record whose user gets a username, with the number before the one that it has.
fn lowered(store: &SimStore, key: &str, new: &[u8]) -> Vec<u8> {
    let claims = |record: &serde_json::Value| record["claims"].as_u64().unwrap_or(0);
    let before = claims(&valued(store, key));
    changed(new, |record| {
        let value = &mut record["value"];
        let number = value["state"]["live"]["username_claim"].as_u64();
        if number == Some(before + 2) {
            value["state"]["live"]["username_claim"] = (before + 1).into();
            value["claims"] = (before + 1).into();
        }
    })
}
