//! Ranges of ids without users, so that a page can step over them.

use super::{Directory, Error, Sizes, number};
use crate::platform::Platform;
use crate::store::Store;

impl Sizes {
    /// The first and the last id of the block that `number` is in.
    pub(super) fn bounds_of_block(self, number: u64) -> (u64, u64) {
        let last = number.next_multiple_of(self.block);
        (last - self.block + 1, last)
    }

    /// The key of the number of ids in a block that have no user any more.
    fn key_of_block(self, number: u64) -> String {
        format!("gone/{}", (number - 1) / self.block)
    }
}

impl<S: Store, P: Platform> Directory<'_, S, P> {
    /// Whether all users of a block were deleted. Not, as far as is known, if the number can't
    /// be read: it only saves time.
    pub(super) async fn block_is_empty(&self, number: u64) -> Result<bool, Error> {
        match number::get(self.store, &self.sizes.key_of_block(number)).await {
            Err(unreadable @ Error::Unreadable(_)) => {
                let line = format!("a block of users is read one by one: {unreadable}");
                self.platform.log_error(&line);
                Ok(false)
            }
            gone => Ok(gone? as u64 >= self.sizes.block),
        }
    }

    /// Steps over the first `count` users, or fewer, by whole blocks. Answers the last id that was passed
    /// and how many users that were. A block may have fewer users than its number tells: then users
    /// come again who were passed, and none is missed. One store operation for each block.
    pub async fn step_over(&self, count: u64) -> Result<(u64, u64), Error> {
        const MAX_BLOCKS: u64 = 1000;
        let size = self.sizes.block;
        let (mut after, mut passed) = (0, 0);
        for _ in 0..MAX_BLOCKS {
            let gone = match number::get(self.store, &self.sizes.key_of_block(after + 1)).await {
                Err(Error::Unreadable(_)) => 0,
                gone => (gone? as u64).min(size),
            };
            if passed + size - gone > count {
                break;
            }
            after += size;
            passed += size - gone;
        }
        Ok((after, passed))
    }

    /// Counts a deleted user, never twice: a block with users might look empty. A missed count
    /// costs only time.
    pub(super) async fn count_gone(&self, number: u64) {
        let key = self.sizes.key_of_block(number);
        let _ = self.store.increment(&key, 1).await;
    }

    /// Remembers that all records of a block are final, if that is so: `in_a_row` final records
    /// were met up to the last one of this block.
    pub(super) async fn remember_empty(&self, number: u64, in_a_row: u64) {
        let key = self.sizes.key_of_block(number);
        // Some stores break when they add to a value that is no number.
        if in_a_row >= self.sizes.block && number::get(self.store, &key).await.is_ok() {
            // A count above the size of a block does no harm.
            let _ = self.store.increment(&key, self.sizes.block as i64).await;
        }
    }
}
