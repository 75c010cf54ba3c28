//! What belongs to one instance of a component.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;
use wasmtime::ResourceLimiter;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::application::allowed_hosts::AllowedHosts;
use crate::log::{ComponentLog, Log};
use crate::runtime::in_flight::{InFlight, Requests};
use crate::runtime::instructions::Instructions;
use crate::runtime::outbound::Outbound;
use crate::store::KeyValueStore;

/// What all instances of a component share.
#[derive(Debug)]
pub struct Component {
    /// Its id in the manifest.
    pub id: String,
    /// What it is for, in its author's words.
    pub description: String,
    /// Its environment variables.
    pub environment: Vec<(String, String)>,
    /// Its variables, with their templates resolved.
    pub variables: BTreeMap<String, String>,
    /// The stores it may open, by label.
    pub stores: HashMap<String, KeyValueStore>,
    /// Where it may send requests.
    pub allowed_hosts: AllowedHosts,
    /// The most memory an instance may have, in bytes.
    pub max_memory: usize,
    /// Where what an instance executes is counted, if it is.
    pub instructions: Option<Arc<Instructions>>,
    /// Where what it prints goes.
    pub output: ComponentLog,
    /// Where the host reports what went wrong with it.
    pub log: Log,
}

/// The data of an instance's store: what its imports work on.
pub struct InstanceState {
    pub(crate) component: Arc<Component>,
    pub(crate) table: ResourceTable,
    /// The requests it is handling.
    pub(crate) requests: Arc<Requests>,
    pub(crate) memory: MemoryLimit,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    outbound: Outbound,
}

impl InstanceState {
    /// The state of a new instance of `component`.
    pub fn new(component: Arc<Component>) -> Self {
        let mut wasi = WasiCtxBuilder::new();
        wasi.stdout(component.output.stdout())
            .stderr(component.output.stderr());
        for (name, value) in &component.environment {
            wasi.env(name, value);
        }
        Self {
            table: ResourceTable::new(),
            requests: Arc::default(),
            memory: MemoryLimit {
                bytes: component.max_memory,
                component: component.clone(),
            },
            wasi: wasi.build(),
            http: WasiHttpCtx::new(),
            outbound: Outbound::new(component.clone()),
            component,
        }
    }
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

/// What goes with a request to the instance that handles it.
#[derive(Debug)]
pub struct Admission {
    /// The request.
    pub request: Arc<InFlight>,
    /// Its place among those that run at the same time.
    pub permit: OwnedSemaphorePermit,
}

/// Refuses memory beyond the limit, and says so: what the component prints then,
/// if anything, seldom names the reason.
pub(crate) struct MemoryLimit {
    bytes: usize,
    component: Arc<Component>,
}

impl ResourceLimiter for MemoryLimit {
    fn memory_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let granted = desired <= self.bytes;
        if !granted {
            self.component.log.line(format_args!(
                "component {} was refused {desired} bytes of memory, its limit is {}",
                self.component.id, self.bytes
            ));
        }
        Ok(granted)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        _desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(true)
    }
}
