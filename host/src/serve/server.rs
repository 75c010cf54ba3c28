//! The listening socket and its connections.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::runtime::loader::Application;
use crate::serve::client_stream::ClientStream;
use crate::serve::connections::{Connections, Seat};
use crate::serve::service::Connection;
use crate::serve::upload::Uploads;

/// How long requests in flight are waited for when the host stops.
const GRACE: Duration = Duration::from_secs(10);

/// How long clients that have only begun a request may go on with it when the host
/// stops.
const LAST_CALL: Duration = Duration::from_secs(1);

/// The most bytes of a request's head. A component may allow less, and say so in a
/// document of its own.
const MAX_HEAD: usize = 64 << 10;

/// The most requests at the same time on one HTTP/2 connection, each of which may
/// have a first part of its body in memory.
const MAX_STREAMS: u32 = 32;

/// How long to wait before accepting again when the machine has run out of
/// something, most often of file descriptors.
const PAUSE: Duration = Duration::from_millis(50);

/// Listens at `address`, without accepting anything yet.
pub async fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .map_err(|error| match error.kind() {
            io::ErrorKind::AddrInUse => {
                anyhow::anyhow!("{address} is already in use; choose another with --listen")
            }
            _ => anyhow::anyhow!("cannot listen on {address}: {error}"),
        })
}

/// What clients may ask of a server.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The most connections at the same time.
    pub connections: usize,
    /// How long a client may keep the server waiting: for the head of a request, for
    /// the first part of its body, to read the response, for the next request.
    pub patience: Duration,
    /// The most bytes of a request's body.
    pub body: u64,
}

/// A server at work.
pub struct Server {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    connections: Arc<Connections>,
    accepting: JoinHandle<GracefulShutdown>,
}

impl Server {
    /// Serves `application` to whoever connects to `listener`.
    pub fn start(
        application: Arc<Application>,
        listener: TcpListener,
        limits: Limits,
    ) -> anyhow::Result<Self> {
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        let connections = Connections::new(limits.connections, limits.patience);
        let acceptor = Acceptor {
            application,
            connections: connections.clone(),
            graceful: GracefulShutdown::new(),
            protocol: protocol(),
            uploads: Uploads::new(limits.body),
        };
        let accepting = tokio::spawn(acceptor.run(listener, stopped));
        Ok(Self {
            address,
            stop,
            connections,
            accepting,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Accepts nothing more, and waits until what was asked is answered, though not
    /// longer than [`GRACE`], and not long for what is only begun.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.stop.send(()).ok();
        let graceful = self.accepting.await.context("the server panicked")?;
        let last_call = async {
            tokio::time::sleep(LAST_CALL).await;
            self.connections.give_up_waiting();
            tokio::time::sleep(GRACE - LAST_CALL).await;
        };
        tokio::select! {
            () = graceful.shutdown() => {}
            () = last_call => {}
        }
        Ok(())
    }
}

/// HTTP/1.1, or HTTP/2 if that is how the client begins. No timers here: the
/// [`Connections`] keep the time, also before the first byte.
fn protocol() -> auto::Builder<TokioExecutor> {
    let mut protocol = auto::Builder::new(TokioExecutor::new());
    protocol
        .http1()
        .header_read_timeout(None)
        .max_buf_size(MAX_HEAD);
    protocol.http2().max_concurrent_streams(MAX_STREAMS);
    protocol
}

/// Lets clients in.
struct Acceptor {
    application: Arc<Application>,
    connections: Arc<Connections>,
    graceful: GracefulShutdown,
    protocol: auto::Builder<TokioExecutor>,
    uploads: Uploads,
}

impl Acceptor {
    async fn run(
        self,
        listener: TcpListener,
        mut stopped: oneshot::Receiver<()>,
    ) -> GracefulShutdown {
        let mut failing = false;
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                _ = &mut stopped => return self.graceful,
            };
            match accepted {
                Ok((stream, client)) => {
                    failing = false;
                    let seat = tokio::select! {
                        seat = self.connections.admit() => seat,
                        _ = &mut stopped => return self.graceful,
                    };
                    self.serve(stream, client, seat);
                }
                Err(error) if is_of_connection(&error) => {}
                Err(error) => {
                    // It fails again and again until the machine has what it lacks.
                    if !failing {
                        self.application
                            .log
                            .line(format_args!("cannot accept connections: {error}"));
                    }
                    failing = true;
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    fn serve(&self, stream: TcpStream, client: SocketAddr, seat: Seat) {
        // Otherwise a response whose body follows in a second packet waits for the
        // client's acknowledgement of the first, which clients delay by 40 ms.
        stream.set_nodelay(true).ok();
        let seat = Arc::new(seat);
        let application = self.application.clone();
        let connection = Connection::new(application, client, seat.clone(), self.uploads.clone());
        let connection = Arc::new(connection);
        let service = service_fn(move |request| connection.clone().answer(request));
        let stream = TokioIo::new(ClientStream::new(stream, seat.clone()));
        let served = self.protocol.serve_connection(stream, service);
        let served = self.graceful.watch(served.into_owned());
        tokio::spawn(async move {
            tokio::select! {
                // Clients go away when they like; that is no news.
                _ = served => {}
                () = seat.given_up() => {}
            }
        });
    }
}

/// Whether only the connection that was to be accepted is gone.
fn is_of_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
    )
}
