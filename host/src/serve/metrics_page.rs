//! The page of metrics, for Prometheus: on a port of its own, so that clients of the application
//! don't reach it, and so that it answers while the application has no room.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, spawn_blocking};

use crate::runtime::loader::Application;
use crate::telemetry::metrics::Metrics;

/// The page's path, which Prometheus asks for by default.
pub const PATH: &str = "/metrics";

/// The most connections at the same time. There are few monitoring systems.
const MAX_CONNECTIONS: usize = 16;

/// How long a client may take for the head of a request, and for everything.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(30);

/// How long to wait before accepting again after a failure.
const ACCEPT_RETRY_INTERVAL: Duration = Duration::from_millis(50);

/// The page, served until this is dropped.
pub struct MetricsPage {
    address: SocketAddr,
    serving: JoinHandle<()>,
}

impl MetricsPage {
    /// Serves the metrics of `application` to all who connect to `listener`.
    pub fn start(
        listener: TcpListener,
        metrics: Arc<Metrics>,
        application: Arc<Application>,
    ) -> anyhow::Result<Self> {
        let address = listener.local_addr()?;
        let source = Source {
            metrics,
            application,
        };
        let serving = tokio::spawn(source.serve(listener));
        Ok(Self { address, serving })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for MetricsPage {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// The source of the page.
#[derive(Clone)]
struct Source {
    metrics: Arc<Metrics>,
    application: Arc<Application>,
}

impl Source {
    async fn serve(self, listener: TcpListener) {
        let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        loop {
            let place = places.clone().acquire_owned().await;
            let place = place.expect("nobody closes it");
            let Ok((stream, _)) = listener.accept().await else {
                tokio::time::sleep(ACCEPT_RETRY_INTERVAL).await;
                continue;
            };
            let source = self.clone();
            tokio::spawn(async move {
                let served = source.connection(stream);
                tokio::time::timeout(CONNECTION_TIMEOUT, served).await.ok();
                drop(place);
            });
        }
    }

    async fn connection(self, stream: TcpStream) {
        let service = service_fn(|request| self.answer(request));
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIMEOUT)
            .serve_connection(TokioIo::new(stream), service)
            .await
            // Clients go away when they like.
            .ok();
    }

    async fn answer(
        &self,
        request: Request<Incoming>,
    ) -> Result<Response<Full<Bytes>>, Infallible> {
        let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
        let mut response = match request.uri().path() {
            PATH if is_read => self.page().await,
            PATH => text(StatusCode::METHOD_NOT_ALLOWED, "Only GET and HEAD.\n"),
            _ => text(StatusCode::NOT_FOUND, "The metrics are at /metrics.\n"),
        };
        if response.status() == StatusCode::METHOD_NOT_ALLOWED {
            let methods = HeaderValue::from_static("GET, HEAD");
            response.headers_mut().insert(ALLOW, methods);
        }
        Ok(response)
    }

    async fn page(&self) -> Response<Full<Bytes>> {
        let metrics = self.metrics.clone();
        // It asks the operating system, and takes milliseconds.
        let page = spawn_blocking(move || metrics.text()).await;
        match page.context("it panicked").flatten() {
            Ok(page) => {
                let mut response = text(StatusCode::OK, page);
                let format = HeaderValue::from_static(prometheus::TEXT_FORMAT);
                response.headers_mut().insert(CONTENT_TYPE, format);
                response
            }
            Err(error) => {
                let log = &self.application.log;
                log.line(format_args!("the page of metrics failed: {error:#}"));
                let detail = "The reason is in the log.\n";
                text(StatusCode::INTERNAL_SERVER_ERROR, detail)
            }
        }
    }
}

fn text(status: StatusCode, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, plain);
    response
}
