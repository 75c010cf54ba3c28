//! Ranges of ids without users, so that a page can step over them.

use super::{Directory, Error, Sizes, number};
use crate::platform::Platform;
use crate::store::Store;

impl Sizes {
    /// The first and the last id of the group that `number` is in.
    pub(super) fn bounds_of_group(self, number: u64) -> (u64, u64) {
        let last = number.next_multiple_of(self.group);
        (last - self.group + 1, last)
    }

    /// The key of the number of ids in a group that have no user any more.
    fn key_of_group(self, number: u64) -> String {
        format!("gone/{}", (number - 1) / self.group)
    }
}

impl<S: Store, P: Platform> Directory<'_, S, P> {
    /// Whether all users of a group were deleted. Not, as far as is known, if the number can't
    /// be read: it only saves time.
    pub(super) async fn group_is_empty(&self, number: u64) -> Result<bool, Error> {
        match number::get(self.store, &self.sizes.key_of_group(number)).await {
            Err(unreadable @ Error::Unreadable(_)) => {
                let line = format!("a group of users is read one by one: {unreadable}");
                self.platform.log_error(&line);
                Ok(false)
            }
            gone => Ok(gone? as u64 >= self.sizes.group),
        }
    }

    /// Counts a deleted user, never twice: a group with users might look empty. A missed count
    /// costs only time.
    pub(super) async fn count_gone(&self, number: u64) {
        let key = self.sizes.key_of_group(number);
        let _ = self.store.increment(&key, 1).await;
    }

    /// Remembers that all records of a group are final, if that is so: `in_a_row` final records
    /// were met up to the last one of this group.
    pub(super) async fn remember_empty(&self, number: u64, in_a_row: u64) {
        let key = self.sizes.key_of_group(number);
        // Some stores break when they add to a value that is no number.
        if in_a_row >= self.sizes.group && number::get(self.store, &key).await.is_ok() {
            // A count above the group's size does no harm.
            let _ = self.store.increment(&key, self.sizes.group as i64).await;
        }
    }
}
