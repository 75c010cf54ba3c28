//! One request, from its head to the last byte of its response.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use http::{HeaderMap, Method, StatusCode};

use super::labels;
use super::metrics::{Metrics, Present};
use super::trace::Span;

/// A request that is observed, until this is dropped.
#[derive(Debug)]
pub struct Observation {
    metrics: Option<(Arc<Metrics>, Present)>,
    span: Option<Span>,
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
    pub(super) fn begin(
        metrics: Option<Arc<Metrics>>,
        span: Option<Span>,
        method: &Method,
    ) -> Self {
        let present = |metrics: Arc<Metrics>| {
            let present = Present::new(&metrics.requests_in_flight);
            (metrics, present)
        };
        Self {
            metrics: metrics.map(present),
            span,
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
        if let Some(span) = &self.span {
            span.routed(self.method, component, pattern);
        }
        let route = Route {
            component: component.clone(),
            pattern: pattern.clone(),
        };
        self.route.set(route).ok();
    }

    /// Notes that enough of it has come to be answered. Its header fields then name its span.
    pub fn received(&self, headers: &mut HeaderMap) {
        if let Some(span) = &self.span {
            span.propagate(headers);
        }
        self.received.set(Instant::now()).ok();
    }

    /// Notes that its response begins.
    pub fn answered(&self, status: StatusCode) {
        if let Some(span) = &self.span {
            span.answered(status);
        }
        self.answered.set((Instant::now(), status)).ok();
    }

    /// Notes that the rest of its response will not come, by the component's fault.
    pub fn broke_off(&self) {
        if let Some(span) = &self.span {
            span.failed();
        }
        self.has_broken_off.store(true, Ordering::Relaxed);
    }
}

impl Drop for Observation {
    fn drop(&mut self) {
        if let Some(span) = &self.span {
            span.end();
        }
        let Some((metrics, _)) = &self.metrics else {
            return;
        };
        let ended = Instant::now();
        let route = self.route.get().cloned().unwrap_or_default();
        let has_broken_off = self.has_broken_off.load(Ordering::Relaxed);
        let status = match self.answered.get() {
            // The client left first.
            None => "aborted",
            Some(_) if has_broken_off => "5xx",
            Some((_, status)) => labels::status(*status),
        };
        let labels = [&*route.component, &route.pattern, self.method, status];
        let duration = metrics.request_duration.of(&labels);
        duration.observe(ended - self.began);
        let Some((answered, _)) = self.answered.get() else {
            return;
        };
        let received = self.received.get().unwrap_or(answered);
        for (phase, time) in [
            ("send", *received - self.began),
            ("process", *answered - *received),
            ("receive", ended - *answered),
        ] {
            metrics
                .request_phase
                .with_label_values(&[&*route.component, phase])
                .inc_by(time.as_secs_f64());
        }
    }
}
