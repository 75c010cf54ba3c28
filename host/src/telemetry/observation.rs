//! One request, from its head to the last byte of its response.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use http::{Method, StatusCode};

use super::labels;
use super::metrics::{Metrics, Present};

/// A request that is observed, until this is dropped.
#[derive(Debug)]
pub struct Observation {
    metrics: Arc<Metrics>,
    _present: Present,
    method: &'static str,
    began: Instant,
    route: OnceLock<Route>,
    received: OnceLock<Instant>,
    answered: OnceLock<(Instant, StatusCode)>,
    has_broken_off: AtomicBool,
}

/// The route of a request, as the manifest has it. Both are empty if the host answers.
#[derive(Clone, Debug, Default)]
struct Route {
    component: Arc<str>,
    pattern: Arc<str>,
}

impl Observation {
    /// A request that begins now, with its head.
    pub(super) fn begin(metrics: Arc<Metrics>, method: &Method) -> Self {
        Self {
            _present: Present::new(&metrics.requests_in_flight),
            metrics,
            method: labels::method(method),
            began: Instant::now(),
            route: OnceLock::new(),
            received: OnceLock::new(),
            answered: OnceLock::new(),
            has_broken_off: AtomicBool::new(false),
        }
    }

    /// Notes which component answers it, and the pattern of its route.
    pub fn routed(&self, component: &Arc<str>, pattern: &Arc<str>) {
        let route = Route {
            component: component.clone(),
            pattern: pattern.clone(),
        };
        self.route.set(route).ok();
    }

    /// Notes that enough of it has come to be answered.
    pub fn received(&self) {
        self.received.set(Instant::now()).ok();
    }

    /// Notes that its response begins.
    pub fn answered(&self, status: StatusCode) {
        self.answered.set((Instant::now(), status)).ok();
    }

    /// Notes that the rest of its response will not come, by the component's fault.
    pub fn broke_off(&self) {
        self.has_broken_off.store(true, Ordering::Relaxed);
    }
}

impl Drop for Observation {
    fn drop(&mut self) {
        let ended = Instant::now();
        let route = self.route.get().cloned().unwrap_or_default();
        let status = match self.answered.get() {
            // The client left first.
            None => "aborted",
            Some(_) if *self.has_broken_off.get_mut() => "5xx",
            Some((_, status)) => labels::status(*status),
        };
        let labels = [&*route.component, &route.pattern, self.method, status];
        self.metrics
            .request_duration
            .with_label_values(&labels)
            .observe((ended - self.began).as_secs_f64());
        let Some((answered, _)) = self.answered.get() else {
            return;
        };
        let received = self.received.get().unwrap_or(answered);
        for (phase, time) in [
            ("send", *received - self.began),
            ("process", *answered - *received),
            ("receive", ended - *answered),
        ] {
            self.metrics
                .request_phase
                .with_label_values(&[&*route.component, phase])
                .inc_by(time.as_secs_f64());
        }
    }
}
