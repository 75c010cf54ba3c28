//! Where metrics are made known: to the page, and to OTLP if that sends metrics.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::metrics::{self, Meter};
use prometheus::core::Collector;
use prometheus::{
    HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
};

use super::otlp;

/// Brings up to date the metrics that are not changed by events.
type Refresh = dyn Fn() + Send + Sync;

/// Makes metrics known.
pub(super) struct Registration {
    pub registry: Registry,
    meter: Option<Meter>,
    refresh: Arc<OnceLock<Box<Refresh>>>,
}

impl Registration {
    /// To the page, and to `meter` if there is one.
    pub fn new(meter: Option<Meter>) -> Self {
        Self {
            registry: Registry::new(),
            meter,
            refresh: Arc::default(),
        }
    }

    /// A gauge, made known.
    pub fn gauge(&self, name: &str, help: &str) -> prometheus::Result<IntGauge> {
        self.add(IntGauge::new(name, help))
    }

    /// A gauge for each combination of labels, made known.
    pub fn gauges(
        &self,
        name: &str,
        help: &str,
        labels: &[&str],
    ) -> prometheus::Result<IntGaugeVec> {
        self.add(IntGaugeVec::new(Opts::new(name, help), labels))
    }

    /// A counter, made known.
    pub fn counter(&self, name: &str, help: &str) -> prometheus::Result<IntCounter> {
        self.add(IntCounter::new(name, help))
    }

    /// A counter for each combination of labels, made known.
    pub fn counters(
        &self,
        name: &str,
        help: &str,
        labels: &[&str],
    ) -> prometheus::Result<IntCounterVec> {
        self.add(IntCounterVec::new(Opts::new(name, help), labels))
    }

    /// A counter or a gauge of any type, made known.
    pub fn add<M: Collector + Clone + 'static>(
        &self,
        metric: prometheus::Result<M>,
    ) -> prometheus::Result<M> {
        let metric = metric?;
        self.registry.register(Box::new(metric.clone()))?;
        if let Some(meter) = &self.meter {
            let refresh = self.refresh.clone();
            let refresh = move || {
                if let Some(refresh) = refresh.get() {
                    refresh();
                }
            };
            otlp::observe(meter, Box::new(metric.clone()), refresh);
        }
        Ok(metric)
    }

    /// A histogram of durations in seconds, made known.
    pub fn durations(
        &self,
        name: &'static str,
        help: &'static str,
        buckets: &[f64],
        labels: &'static [&'static str],
    ) -> prometheus::Result<Durations> {
        let options = HistogramOpts::new(name, help).buckets(buckets.to_vec());
        let page = HistogramVec::new(options, labels)?;
        self.registry.register(Box::new(page.clone()))?;
        let otlp = self.meter.as_ref().map(|meter| {
            let histogram = meter.f64_histogram(name).with_description(help);
            let histogram = histogram.with_unit("s").with_boundaries(buckets.to_vec());
            histogram.build()
        });
        Ok(Durations { labels, page, otlp })
    }

    /// Has the metrics brought up to date by `refresh` before they are sent.
    pub fn set_refresh(&self, refresh: impl Fn() + Send + Sync + 'static) {
        self.refresh.set(Box::new(refresh)).ok();
    }
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registration").finish_non_exhaustive()
    }
}

/// A histogram of durations for each combination of labels.
#[derive(Debug)]
pub(super) struct Durations {
    labels: &'static [&'static str],
    page: HistogramVec,
    otlp: Option<metrics::Histogram<f64>>,
}

impl Durations {
    /// The histogram of these labels.
    pub fn of(&self, values: &[&str]) -> Histogram {
        let attributes = || {
            let pairs = self.labels.iter().zip(values);
            let pairs = pairs.map(|(name, value)| KeyValue::new(*name, (*value).to_owned()));
            pairs.collect()
        };
        Histogram {
            page: self.page.with_label_values(values),
            otlp: self.otlp.clone().map(|otlp| (otlp, attributes())),
        }
    }
}

/// A histogram of durations.
#[derive(Clone, Debug)]
pub(super) struct Histogram {
    page: prometheus::Histogram,
    otlp: Option<(metrics::Histogram<f64>, Vec<KeyValue>)>,
}

impl Histogram {
    /// Adds a duration.
    pub fn observe(&self, time: Duration) {
        let seconds = time.as_secs_f64();
        self.page.observe(seconds);
        if let Some((otlp, attributes)) = &self.otlp {
            otlp.record(seconds, attributes);
        }
    }
}
