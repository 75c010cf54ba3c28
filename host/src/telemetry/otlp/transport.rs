//! The exporters, by gRPC or HTTP, and reports of their failures.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use opentelemetry_http::hyper::HyperClient;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::tonic_types::transport::ClientTlsConfig;
use opentelemetry_otlp::{
    ExporterBuildError, LogExporter, MetricExporter, SpanExporter, WithHttpConfig as _,
    WithTonicConfig as _,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::{self, LogBatch};
use opentelemetry_sdk::metrics::Temporality;
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;
use opentelemetry_sdk::trace::{self, SpanData};
use tokio::runtime::Handle;

use crate::log::{Log, Seldom};

/// How long a collector may take to answer, by HTTP.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How telemetry is sent.
#[derive(Clone, Copy, Debug)]
pub enum Protocol {
    /// OTLP/gRPC.
    Grpc,
    /// OTLP/HTTP with protobuf.
    Http,
}

/// Sends spans.
pub fn spans(protocol: Protocol) -> Result<SpanExporter, ExporterBuildError> {
    let builder = SpanExporter::builder();
    match protocol {
        Protocol::Grpc => builder.with_tonic().with_tls_config(tls()).build(),
        Protocol::Http => builder.with_http().with_http_client(Client::new()).build(),
    }
}

/// Sends metrics.
pub fn metrics(protocol: Protocol) -> Result<MetricExporter, ExporterBuildError> {
    let builder = MetricExporter::builder();
    match protocol {
        Protocol::Grpc => builder.with_tonic().with_tls_config(tls()).build(),
        Protocol::Http => builder.with_http().with_http_client(Client::new()).build(),
    }
}

/// Sends lines of the log.
pub fn logs(protocol: Protocol) -> Result<LogExporter, ExporterBuildError> {
    let builder = LogExporter::builder();
    match protocol {
        Protocol::Grpc => builder.with_tonic().with_tls_config(tls()).build(),
        Protocol::Http => builder.with_http().with_http_client(Client::new()).build(),
    }
}

/// Counts for URLs with `https` alone.
fn tls() -> ClientTlsConfig {
    ClientTlsConfig::new().with_enabled_roots()
}

/// Sends requests from the threads of the exporters, which have no runtime of their own.
#[derive(Debug)]
struct Client {
    client: HyperClient<HttpsConnector<HttpConnector>>,
    runtime: Handle,
}

impl Client {
    fn new() -> Self {
        let connector = HttpsConnectorBuilder::new()
            .with_webpki_roots()
            .https_or_http()
            .enable_http1()
            .build();
        Self {
            client: HyperClient::new(connector, TIMEOUT, None),
            runtime: Handle::current(),
        }
    }
}

#[wasmtime_wasi::async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = self.client.clone();
        let sent = async move { client.send_bytes(request).await };
        Ok(self.runtime.spawn(sent).await??)
    }
}

/// Makes exporters whose failures are in the log.
pub struct Reported {
    signal: &'static str,
    log: Log,
}

impl Reported {
    /// Of this signal.
    pub fn new(signal: &'static str, log: &Log) -> Self {
        Self {
            signal,
            log: log.clone(),
        }
    }

    /// Reports the failures of `exporter`.
    pub fn of<E>(self, exporter: E) -> Exporter<E> {
        Exporter {
            exporter,
            signal: self.signal,
            log: self.log,
            failures: Arc::default(),
        }
    }
}

/// An exporter whose failures are in the log: the first one, and then one a minute.
pub struct Exporter<E> {
    exporter: E,
    signal: &'static str,
    log: Log,
    failures: Arc<Mutex<Seldom>>,
}

impl<E> Exporter<E> {
    fn note(&self, result: OTelSdkResult) -> OTelSdkResult {
        if let Err(error) = &result {
            let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
            if failures.is_due() {
                self.log.line(format_args!(
                    "cannot send {} by OTLP, they are dropped: {error}",
                    self.signal
                ));
            }
        }
        result
    }
}

impl<E> fmt::Debug for Exporter<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exporter").finish_non_exhaustive()
    }
}

impl<E: trace::SpanExporter> trace::SpanExporter for Exporter<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.note(self.exporter.export(batch).await)
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

impl<E: logs::LogExporter> logs::LogExporter for Exporter<E> {
    async fn export(&self, batch: LogBatch<'_>) -> OTelSdkResult {
        self.note(self.exporter.export(batch).await)
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

impl<E: PushMetricExporter> PushMetricExporter for Exporter<E> {
    async fn export(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
        self.note(self.exporter.export(metrics).await)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn temporality(&self) -> Temporality {
        self.exporter.temporality()
    }
}
