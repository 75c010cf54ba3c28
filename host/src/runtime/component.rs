//! The part of a component that all its instances share.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::application::allowed_hosts::AllowedHosts;
use crate::log::{ComponentLog, Log};
use crate::runtime::chaining::Chaining;
use crate::runtime::instructions::Instructions;
use crate::runtime::room::Room;
use crate::store::KeyValueStore;
use crate::telemetry::Telemetry;
use crate::telemetry::metrics::ComponentMetrics;

/// A component of the application, ready to run.
#[derive(Debug)]
pub struct Component {
    /// Its id in the manifest.
    pub id: Arc<str>,
    /// Its description by its author; empty if there is none.
    pub description: String,
    /// Its environment variables.
    pub environment: Vec<(String, String)>,
    /// Its variables, with their templates resolved.
    pub variables: BTreeMap<String, String>,
    /// The stores that it may open, by label.
    pub stores: HashMap<String, KeyValueStore>,
    /// Where it may send requests.
    pub allowed_hosts: AllowedHosts,
    /// Whether it may send requests to other components of the application.
    pub may_call: bool,
    /// The way to them.
    pub chaining: Arc<Chaining>,
    /// The most memory that one instance may have, in bytes.
    pub max_memory: usize,
    /// Where the memory of all instances is counted.
    pub room: Arc<Room>,
    /// Where the instructions of its instances are counted, if they are.
    pub instructions: Option<Arc<Instructions>>,
    /// Its metrics, if they are kept.
    pub metrics: Option<ComponentMetrics>,
    /// Where its instances are observed.
    pub telemetry: Telemetry,
    /// Where the lines that it prints go.
    pub output: ComponentLog,
    /// Where the host reports its failures.
    pub log: Log,
}

impl Component {
    /// Counts one of its failures: by the time limit, or any other.
    pub fn count_failure(&self, is_time_limit: bool) {
        if let Some(metrics) = &self.metrics {
            metrics.failed(is_time_limit);
        }
    }
}
