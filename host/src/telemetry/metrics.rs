//! The metrics, by name. `docs/monitoring.md` says what they mean.

use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use opentelemetry::metrics::Meter;
use prometheus::{CounterVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, TextEncoder};

use super::process::Process;
use super::registration::{Durations, Histogram, Registration};

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

/// How old the values of the operating system may be for OTLP, which asks for one after the other.
const MAX_AGE: Duration = Duration::from_millis(500);

/// All metrics of a host.
pub struct Metrics {
    registration: Registration,
    process: Option<Process>,
    usage: OnceLock<Box<dyn Fn() -> Usage + Send + Sync>>,
    refreshed: Mutex<Option<Instant>>,
    pub(super) request_duration: Durations,
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
    store_duration: Durations,
    store_errors: IntCounterVec,
}

impl Metrics {
    /// All at 0. `meter` sends them by OTLP, too.
    pub fn new(meter: Option<Meter>) -> anyhow::Result<Arc<Self>> {
        let new = Registration::new(meter);
        let build = Opts::new(
            "edge_host_build_info",
            "1; the label says which version runs.",
        );
        let build = build.const_label("version", env!("CARGO_PKG_VERSION"));
        new.add(IntGauge::with_opts(build))?.set(1);
        let metrics = Arc::new(Self {
            process: Process::new(&new)?,
            usage: OnceLock::new(),
            refreshed: Mutex::default(),
            request_duration: new.durations(
                "edge_host_request_duration_seconds",
                "Time from the head of a request until the client has its response.",
                &REQUEST_BUCKETS,
                &["component", "route", "method", "status"],
            )?,
            request_phase: new.add(CounterVec::new(
                Opts::new(
                    "edge_host_request_phase_seconds_total",
                    "Time of answered requests: until they were received (send), until their \
                     responses began (process), and until these were taken (receive).",
                ),
                &["component", "phase"],
            ))?,
            requests_in_flight: new.gauge(
                "edge_host_requests_in_flight",
                "Requests that have begun and whose responses are not taken yet.",
            )?,
            requests_waiting: new.gauge(
                "edge_host_requests_waiting",
                "Requests that wait for a place or for memory.",
            )?,
            connections: ConnectionMetrics {
                open: new.gauge("edge_host_connections", "Open connections of clients.")?,
                accepted: new.counter(
                    "edge_host_connections_accepted_total",
                    "Connections that clients have opened.",
                )?,
            },
            connections_limit: new.gauge(
                "edge_host_connections_limit",
                "The most connections at the same time.",
            )?,
            memory: new.gauge(
                "edge_host_memory_bytes",
                "Memory that instances, requests, responses and connections are counted for.",
            )?,
            memory_limit: new.gauge(
                "edge_host_memory_limit_bytes",
                "The most memory that they may have together.",
            )?,
            instances_created: new.counters(
                "edge_host_instances_created_total",
                "Instances that were made.",
                &["component"],
            )?,
            instances: new.gauges(
                "edge_host_instances",
                "Instances that exist.",
                &["component"],
            )?,
            component_failures: new.counters(
                "edge_host_component_failures_total",
                "Failures of a component: it trapped or gave no response (failure), or took too \
                 long (time_limit).",
                &["component", "reason"],
            )?,
            store_duration: new.durations(
                "edge_host_store_operation_duration_seconds",
                "Time of an operation on a key-value store.",
                &STORE_BUCKETS,
                &["store", "operation"],
            )?,
            store_errors: new.counters(
                "edge_host_store_operation_errors_total",
                "Operations on a key-value store that failed.",
                &["store", "operation"],
            )?,
            registration: new,
        });
        let weak = Arc::downgrade(&metrics);
        metrics.registration.set_refresh(move || {
            if let Some(metrics) = weak.upgrade() {
                metrics.refresh(MAX_AGE);
            }
        });
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
            duration: self.store_duration.of(&labels),
            errors: self.store_errors.with_label_values(&labels),
        }
    }

    /// Notes the most connections at the same time, and where to ask what is used of the room.
    pub fn set_limits(
        &self,
        connections: usize,
        usage: impl Fn() -> Usage + Send + Sync + 'static,
    ) {
        self.connections_limit.set(gauge(connections));
        self.usage.set(Box::new(usage)).ok();
    }

    /// All of them, in Prometheus' text format.
    pub fn text(&self) -> anyhow::Result<String> {
        self.refresh(Duration::ZERO);
        let families = self.registration.registry.gather();
        Ok(TextEncoder::new().encode_to_string(&families)?)
    }

    /// Asks for what no event tells, unless that was asked for so lately.
    fn refresh(&self, max_age: Duration) {
        // A std mutex: nothing is awaited while it is held.
        let mut refreshed = self
            .refreshed
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if refreshed.is_some_and(|last| last.elapsed() < max_age) {
            return;
        }
        *refreshed = Some(Instant::now());
        if let Some(process) = &self.process {
            process.update();
        }
        if let Some(usage) = self.usage.get() {
            let usage = usage();
            self.requests_waiting.set(gauge(usage.waiting));
            self.memory.set(gauge(usage.memory));
            self.memory_limit.set(gauge(usage.max_memory));
        }
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
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
        self.duration.observe(time);
        if has_failed {
            self.errors.inc();
        }
    }
}
