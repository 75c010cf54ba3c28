//! The operations of a store: what the service asks, and what it is answered.

use crate::store::{SimStore, short};

/// One operation, as a client asks for it.
#[derive(Clone, Debug)]
pub enum Operation {
    Get(String),
    Set(String, Vec<u8>),
    Delete(String),
    Increment(String, i64),
    Current(String),
    Swap(Watch, Vec<u8>),
    /// What only broken stores do: read a counter,
    Count(String),
    /// write it, whatever it was,
    Overwrite(String, i64),
    /// and write it if there is none.
    Create(String, i64),
}

impl Operation {
    /// Whether it may change the store.
    pub fn writes(&self) -> bool {
        !matches!(
            self,
            Operation::Get(_) | Operation::Current(_) | Operation::Count(_)
        )
    }

    /// The key that it is about.
    pub fn key(&self) -> &str {
        match self {
            Operation::Get(key) | Operation::Set(key, _) => key,
            Operation::Delete(key) => key,
            Operation::Increment(key, _) | Operation::Current(key) | Operation::Count(key) => key,
            Operation::Overwrite(key, _) | Operation::Create(key, _) => key,
            Operation::Swap(watch, _) => &watch.key,
        }
    }

    /// The operation with its answer, for people; `store` is as it was then.
    pub fn describe(&self, store: &SimStore, answer: &Answer) -> String {
        let key = short(self.key());
        let value = |value: &[u8]| store.readable(self.key(), value);
        let (asked, is) = match self {
            Operation::Get(_) => ("get", String::new()),
            Operation::Current(_) => ("current", String::new()),
            Operation::Set(_, new) => ("set", format!(" to {}", value(new))),
            Operation::Swap(_, new) => ("swap", format!(" to {}", value(new))),
            Operation::Delete(_) => ("delete", String::new()),
            Operation::Increment(_, delta) => ("increment", format!(" by {delta}")),
            Operation::Count(_) => ("count", String::new()),
            Operation::Overwrite(_, number) => ("overwrite", format!(" with {number}")),
            Operation::Create(_, number) => ("create", format!(" as {number}")),
        };
        let answered = match answer {
            Answer::Value(Some(found)) | Answer::Watched(Some(found), _) => value(found),
            Answer::Value(None) | Answer::Watched(None, _) => "none".to_owned(),
            Answer::Done => "done".to_owned(),
            Answer::Sum(sum) => value(&store.encode(*sum)),
            Answer::Swap(true) => "swapped".to_owned(),
            Answer::Swap(false) => {
                let Operation::Swap(_, new) = self else {
                    unreachable!("only swaps are answered so")
                };
                let took_effect = store.value(self.key()).as_ref() == Some(new);
                let effect = if took_effect {
                    "took effect"
                } else {
                    "did not"
                };
                format!("unsure, {effect}")
            }
            Answer::Failed => "…".to_owned(),
        };
        format!("{asked} {key}{is} → {answered}")
    }
}

/// What the store answers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    Value(Option<Vec<u8>>),
    Done,
    Sum(i64),
    Watched(Option<Vec<u8>>, Watch),
    /// Of a swap, whether the store says that it happened.
    Swap(bool),
    Failed,
}

/// What a swap compares with.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Watch {
    pub key: String,
    pub value: Option<Vec<u8>>,
    pub stamp: Option<u64>,
}
