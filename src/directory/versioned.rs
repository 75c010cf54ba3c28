//! Values that are replaced by swaps only, and that name their last writes.
//!
//! A store may report a swap as failed that took effect. So every value has the numbers of its
//! last writes: a writer that finds its own number there knows that its swap took effect.

use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};

use super::{ATTEMPTS, Error, unknown_members};
use crate::hexadecimal;
use crate::store::{Report, Store};
use crate::user::Version;

/// The format of all such values that this version of the service reads and writes.
const FORMAT: u32 = 1;

/// How a value of this format begins.
const HEAD: &[u8] = b"{\"format\":1,\"writes\":[";

/// How many of its last writes a value names. A writer whose swap was reported as failed finds
/// its write there, unless as many others wrote since.
const REMEMBERED_WRITES: usize = 16;

/// A value as the store keeps it.
#[derive(Deserialize)]
struct Versioned<T> {
    format: u32,
    /// The random numbers of the last writes, the newest first. Every write has
    /// its own, so that no two values of a key are ever equal.
    writes: Vec<Version>,
    value: T,
}

/// The parts of it that readers need.
#[derive(Deserialize)]
struct Current<T> {
    format: u32,
    writes: Vec<IgnoredAny>,
    value: T,
}

impl<T: Serialize + DeserializeOwned> Versioned<T> {
    fn decode(key: &str, bytes: &[u8]) -> Result<Self, Error> {
        match parse::<Self>(bytes) {
            Some(read) if read.format == FORMAT && !read.writes.is_empty() => Ok(read),
            _ => Err(Error::Unreadable(key.to_owned())),
        }
    }

    /// The numbers of the writes, which have nothing to escape, are written as they are: there are many of
    /// them, and to serialize one takes several times the instructions.
    fn encode(&self) -> Vec<u8> {
        // Room for a user.
        let mut text = Vec::with_capacity(1024);
        text.extend_from_slice(HEAD);
        for (place, write) in self.writes.iter().enumerate() {
            text.extend_from_slice(if place == 0 { b"\"" } else { b",\"" });
            text.extend_from_slice(&hexadecimal::digits(write.0));
            text.push(b'"');
        }
        text.extend_from_slice(b"],\"value\":");
        serde_json::to_writer(&mut text, &self.value)
            .expect("values have string keys only and are not recursive");
        text.push(b'}');
        text
    }
}

/// Reads a JSON text. That it is UTF-8 is looked at once, and not at each string in it.
fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    serde_json::from_str(str::from_utf8(bytes).ok()?).ok()
}

/// A stored value as this version would write it, for tests of the format.
#[cfg(test)]
pub(super) fn rewritten<T: Serialize + DeserializeOwned>(stored: &[u8]) -> Result<Vec<u8>, Error> {
    Ok(Versioned::<T>::decode("", stored)?.encode())
}

/// Reads a value.
pub(super) async fn get<S: Store, T: DeserializeOwned>(
    store: &S,
    key: &str,
) -> Result<Option<T>, Error> {
    match store.get(key).await? {
        Some(bytes) => current(key, &bytes).map(Some),
        None => Ok(None),
    }
}

/// Reads a value that there is: where `get` is late and finds none, by a read that is never late.
pub(super) async fn get_existing<S: Store, T: DeserializeOwned>(
    store: &S,
    key: &str,
) -> Result<T, Error> {
    let bytes = match store.get(key).await? {
        None => store.current(key).await?.0,
        found => found,
    };
    current(key, &bytes.unwrap_or_default())
}

fn current<T: DeserializeOwned>(key: &str, bytes: &[u8]) -> Result<T, Error> {
    match parse::<Current<T>>(bytes) {
        Some(current) if current.format == FORMAT && !current.writes.is_empty() => {
            Ok(current.value)
        }
        _ => Err(Error::Unreadable(key.to_owned())),
    }
}

/// Writes the first value of a key that no other request writes.
pub(super) async fn create<S: Store, T: Serialize + DeserializeOwned>(
    store: &S,
    key: &str,
    write: Version,
    value: T,
) -> Result<(), Error> {
    let versioned = Versioned {
        format: FORMAT,
        writes: vec![write],
        value,
    };
    Ok(store.set(key, &versioned.encode()).await?)
}

/// A value, read in order to replace it.
pub(super) struct Loaded<W, T> {
    key: String,
    bytes: Vec<u8>,
    writes: Vec<Version>,
    watch: W,
    pub value: T,
}

/// The outcome of a write.
pub(super) enum Written<W, T> {
    /// It took effect. Other requests may have written since. The value is given if the store's
    /// report made it necessary to read it.
    Done(Option<Loaded<W, T>>),
    /// It has no effect and never will have, as another request wrote first. This is the value now.
    Overtaken(Loaded<W, T>),
    /// So many requests have written since that the outcome is unknown. This is the value now.
    Unknown(Loaded<W, T>),
}

impl<W, T: Serialize + DeserializeOwned> Loaded<W, T> {
    /// Reads the value of `key`, if it has one.
    pub async fn read<S: Store<Watch = W>>(store: &S, key: String) -> Result<Option<Self>, Error> {
        match store.current(&key).await? {
            (None, _) => Ok(None),
            (Some(bytes), watch) => Self::from_parts(key, bytes, watch).map(Some),
        }
    }

    /// Whether the value was not written between these two reads.
    pub fn is_as(&self, other: &Self) -> bool {
        self.writes.first() == other.writes.first()
    }

    fn from_parts(key: String, bytes: Vec<u8>, watch: W) -> Result<Self, Error> {
        let Versioned { writes, value, .. } = Versioned::decode(&key, &bytes)?;
        Ok(Loaded {
            key,
            bytes,
            writes,
            watch,
            value,
        })
    }

    /// Replaces the value by `value`, if nobody has written since it was read. Members that a
    /// newer version of the service wrote are kept. `write` is a random number that was never
    /// used before.
    pub async fn write<S: Store<Watch = W>>(
        mut self,
        store: &S,
        write: Version,
        value: T,
    ) -> Result<Written<W, T>, Error> {
        let understood = Versioned {
            format: FORMAT,
            writes: self.writes,
            value: self.value,
        };
        let last_write = understood.writes[0];
        let mut writes = vec![write];
        writes.extend(understood.writes.iter().take(REMEMBERED_WRITES - 1));
        let replacement = Versioned {
            format: FORMAT,
            writes,
            value,
        };
        let replacement =
            unknown_members::keep(&self.bytes, &understood.encode(), replacement.encode());
        for _ in 0..ATTEMPTS {
            if store.swap(self.watch, &replacement).await? == Report::Swapped {
                return Ok(Written::Done(None));
            }
            // The report may be untrue: only the value tells.
            let (bytes, watch) = store.current(&self.key).await?;
            let bytes = bytes.ok_or_else(|| Error::Unreadable(self.key.clone()))?;
            if bytes == self.bytes {
                self.watch = watch;
                continue;
            }
            let now = Self::from_parts(self.key, bytes, watch)?;
            if now.writes.contains(&write) {
                return Ok(Written::Done(Some(now)));
            }
            // Certain only if the value remembers all writes since ours was tried.
            return Ok(match now.writes.contains(&last_write) {
                true => Written::Overtaken(now),
                false => Written::Unknown(now),
            });
        }
        Err(Error::Contended)
    }
}
