//! Instances of a component of WASI 0.3: how they are made, used again, and given up.
//!
//! [`ProxyHandler`](wasmtime_wasi_http::handler::ProxyHandler) queues requests and
//! hands them to workers, one for each wasm instance, which can have several of them at a
//! time. Here is what it has to be told about them.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use wasmtime::component::GuestTaskId;
use wasmtime::{Engine, Store, StoreContextMut};
use wasmtime_wasi_http::WasiHttpView;
use wasmtime_wasi_http::handler::{
    HandlerState, Instance, ProxyPre, ShouldAccept, WorkerExpiration, WorkerState, WorkerStatus,
};
use wasmtime_wasi_http::p3::bindings::ServicePre;

use crate::runtime::component::Component;
use crate::runtime::deadline::Deadline;
use crate::runtime::handler::Reuse;
use crate::runtime::in_flight::Requests;
use crate::runtime::instance::{self, Admission, InstanceState};
use crate::store::Basis;

/// Makes the workers of one component.
pub struct Workers {
    pre: ProxyPre<InstanceState>,
    engine: Engine,
    component: Arc<Component>,
    reuse: Reuse,
}

impl Workers {
    /// Of a component that is linked and ready to be instantiated.
    pub fn new(pre: ServicePre<InstanceState>, component: Arc<Component>, reuse: Reuse) -> Self {
        Self {
            engine: pre.engine().clone(),
            pre: ProxyPre::P3(pre),
            component,
            reuse,
        }
    }

    /// The component they work for.
    pub fn component(&self) -> &Arc<Component> {
        &self.component
    }

    /// How long a request may take.
    pub fn request_timeout(&self) -> Duration {
        self.reuse.request_timeout
    }
}

impl HandlerState for Workers {
    type StoreData = InstanceState;
    type WorkerExpiration = Expiration;
    type WorkerState = Worker;

    async fn instantiate(&self) -> wasmtime::Result<Instance<InstanceState, Expiration, Worker>> {
        let mut store = instance::store(&self.engine, &self.component)?;
        let made = self.pre.instantiate_async(&mut store);
        let proxy = instance::made_in_time(self.reuse.request_timeout, made).await?;
        let requests = store.data().requests.clone();
        let basis = store.data().basis.clone();
        Ok(Instance {
            store,
            proxy,
            view: InstanceState::http,
            expiration: Expiration {
                idle_timeout: self.reuse.idle_timeout,
                request_timeout: self.reuse.request_timeout,
                requests,
                deadline: Deadline::default(),
            },
            state: Worker {
                component: self.component.clone(),
                reuse: self.reuse,
                basis,
            },
        })
    }
}

/// One worker: an instance, and the requests it is given.
pub struct Worker {
    component: Arc<Component>,
    reuse: Reuse,
    /// What the instance rests on.
    basis: Arc<Basis>,
}

impl WorkerState for Worker {
    type StoreData = InstanceState;
    type RequestData = Admission;

    fn should_accept_request(&self, concurrent: usize, total: usize) -> ShouldAccept {
        if total >= self.reuse.max_requests || self.basis.is_lost() {
            ShouldAccept::Never
        } else if concurrent >= self.reuse.max_concurrent_requests {
            ShouldAccept::No
        } else {
            ShouldAccept::Yes
        }
    }

    fn on_request_start(
        &self,
        store: StoreContextMut<'_, InstanceState>,
        Admission { request, place }: Admission,
        _task: GuestTaskId,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + Sync>> {
        let deadline = request
            .last_progress()
            .checked_add(self.reuse.request_timeout);
        let is_over = |request: &Arc<_>| Arc::strong_count(request) == 1;
        request.rest_on(store.data().basis.clone());
        store.data().requests.replace(is_over, request);
        // The future is dropped when the guest has returned the head of the response. Until
        // then the request keeps its place.
        Box::pin(async move {
            match deadline {
                Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
                None => std::future::pending().await,
            }
            drop(place);
        })
    }

    fn drop(&self, store: Store<InstanceState>, result: wasmtime::Result<()>) {
        if let Some(instructions) = &self.component.instructions {
            instructions.end(&store);
        }
        let Err(error) = result else {
            return;
        };
        let requests = &store.data().requests;
        if is_cancellation(&error) {
            requests.abandon();
        } else {
            requests.fail(&self.component, self.reuse.request_timeout, &error);
        }
    }
}

/// Whether it is only that the host's runtime ends, which Wasmtime takes for a
/// panic.
fn is_cancellation(error: &wasmtime::Error) -> bool {
    !std::thread::panicking() && error.to_string() == "worker panicked"
}

/// When a worker is to be given up.
pub struct Expiration {
    idle_timeout: Duration,
    request_timeout: Duration,
    requests: Arc<Requests>,
    deadline: Deadline,
}

impl WorkerExpiration for Expiration {
    fn poll(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        status: WorkerStatus,
        start: Instant,
    ) -> Poll<()> {
        let this = &mut *self;
        let (start, timeout) = match status {
            WorkerStatus::Idle => (start, this.idle_timeout),
            // Not from when the instance was given the request, as the request may
            // have waited for it.
            WorkerStatus::Requests => (
                this.requests.last_progress().unwrap_or(start),
                this.request_timeout,
            ),
            // The guest may have returned after the client had read everything.
            WorkerStatus::PostReturn => (
                this.requests
                    .last_progress()
                    .map_or(start, |last| last.max(start)),
                this.request_timeout,
            ),
        };
        this.deadline.poll(start.checked_add(timeout), context)
    }
}
