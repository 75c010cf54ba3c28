//! The listening socket and its connections.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::application::Application;
use crate::service::Connection;

/// How long requests in flight are waited for when the host stops.
const GRACE: Duration = Duration::from_secs(10);

/// How long a client may take to send the head of a request. As it counts from the
/// end of the one before, a connection that is idle for as long is closed, too.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// After how long without a word from an HTTP/2 client it is asked whether it is
/// still there.
const KEEP_ALIVE: Duration = Duration::from_secs(30);

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

/// A server at work.
pub struct Server {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    accepting: JoinHandle<GracefulShutdown>,
}

impl Server {
    /// Serves `application` to whoever connects to `listener`.
    pub fn start(application: Arc<Application>, listener: TcpListener) -> anyhow::Result<Self> {
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        let accepting = tokio::spawn(accept(application, listener, stopped));
        Ok(Self {
            address,
            stop,
            accepting,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Accepts nothing more, and waits until what was asked is answered, though not
    /// longer than [`GRACE`].
    pub async fn stop(self) -> anyhow::Result<()> {
        self.stop.send(()).ok();
        let connections = self.accepting.await.context("the server panicked")?;
        tokio::time::timeout(GRACE, connections.shutdown())
            .await
            .ok();
        Ok(())
    }
}

async fn accept(
    application: Arc<Application>,
    listener: TcpListener,
    mut stopped: oneshot::Receiver<()>,
) -> GracefulShutdown {
    let connections = GracefulShutdown::new();
    // HTTP/1.1, or HTTP/2 if that is how the client begins.
    let mut protocol = auto::Builder::new(TokioExecutor::new());
    // Without a timer hyper silently keeps none of these limits.
    protocol
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT);
    protocol
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(KEEP_ALIVE);
    let protocol = Arc::new(protocol);
    let mut failing = false;
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = &mut stopped => return connections,
        };
        match accepted {
            Ok((stream, client)) => {
                failing = false;
                serve(&application, &protocol, &connections, stream, client);
            }
            Err(error) if is_of_connection(&error) => {}
            Err(error) => {
                // It fails again and again until the machine has what it lacks.
                if !failing {
                    application
                        .log
                        .line(format_args!("cannot accept connections: {error}"));
                }
                failing = true;
                tokio::time::sleep(PAUSE).await;
            }
        }
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

fn serve(
    application: &Arc<Application>,
    protocol: &Arc<auto::Builder<TokioExecutor>>,
    connections: &GracefulShutdown,
    stream: TcpStream,
    client: SocketAddr,
) {
    // Otherwise a response whose body follows in a second packet waits for the
    // client's acknowledgement of the first, which clients delay by 40 ms.
    stream.set_nodelay(true).ok();
    let connection = Arc::new(Connection::new(application.clone(), client));
    let service = service_fn(move |request| connection.clone().answer(request));
    let served = connections.watch(
        protocol
            .serve_connection(TokioIo::new(stream), service)
            .into_owned(),
    );
    tokio::spawn(async move {
        // Clients go away when they like; that is no news.
        served.await.ok();
    });
}
