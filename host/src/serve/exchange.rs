//! One request and its response, as far as they concern the client.
//!
//! At each moment it is the turn of either the host or the client. It is the client's turn while
//! the host has nothing to do: while the next part of a request's body is due, or the client has
//! not taken a part of a response. A part is taken when its last byte has left for the network.
//! So a closed window of HTTP/2 counts like a full socket, and no transport needs its own rule.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Instant;

use bytes::Bytes;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::runtime::room::Share;
use crate::serve::refusal::Refusal;
use crate::serve::streams::Stream;
use crate::telemetry::observation::Observation;

/// The client at the other end of a connection.
#[derive(Debug)]
pub struct Client {
    turns: Mutex<Turns>,
    /// The connection is to be closed.
    pub given_up: Notify,
    /// It sends, or may still send, the rest of a request that was refused.
    pub is_refused: AtomicBool,
}

#[derive(Debug)]
struct Turns {
    /// When the client or the host last finished something.
    since: Instant,
    has_asked: bool,
    exchanges: Vec<Weak<Exchange>>,
}

impl Client {
    /// One that has just connected.
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            turns: Mutex::new(Turns {
                since: Instant::now(),
                has_asked: false,
                exchanges: Vec::new(),
            }),
            given_up: Notify::new(),
            is_refused: AtomicBool::new(false),
        })
    }

    /// Since when everything on the connection waits for the client; nothing if the host
    /// works on something.
    pub fn waits_since(&self) -> Option<Instant> {
        let turns = self.lock();
        let mut since = turns.since;
        for exchange in turns.exchanges.iter().filter_map(Weak::upgrade) {
            since = since.max(exchange.waits_since()?);
        }
        Some(since)
    }

    /// Since when nothing is to be done on the connection; nothing if something is.
    pub fn idle_since(&self) -> Option<Instant> {
        let turns = self.lock();
        turns.exchanges.is_empty().then_some(turns.since)
    }

    /// Whether it has begun a request.
    pub fn has_asked(&self) -> bool {
        self.lock().has_asked
    }

    /// The exchanges that are not over.
    pub fn exchanges(&self) -> Vec<Arc<Exchange>> {
        self.lock()
            .exchanges
            .iter()
            .filter_map(Weak::upgrade)
            .collect()
    }

    // A std mutex: nothing is awaited while it is held.
    fn lock(&self) -> MutexGuard<'_, Turns> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request from its head on, until the last byte of its response is taken.
#[derive(Debug)]
pub struct Exchange {
    client: Arc<Client>,
    /// The stream of HTTP/2 that it is. With HTTP/1.1 it has the connection to itself.
    stream: Option<Stream>,
    given_up: CancellationToken,
    turn: Mutex<Turn>,
    memory: OnceLock<Share>,
    observation: OnceLock<Observation>,
    body_refusal: OnceLock<Refusal>,
}

#[derive(Debug)]
struct Turn {
    /// Since when a part of the request's body is due.
    body_since: Option<Instant>,
    /// How many bytes of the response the client has to take.
    untaken: usize,
    /// Whether the transport has asked for the next part of the response.
    is_asked: bool,
    /// When the client last took a part, or could have begun to.
    taken: Instant,
}

impl Exchange {
    /// One that begins now, with the head of a request.
    pub fn new(client: &Arc<Client>) -> Arc<Self> {
        let stream = Stream::current();
        let given_up = stream.as_ref().map(|stream| stream.given_up.clone());
        let exchange = Arc::new(Self {
            client: client.clone(),
            stream,
            given_up: given_up.unwrap_or_default(),
            turn: Mutex::new(Turn {
                body_since: None,
                untaken: 0,
                is_asked: true,
                taken: Instant::now(),
            }),
            memory: OnceLock::new(),
            observation: OnceLock::new(),
            body_refusal: OnceLock::new(),
        });
        let mut turns = client.lock();
        turns.since = Instant::now();
        turns.has_asked = true;
        turns.exchanges.push(Arc::downgrade(&exchange));
        drop(turns);
        exchange
    }

    /// Keeps the memory that it may take, until it is over.
    pub fn keep(&self, memory: Share) {
        self.memory.set(memory).ok();
    }

    /// Observes it, until it is over.
    pub fn observe(&self, observation: Observation) {
        self.observation.set(observation).ok();
    }

    /// Where it is observed, if it is.
    pub fn observation(&self) -> Option<&Observation> {
        self.observation.get()
    }

    /// Notes since when a part of the request's body is due, or that none is.
    pub fn set_body_due(&self, since: Option<Instant>) {
        self.lock().body_since = since;
    }

    /// Refuses the request for its body, though an instance may already have it.
    pub fn refuse_body(&self, refusal: Refusal) {
        self.body_refusal.set(refusal).ok();
    }

    /// Whether and why the request was refused for its body.
    pub fn body_refusal(&self) -> Option<Refusal> {
        self.body_refusal.get().cloned()
    }

    /// Notes that the client may still send a body that is no longer read.
    pub fn leave_body(&self) {
        // A stream of HTTP/2 is ended without ending others.
        if self.stream.is_none() {
            self.client.is_refused.store(true, Ordering::Relaxed);
        }
    }

    /// Notes whether the transport waits for the host to write the next part of the
    /// response. If not, it is the client's turn.
    pub fn set_asked(&self, is_asked: bool) {
        let mut turn = self.lock();
        if turn.is_asked && !is_asked && turn.untaken == 0 {
            turn.taken = Instant::now();
        }
        turn.is_asked = is_asked;
    }

    /// A part of the response, for the client to take.
    pub fn hand_over(self: &Arc<Self>, bytes: Bytes) -> Bytes {
        if bytes.is_empty() {
            return bytes;
        }
        self.lock().untaken += bytes.len();
        Bytes::from_owner(Part {
            bytes,
            exchange: self.clone(),
        })
    }

    /// Since when it waits for the client; nothing if the host works on it.
    pub fn waits_since(&self) -> Option<Instant> {
        let turn = self.lock();
        match (turn.body_since, turn.untaken_since()) {
            (Some(body), Some(untaken)) => Some(body.min(untaken)),
            (body, untaken) => body.or(untaken),
        }
    }

    /// Since when the client takes nothing of the response that is there for it.
    pub fn untaken_since(&self) -> Option<Instant> {
        self.lock().untaken_since()
    }

    /// Ends it, with an error for the client; with HTTP/1.1, and where only the transport
    /// still has it, by closing the connection.
    pub fn give_up(&self) {
        self.given_up.cancel();
        if self.stream.as_ref().is_none_or(Stream::is_over) {
            self.client.given_up.notify_one();
        }
    }

    /// Waits until it is given up.
    pub fn given_up(&self) -> &CancellationToken {
        &self.given_up
    }

    fn lock(&self) -> MutexGuard<'_, Turn> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn {
    fn untaken_since(&self) -> Option<Instant> {
        (self.untaken > 0 || !self.is_asked).then_some(self.taken)
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        let mut turns = self.client.lock();
        turns.since = Instant::now();
        turns.exchanges.retain(|other| other.strong_count() > 0);
    }
}

/// A part of a response. It is dropped when the transport has sent it.
struct Part {
    bytes: Bytes,
    exchange: Arc<Exchange>,
}

impl AsRef<[u8]> for Part {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        let mut turn = self.exchange.lock();
        turn.untaken -= self.bytes.len();
        turn.taken = Instant::now();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exchange() -> (Arc<Client>, Arc<Exchange>) {
        let client = Client::new();
        let exchange = Exchange::new(&client);
        (client, exchange)
    }

    #[test]
    fn a_connection_waits_for_its_client_between_requests() {
        let client = Client::new();
        assert!(client.waits_since().is_some());
        let exchange = Exchange::new(&client);
        assert!(client.waits_since().is_none());
        drop(exchange);
        assert!(client.waits_since().is_some());
    }

    #[test]
    fn it_is_the_clients_turn_until_it_has_taken_the_last_byte() {
        let (client, exchange) = exchange();
        let part = exchange.hand_over(Bytes::from_static(b"part"));
        let half = part.slice(2..);
        drop(part);
        assert!(client.waits_since().is_some());
        drop(half);
        assert!(client.waits_since().is_none());
    }

    #[test]
    fn it_is_the_clients_turn_while_the_transport_asks_for_nothing() {
        let (client, exchange) = exchange();
        exchange.set_asked(false);
        assert!(client.waits_since().is_some());
        exchange.set_asked(true);
        assert!(client.waits_since().is_none());
    }

    #[test]
    fn it_is_the_clients_turn_while_a_body_is_due() {
        let (client, exchange) = exchange();
        exchange.set_body_due(Some(Instant::now()));
        assert!(client.waits_since().is_some());
        exchange.set_body_due(None);
        assert!(client.waits_since().is_none());
    }

    #[test]
    fn a_connection_waits_for_its_client_only_if_all_that_is_on_it_does() {
        let (client, waiting) = exchange();
        let _working = Exchange::new(&client);
        waiting.set_asked(false);
        assert!(client.waits_since().is_none());
    }
}
