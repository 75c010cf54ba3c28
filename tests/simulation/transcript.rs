//! The store and its operations, as people read them.

use std::fmt;

use crate::operation::{Answer, Operation};
use crate::store::SimStore;

impl SimStore {
    /// An operation with its answer, when the store was as it is.
    pub fn describe(&self, operation: &Operation, answer: &Answer) -> String {
        let key = short(operation.key());
        let value = |value: &[u8]| self.readable(operation.key(), value);
        let (asked, is) = match operation {
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
            Answer::Sum(sum) => value(&self.encode(*sum)),
            Answer::Swap(true) => "swapped".to_owned(),
            Answer::Swap(false) => {
                let Operation::Swap(_, new) = operation else {
                    unreachable!("only swaps are answered so")
                };
                let took_effect = self.value(operation.key()).as_ref() == Some(new);
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

    /// The counter under a key as people read it, and else the text.
    fn readable(&self, key: &str, value: &[u8]) -> String {
        match self.backend.decode(value) {
            Some(0) if is_claimed(key) => "free".to_owned(),
            Some(claim) if is_claimed(key) => {
                format!("user {} by claim {}", claim >> 27, claim & ((1 << 27) - 1))
            }
            Some(number) => number.to_string(),
            None => String::from_utf8_lossy(value).into_owned(),
        }
    }
}

/// One line for each key.
impl fmt::Display for SimStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (key, value) in self.entries() {
            writeln!(f, "  {} = {}", short(key), self.readable(key, value))?;
        }
        Ok(())
    }
}

/// Whether a key is that of a number that names the user who claims something.
fn is_claimed(key: &str) -> bool {
    key.starts_with("email/") || key.starts_with("username/")
}

/// A key without most of a long hash.
fn short(key: &str) -> &str {
    &key[..key.len().min(17)]
}
