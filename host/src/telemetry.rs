//! The host at work, as a monitoring system sees it.
//!
//! * [`metrics`]: the metrics, by name.
//! * [`process`]: the metrics that every process has.
//! * [`trace`]: spans, and the context that they carry from process to process.
//! * [`observation`]: one request, from its head to the last byte of its response.
//! * [`registration`]: where metrics are made known.
//! * [`labels`]: the values of labels. Each has a few, whatever clients send.
//! * [`otlp`]: sends metrics, traces and logs by OpenTelemetry's protocol.
//!
//! No label and no attribute has anything of a user in it: routes are the manifest's patterns,
//! never paths.

mod labels;
pub mod metrics;
pub mod observation;
pub mod otlp;
mod process;
mod registration;
pub mod trace;

use std::sync::Arc;

use http::{HeaderMap, Method};
use metrics::{ComponentMetrics, ConnectionMetrics, Metrics, OperationMetrics};
use observation::Observation;
use trace::{CurrentSpan, Span, Tracing};

/// Where the host notes what it does. By default nothing is noted, which costs next to nothing.
#[derive(Clone, Debug, Default)]
pub struct Telemetry {
    metrics: Option<Arc<Metrics>>,
    tracing: Option<Tracing>,
}

impl Telemetry {
    /// Keeps these metrics and makes these spans, if they are given.
    pub fn new(metrics: Option<Arc<Metrics>>, tracing: Option<Tracing>) -> Self {
        Self { metrics, tracing }
    }

    /// A request of a client whose head has come.
    pub fn request(&self, method: &Method, headers: &HeaderMap) -> Option<Observation> {
        if self.metrics.is_none() && self.tracing.is_none() {
            return None;
        }
        let tracing = self.tracing.as_ref();
        let span = tracing.map(|tracing| tracing.request(method, headers));
        Some(Observation::begin(self.metrics.clone(), span, method))
    }

    /// The span of a component's work on a request with these header fields, which then name it.
    pub fn execution(&self, component: &Arc<str>, headers: &mut HeaderMap) -> Option<Span> {
        let tracing = self.tracing.as_ref()?;
        Some(tracing.execution(component, headers))
    }

    /// The place for the span of a new instance's present request.
    pub fn current_span(&self) -> Option<CurrentSpan> {
        self.tracing.as_ref().map(Tracing::current)
    }

    /// The metrics of a component.
    pub fn component(&self, id: &str) -> Option<ComponentMetrics> {
        Some(self.metrics.as_ref()?.component(id))
    }

    /// The metrics of connections.
    pub fn connections(&self) -> Option<ConnectionMetrics> {
        Some(self.metrics.as_ref()?.connections.clone())
    }

    /// The metrics of each of these operations on the store with this label.
    pub fn operations(&self, store: &str, operations: &[&str]) -> Option<Arc<[OperationMetrics]>> {
        let metrics = self.metrics.as_ref()?;
        let operations = operations.iter();
        Some(
            operations
                .map(|operation| metrics.operation(store, operation))
                .collect(),
        )
    }
}
