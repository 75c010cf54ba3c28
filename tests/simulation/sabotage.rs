//! The protocol, or the store under it, with one thing broken. The simulation
//! must notice each; if it does not, it proves nothing.
//!
//! What is broken is broken at the store: a step that the protocol takes is
//! left out, changed, or put off there. It knows the protocol's keys and
//! records for that, which nothing else in the simulation does.

use edge_users::store::StoreError;
use serde_json::{Value, json};

use crate::client::Port;
use crate::operation::{Answer, Operation};
use crate::store::{Backend, SimStore};

/// What is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sabotage {
    ClaimSkipped,
    ClaimSet,
    ClaimUnverified,
    ClaimLate,
    RecordSet,
    RecordUnverified,
    OwnWriteUnknown,
    FenceSkipped,
    HolderIgnored,
    ReleaseOfOthers,
    PendingSkipped,
    LateSet,
    AbsentKeySwapped,
    IncrementInTwoSteps,
    CosmosSum,
    CosmosCreation,
    LedgerSkipped,
    LedgerSet,
    SlotSkipped,
    SlotSet,
    LinksIgnored,
    KeyDropped,
    PendingIgnored,
    PendingKept,
    FirstIgnored,
}

use Sabotage::*;

/// All that is broken, what it is, and why it can't stay unnoticed.
pub const ALL: [(Sabotage, &str, &str); 25] = [
    (
        ClaimSkipped,
        "the claim on an email is skipped",
        "two users can have one email",
    ),
    (
        ClaimSet,
        "the claim is a set, not a swap",
        "a slow claimant overwrites the claim of a user who holds the email",
    ),
    (
        ClaimUnverified,
        "the claim's swap is taken for done, whatever became of it",
        "both of two claimants go on to write their records",
    ),
    (
        ClaimLate,
        "the record is written before the claim",
        "two users have the email until one claim fails",
    ),
    (
        RecordSet,
        "a record is set, not swapped",
        "one of two updates is lost, and a deleted user comes back",
    ),
    (
        RecordUnverified,
        "a record's swap is taken for done, whatever became of it",
        "an update is answered 200 and was not made",
    ),
    (
        OwnWriteUnknown,
        "the report that a swap failed is believed: the writer does not find its own write",
        "an update is made twice, a delete that was made is answered 404",
    ),
    (
        FenceSkipped,
        "a claim is superseded without raising the number in the claimant's record",
        "a claimant that was slow writes its record all the same",
    ),
    (
        HolderIgnored,
        "a claim is superseded though its user holds the email",
        "two users have one email",
    ),
    (
        ReleaseOfOthers,
        "an email is released whoever has the claim by now",
        "the holder can't be found, and its email is given away",
    ),
    (
        PendingSkipped,
        "a create claims without a record",
        "there is nothing on which a claim could rest",
    ),
    (
        LateSet,
        "a plain set comes a second time, after the swap that followed it",
        "the user who was created is gone",
    ),
    (
        AbsentKeySwapped,
        "a claim swaps a key that is absent",
        "on SQLite it overwrites what came there meanwhile",
    ),
    (
        IncrementInTwoSteps,
        "an increment reads and then writes",
        "two creates get one id",
    ),
    (
        CosmosSum,
        "an increment adds and then reads the sum, as Spin's on Cosmos DB",
        "two creates get one id",
    ),
    (
        CosmosCreation,
        "who loses the race to create a counter is told that it won, as by Spin on Cosmos DB",
        "two creates get one id",
    ),
    (
        LedgerSkipped,
        "a delete is not written into the ledger",
        "X-Total-Count stays too high",
    ),
    (
        LedgerSet,
        "the ledger is set, not swapped",
        "of two deletes one is not counted",
    ),
    (
        SlotSkipped,
        "a create does not enter the slot of its key",
        "a repeat makes another user",
    ),
    (
        SlotSet,
        "the slot is set, not swapped",
        "of two creates with one key, neither sees the other",
    ),
    (
        LinksIgnored,
        "of the creates with keys of one slot only the newest is seen",
        "a repeat of an older one makes another user",
    ),
    (
        KeyDropped,
        "a change of a user forgets the key",
        "a repeat makes another user",
    ),
    (
        PendingIgnored,
        "a create that runs is taken for dead, and nothing is done to end it",
        "it makes a user after all, and the repeat another",
    ),
    (
        PendingKept,
        "a create that died is waited for",
        "its key can never be used",
    ),
    (
        FirstIgnored,
        "a repeat is answered with the user as it is",
        "a client gets what it did not ask for",
    ),
];

impl Sabotage {
    /// Where it does harm.
    pub fn backends(self) -> &'static [Backend] {
        match self {
            AbsentKeySwapped => &[Backend::Sqlite],
            // SQLite tells of each swap what became of it.
            OwnWriteUnknown => &[Backend::Redis, Backend::DynamoDb],
            _ => &Backend::ALL,
        }
    }

    /// Whether it takes creates with keys to notice.
    pub fn concerns_keys(self) -> bool {
        matches!(
            self,
            SlotSkipped
                | SlotSet
                | LinksIgnored
                | KeyDropped
                | PendingIgnored
                | PendingKept
                | FirstIgnored
        )
    }

    /// Lets an operation happen, broken.
    pub fn apply(self, store: &mut SimStore, client: usize, operation: &Operation) -> Answer {
        let key = operation.key().to_owned();
        let (claim, record) = (key.starts_with("email/"), key.starts_with("user/"));
        let slot = key.starts_with("idempotency/");
        match (self, operation) {
            (ClaimSkipped, Operation::Swap(..)) if claim => Answer::Swap(true),
            (ClaimSet, Operation::Swap(_, value)) if claim => set(store, &key, value),
            (ReleaseOfOthers, Operation::Swap(_, value)) if claim && is_free(store, value) => {
                set(store, &key, value)
            }
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
            (SlotSkipped, Operation::Swap(..)) if slot => Answer::Swap(true),
            (SlotSet, Operation::Swap(_, value)) if slot => set(store, &key, value),
            (LinksIgnored, Operation::Get(_)) if record => {
                edited(store.perform(operation), |record| {
                    if let Some(entry) = record["value"].get_mut("idempotency") {
                        entry["links"] = json!([]);
                    }
                })
            }
            (KeyDropped, Operation::Current(_)) if record => {
                edited(store.perform(operation), |record| {
                    record["value"]["idempotency"] = Value::Null;
                })
            }
            (PendingIgnored, Operation::Get(_)) if record => {
                edited(store.perform(operation), |record| {
                    let state = &mut record["value"]["state"];
                    if state.get("pending").is_some() {
                        *state = "void".into();
                    }
                })
            }
            (PendingKept, Operation::Get(_)) if record => {
                edited(store.perform(operation), |record| {
                    if let Some(pending) = record["value"]["state"].get_mut("pending") {
                        pending["created_at"] = (i64::MAX / 2).into();
                    }
                })
            }
            (FirstIgnored, Operation::Get(_)) if record => {
                edited(store.perform(operation), |record| {
                    if let Some(live) = record["value"]["state"].get_mut("live") {
                        live["first"] = Value::Null;
                    }
                })
            }
            (PendingSkipped, Operation::Set(_, value)) if is_pending(value) => Answer::Done,
            (ClaimLate, Operation::Swap(_, value)) if claim && !is_free(store, value) => {
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

fn parse(record: &[u8]) -> Value {
    serde_json::from_slice(record).expect("records are JSON")
}

fn is_pending(record: &[u8]) -> bool {
    parse(record)["value"]["state"].get("pending").is_some()
}

/// Whether a record is written only to count a claim that was given up.
fn is_fence(store: &SimStore, key: &str, new: &[u8]) -> bool {
    let before = &parse(&store.value(key).expect("it was read"))["value"];
    let new = &parse(new)["value"];
    before["state"] == new["state"] && before["claims"] != new["claims"]
}

fn last_write(record: &[u8]) -> String {
    parse(record)["writes"][0]
        .as_str()
        .expect("records list writes")
        .to_owned()
}

fn edited(answer: Answer, edit: impl Fn(&mut Value)) -> Answer {
    let edited = |value: &[u8]| {
        let mut record = parse(value);
        edit(&mut record);
        Some(record.to_string().into_bytes())
    };
    match answer {
        Answer::Watched(Some(value), watch) => Answer::Watched(edited(&value), watch),
        Answer::Value(Some(value)) => Answer::Value(edited(&value)),
        answer => answer,
    }
}
