//! How many requests each client made in a minute.
//!
//! A client has one of [`SLOTS`] counters by its hash, and another for odd
//! minutes, so that hosts whose clocks differ don't disturb each other. There are
//! no more keys than that, however many clients come.
//!
//! A request adds one to the count in the low bits and the number of its minute to
//! the sum in the high bits. No count is from a minute to come. So the sum is
//! count × minute if, and only if, all that was counted is of this minute. If it
//! is not, the counter is left from an earlier one, and is deleted: unlike a
//! subtraction, that may happen twice.

use sha2::{Digest, Sha256};

use super::{Directory, Error};
use crate::platform::Platform;
use crate::store::Store;

/// How many counters there are for minutes of one parity. Clients that meet in one
/// share what the limit allows.
const SLOTS: u32 = 1 << 16;

/// The bits of the count. Beyond a million requests in a minute it reaches into
/// the sum, and the client is counted anew.
const COUNT_BITS: u32 = 20;

/// Minutes are numbered modulo this, 8 years, so that a sum of two million of them
/// fits its bits.
const MINUTES: i64 = 1 << 22;

impl<S: Store, P: Platform> Directory<'_, S, P> {
    /// Counts a request of the client that `identity` names, in the minute of that
    /// number, and answers how many it made in that minute. One store operation, and
    /// one more for the first request that meets the counter of an earlier minute.
    pub async fn count_request(&self, identity: &str, minute: i64) -> Result<u64, Error> {
        let minute = minute.rem_euclid(MINUTES);
        let key = key(identity, minute);
        let sum = self
            .store
            .increment(&key, (minute << COUNT_BITS) + 1)
            .await?;
        let count = sum & ((1 << COUNT_BITS) - 1);
        if sum >> COUNT_BITS == count * minute {
            return Ok(count as u64);
        }
        self.store.delete(&key).await?;
        Ok(1)
    }
}

fn key(identity: &str, minute: i64) -> String {
    let hash = Sha256::digest(identity);
    let slot = u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]]) % SLOTS;
    format!("rate/{}/{slot:x}", minute % 2)
}
