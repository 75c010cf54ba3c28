//! The host at work, as a monitoring system sees it.
//!
//! * [`metrics`]: the metrics, by name.
//! * [`observation`]: one request, from its head to the last byte of its response.
//! * [`process`]: the metrics that every process has.
//! * [`labels`]: the values of labels. Each has a few, whatever clients send.
//!
//! No label has anything of a user in it: routes are the manifest's patterns, never paths.

mod labels;
pub mod metrics;
pub mod observation;
mod process;

use std::sync::Arc;

use http::Method;
use metrics::{ComponentMetrics, ConnectionMetrics, Metrics, OperationMetrics};
use observation::Observation;

/// Where the host notes what it does. By default nothing is noted, which costs next to nothing.
#[derive(Clone, Debug, Default)]
pub struct Telemetry {
    metrics: Option<Arc<Metrics>>,
}

impl Telemetry {
    /// Keeps these metrics, if they are given.
    pub fn new(metrics: Option<Arc<Metrics>>) -> Self {
        Self { metrics }
    }

    /// A request whose head has come.
    pub fn request(&self, method: &Method) -> Option<Observation> {
        let metrics = self.metrics.clone()?;
        Some(Observation::begin(metrics, method))
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
