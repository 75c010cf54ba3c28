//! The operations of a store, and its answers.

/// One operation, as a client asks for it.
#[derive(Clone, Debug)]
pub enum Operation {
    Get(String),
    Set(String, Vec<u8>),
    Delete(String),
    Increment(String, i64),
    Current(String),
    Swap(Watch, Vec<u8>),
    /// Only for sabotages: read a counter,
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
}

/// The answer of the store.
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

/// The state that a swap compares with.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Watch {
    pub key: String,
    pub value: Option<Vec<u8>>,
    pub stamp: Option<u64>,
}
