//! Which of Spin's key-value stores is simulated.

/// The manners of a backend: of Spin's key-value stores, versions 3.6 to 4.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Backend {
    /// A swap compares values. Of a key that was absent it overwrites what it finds.
    Sqlite,
    /// A swap happens if nothing at all was written since, and is always reported as failed.
    Redis,
    /// A swap compares the versions that swaps count, and values where there is no version.
    /// A swap whose call fails is reported as lost, not as an error.
    DynamoDb,
}

impl Backend {
    /// All of them.
    pub const ALL: [Backend; 3] = [Backend::Sqlite, Backend::Redis, Backend::DynamoDb];

    /// A number as a counter's value.
    pub fn encode(self, number: i64) -> Vec<u8> {
        match self {
            Backend::Sqlite => number.to_le_bytes().to_vec(),
            Backend::Redis | Backend::DynamoDb => number.to_string().into_bytes(),
        }
    }

    /// The number that a value is, if it is a counter's.
    pub fn decode(self, value: &[u8]) -> Option<i64> {
        match self {
            Backend::Sqlite => value.try_into().ok().map(i64::from_le_bytes),
            _ => std::str::from_utf8(value).ok()?.parse().ok(),
        }
    }
}
