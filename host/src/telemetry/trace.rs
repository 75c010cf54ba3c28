//! Spans, and the W3C Trace Context that carries them from process to process.
//!
//! Their names are Spin's. Spin's attributes that may have something of a user, such as paths,
//! queries and addresses of clients, are left out: a span has the pattern of its route.

use std::sync::{Arc, Mutex, PoisonError};

use http::{HeaderMap, Method, StatusCode, Uri};
use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::trace::{SpanKind, Status, TraceContextExt as _, Tracer as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_http::{HeaderExtractor, HeaderInjector};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracer;

use super::labels;

/// Makes the spans of a host.
#[derive(Clone, Debug)]
pub struct Tracing {
    tracer: SdkTracer,
    propagator: Arc<TraceContextPropagator>,
}

impl Tracing {
    /// Spans that `tracer` sends.
    pub fn new(tracer: SdkTracer) -> Self {
        Self {
            tracer,
            propagator: Arc::default(),
        }
    }

    /// A request of a client, in the trace that its header fields name or in a new one.
    pub(super) fn request(&self, method: &Method, headers: &HeaderMap) -> Span {
        let parent = self.propagator.extract(&HeaderExtractor(headers));
        let method = method_attribute(method);
        let attributes = [
            KeyValue::new("http.request.method", method),
            KeyValue::new("network.protocol.name", "http"),
            KeyValue::new("url.scheme", "http"),
        ];
        // As its route is not known yet, the method alone.
        self.begin(method, SpanKind::Server, attributes, &parent)
    }

    /// An instance's work on a request. The component finds it in the header fields.
    pub fn execution(&self, component: &Arc<str>, headers: &mut HeaderMap) -> Span {
        let parent = self.propagator.extract(&HeaderExtractor(headers));
        let attributes = [KeyValue::new("component_id", component.clone())];
        let name = format!("execute_wasm_component {component}");
        let span = self.begin(name, SpanKind::Internal, attributes, &parent);
        span.propagate(headers);
        span
    }

    /// The place for the span of an instance's present request.
    pub fn current(&self) -> CurrentSpan {
        CurrentSpan {
            tracing: self.clone(),
            context: Arc::default(),
        }
    }

    fn begin<const N: usize>(
        &self,
        name: impl Into<std::borrow::Cow<'static, str>>,
        kind: SpanKind,
        attributes: [KeyValue; N],
        parent: &Context,
    ) -> Span {
        let builder = self.tracer.span_builder(name).with_kind(kind);
        let span = builder
            .with_attributes(attributes)
            .start_with_context(&self.tracer, parent);
        Span {
            context: parent.with_span(span),
            propagator: self.propagator.clone(),
        }
    }
}

/// A part of a trace. It ends when this is dropped, if not before.
#[derive(Clone, Debug)]
pub struct Span {
    context: Context,
    propagator: Arc<TraceContextPropagator>,
}

impl Span {
    /// Names this span in the header fields of a request that belongs to it.
    pub fn propagate(&self, headers: &mut HeaderMap) {
        let mut injector = HeaderInjector(headers);
        self.propagator.inject_context(&self.context, &mut injector);
        // The propagator writes it even if there is nothing to say.
        if headers
            .get(TRACE_STATE)
            .is_some_and(|state| state.is_empty())
        {
            headers.remove(TRACE_STATE);
        }
    }

    /// Notes the route of the request, and which component answers it.
    pub(super) fn routed(&self, method: &str, component: &Arc<str>, pattern: &Arc<str>) {
        let span = self.context.span();
        span.update_name(format!("{method} {pattern}"));
        span.set_attribute(KeyValue::new("http.route", pattern.clone()));
        if !component.is_empty() {
            span.set_attribute(KeyValue::new("component_id", component.clone()));
        }
    }

    /// Notes the status of the answer. A failure of the server is one of the span.
    pub fn answered(&self, status: StatusCode) {
        let span = self.context.span();
        let code = i64::from(status.as_u16());
        span.set_attribute(KeyValue::new("http.response.status_code", code));
        if status.is_server_error() {
            span.set_attribute(KeyValue::new("error.type", status.as_str().to_owned()));
            self.failed();
        }
    }

    /// Notes that it failed. The reason is in the log, as it may have something of a user.
    pub fn failed(&self) {
        self.context.span().set_status(Status::error(""));
    }

    /// Ends it now.
    pub fn end(&self) {
        self.context.span().end();
    }
}

const TRACE_STATE: &str = "tracestate";

/// The span of the request that an instance works on.
#[derive(Clone, Debug)]
pub struct CurrentSpan {
    tracing: Tracing,
    context: Arc<Mutex<Option<Context>>>,
}

impl CurrentSpan {
    /// Notes the span of the next request.
    pub fn set(&self, span: Option<&Span>) {
        // A std mutex: nothing is awaited while it is held.
        let mut current = self.context.lock().unwrap_or_else(PoisonError::into_inner);
        *current = span.map(|span| span.context.clone());
    }

    /// An operation on a key-value store.
    pub fn operation(&self, name: &'static str) -> Option<Span> {
        self.begin(name, [])
    }

    /// A request that the instance sends. The receiver finds the span in its header fields.
    pub fn outbound(&self, method: &Method, uri: &Uri, headers: &mut HeaderMap) -> Option<Span> {
        let method = method_attribute(method);
        let port = uri.port_u16().map_or(0, i64::from);
        let attributes = [
            KeyValue::new("http.request.method", method),
            KeyValue::new("server.address", uri.host().unwrap_or_default().to_owned()),
            KeyValue::new("server.port", port),
        ];
        let span = self.begin(method, attributes)?;
        span.propagate(headers);
        Some(span)
    }

    fn begin<const N: usize>(&self, name: &'static str, attributes: [KeyValue; N]) -> Option<Span> {
        let current = self.context.lock().unwrap_or_else(PoisonError::into_inner);
        let parent = current.clone()?;
        drop(current);
        Some(
            self.tracing
                .begin(name, SpanKind::Client, attributes, &parent),
        )
    }
}

/// As OpenTelemetry's conventions have it.
fn method_attribute(method: &Method) -> &'static str {
    match labels::method(method) {
        "other" => "_OTHER",
        known => known,
    }
}
