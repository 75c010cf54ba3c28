//! The state of one instance of a component.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;
use wasmtime::component::ResourceTable;
use wasmtime::{Engine, ResourceLimiterAsync, Store};
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::runtime::component::Component;
use crate::runtime::in_flight::{InFlight, Requests};
use crate::runtime::instance_output::InstanceOutput;
use crate::runtime::outbound::Outbound;
use crate::runtime::room::Share;
use crate::store::{Basis, KeyValueStore};
use crate::telemetry::metrics::{ComponentMetrics, Present};
use crate::telemetry::trace::CurrentSpan;

/// How long an instance that is at work waits for memory that others have.
const MAX_WAIT: Duration = Duration::from_secs(2);

/// The data of an instance's store: its imports work on it.
pub struct InstanceState {
    pub(crate) component: Arc<Component>,
    pub(crate) table: ResourceTable,
    /// The requests it is handling.
    pub(crate) requests: Arc<Requests>,
    pub(crate) memory: MemoryLimit,
    /// The span of its present request, if there is a trace.
    pub(crate) current_span: Option<CurrentSpan>,
    /// What it rests on.
    pub(crate) basis: Arc<Basis>,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    outbound: Outbound,
    _present: Option<Present>,
}

impl InstanceState {
    /// The state of a new instance of `component`.
    pub fn new(component: Arc<Component>) -> Self {
        let basis = Basis::new(
            component
                .stores
                .values()
                .filter_map(KeyValueStore::durability),
        );
        let basis = Arc::new(basis);
        let mut wasi = WasiCtxBuilder::new();
        wasi.stdout(InstanceOutput::new(&component.output.stdout, &basis))
            .stderr(InstanceOutput::new(&component.output.stderr, &basis));
        for (name, value) in &component.environment {
            wasi.env(name, value);
        }
        let requests: Arc<Requests> = Arc::default();
        let current_span = component.telemetry.current_span();
        Self {
            table: ResourceTable::new(),
            memory: MemoryLimit::new(component.clone(), requests.clone()),
            outbound: Outbound::new(
                component.clone(),
                requests.clone(),
                basis.clone(),
                current_span.clone(),
            ),
            requests,
            wasi: wasi.build(),
            http: WasiHttpCtx::new(),
            current_span,
            basis,
            _present: component.metrics.as_ref().map(ComponentMetrics::created),
            component,
        }
    }
}

/// The store of a new instance of `component`.
pub fn store(
    engine: &Engine,
    component: &Arc<Component>,
) -> wasmtime::Result<Store<InstanceState>> {
    let mut store = Store::new(engine, InstanceState::new(component.clone()));
    store.limiter_async(|state| &mut state.memory);
    // At each epoch a guest lets others run. That is also when its time limit is
    // looked at, so a loop without end ends.
    store.set_epoch_deadline(1);
    store.epoch_deadline_async_yield_and_update(1);
    if let Some(instructions) = &component.instructions {
        instructions.begin(&mut store)?;
    }
    Ok(store)
}

/// The instance that `instantiation` makes. A component may run code of its own while it is
/// made, but not for longer than `limit`.
pub async fn made_in_time<T>(
    limit: Duration,
    instantiation: impl Future<Output = wasmtime::Result<T>>,
) -> wasmtime::Result<T> {
    timeout(limit, instantiation)
        .await
        .map_err(|_| wasmtime::format_err!("the component took too long to start"))?
}

impl WasiView for InstanceState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl WasiHttpView for InstanceState {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            ctx: &mut self.http,
            table: &mut self.table,
            hooks: &mut self.outbound,
        }
    }
}

/// The data that goes with a request to its instance.
#[derive(Debug)]
pub struct Admission {
    /// The request.
    pub request: Arc<InFlight>,
    /// Its place among the requests that run at the same time.
    pub place: Share,
}

/// Refuses memory beyond the limit of the instance, and beyond the limit of all together.
/// It reports the refusal, because a component that runs out of memory seldom can.
pub(crate) struct MemoryLimit {
    component: Arc<Component>,
    requests: Arc<Requests>,
    /// The memory that the instance has.
    share: Option<Share>,
}

impl MemoryLimit {
    fn new(component: Arc<Component>, requests: Arc<Requests>) -> Self {
        Self {
            component,
            requests,
            share: None,
        }
    }

    /// A new instance waits for as long as it may take to start.
    async fn grant(&mut self, bytes: usize) -> bool {
        let memory = self.component.room.memory(bytes);
        let more = match &self.share {
            None => memory.await,
            Some(_) => match timeout(MAX_WAIT, memory).await {
                Ok(more) => more,
                Err(_) => return false,
            },
        };
        match &mut self.share {
            Some(share) => share.merge(more),
            None => self.share = Some(more),
        }
        true
    }
}

#[wasmtime_wasi::async_trait]
impl ResourceLimiterAsync for MemoryLimit {
    async fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let (id, max) = (&self.component.id, self.component.max_memory);
        if desired > max {
            self.component.log.line(format_args!(
                "component {id} was refused {desired} bytes of memory, its limit is {max}"
            ));
            return Ok(false);
        }
        let granted = self.grant(desired.saturating_sub(current)).await;
        if !granted {
            self.requests.find_no_room();
            if self.component.room.is_refusal_news() {
                self.component.log.line(format_args!(
                    "component {} was refused {desired} bytes of memory, as other requests \
                     have all of --max-memory",
                    self.component.id
                ));
            }
        }
        Ok(granted)
    }

    async fn table_growing(
        &mut self,
        _current: usize,
        _desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(true)
    }
}
