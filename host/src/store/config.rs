//! Where a store is kept.

use std::fmt;

use super::redis::Server;
use super::sqlite::Location;

/// The backend of a store. Labels with an equal one share it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum StoreConfig {
    /// A SQLite database, which Spin's type `spin` is.
    Sqlite(Location),
    /// A database of a Redis server: the type `redis`.
    Redis(Server),
}

/// Ends the sentence "Storing default key-value data to …".
impl fmt::Display for StoreConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(Location::File(path)) => write!(f, "{path:?}"),
            Self::Sqlite(Location::Memory) => f.write_str("a temporary in-memory store"),
            Self::Redis(server) => write!(f, "{server}"),
        }
    }
}
