//! A cell that names, for good, the random key under which a value is kept.
//!
//! A value that is replaced by swaps needs a first write, and a plain write to a
//! key that all know could come late and undo what others wrote. So each who
//! finds none writes one under a random key, and the cell decides which it is.

use super::Error;
use super::number::{self, Number};
use crate::platform::Platform;
use crate::store::Store;

/// The number in the cell; `None` before there is a value.
pub(super) async fn find<S: Store>(store: &S, cell: &str) -> Result<Option<i64>, Error> {
    let number = number::get(store, cell).await?;
    Ok((number != 0).then_some(number))
}

/// The number in the cell. If there is none, `write` writes the first value
/// under the key of a new number.
pub(super) async fn find_or_make<S: Store>(
    store: &S,
    platform: &impl Platform,
    cell: &str,
    write: impl AsyncFnOnce(i64) -> Result<(), Error>,
) -> Result<i64, Error> {
    if let Some(number) = find(store, cell).await? {
        return Ok(number);
    }
    let own = draw(platform);
    write(own).await?;
    let cell = Number::read(store, cell.to_owned()).await?;
    if cell.number != 0 {
        return Ok(cell.number);
    }
    Ok(match cell.swap(store, own).await? {
        None => own,
        Some(others) => others.number,
    })
}

/// A random number that fits into a cell, and is not 0.
pub(super) fn draw(platform: &impl Platform) -> i64 {
    (platform.random() as i64 & (number::LIMIT - 1)).max(1)
}
