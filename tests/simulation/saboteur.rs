//! How the protocol is broken: at the store. A step that it takes is left out,
//! changed, or put off there. That takes the protocol's keys and records, which
//! nothing else in the simulation knows.

mod attributes;
mod external_ids;
mod groups;
mod names;
mod updates;
mod usernames;
mod words;

use edge_users::store::StoreError;
use serde_json::{Value, json};

use crate::client::Port;
use crate::operation::{Answer, Operation, Watch};
use crate::sabotage::Sabotage::{self, *};
use crate::store::SimStore;

impl Sabotage {
    /// Lets an operation happen, broken.
    pub fn apply(self, store: &mut SimStore, client: usize, operation: &Operation) -> Answer {
        if self.concerns_names() {
            return names::apply(self, store, operation);
        }
        if self.concerns_external_ids() {
            return external_ids::apply(self, store, operation);
        }
        if self.concerns_groups() {
            return groups::apply(self, store, operation);
        }
        if self.concerns_words() || self.concerns_group_words() {
            return words::apply(self, store, operation);
        }
        if self.concerns_attributes() {
            return attributes::apply(self, store, operation);
        }
        if self.concerns_updates() {
            return updates::apply(self, store, operation);
        }
        if self.concerns_usernames() {
            return usernames::apply(self, store, client, operation);
        }
        let key = operation.key().to_owned();
        let (claim, record) = (key.starts_with("email/"), key.starts_with("user/"));
        let key_claim = key.starts_with("idempotency/");
        match (self, operation) {
            (ClaimSkipped, Operation::Swap(..)) if claim => Answer::Swap(true),
            (ClaimSet, Operation::Swap(_, value)) if claim => set(store, &key, value),
            (RecordSet, Operation::Swap(_, value)) if record => set(store, &key, value),
            (ClaimUnverified, Operation::Swap(..)) if claim => {
                store.perform(operation);
                Answer::Swap(true)
            }
            (RecordUnverified, Operation::Swap(..)) if record => {
                store.perform(operation);
                Answer::Swap(true)
            }
            (FenceSkipped, Operation::Swap(_, value)) if record && is_fence(store, &key, value) => {
                Answer::Swap(true)
            }
            (LedgerSkipped, Operation::Swap(..)) if key.starts_with("census/") => {
                Answer::Swap(true)
            }
            (LedgerSet, Operation::Swap(_, value)) if key.starts_with("census/") => {
                set(store, &key, value)
            }
            (KeyClaimSkipped, Operation::Swap(..)) if key_claim => Answer::Swap(true),
            (KeyClaimSet, Operation::Swap(_, value)) if key_claim => set(store, &key, value),
            (KeyClaimUnverified, Operation::Swap(..)) if key_claim => {
                store.perform(operation);
                Answer::Swap(true)
            }
            (KeyDropped, Operation::Current(_)) if record => {
                edited(store.perform(operation), |record| {
                    if let Some(live) = record["value"]["state"].get_mut("live") {
                        live["first"] = Value::Null;
                    }
                })
            }
            (PendingIgnored, Operation::Set(..)) if record => {
                store.written.push((client, key));
                store.perform(operation)
            }
            (PendingIgnored, Operation::Current(_))
                if record && !store.written.contains(&(client, key.clone())) =>
            {
                edited(store.perform(operation), |record| {
                    let state = &mut record["value"]["state"];
                    if state.get("pending").is_some() {
                        *state = "void".into();
                    }
                })
            }
            (PendingKept, Operation::Current(_)) if record => {
                let now = store.now;
                edited(store.perform(operation), |record| {
                    if let Some(pending) = record["value"]["state"].get_mut("pending") {
                        pending["created_at"] = now.into();
                    }
                })
            }
            (FirstIgnored, Operation::Current(_)) if record => {
                edited(store.perform(operation), |record| {
                    let Some(live) = record["value"]["state"].get_mut("live") else {
                        return;
                    };
                    let version = live["version"].clone();
                    if let Some(first) = live.get_mut("first") {
                        first["version"] = version;
                    }
                })
            }
            (ClaimUncounted, Operation::Swap(watch, value))
                if record && is_live(value) && !is_fence(store, &key, value) =>
            {
                let before = valued(store, &key)["claims"].clone();
                let mut record = json(value);
                record["value"]["claims"] = before;
                perform_swap(store, watch, record)
            }
            (VoidSkipped | GivingUpSkipped, Operation::Set(..)) if record => {
                store.written.push((client, key));
                store.perform(operation)
            }
            (VoidSkipped | GivingUpSkipped, Operation::Swap(_, value))
                if record && is_void(value) =>
            {
                let own = store.written.contains(&(client, key));
                match own == (self == VoidSkipped) {
                    true => Answer::Swap(true),
                    false => store.perform(operation),
                }
            }
            (LedgerUncounted, Operation::Swap(watch, value)) if key.starts_with("census/") => {
                let before = valued(store, &key)["deleted"].clone();
                let mut ledger = json(value);
                ledger["value"]["deleted"] = before;
                perform_swap(store, watch, ledger)
            }
            (WithdrawalSkipped, Operation::Swap(_, value))
                if key.starts_with("census/") && is_withdrawal(store, &key, value) =>
            {
                Answer::Swap(true)
            }
            (ClearingUnfenced, Operation::Swap(_, value))
                if record && valued(store, &key) == json(value)["value"] =>
            {
                Answer::Swap(true)
            }
            (GroupUncounted, Operation::Increment(_, 1)) if key.starts_with("gone/") => {
                Answer::Sum(0)
            }
            (GroupCountedTwice, Operation::Increment(..)) if key.starts_with("gone/") => {
                store.perform(operation);
                store.perform(operation)
            }
            (GroupForgotten, Operation::Increment(_, 2..)) if key.starts_with("gone/") => {
                Answer::Sum(0)
            }
            (PendingSkipped, Operation::Set(_, value)) if is_pending(value) => Answer::Done,
            (ClaimLate, Operation::Swap(..)) if claim => {
                store.deferred.push((client, operation.clone()));
                Answer::Swap(true)
            }
            (LateSet, Operation::Set(..)) if record => {
                store.deferred.push((client, operation.clone()));
                store.perform(operation)
            }
            (ClaimLate | LateSet, Operation::Swap(..)) if record => {
                let answer = store.perform(operation);
                let deferred = std::mem::take(&mut store.deferred);
                for (whose, late) in deferred {
                    match whose == client {
                        true => drop(store.perform(&late)),
                        false => store.deferred.push((whose, late)),
                    }
                }
                answer
            }
            (OwnWriteUnknown, Operation::Swap(_, value)) if record => {
                let answer = store.perform(operation);
                if store.value(&key).as_ref() == Some(value) {
                    store.written.push((client, last_write(value)));
                }
                answer
            }
            (OwnWriteUnknown, Operation::Current(_)) if record => {
                let own: Vec<_> = store
                    .written
                    .iter()
                    .filter(|(whose, _)| *whose == client)
                    .cloned()
                    .collect();
                edited(store.perform(operation), |record| {
                    let writes = record["writes"]
                        .as_array_mut()
                        .expect("records list writes");
                    writes.retain(|write| !own.iter().any(|(_, own)| write == own.as_str()));
                })
            }
            (HolderIgnored, Operation::Current(_)) if record => {
                // The record that is read right after a claim is the claimant's.
                let after_claim = store.written.contains(&(client, String::new()));
                store.written.retain(|(whose, _)| *whose != client);
                let answer = store.perform(operation);
                match after_claim {
                    true => edited(answer, |record| record["value"]["state"] = "void".into()),
                    false => answer,
                }
            }
            (HolderIgnored, _) => {
                store.written.retain(|(whose, _)| *whose != client);
                let answer = store.perform(operation);
                let claimed = match &answer {
                    Answer::Watched(Some(value), _) => !is_free(store, value),
                    Answer::Sum(sum) => *sum != 0,
                    _ => false,
                };
                if claim && claimed {
                    store.written.push((client, String::new()));
                }
                answer
            }
            (AbsentKeySwapped, Operation::Increment(_, 0)) if store.value(&key).is_none() => {
                Answer::Sum(0)
            }
            (AbsentKeySwapped, Operation::Current(_)) if claim => match store.perform(operation) {
                Answer::Watched(None, watch) => Answer::Watched(Some(store.encode(0)), watch),
                answer => answer,
            },
            _ => store.perform(operation),
        }
    }

    /// Whether an increment takes several operations.
    pub fn splits_increment(self) -> bool {
        matches!(self, IncrementInTwoSteps | CosmosSum | CosmosCreation)
    }

    /// An increment in several operations.
    pub async fn increment(self, port: &Port, key: &str, delta: i64) -> Result<i64, StoreError> {
        let key = || key.to_owned();
        let sum = match self {
            IncrementInTwoSteps => {
                let before = number(port.call(Operation::Count(key())).await?);
                let sum = before.unwrap_or(0) + delta;
                port.call(Operation::Overwrite(key(), sum)).await?;
                return Ok(sum);
            }
            CosmosCreation => match number(port.call(Operation::Count(key())).await?) {
                None => {
                    port.call(Operation::Create(key(), delta)).await?;
                    return Ok(delta);
                }
                Some(_) => port.call(Operation::Increment(key(), delta)).await?,
            },
            _ => {
                port.call(Operation::Increment(key(), delta)).await?;
                port.call(Operation::Count(key())).await?
            }
        };
        Ok(number(sum).expect("it was counted just now"))
    }
}

fn number(answer: Answer) -> Option<i64> {
    match answer {
        Answer::Sum(sum) => Some(sum),
        _ => None,
    }
}

fn set(store: &mut SimStore, key: &str, value: &[u8]) -> Answer {
    store.perform(&Operation::Set(key.to_owned(), value.to_owned()));
    Answer::Swap(true)
}

fn is_free(store: &SimStore, cell: &[u8]) -> bool {
    cell == store.encode(0)
}

fn json(record: &[u8]) -> Value {
    serde_json::from_slice(record).expect("records are JSON")
}

/// The value of a key, without the list of its writes.
fn valued(store: &SimStore, key: &str) -> Value {
    json(&store.value(key).expect("it was read"))["value"].take()
}

fn perform_swap(store: &mut SimStore, watch: &Watch, value: Value) -> Answer {
    let value = value.to_string().into_bytes();
    store.perform(&Operation::Swap(watch.clone(), value))
}

fn is_live(record: &[u8]) -> bool {
    json(record)["value"]["state"].get("live").is_some()
}

fn is_void(record: &[u8]) -> bool {
    json(record)["value"]["state"] == "void"
}

/// Whether a ledger is written only to take an entry out.
fn is_withdrawal(store: &SimStore, key: &str, new: &[u8]) -> bool {
    let (mut before, mut new) = (valued(store, key), json(new)["value"].take());
    let leaving = |ledger: &mut Value| ledger["leaving"].take().as_array().map(Vec::len);
    leaving(&mut new) < leaving(&mut before) && new == before
}

fn is_pending(record: &[u8]) -> bool {
    json(record)["value"]["state"].get("pending").is_some()
}

/// Whether a record is written only to count a claim that was given up.
fn is_fence(store: &SimStore, key: &str, new: &[u8]) -> bool {
    let before = valued(store, key);
    let new = &json(new)["value"];
    before["state"] == new["state"] && before["claims"] != new["claims"]
}

fn last_write(record: &[u8]) -> String {
    json(record)["writes"][0]
        .as_str()
        .expect("records list writes")
        .to_owned()
}

fn changed(value: &[u8], change: impl Fn(&mut Value)) -> Vec<u8> {
    let mut value = json(value);
    change(&mut value);
    value.to_string().into_bytes()
}

fn edited(answer: Answer, edit: impl Fn(&mut Value)) -> Answer {
    match answer {
        Answer::Watched(Some(value), watch) => Answer::Watched(Some(changed(&value, edit)), watch),
        Answer::Value(Some(value)) => Answer::Value(Some(changed(&value, edit))),
        answer => answer,
    }
}
