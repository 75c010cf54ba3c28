//! Ranges of ids in which nobody is left, so that a page can step over them.

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

/// Counts, in one group, the ids that name nobody any more.
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

    /// Counts a user who was deleted. Never twice for one: then a group might
    /// pass for empty that is not. To miss one costs time only.
    pub(super) async fn count_gone(&self, number: u64) {
        let _ = self.store.increment(&key(number), 1).await;
    }

    /// Remembers that the records of a whole group are final, if `in_a_row` says so: how many
    /// final records were met, one after the other, up to the last one of this group.
    pub(super) async fn remember_empty(&self, number: u64, in_a_row: u64) {
        let key = key(number);
        // Some stores break when they add to what is no number.
        if in_a_row >= IDS && number::get(self.store, &key).await.is_ok() {
            // More than all is all: counts that come late do no harm.
            let _ = self.store.increment(&key, IDS as i64).await;
        }
    }
}
