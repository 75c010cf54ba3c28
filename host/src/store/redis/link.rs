//! The connection to a Redis server, which is kept up.
//!
//! All operations share one connection: Redis answers them in their order. A task makes the
//! connection, looks after it, and makes a new one when it is lost. While there is none, operations
//! fail at once, so that no request waits for a server that is away.

use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, Cmd, ErrorKind, RedisError, ServerErrorKind, Value};
use tokio::sync::{Semaphore, watch};
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};

use super::failure::describe;
use super::safety;
use super::{CALL_LIMIT, Server};
use crate::log::Log;
use crate::store::StoreError;
use crate::store::reports::{Reports, Work};

/// How long a connection may take until it is ready.
const CONNECT_LIMIT: Duration = Duration::from_secs(1);

/// How long to wait after a connection is lost. Each further wait until the next one is twice as
/// long.
const MIN_PAUSE: Duration = Duration::from_millis(25);

/// The longest wait between attempts.
const MAX_PAUSE: Duration = Duration::from_millis(500);

// A server that came back is found in less than two seconds, even after an attempt that began just
// before.
const _: () = assert!(CONNECT_LIMIT.as_millis() + MAX_PAUSE.as_millis() < 2000);

/// How long an operation waits for a connection that is being made.
const MAX_CONNECTION_WAIT: Duration = Duration::from_millis(250);

/// How often the connection is tried out. So it is replaced before an operation needs it, and
/// nothing between closes it for being idle.
const HEARTBEAT: Duration = Duration::from_millis(500);

/// The most operations on the connection at the same time. Others wait, as part of the time that
/// they may take.
const MAX_IN_FLIGHT: usize = 256;

/// A connection that is kept up for as long as this lives.
#[derive(Debug)]
pub struct Link {
    shared: Arc<Shared>,
    keeper: AbortHandle,
}

#[derive(Debug)]
struct Shared {
    client: Client,
    state: watch::Sender<State>,
    in_flight: Semaphore,
    reports: Reports,
}

#[derive(Clone, Debug)]
enum State {
    /// The first attempt is under way, or the first one since a connection was lost.
    Connecting,
    Connected(Connection),
    /// The last attempt failed.
    Away(StoreError),
    Closed,
}

#[derive(Clone, Debug)]
struct Connection {
    /// Counts the connections.
    number: u64,
    redis: MultiplexedConnection,
}

/// Why there is no reply.
enum Failure {
    /// There is no connection, or the server does not answer.
    Away(StoreError),
    /// The connection broke. The command may have been carried out.
    Broken(StoreError),
    /// The server refuses the command.
    Refused(StoreError),
}

impl Link {
    /// Starts to keep a connection to `server`, and waits for the outcome of the first attempt.
    pub async fn open(server: &Server, log: &Log) -> Self {
        const REACHING: Work = Work {
            infinitive: "reach",
            participle: "reached",
        };
        let name = format!("the key-value store in {server}");
        let client = Client::open(server.info()).expect("the URL was parsed");
        let shared = Arc::new(Shared {
            client,
            state: watch::Sender::new(State::Connecting),
            in_flight: Semaphore::new(MAX_IN_FLIGHT),
            reports: Reports::new(name, REACHING, log),
        });
        let mut state = shared.state.subscribe();
        let keeper = tokio::spawn(shared.clone().keep()).abort_handle();
        // The sender is in `shared`.
        state
            .wait_for(|state| !matches!(state, State::Connecting))
            .await
            .ok();
        Self { shared, keeper }
    }

    /// The reply to a command that changes nothing. If the connection breaks, the command is sent
    /// once more.
    pub async fn read(&self, command: &Cmd) -> Result<Value, StoreError> {
        let mut reply = self.shared.call(command).await;
        if let Err(Failure::Broken(_)) = reply {
            reply = self.shared.call(command).await;
        }
        reply.map_err(|failure| self.shared.reported(failure))
    }

    /// The reply to a command that may change something, which is sent once. After an error it
    /// may have been carried out, or may still be.
    pub async fn write(&self, command: &Cmd) -> Result<Value, StoreError> {
        let reply = self.shared.call(command).await;
        reply.map_err(|failure| self.shared.reported(failure))
    }

    /// Ends the connection. Later operations fail.
    pub fn close(&self) {
        self.keeper.abort();
        self.shared.state.send_replace(State::Closed);
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

impl Shared {
    async fn call(&self, command: &Cmd) -> Result<Value, Failure> {
        let connection = self.connection().await.map_err(Failure::Away)?;
        let Connection { number, mut redis } = connection;
        let exchange = async {
            // It is never closed.
            let _place = self.in_flight.acquire().await;
            redis.send_packed_command(command).await
        };
        let Ok(reply) = timeout(CALL_LIMIT, exchange).await else {
            self.lose(number);
            return Err(Failure::Away(no_answer(CALL_LIMIT)));
        };
        reply.and_then(Value::extract_error).map_err(|error| {
            if error.is_unrecoverable_error() {
                self.lose(number);
                return Failure::Broken(failure(&error));
            }
            // A server that has become a replica: its name may lead to another one by now.
            if error.kind() == ErrorKind::Server(ServerErrorKind::ReadOnly) {
                self.lose(number);
            }
            Failure::Refused(failure(&error))
        })
    }

    /// The error of an operation that failed, which the operator has then been told of.
    fn reported(&self, failure: Failure) -> StoreError {
        match failure {
            Failure::Away(error) | Failure::Broken(error) => {
                self.reports.failed(&error, 1);
                error
            }
            // The component tells.
            Failure::Refused(error) => error,
        }
    }

    /// The connection, or why there is none.
    async fn connection(&self) -> Result<Connection, StoreError> {
        let mut state = self.state.subscribe();
        let is_known = |state: &State| !matches!(state, State::Connecting);
        match timeout(MAX_CONNECTION_WAIT, state.wait_for(is_known)).await {
            Ok(Ok(state)) => match &*state {
                State::Connected(connection) => Ok(connection.clone()),
                State::Away(error) => Err(error.clone()),
                State::Connecting | State::Closed => Err(StoreError::Closed),
            },
            Ok(Err(_)) => Err(StoreError::Closed),
            Err(_) => Err(no_answer(MAX_CONNECTION_WAIT)),
        }
    }

    /// Has a new connection made in the place of the one of this number.
    fn lose(&self, number: u64) {
        self.state.send_if_modified(|state| {
            let is_it = state.is_connected_by(number);
            if is_it {
                *state = State::Connecting;
            }
            is_it
        });
    }

    fn enter(&self, state: State) {
        self.state.send_if_modified(|now| {
            let is_open = !matches!(now, State::Closed);
            if is_open {
                *now = state;
            }
            is_open
        });
    }

    /// Makes one connection after the other.
    async fn keep(self: Arc<Self>) {
        let mut pause = MIN_PAUSE;
        let mut is_advised = false;
        for number in 0.. {
            match self.connect().await {
                Ok(mut redis) => {
                    self.reports.succeeded();
                    let connection = Connection {
                        number,
                        redis: redis.clone(),
                    };
                    self.enter(State::Connected(connection));
                    if !is_advised {
                        is_advised = true;
                        for advice in safety::advice(&mut redis).await {
                            self.reports.advise(&advice);
                        }
                    }
                    self.watch(number, redis).await;
                    pause = MIN_PAUSE;
                }
                Err(error) => {
                    self.reports.failed(&error, 0);
                    self.enter(State::Away(error));
                }
            }
            sleep(pause).await;
            pause = MAX_PAUSE.min(pause * 2);
        }
    }

    /// A connection that answers.
    async fn connect(&self) -> Result<MultiplexedConnection, StoreError> {
        // The limit of each call is this module's own.
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(None)
            .set_response_timeout(None);
        let connect = async {
            let client = &self.client;
            let mut redis = client
                .get_multiplexed_async_connection_with_config(&config)
                .await?;
            // While it reads its file, a server accepts connections and answers with an error.
            match ping(&mut redis).await {
                Err(error) if !is_alive(&error) => Err(error),
                _ => Ok(redis),
            }
        };
        match timeout(CONNECT_LIMIT, connect).await {
            Ok(connected) => connected.map_err(|error| failure(&error)),
            Err(_) => Err(no_answer(CONNECT_LIMIT)),
        }
    }

    /// Looks after a connection until it is lost.
    async fn watch(&self, number: u64, mut redis: MultiplexedConnection) {
        let heartbeats = async {
            loop {
                sleep(HEARTBEAT).await;
                match timeout(CALL_LIMIT, ping(&mut redis)).await {
                    // An operation that the last connection failed may have reported it only now.
                    Ok(Ok(())) => self.reports.succeeded(),
                    Ok(Err(error)) if !error.is_unrecoverable_error() => {}
                    Ok(Err(_)) | Err(_) => break,
                }
            }
        };
        let mut state = self.state.subscribe();
        tokio::select! {
            () = heartbeats => self.lose(number),
            _ = state.wait_for(|state| !state.is_connected_by(number)) => {}
        }
    }
}

impl State {
    fn is_connected_by(&self, number: u64) -> bool {
        matches!(self, Self::Connected(connection) if connection.number == number)
    }
}

async fn ping(redis: &mut MultiplexedConnection) -> Result<(), RedisError> {
    let reply = redis.send_packed_command(&redis::cmd("PING")).await;
    reply.and_then(Value::extract_error).map(drop)
}

/// Whether a server that answers a PING like that answers operations: a user may have no
/// permission for that command.
fn is_alive(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::NoPerm)
}

fn failure(error: &RedisError) -> StoreError {
    StoreError::Backend(describe(error))
}

fn no_answer(limit: Duration) -> StoreError {
    StoreError::Backend(format!("no answer within {limit:?}"))
}
