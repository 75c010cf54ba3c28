//! The counters and gauges of the page of metrics, for OTLP.
//!
//! They have the same names there, without the ending `_total`: so alerts and dashboards fit
//! them, too, once a collector has handed them to Prometheus, which adds it again.

use opentelemetry::KeyValue;
use opentelemetry::metrics::Meter;
use prometheus::core::Collector;
use prometheus::proto::{Metric, MetricType};

/// Has `meter` ask `collector`, after `refresh`, whenever metrics are sent. Histograms are left
/// out: OpenTelemetry has to see their values.
pub fn observe(
    meter: &Meter,
    collector: Box<dyn Collector>,
    refresh: impl Fn() + Send + Sync + 'static,
) {
    let Some(family) = collector.collect().into_iter().next() else {
        return;
    };
    let name = family.name().to_owned();
    let help = family.help().to_owned();
    let values = move |read: fn(&Metric) -> f64| {
        refresh();
        let families = collector.collect();
        let metrics = families.iter().flat_map(|family| family.get_metric());
        let values = metrics.map(|metric| (read(metric), attributes(metric)));
        values.collect::<Vec<_>>()
    };
    match family.get_field_type() {
        MetricType::COUNTER => {
            let name = name.strip_suffix("_total").unwrap_or(&name).to_owned();
            let counter = meter.f64_observable_counter(name).with_description(help);
            counter
                .with_callback(move |observer| {
                    for (value, attributes) in values(|metric| metric.get_counter().get_value()) {
                        observer.observe(value, &attributes);
                    }
                })
                .build();
        }
        MetricType::GAUGE => {
            let gauge = meter.f64_observable_gauge(name).with_description(help);
            gauge
                .with_callback(move |observer| {
                    for (value, attributes) in values(|metric| metric.get_gauge().get_value()) {
                        observer.observe(value, &attributes);
                    }
                })
                .build();
        }
        _ => {}
    }
}

fn attributes(metric: &Metric) -> Vec<KeyValue> {
    let labels = metric.get_label().iter();
    let labels =
        labels.map(|label| KeyValue::new(label.name().to_owned(), label.value().to_owned()));
    labels.collect()
}
