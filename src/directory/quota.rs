//! The number of requests of each client in a minute.
//!
//! A client has one of [`SLOTS`] counters for even minutes, by its hash, and one for odd minutes,
//! so that hosts whose clocks differ by less than a minute don't delete each other's. The number
//! of keys does not grow with the number of clients.
//!
//! A request increments its counter by 1 in the low bits, the count, and by the number of its
//! minute in the high bits, the sum. Nothing is counted in advance. So the sum equals
//! count × minute if and only if all counted requests are of this minute: one increment both
//! counts a request and tells whether the counter is fresh. A counter of an earlier minute is
//! deleted. A delete may happen twice without harm; a correction by subtraction may not. Without
//! deletes it could not work: a bounded number of keys holds only so many sums, and the part of a
//! sum from earlier minutes could not be distinguished.
//!
//! Errors: a request that is counted while another request deletes the counter is lost, and two
//! clients with one counter share the limit.

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
