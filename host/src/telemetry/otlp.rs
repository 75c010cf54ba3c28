//! OpenTelemetry: traces, metrics and logs by OTLP, as the standard environment variables say.
//!
//! As in Spin, a signal is sent if its endpoint is given: `OTEL_EXPORTER_OTLP_ENDPOINT`, or the
//! signal's own. The crates read the other variables: headers, time limits, sampling, batches.
//!
//! * [`transport`]: the exporters, by gRPC or HTTP, and reports of their failures.
//! * [`bridge`]: the counters and gauges of the page of metrics, for OTLP.

mod bridge;
mod transport;

use std::env;

use anyhow::{Context as _, bail};
use opentelemetry::KeyValue;
use opentelemetry::logs::LoggerProvider as _;
use opentelemetry::metrics::{Meter, MeterProvider as _};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::logs::{SdkLogger, SdkLoggerProvider};
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use tokio::task::spawn_blocking;

use crate::log::Log;
use transport::{Protocol, Reported};

pub use bridge::observe;

/// The name of the host, where nobody gives another, and of what it makes.
const NAME: &str = "edge-host";

/// The signals that are sent.
#[derive(Clone, Debug, Default)]
pub struct Otlp {
    traces: Option<SdkTracerProvider>,
    metrics: Option<SdkMeterProvider>,
    logs: Option<SdkLoggerProvider>,
}

impl Otlp {
    /// As the environment asks; without its variables, nothing is sent.
    ///
    /// Has to be called on the runtime that the exporters shall use.
    pub fn from_environment(log: &Log) -> anyhow::Result<Self> {
        let (traces, metrics, logs) = (
            is_enabled("TRACES"),
            is_enabled("METRICS"),
            is_enabled("LOGS"),
        );
        if !(traces || metrics || logs) {
            return Ok(Self::default());
        }
        let resource = resource();
        let report = |signal| Reported::new(signal, log);
        let traces = if traces {
            let exporter = transport::spans(protocol("TRACES")?).context("OTLP for traces")?;
            let builder = SdkTracerProvider::builder().with_resource(resource.clone());
            let exporter = report("traces").of(exporter);
            Some(builder.with_batch_exporter(exporter).build())
        } else {
            None
        };
        let metrics = if metrics {
            let exporter = transport::metrics(protocol("METRICS")?).context("OTLP for metrics")?;
            let builder = SdkMeterProvider::builder().with_resource(resource.clone());
            let exporter = report("metrics").of(exporter);
            Some(builder.with_periodic_exporter(exporter).build())
        } else {
            None
        };
        let logs = if logs {
            let exporter = transport::logs(protocol("LOGS")?).context("OTLP for logs")?;
            let builder = SdkLoggerProvider::builder().with_resource(resource);
            let exporter = report("logs").of(exporter);
            Some(builder.with_batch_exporter(exporter).build())
        } else {
            None
        };
        Ok(Self {
            traces,
            metrics,
            logs,
        })
    }

    /// Makes spans, if traces are sent.
    pub fn tracer(&self) -> Option<SdkTracer> {
        self.traces.as_ref().map(|provider| provider.tracer(NAME))
    }

    /// Makes instruments, if metrics are sent.
    pub fn meter(&self) -> Option<Meter> {
        self.metrics.as_ref().map(|provider| provider.meter(NAME))
    }

    /// Takes the lines of the log, if logs are sent.
    pub fn logger(&self) -> Option<SdkLogger> {
        self.logs.as_ref().map(|provider| provider.logger(NAME))
    }

    /// Sends what is left, for some seconds at most.
    pub async fn shutdown(self) {
        // They wait for threads that need this runtime.
        let ended = spawn_blocking(move || {
            // A failure has been reported where it happened.
            self.traces.map(|provider| provider.shutdown());
            self.metrics.map(|provider| provider.shutdown());
            self.logs.map(|provider| provider.shutdown());
        });
        ended.await.ok();
    }
}

/// Whether a signal is to be sent.
fn is_enabled(signal: &str) -> bool {
    let general = variable("OTEL_EXPORTER_OTLP_ENDPOINT");
    let own = variable(&format!("OTEL_EXPORTER_OTLP_{signal}_ENDPOINT"));
    let exporter = variable(&format!("OTEL_{signal}_EXPORTER"));
    let disabled = variable("OTEL_SDK_DISABLED");
    (general.is_some() || own.is_some())
        && exporter.is_none_or(|name| name != "none")
        && disabled.is_none_or(|value| !value.eq_ignore_ascii_case("true"))
}

fn protocol(signal: &str) -> anyhow::Result<Protocol> {
    let name = format!("OTEL_EXPORTER_OTLP_{signal}_PROTOCOL");
    let own = variable(&name).map(|value| (name.as_str(), value));
    let name = "OTEL_EXPORTER_OTLP_PROTOCOL";
    let general = || variable(name).map(|value| (name, value));
    Ok(match own.or_else(general) {
        None => Protocol::Http,
        Some((_, value)) if value == "http/protobuf" => Protocol::Http,
        Some((_, value)) if value == "grpc" => Protocol::Grpc,
        Some((name, value)) => bail!("{name} is {value:?}; it must be http/protobuf or grpc"),
    })
}

/// A variable of the environment; an empty one counts as none.
fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// The host, as `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` describe it.
fn resource() -> Resource {
    let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
    let resource = Resource::builder().with_attribute(version.clone()).build();
    let unknown = |name: opentelemetry::Value| name.as_str().starts_with("unknown_service");
    if resource.get(&"service.name".into()).is_none_or(unknown) {
        let resource = Resource::builder().with_service_name(NAME);
        return resource.with_attribute(version).build();
    }
    resource
}
