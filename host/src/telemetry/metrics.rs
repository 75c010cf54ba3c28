//! The metrics, by name. `docs/monitoring.md` says what they mean.

use std::time::Duration;

use prometheus::core::Collector;
use prometheus::{
    CounterVec, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge,
    IntGaugeVec, Opts, Registry, TextEncoder,
};

use super::process::Process;

/// In seconds. A read of one user by a kept instance takes some 50 µs; a time limit of the
/// host's is 30 s.
const REQUEST_BUCKETS: [f64; 17] = [
    0.0001, 0.000_25, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
    5.0, 10.0, 30.0,
];

/// In seconds. A read of a file in memory takes some 5 µs; a write waits for the disk.
const STORE_BUCKETS: [f64; 15] = [
    0.000_01, 0.000_025, 0.000_05, 0.0001, 0.000_25, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
    0.05, 0.1, 0.5, 2.5,
];

/// What the host has room for, and how much of it is used.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    /// How many requests wait for room.
    pub waiting: usize,
    /// How many bytes of memory are given away.
    pub memory: usize,
    /// How many bytes there are.
    pub max_memory: usize,
}

/// All metrics of a host.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    process: Option<Process>,
    pub(super) request_duration: HistogramVec,
    pub(super) request_phase: CounterVec,
    pub(super) requests_in_flight: IntGauge,
    pub(super) connections: ConnectionMetrics,
    requests_waiting: IntGauge,
    memory: IntGauge,
    memory_limit: IntGauge,
    connections_limit: IntGauge,
    instances_created: IntCounterVec,
    instances: IntGaugeVec,
    component_failures: IntCounterVec,
    store_duration: HistogramVec,
    store_errors: IntCounterVec,
}

impl Metrics {
    /// All at 0.
    pub fn new() -> anyhow::Result<Self> {
        let registry = Registry::new();
        let build = IntGauge::with_opts(
            Opts::new(
                "edge_host_build_info",
                "1; the label says which version runs.",
            )
            .const_label("version", env!("CARGO_PKG_VERSION")),
        )?;
        build.set(1);
        registry.register(Box::new(build))?;
        let metrics = Self {
            process: Process::new(&registry)?,
            request_duration: added(
                &registry,
                HistogramVec::new(
                    HistogramOpts::new(
                        "edge_host_request_duration_seconds",
                        "Time from the head of a request until the client has its response.",
                    )
                    .buckets(REQUEST_BUCKETS.into()),
                    &["component", "route", "method", "status"],
                ),
            )?,
            request_phase: added(
                &registry,
                CounterVec::new(
                    Opts::new(
                        "edge_host_request_phase_seconds_total",
                        "Time of answered requests, until they were received (send), until their \
                     responses began (process), and until these were taken (receive).",
                    ),
                    &["component", "phase"],
                ),
            )?,
            requests_in_flight: added(
                &registry,
                IntGauge::new(
                    "edge_host_requests_in_flight",
                    "Requests that have begun and whose responses are not taken yet.",
                ),
            )?,
            requests_waiting: added(
                &registry,
                IntGauge::new(
                    "edge_host_requests_waiting",
                    "Requests that wait for a place or for memory.",
                ),
            )?,
            connections: ConnectionMetrics {
                open: added(
                    &registry,
                    IntGauge::new("edge_host_connections", "Open connections of clients."),
                )?,
                accepted: added(
                    &registry,
                    IntCounter::new(
                        "edge_host_connections_accepted_total",
                        "Connections that clients have opened.",
                    ),
                )?,
            },
            connections_limit: added(
                &registry,
                IntGauge::new(
                    "edge_host_connections_limit",
                    "The most connections at the same time.",
                ),
            )?,
            memory: added(
                &registry,
                IntGauge::new(
                    "edge_host_memory_bytes",
                    "Memory that instances, requests, responses and connections are counted for.",
                ),
            )?,
            memory_limit: added(
                &registry,
                IntGauge::new(
                    "edge_host_memory_limit_bytes",
                    "The most memory that they may have together.",
                ),
            )?,
            instances_created: added(
                &registry,
                IntCounterVec::new(
                    Opts::new(
                        "edge_host_instances_created_total",
                        "Instances that were made.",
                    ),
                    &["component"],
                ),
            )?,
            instances: added(
                &registry,
                IntGaugeVec::new(
                    Opts::new("edge_host_instances", "Instances that exist."),
                    &["component"],
                ),
            )?,
            component_failures: added(
                &registry,
                IntCounterVec::new(
                    Opts::new(
                        "edge_host_component_failures_total",
                        "Failures of a component: it trapped or gave no response (failure), or took \
                     too long (time_limit).",
                    ),
                    &["component", "reason"],
                ),
            )?,
            store_duration: added(
                &registry,
                HistogramVec::new(
                    HistogramOpts::new(
                        "edge_host_store_operation_duration_seconds",
                        "Time of an operation on a key-value store.",
                    )
                    .buckets(STORE_BUCKETS.into()),
                    &["store", "operation"],
                ),
            )?,
            store_errors: added(
                &registry,
                IntCounterVec::new(
                    Opts::new(
                        "edge_host_store_operation_errors_total",
                        "Operations on a key-value store that failed.",
                    ),
                    &["store", "operation"],
                ),
            )?,
            registry,
        };
        Ok(metrics)
    }

    /// The metrics of a component.
    pub(super) fn component(&self, id: &str) -> ComponentMetrics {
        let failures = |reason| self.component_failures.with_label_values(&[id, reason]);
        ComponentMetrics {
            created: self.instances_created.with_label_values(&[id]),
            alive: self.instances.with_label_values(&[id]),
            failures: failures("failure"),
            time_limits: failures("time_limit"),
        }
    }

    /// The metrics of an operation on the store with this label.
    pub(super) fn operation(&self, store: &str, operation: &str) -> OperationMetrics {
        let labels = [store, operation];
        OperationMetrics {
            duration: self.store_duration.with_label_values(&labels),
            errors: self.store_errors.with_label_values(&labels),
        }
    }

    /// Notes the most connections at the same time.
    pub fn set_max_connections(&self, max: usize) {
        self.connections_limit.set(gauge(max));
    }

    /// All of them, in Prometheus' text format.
    pub fn text(&self, usage: Usage) -> anyhow::Result<String> {
        if let Some(process) = &self.process {
            process.update();
        }
        self.requests_waiting.set(gauge(usage.waiting));
        self.memory.set(gauge(usage.memory));
        self.memory_limit.set(gauge(usage.max_memory));
        Ok(TextEncoder::new().encode_to_string(&self.registry.gather())?)
    }
}

/// A metric that the registry has, too.
pub(super) fn added<M: Collector + Clone + 'static>(
    registry: &Registry,
    metric: prometheus::Result<M>,
) -> prometheus::Result<M> {
    let metric = metric?;
    registry.register(Box::new(metric.clone()))?;
    Ok(metric)
}

/// The value of a gauge.
pub(super) fn gauge(value: usize) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// Counts something that is there, until this is dropped.
#[derive(Debug)]
pub struct Present(IntGauge);

impl Present {
    pub(super) fn new(gauge: &IntGauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Present {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// The metrics of connections.
#[derive(Clone, Debug)]
pub struct ConnectionMetrics {
    open: IntGauge,
    accepted: IntCounter,
}

impl ConnectionMetrics {
    /// Counts a new connection.
    pub fn opened(&self) -> Present {
        self.accepted.inc();
        Present::new(&self.open)
    }
}

/// The metrics of a component.
#[derive(Clone, Debug)]
pub struct ComponentMetrics {
    created: IntCounter,
    alive: IntGauge,
    failures: IntCounter,
    time_limits: IntCounter,
}

impl ComponentMetrics {
    /// Counts a new instance.
    pub fn created(&self) -> Present {
        self.created.inc();
        Present::new(&self.alive)
    }

    /// Counts a failure: by the time limit, or any other.
    pub fn failed(&self, is_time_limit: bool) {
        if is_time_limit {
            self.time_limits.inc();
        } else {
            self.failures.inc();
        }
    }
}

/// The metrics of one kind of operation on a store.
#[derive(Clone, Debug)]
pub struct OperationMetrics {
    duration: Histogram,
    errors: IntCounter,
}

impl OperationMetrics {
    /// Counts an operation that has ended.
    pub fn ended(&self, time: Duration, has_failed: bool) {
        self.duration.observe(time.as_secs_f64());
        if has_failed {
            self.errors.inc();
        }
    }
}
