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

use crate::application::Application;
use crate::service::Connection;

/// How long requests in flight are waited for when the host stops.
const GRACE: Duration = Duration::from_secs(10);

/// How long to wait before accepting again when the machine has run out of
/// something, most often of file descriptors.
const PAUSE: Duration = Duration::from_millis(50);

/// A server at work.
pub struct Server {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    accepting: JoinHandle<GracefulShutdown>,
}

impl Server {
    /// Serves `application` at `address`; it listens when this returns.
    pub async fn start(application: Arc<Application>, address: SocketAddr) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(address)
            .await
            .map_err(|error| match error.kind() {
                io::ErrorKind::AddrInUse => {
                    anyhow::anyhow!("{address} is already in use; choose another with --listen")
                }
                _ => anyhow::anyhow!("cannot listen on {address}: {error}"),
            })?;
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
    let protocol = Arc::new(auto::Builder::new(TokioExecutor::new()));
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = &mut stopped => return connections,
        };
        match accepted {
            Ok((stream, client)) => {
                serve(&application, &protocol, &connections, stream, client);
            }
            Err(error) => {
                application
                    .log
                    .line(format_args!("cannot accept a connection: {error}"));
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
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
