//! Ranges of ids without users, so that a page can step over them.

use super::{Directory, Error, number};
use crate::platform::Platform;
use crate::store::Store;

/// How many ids a group has.
const IDS: u64 = 256;

/// The first and the last id of the group that `number` is in.
pub(super) fn bounds(number: u64) -> (u64, u64) {
    let last = number.next_multiple_of(IDS);
    (last - IDS + 1, last)
}

/// The key of the number of ids in a group that have no user any more.
fn key(number: u64) -> String {
    format!("gone/{}", (number - 1) / IDS)
}

impl<S: Store, P: Platform> Directory<'_, S, P> {
    /// Whether all users of a group were deleted. Not, as far as is known, if the number can't
    /// be read: it only saves time.
    pub(super) async fn group_is_empty(&self, number: u64) -> Result<bool, Error> {
        match number::get(self.store, &key(number)).await {
            Err(unreadable @ Error::Unreadable(_)) => {
                let line = format!("a group of users is read one by one: {unreadable}");
                self.platform.log_error(&line);
                Ok(false)
            }
            gone => Ok(gone? as u64 >= IDS),
        }
    }

    /// Counts a deleted user, never twice: a group with users might look empty. A missed count
    /// costs only time.
    pub(super) async fn count_gone(&self, number: u64) {
        let _ = self.store.increment(&key(number), 1).await;
    }

    /// Remembers that all records of a group are final, if that is so: `in_a_row` final records
    /// were met up to the last one of this group.
    pub(super) async fn remember_empty(&self, number: u64, in_a_row: u64) {
        let key = key(number);
        // Some stores break when they add to a value that is no number.
        if in_a_row >= IDS && number::get(self.store, &key).await.is_ok() {
            // A count above the group's size does no harm.
            let _ = self.store.increment(&key, IDS as i64).await;
        }
    }
}
