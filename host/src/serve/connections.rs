//! The open connections: how many there may be, and which of them wait for
//! their clients.
//!
//! A connection waits for its client while the host has nothing to do for it:
//! until the head of a request is there, and the first part of its body; while
//! the client does not read what it is sent; between two requests. Who keeps the
//! host waiting too long is given up, and who has kept it waiting longest gives
//! way where there is no room for somebody new.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

/// How long to wait for room where every connection has a request that the host
/// works on.
const PAUSE: Duration = Duration::from_millis(20);

/// The open connections of a server.
#[derive(Debug)]
pub struct Connections {
    max: usize,
    /// How long a client may keep the host waiting.
    patience: Duration,
    epoch: Instant,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    next: u64,
    seats: HashMap<u64, Arc<Waiting>>,
}

/// Since when a connection waits for its client; times are in microseconds since
/// the epoch of its [`Connections`].
#[derive(Debug)]
struct Waiting {
    /// How many requests the host works on. HTTP/2 may have several.
    working: AtomicUsize,
    /// When the client or the host last finished something.
    since: AtomicU64,
    /// Since when the client does not read; 0 if it does.
    unread_since: AtomicU64,
    given_up: Notify,
}

impl Connections {
    /// None yet, at most `max`, each of which may keep the host waiting for `patience`.
    pub fn new(max: usize, patience: Duration) -> Arc<Self> {
        Arc::new(Self {
            max,
            patience,
            epoch: Instant::now(),
            open: Mutex::default(),
        })
    }

    /// Room for one more. Where there is none, the connection that waits longest
    /// for its client gives way; where none waits, the newcomer does.
    pub async fn admit(self: &Arc<Self>) -> Seat {
        loop {
            if let Some(seat) = self.try_admit() {
                return seat;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    fn try_admit(self: &Arc<Self>) -> Option<Seat> {
        let now = self.now();
        let mut open = self.lock();
        if open.seats.len() >= self.max {
            let waiting = open.seats.iter();
            let waiting = waiting.filter_map(|(number, seat)| Some((seat.waits_since()?, *number)));
            let (_, number) = waiting.min()?;
            open.give_up(number);
        }
        let waiting = Arc::new(Waiting {
            working: AtomicUsize::new(0),
            since: AtomicU64::new(now),
            unread_since: AtomicU64::new(0),
            given_up: Notify::new(),
        });
        let number = open.next;
        open.next += 1;
        open.seats.insert(number, waiting.clone());
        Some(Seat {
            connections: self.clone(),
            number,
            waiting,
        })
    }

    /// Gives up all that wait for their clients.
    pub fn give_up_waiting(&self) {
        let mut open = self.lock();
        let waiting = open.seats.iter();
        let waiting = waiting.filter(|(_, seat)| seat.waits_since().is_some());
        let numbers: Vec<u64> = waiting.map(|(number, _)| *number).collect();
        for number in numbers {
            open.give_up(number);
        }
    }

    fn now(&self) -> u64 {
        // From 1: a 0 stands for never.
        1 + u64::try_from(self.epoch.elapsed().as_micros()).unwrap_or(u64::MAX - 1)
    }

    // A std mutex: nothing is awaited while it is held. Requests don't need it.
    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    /// Its room is free at once; it closes as soon as it gets its turn.
    fn give_up(&mut self, number: u64) {
        if let Some(seat) = self.seats.remove(&number) {
            seat.given_up.notify_one();
        }
    }
}

impl Waiting {
    fn waits_since(&self) -> Option<u64> {
        match self.unread_since.load(Ordering::Relaxed) {
            0 if self.working.load(Ordering::Relaxed) > 0 => None,
            0 => Some(self.since.load(Ordering::Relaxed)),
            unread_since => Some(unread_since),
        }
    }
}

/// The room that one connection takes, until it is dropped.
#[derive(Debug)]
pub struct Seat {
    connections: Arc<Connections>,
    number: u64,
    waiting: Arc<Waiting>,
}

impl Seat {
    /// Notes that the head of a request is there: the client has its time again,
    /// for the body.
    pub fn heard(&self) {
        let now = self.connections.now();
        self.waiting.since.store(now, Ordering::Relaxed);
    }

    /// Notes whether the client reads what it is sent.
    pub fn set_unread(&self, unread: bool) {
        let unread_since = &self.waiting.unread_since;
        match (unread, unread_since.load(Ordering::Relaxed)) {
            (true, 0) => unread_since.store(self.connections.now(), Ordering::Relaxed),
            (false, since) if since != 0 => unread_since.store(0, Ordering::Relaxed),
            _ => {}
        }
    }

    /// Notes that the host works on a request, until the guard is dropped.
    pub fn work(self: &Arc<Self>) -> Work {
        self.waiting.working.fetch_add(1, Ordering::Relaxed);
        Work(self.clone())
    }

    /// Ends when the connection is to be given up.
    pub async fn given_up(&self) {
        let patience = u64::try_from(self.connections.patience.as_micros()).unwrap_or(u64::MAX);
        loop {
            let now = self.connections.now();
            let since = self.waiting.waits_since().unwrap_or(now);
            let left = since.saturating_add(patience).saturating_sub(now);
            if left == 0 {
                return;
            }
            let given_up = self.waiting.given_up.notified();
            let timer = tokio::time::timeout(Duration::from_micros(left), given_up);
            if timer.await.is_ok() {
                return;
            }
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.connections.lock().seats.remove(&self.number);
    }
}

/// A request that the host works on, until its response is sent.
#[derive(Debug)]
pub struct Work(Arc<Seat>);

impl Drop for Work {
    fn drop(&mut self) {
        self.0.heard();
        self.0.waiting.working.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(600);

    fn seats(connections: &Arc<Connections>, count: usize) -> Vec<Arc<Seat>> {
        let admitted = (0..count).map(|_| {
            std::thread::sleep(Duration::from_millis(1));
            Arc::new(connections.try_admit().expect("room"))
        });
        admitted.collect()
    }

    async fn is_given_up(seat: &Seat) -> bool {
        let moment = Duration::from_millis(20);
        tokio::time::timeout(moment, seat.given_up()).await.is_ok()
    }

    #[tokio::test]
    async fn who_has_waited_longest_for_its_client_gives_way() {
        let connections = Connections::new(3, LONG);
        let old = seats(&connections, 3);
        // Of the first the host has work, the second client finished a head.
        let _work = old[0].work();
        std::thread::sleep(Duration::from_millis(1));
        old[1].heard();
        let _new = connections.admit().await;
        assert!(is_given_up(&old[2]).await);
        assert!(!is_given_up(&old[0]).await && !is_given_up(&old[1]).await);
    }

    #[tokio::test]
    async fn a_newcomer_waits_while_all_others_are_worked_for() {
        let connections = Connections::new(1, LONG);
        let old = seats(&connections, 1);
        let work = old[0].work();
        assert!(connections.try_admit().is_none());
        drop(work);
        assert!(connections.try_admit().is_some());
    }

    #[tokio::test]
    async fn who_does_not_read_gives_way_though_worked_for() {
        let connections = Connections::new(1, LONG);
        let old = seats(&connections, 1);
        let _work = old[0].work();
        old[0].set_unread(true);
        assert!(connections.try_admit().is_some());
        assert!(is_given_up(&old[0]).await);
    }

    #[tokio::test]
    async fn patience_ends_for_who_waits_alone() {
        let connections = Connections::new(2, Duration::from_millis(1));
        let seats = seats(&connections, 2);
        let _work = seats[0].work();
        assert!(!is_given_up(&seats[0]).await);
        assert!(is_given_up(&seats[1]).await);
    }
}
