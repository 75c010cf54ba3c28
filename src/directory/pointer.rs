//! A number that names, for good, the random key under which a value is kept.
//!
//! A value that is replaced by swaps needs a first write, and a plain write to a key that all
//! requests know could come late and undo other writes. So each request
//! that finds no value writes one under a random key, and a number under the key
//! that all know decides which of them it is.

use super::Error;
use super::number::{self, Number};
use crate::platform::Platform;
use crate::store::Store;

/// The number under `key`; `None` before there is a value.
pub(super) async fn find<S: Store>(store: &S, key: &str) -> Result<Option<i64>, Error> {
    let number = number::get(store, key).await?;
    Ok((number != 0).then_some(number))
}

/// The number under `key`. If there is none, `write` writes the first value
/// under the key of a new number.
pub(super) async fn find_or_make<S: Store>(
    store: &S,
    platform: &impl Platform,
    key: &str,
    write: impl AsyncFnOnce(i64) -> Result<(), Error>,
) -> Result<i64, Error> {
    if let Some(number) = find(store, key).await? {
        return Ok(number);
    }
    let own = draw(platform);
    write(own).await?;
    let pointer = Number::read(store, key.to_owned()).await?;
    if pointer.value != 0 {
        return Ok(pointer.value);
    }
    Ok(match pointer.swap(store, own).await? {
        None => own,
        Some(others) => others.value,
    })
}

/// A random number that a key can be made of, and is not 0.
pub(super) fn draw(platform: &impl Platform) -> i64 {
    (platform.random() as i64 & (number::LIMIT - 1)).max(1)
}
