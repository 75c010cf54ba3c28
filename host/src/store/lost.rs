//! The moments that will never be on the disk.

use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A moment that never comes. Who rests on something lost rests on this one from then on.
pub(super) const NEVER: u64 = u64::MAX;

/// The moments of the transactions whose commit failed after their writes had been answered.
///
/// Each is a range, from the moment of the transaction to the last one that was given until it
/// was lost: whoever has seen something of it and then something later rests on one of them. So
/// do some who have seen nothing of it, and lose their work needlessly.
#[derive(Debug, Default)]
pub(super) struct Lost {
    is_some: AtomicBool,
    moments: Mutex<Vec<RangeInclusive<u64>>>,
}

impl Lost {
    /// Adds a transaction of this moment. `end` gives a new moment.
    pub fn add(&self, moment: u64, end: impl FnOnce() -> u64) {
        // Open at first: a moment that is given meanwhile may be of somebody who has seen it.
        self.lock().push(moment..=NEVER);
        self.is_some.store(true, Ordering::SeqCst);
        let end = end();
        if let Some(last) = self.lock().last_mut() {
            *last = moment..=end;
        }
    }

    /// Whether what rests on this moment is lost.
    pub fn contains(&self, moment: u64) -> bool {
        if !self.is_some.load(Ordering::SeqCst) {
            return false;
        }
        let moments = self.lock();
        // They are in order. Mostly the moment is after all of them.
        let later = moments.partition_point(|range| *range.end() < moment);
        moment == NEVER
            || moments
                .get(later)
                .is_some_and(|range| range.contains(&moment))
    }

    // A std mutex: nothing is awaited while it is held, nor the disk waited for.
    fn lock(&self) -> MutexGuard<'_, Vec<RangeInclusive<u64>>> {
        self.moments.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_lost_stays_lost() {
        let lost = Lost::default();
        assert!(!lost.contains(5));
        lost.add(5, || {
            // Before it is known where it ends, it has no end.
            assert!(lost.contains(1000));
            7
        });
        lost.add(10, || 10);
        let of: Vec<_> = (1..12).filter(|moment| lost.contains(*moment)).collect();
        assert_eq!(of, [5, 6, 7, 10]);
        assert!(lost.contains(NEVER));
    }
}
