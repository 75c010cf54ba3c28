//! The listening socket and its connections.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::runtime::loader::Application;
use crate::serve::client_stream::ClientStream;
use crate::serve::connections::{Connections, Seat};
use crate::serve::drain::{self, Drain};
use crate::serve::request_check::MAX_HEAD;
use crate::serve::service::Connection;
use crate::serve::streams::Streams;
use crate::serve::upload::{self, Uploads};

/// How long requests in flight are waited for when the host stops.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(10);

/// How long connections may wait for their clients when the host stops.
const CLIENT_SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(1);

/// The most requests at the same time on one HTTP/2 connection.
const MAX_STREAMS: u32 = 32;

/// How many unread bytes of bodies a client of HTTP/2 may send: on one
/// stream, and on a connection.
const STREAM_WINDOW: u32 = upload::PART as u32;
const CONNECTION_WINDOW: u32 = 4 * STREAM_WINDOW;

/// How long to wait before accepting again when the machine has run out of
/// something, most often of file descriptors.
const ACCEPT_RETRY_INTERVAL: Duration = Duration::from_millis(50);

/// Listens at `address`, which the flag `option` gave, without accepting anything yet.
pub async fn listen(address: SocketAddr, option: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .map_err(|error| match error.kind() {
            io::ErrorKind::AddrInUse => {
                anyhow::anyhow!("{address} is already in use; choose another with {option}")
            }
            _ => anyhow::anyhow!("cannot listen on {address}: {error}"),
        })
}

/// The limits of a server.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The most connections at the same time.
    pub connections: usize,
    /// How long a client may keep the server waiting: for the head of a request, for
    /// each part of its body, to take each part of the response, for the next request.
    pub client_timeout: Duration,
    /// The most bytes of a request's body.
    pub body: u64,
}

/// A server at work.
pub struct Server {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    connections: Arc<Connections>,
    drain: Arc<Drain>,
    accepting: JoinHandle<GracefulShutdown>,
    making_room: JoinHandle<()>,
}

impl Server {
    /// Serves `application` to all clients that connect to `listener`. At the paths of `readiness`
    /// it says whether it is ready.
    pub fn start(
        application: Arc<Application>,
        listener: TcpListener,
        limits: Limits,
        readiness: Vec<String>,
    ) -> anyhow::Result<Self> {
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        let room = application.room.clone();
        let metrics = application.telemetry.connections();
        let connections =
            Connections::new(limits.connections, limits.client_timeout, room, metrics);
        let making_room = tokio::spawn({
            let connections = connections.clone();
            let log = application.log.clone();
            async move { connections.make_room(&log).await }
        });
        let drain = Arc::new(Drain::new(readiness));
        let acceptor = Acceptor {
            application,
            connections: connections.clone(),
            drain: drain.clone(),
            graceful: GracefulShutdown::new(),
            protocol: protocol(limits.client_timeout),
            uploads: Uploads::new(limits.body, limits.client_timeout),
        };
        let accepting = tokio::spawn(acceptor.run(listener, stopped));
        Ok(Self {
            address,
            stop,
            connections,
            drain,
            accepting,
            making_room,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Drains for so long. Then accepts no more connections, and waits until all requests are
    /// answered, but not longer than [`SHUTDOWN_TIMEOUT`], and not longer than
    /// [`CLIENT_SHUTDOWN_TIMEOUT`] for clients.
    pub async fn stop(self, drain: Duration) -> anyhow::Result<()> {
        self.drain.begin();
        tokio::time::sleep(drain).await;
        self.stop.send(()).ok();
        let graceful = self.accepting.await.context("the server panicked")?;
        self.making_room.abort();
        let last_call = async {
            tokio::time::sleep(CLIENT_SHUTDOWN_TIMEOUT).await;
            self.connections.give_up_waiting();
            tokio::time::sleep(SHUTDOWN_TIMEOUT - CLIENT_SHUTDOWN_TIMEOUT).await;
        };
        let end = async {
            // hyper would close a connection that has not sent anything.
            self.connections.first_requests().await;
            graceful.shutdown().await;
        };
        tokio::select! {
            () = end => {}
            () = last_call => {}
        }
        Ok(())
    }
}

/// HTTP/1.1, or HTTP/2 if that is how the client begins. The [`Connections`] keep the
/// time, also before the first byte. HTTP/2 also asks a client now and then whether it is
/// still there.
fn protocol(client_timeout: Duration) -> auto::Builder<Streams> {
    let mut protocol = auto::Builder::new(Streams);
    protocol
        .http1()
        // The host writes it, see `date`.
        .auto_date_header(false)
        .half_close(true)
        .header_read_timeout(None)
        .max_buf_size(MAX_HEAD);
    protocol
        .http2()
        .auto_date_header(false)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .keep_alive_interval(client_timeout)
        .keep_alive_timeout(client_timeout)
        .max_concurrent_streams(MAX_STREAMS)
        // More than a request may have, so that one with too much is told so in a document.
        .max_header_list_size(2 * MAX_HEAD as u32)
        .max_send_buf_size(MAX_HEAD)
        .timer(TokioTimer::new());
    protocol
}

/// Lets clients in.
struct Acceptor {
    application: Arc<Application>,
    connections: Arc<Connections>,
    drain: Arc<Drain>,
    graceful: GracefulShutdown,
    protocol: auto::Builder<Streams>,
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
                _ = &mut stopped => break,
            };
            match accepted {
                Ok((stream, address)) => {
                    failing = false;
                    let seat = tokio::select! {
                        seat = self.connections.admit() => seat,
                        _ = &mut stopped => break,
                    };
                    self.serve(stream, address, seat);
                }
                Err(error) if is_of_connection(&error) => {}
                Err(error) => {
                    // It fails again and again, until the machine has more of it.
                    if !failing {
                        self.application
                            .log
                            .line(format_args!("cannot accept connections: {error}"));
                    }
                    failing = true;
                    tokio::time::sleep(ACCEPT_RETRY_INTERVAL).await;
                }
            }
        }
        for stream in drain::last_connections(listener).await {
            // Where there is no room, the host works for all others until it ends.
            if let (Ok(address), Some(seat)) = (stream.peer_addr(), self.connections.try_admit()) {
                self.serve(stream, address, seat);
            }
        }
        self.graceful
    }

    fn serve(&self, stream: TcpStream, address: SocketAddr, seat: Seat) {
        // Otherwise a response whose body follows in a second packet waits for the
        // client's acknowledgement of the first, which clients delay by 40 ms.
        stream.set_nodelay(true).ok();
        let application = self.application.clone();
        let uploads = self.uploads.clone();
        let client = seat.client().clone();
        let connection = Connection::new(application, address, client, uploads, self.drain.clone());
        let connection = Arc::new(connection);
        let service = service_fn(move |request| connection.clone().answer(request));
        let stream = TokioIo::new(ClientStream::new(stream, seat.client().clone()));
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
