//! Room for requests: places to run in, and memory.
//!
//! Both are bounded for the host as a whole: connections, requests, and the bytes of instances,
//! requests and responses. A request that finds no room waits for it.
//! While one waits, `serve::connections` gives up requests that only wait for their
//! clients.
//!
//! A component that calls another one keeps its place and its memory while it waits. So that
//! callers can't fill all room and wait for each other, requests to components that may call
//! others have places of their own, a quarter of all, and so have calls, for each depth half of
//! those before: who waits at one depth waits for the next depth alone, and there is always room
//! for requests that wait for nobody.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use crate::log::Seldom;
use crate::telemetry::metrics::Usage;

/// Memory is counted in units of so many bytes.
const UNIT: usize = 1 << 10;

/// A part of the room. It is free again when this is dropped.
pub type Share = OwnedSemaphorePermit;

/// How deep components may call each other; the component that a client calls is at depth 0.
pub const MAX_DEPTH: usize = 8;

/// The room of a host.
#[derive(Debug)]
pub struct Room {
    places: Arc<Semaphore>,
    /// For callers and for calls, by depth.
    chained_places: Vec<Arc<Semaphore>>,
    memory: Arc<Semaphore>,
    /// All memory, in units.
    max_memory: usize,
    /// How many requests wait for a place or for memory.
    waiting: AtomicUsize,
    shortage: Notify,
    refusals: Mutex<Seldom>,
}

impl Room {
    /// For so many requests at the same time, which hold so many bytes together.
    pub fn new(places: usize, memory: usize) -> Arc<Self> {
        let max_memory = (memory / UNIT).min(Semaphore::MAX_PERMITS);
        let semaphore = |places| Arc::new(Semaphore::new(places));
        let chained = (0..=MAX_DEPTH).map(|depth| (places >> (depth + 2)).max(1));
        Arc::new(Self {
            places: semaphore(places),
            chained_places: chained.map(semaphore).collect(),
            memory: Arc::new(Semaphore::new(max_memory)),
            max_memory,
            waiting: AtomicUsize::new(0),
            shortage: Notify::new(),
            refusals: Mutex::default(),
        })
    }

    /// A place, as soon as there is one: for a client's request, at depth 0, or for a call at its
    /// depth, which is [`MAX_DEPTH`] at most.
    pub async fn place(&self, depth: usize, may_call: bool) -> Share {
        let places = if depth == 0 && !may_call {
            &self.places
        } else {
            &self.chained_places[depth]
        };
        self.wait_for(places, 1).await
    }

    /// So many bytes, as soon as they are free. Requests are served in the order of their calls.
    pub async fn memory(&self, bytes: usize) -> Share {
        self.wait_for(&self.memory, self.units(bytes)).await
    }

    /// So many bytes, if they are free.
    pub fn try_memory(&self, bytes: usize) -> Option<Share> {
        let memory = self.memory.clone();
        memory.try_acquire_many_owned(self.units(bytes)).ok()
    }

    /// How much of it is used.
    pub fn usage(&self) -> Usage {
        let free = self.memory.available_permits();
        Usage {
            waiting: self.waiting.load(Ordering::Relaxed),
            memory: (self.max_memory - free) * UNIT,
            max_memory: self.max_memory * UNIT,
        }
    }

    /// Whether a refusal of memory is to be reported: refusals may be frequent.
    pub fn is_refusal_news(&self) -> bool {
        let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        refusals.is_due()
    }

    /// At most all memory: a larger share could never be given.
    fn units(&self, bytes: usize) -> u32 {
        let units = bytes.div_ceil(UNIT).min(self.max_memory);
        u32::try_from(units).unwrap_or(u32::MAX)
    }

    async fn wait_for(&self, what: &Arc<Semaphore>, share: u32) -> Share {
        if let Ok(share) = what.clone().try_acquire_many_owned(share) {
            return share;
        }
        let _waiting = Waiting::new(self);
        let share = what.clone().acquire_many_owned(share).await;
        share.expect("nobody closes it")
    }

    /// Waits until a request waits for room. Returns how many requests wait.
    pub async fn shortage(&self) -> usize {
        loop {
            let notified = self.shortage.notified();
            match self.waiting.load(Ordering::Relaxed) {
                0 => notified.await,
                waiting => return waiting,
            }
        }
    }
}

/// Counts a waiting request, until it is dropped.
struct Waiting<'a>(&'a Room);

impl<'a> Waiting<'a> {
    fn new(room: &'a Room) -> Self {
        room.waiting.fetch_add(1, Ordering::Relaxed);
        room.shortage.notify_one();
        Self(room)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn a_request_that_finds_no_room_waits_and_is_counted() {
        let room = Room::new(1, 10 * UNIT);
        let place = room.place(0, false).await;
        let waiting = tokio::spawn({
            let room = room.clone();
            async move { room.place(0, false).await }
        });
        assert_eq!(room.shortage().await, 1);
        assert!(!waiting.is_finished());
        drop(place);
        let _place = waiting.await.unwrap();
        let shortage = tokio::time::timeout(Duration::from_millis(20), room.shortage());
        assert!(shortage.await.is_err());
    }

    #[tokio::test]
    async fn each_depth_has_places_of_its_own() {
        let room = Room::new(1, 10 * UNIT);
        let mut places = vec![room.place(0, false).await];
        for depth in 0..=MAX_DEPTH {
            places.push(room.place(depth, true).await);
        }
        let another = tokio::time::timeout(Duration::from_millis(20), room.place(1, false));
        assert!(another.await.is_err());
    }

    #[tokio::test]
    async fn memory_is_counted_to_the_last_unit() {
        let room = Room::new(1, 10 * UNIT);
        let most = room.memory(9 * UNIT + 1).await;
        assert!(room.try_memory(1).is_none());
        drop(most);
        let _all = room.memory(usize::MAX).await;
        assert!(room.try_memory(1).is_none());
    }
}
