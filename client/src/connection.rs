//! Connections to the service.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use http_body_util::Full;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tower::util::MapResponse;

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a connection is kept without a request. A service closes one that waits for long, and
/// a request that it closes it under is in doubt.
const IDLE_TIMEOUT: Duration = Duration::from_secs(5);

type Stream = MaybeHttpsStream<TokioIo<TcpStream>>;
type Connector = MapResponse<HttpsConnector<HttpConnector>, fn(Stream) -> StillReadable<Stream>>;

/// A client of services over HTTP.
pub type HttpClient = Client<Connector, Full<Bytes>>;

/// A client that uses TLS, if `secure`. Fails if that needs certificates of authorities and this
/// machine has none.
pub fn client(secure: bool) -> anyhow::Result<HttpClient> {
    let connector: Connector = MapResponse::new(connector(secure)?, StillReadable);
    Ok(Client::builder(TokioExecutor::new())
        .pool_idle_timeout(IDLE_TIMEOUT)
        .build(connector))
}

fn connector(secure: bool) -> anyhow::Result<HttpsConnector<HttpConnector>> {
    let mut http = HttpConnector::new();
    http.enforce_http(false);
    http.set_nodelay(true);
    http.set_connect_timeout(Some(CONNECT_TIMEOUT));
    let builder = HttpsConnectorBuilder::new();
    let builder = match secure {
        true => builder
            .with_provider_and_native_roots(ring::default_provider())
            .context("this machine has no certificates to trust")?
            .https_only(),
        // A machine without certificates can do this as well.
        false => {
            let config = ClientConfig::builder_with_provider(ring::default_provider().into())
                .with_safe_default_protocol_versions()?
                .with_root_certificates(RootCertStore::empty())
                .with_no_client_auth();
            builder.with_tls_config(config).https_or_http()
        }
    };
    Ok(builder.enable_http1().wrap_connector(http))
}

/// A stream that can still be read when the other side takes no more: it may have answered a long
/// request early, and closed. Further writes go nowhere, and reading gives the reason.
pub struct StillReadable<S>(S);

/// Whether the other side takes no more.
fn is_closed(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset
    )
}

/// A write that the other side does not take counts as done.
fn done<T>(written: Poll<io::Result<T>>, all: T) -> Poll<io::Result<T>> {
    match written {
        Poll::Ready(Err(error)) if is_closed(&error) => Poll::Ready(Ok(all)),
        written => written,
    }
}

impl<S: Read + Unpin> Read for StillReadable<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl<S: Write + Unpin> Write for StillReadable<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.0).poll_write(context, bytes);
        done(written, bytes.len())
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.0).poll_write_vectored(context, slices);
        done(written, slices.iter().map(|slice| slice.len()).sum())
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        done(Pin::new(&mut self.0).poll_flush(context), ())
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

impl<S: Connection> Connection for StillReadable<S> {
    fn connected(&self) -> Connected {
        self.0.connected()
    }
}
