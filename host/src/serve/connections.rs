//! The open connections: how many there may be, and which of them, and of their requests,
//! give way to others.
//!
//! Nothing is given up while the host works on it. A connection or a request that waits
//! for its client is given up when it has waited too long; and where there is no room for
//! another, the one that has waited longest gives way.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::log::{Log, Seldom};
use crate::runtime::room::{Room, Share};
use crate::serve::exchange::Client;
use crate::telemetry::metrics::{ConnectionMetrics, Present};

/// How long a request waits for its client at least before it gives way to another: time
/// for a packet to cross the world and be answered.
const MIN_WAIT: Duration = Duration::from_millis(500);

/// How long to wait before looking again for room.
const RETRY_INTERVAL: Duration = Duration::from_millis(20);

/// How many bytes of memory a connection is counted for: it may have received as much
/// that is not yet part of a request.
pub const CONNECTION_BYTES: usize = 64 << 10;

/// The open connections of a server.
#[derive(Debug)]
pub struct Connections {
    max: usize,
    /// How long a client may keep the host waiting.
    client_timeout: Duration,
    room: Arc<Room>,
    metrics: Option<ConnectionMetrics>,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    next: u64,
    clients: HashMap<u64, Arc<Client>>,
}

impl Connections {
    /// None yet, at most `max`, each of which may keep the host waiting for
    /// `client_timeout`.
    pub fn new(
        max: usize,
        client_timeout: Duration,
        room: Arc<Room>,
        metrics: Option<ConnectionMetrics>,
    ) -> Arc<Self> {
        Arc::new(Self {
            max,
            client_timeout,
            room,
            metrics,
            open: Mutex::default(),
        })
    }

    /// Room for one more. Where there is none, the connection that waits longest for its
    /// client gives way; where none waits, the newcomer does.
    pub async fn admit(self: &Arc<Self>) -> Seat {
        loop {
            if let Some(seat) = self.try_admit() {
                return seat;
            }
            tokio::time::sleep(RETRY_INTERVAL).await;
        }
    }

    /// Room for one more, if there is any or one gives way.
    pub fn try_admit(self: &Arc<Self>) -> Option<Seat> {
        let mut open = self.lock();
        let memory = self.room.try_memory(CONNECTION_BYTES);
        if open.clients.len() >= self.max || memory.is_none() {
            let waiting = open.clients.iter();
            let waiting =
                waiting.filter_map(|(number, client)| Some((client.waits_since()?, *number)));
            let (_, number) = waiting.min()?;
            open.give_up(number);
        }
        let memory = memory?;
        let client = Client::new();
        let number = open.next;
        open.next += 1;
        open.clients.insert(number, client.clone());
        Some(Seat {
            connections: self.clone(),
            number,
            client,
            _memory: memory,
            _present: self.metrics.as_ref().map(ConnectionMetrics::opened),
        })
    }

    /// Gives up all that wait for their clients.
    pub fn give_up_waiting(&self) {
        let mut open = self.lock();
        let waiting = open.clients.iter();
        let waiting = waiting.filter(|(_, client)| client.waits_since().is_some());
        let numbers: Vec<u64> = waiting.map(|(number, _)| *number).collect();
        for number in numbers {
            open.give_up(number);
        }
    }

    /// Waits until each of them has begun a request.
    pub async fn first_requests(&self) {
        let all_asked = || {
            self.lock()
                .clients
                .values()
                .all(|client| client.has_asked())
        };
        while !all_asked() {
            tokio::time::sleep(RETRY_INTERVAL).await;
        }
    }

    /// Makes room for requests that wait for it, for ever.
    pub async fn make_room(&self, log: &Log) {
        let mut reports = Seldom::default();
        loop {
            let wanted = self.room.shortage().await;
            let given_up = self.give_way(wanted);
            if given_up > 0 && reports.is_due() {
                log.line(format_args!(
                    "there is no room for more requests: those that wait for their clients \
                     are given up for others"
                ));
            }
            tokio::time::sleep(RETRY_INTERVAL).await;
        }
    }

    /// Gives up at most so many requests, beginning with those that have waited longest for their
    /// clients. Returns how many it gave up.
    fn give_way(&self, count: usize) -> usize {
        let clients: Vec<_> = self.lock().clients.values().cloned().collect();
        let exchanges = clients.iter().flat_map(|client| client.exchanges());
        let waiting = exchanges.filter_map(|exchange| {
            let since = exchange.waits_since()?;
            (since.elapsed() >= MIN_WAIT).then_some((since, exchange))
        });
        let mut waiting: Vec<_> = waiting.collect();
        waiting.sort_unstable_by_key(|(since, _)| *since);
        waiting.truncate(count);
        for (_, exchange) in &waiting {
            exchange.give_up();
        }
        waiting.len()
    }

    // A std mutex: nothing is awaited while it is held. Requests don't need it.
    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    /// Its room is free at once; it closes as soon as it gets its turn.
    fn give_up(&mut self, number: u64) {
        if let Some(client) = self.clients.remove(&number) {
            client.given_up.notify_one();
        }
    }
}

/// The room that one connection takes, until it is dropped.
#[derive(Debug)]
pub struct Seat {
    connections: Arc<Connections>,
    number: u64,
    client: Arc<Client>,
    _memory: Share,
    _present: Option<Present>,
}

impl Seat {
    /// The client at the other end.
    pub fn client(&self) -> &Arc<Client> {
        &self.client
    }

    /// Ends when the connection is to be given up. Until then gives up its requests, one
    /// by one, when their time is over.
    pub async fn given_up(&self) {
        let client_timeout = self.connections.client_timeout;
        loop {
            let now = Instant::now();
            let left = |since: Instant| client_timeout.saturating_sub(now - since);
            let mut next = self.client.idle_since().map_or(client_timeout, left);
            if next.is_zero() {
                return;
            }
            for exchange in self.client.exchanges() {
                let left = exchange.untaken_since().map_or(client_timeout, left);
                if left.is_zero() {
                    exchange.give_up();
                } else {
                    next = next.min(left);
                }
            }
            let given_up = self.client.given_up.notified();
            if tokio::time::timeout(next, given_up).await.is_ok() {
                return;
            }
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.connections.lock().clients.remove(&self.number);
        // The client is gone: no body will arrive, and no response will be taken.
        for exchange in self.client.exchanges() {
            exchange.give_up();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::exchange::Exchange;

    const LONG: Duration = Duration::from_secs(600);

    fn connections(max: usize, client_timeout: Duration) -> Arc<Connections> {
        Connections::new(max, client_timeout, Room::new(1, 1 << 30), None)
    }

    fn seats(connections: &Arc<Connections>, count: usize) -> Vec<Seat> {
        let admitted = (0..count).map(|_| {
            std::thread::sleep(Duration::from_millis(1));
            connections.try_admit().expect("room")
        });
        admitted.collect()
    }

    async fn is_given_up(seat: &Seat) -> bool {
        let moment = Duration::from_millis(20);
        tokio::time::timeout(moment, seat.given_up()).await.is_ok()
    }

    #[tokio::test]
    async fn the_connection_that_has_waited_longest_for_its_client_gives_way() {
        let connections = connections(3, LONG);
        let old = seats(&connections, 3);
        // The host works for the first; the second client has just finished something.
        let _working = Exchange::new(old[0].client());
        std::thread::sleep(Duration::from_millis(1));
        drop(Exchange::new(old[1].client()));
        let _new = connections.admit().await;
        assert!(is_given_up(&old[2]).await);
        assert!(!is_given_up(&old[0]).await && !is_given_up(&old[1]).await);
    }

    #[tokio::test]
    async fn a_newcomer_waits_while_the_host_works_for_all_others() {
        let connections = connections(1, LONG);
        let old = seats(&connections, 1);
        let working = Exchange::new(old[0].client());
        assert!(connections.try_admit().is_none());
        drop(working);
        assert!(connections.try_admit().is_some());
    }

    #[tokio::test]
    async fn a_client_that_does_not_take_its_response_gives_way() {
        let connections = connections(1, LONG);
        let old = seats(&connections, 1);
        let exchange = Exchange::new(old[0].client());
        exchange.set_asked(false);
        assert!(connections.try_admit().is_some());
        assert!(is_given_up(&old[0]).await);
    }

    #[tokio::test]
    async fn connections_are_counted_as_memory() {
        let connections = Connections::new(100, LONG, Room::new(1, 2 * CONNECTION_BYTES), None);
        let old = seats(&connections, 2);
        assert!(connections.try_admit().is_none());
        assert!(is_given_up(&old[0]).await && !is_given_up(&old[1]).await);
    }

    #[tokio::test]
    async fn a_client_has_its_time_and_no_more() {
        let connections = connections(2, Duration::from_millis(1));
        let seats = seats(&connections, 2);
        let _working = Exchange::new(seats[0].client());
        assert!(!is_given_up(&seats[0]).await);
        assert!(is_given_up(&seats[1]).await);
    }

    #[tokio::test]
    async fn requests_that_wait_for_their_clients_give_way_to_others() {
        let connections = connections(1, LONG);
        let seats = seats(&connections, 1);
        let [waiting, working] = [(); 2].map(|()| Exchange::new(seats[0].client()));
        waiting.set_body_due(Some(Instant::now() - MIN_WAIT));
        assert_eq!(connections.give_way(2), 1);
        assert!(waiting.given_up().is_cancelled());
        assert!(!working.given_up().is_cancelled());
    }
}
