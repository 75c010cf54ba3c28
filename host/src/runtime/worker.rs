//! Instances at work: how they are made, used again, and given up.
//!
//! [`ProxyHandler`](wasmtime_wasi_http::handler::ProxyHandler) queues requests and
//! hands them to workers, one for each wasm instance. Here is what it has to be told
//! about them.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use pin_project_lite::pin_project;
use tokio::time::Sleep;
use wasmtime::component::{GuestTaskId, InstancePre};
use wasmtime::{Engine, Store, StoreContextMut};
use wasmtime_wasi_http::handler::{
    HandlerState, Instance, Proxy, ProxyPre, ShouldAccept, WorkerExpiration, WorkerState,
    WorkerStatus,
};
use wasmtime_wasi_http::{WasiHttpView, p2, p3};

use crate::runtime::component::Component;
use crate::runtime::in_flight::Requests;
use crate::runtime::instance::{Admission, InstanceState};

/// How long an instance lives, and how much it is given to do.
#[derive(Clone, Copy, Debug)]
pub struct Reuse {
    /// Requests in all.
    pub max_requests: usize,
    /// Requests at the same time; a WASI 0.2 component takes one.
    pub max_concurrent_requests: usize,
    /// How long to wait for the next one.
    pub idle_timeout: Duration,
    /// How long one may take until its response begins, and then each time until the
    /// next part of the response.
    pub request_timeout: Duration,
}

/// Makes the workers of one component.
pub struct Workers {
    pre: ProxyPre<InstanceState>,
    engine: Engine,
    component: Arc<Component>,
    reuse: Reuse,
}

impl Workers {
    /// Of a component that is linked and ready to be instantiated.
    pub fn new(
        pre: InstancePre<InstanceState>,
        component: Arc<Component>,
        mut reuse: Reuse,
    ) -> anyhow::Result<Self> {
        let engine = pre.engine().clone();
        let pre = match p3::bindings::ServicePre::new(pre.clone()) {
            Ok(pre) => ProxyPre::P3(pre),
            Err(_) => {
                reuse.max_concurrent_requests = 1;
                ProxyPre::P2(
                    p2::bindings::ProxyPre::new(pre)
                        .map_err(anyhow::Error::from)
                        .context("it exports no HTTP handler of WASI 0.2 or 0.3")?,
                )
            }
        };
        Ok(Self {
            pre,
            engine,
            component,
            reuse,
        })
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
        let mut store = Store::new(&self.engine, InstanceState::new(self.component.clone()));
        store.limiter_async(|state| &mut state.memory);
        // At each epoch a guest lets others run. That is also when its time limit is
        // looked at, so a loop without end ends.
        store.set_epoch_deadline(1);
        store.epoch_deadline_async_yield_and_update(1);
        if let Some(instructions) = &self.component.instructions {
            instructions.begin(&mut store)?;
        }
        let instantiation = self.pre.instantiate_async(&mut store);
        // A component may run code of its own while it is made.
        let proxy = tokio::time::timeout(self.reuse.request_timeout, instantiation)
            .await
            .map_err(|_| wasmtime::format_err!("the component took too long to start"))??;
        let requests = store.data().requests.clone();
        let concurrent = matches!(proxy, Proxy::P3(_));
        Ok(Instance {
            store,
            proxy,
            view: InstanceState::http,
            expiration: Expiration {
                idle_timeout: self.reuse.idle_timeout,
                request_timeout: self.reuse.request_timeout,
                requests,
                sleep: tokio::time::sleep(self.reuse.idle_timeout),
            },
            state: Worker {
                component: self.component.clone(),
                reuse: self.reuse,
                concurrent,
            },
        })
    }
}

/// One worker: an instance, and the requests it is given.
pub struct Worker {
    component: Arc<Component>,
    reuse: Reuse,
    concurrent: bool,
}

impl WorkerState for Worker {
    type StoreData = InstanceState;
    type RequestData = Admission;

    fn should_accept_request(&self, concurrent: usize, total: usize) -> ShouldAccept {
        if total >= self.reuse.max_requests {
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
            .checked_add(self.reuse.request_timeout)
            .filter(|_| self.concurrent);
        let is_over = |request: &Arc<_>| !self.concurrent || Arc::strong_count(request) == 1;
        // With several requests at a time it is not known which of them does something.
        if let (Some(current), false) = (&store.data().current_span, self.concurrent) {
            current.set(request.span());
        }
        request.rest_on(store.data().basis.clone());
        store.data().requests.replace(is_over, request);
        // The future is dropped when the guest has finished: one of WASI 0.2 with the
        // body and all, one of WASI 0.3 with the head alone. Until then the request
        // keeps its place. With one request at a time `Expiration` alone keeps the
        // time, and spares each a timer of its own.
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
        let limit = self.reuse.request_timeout;
        let mut concerned = 0;
        // Before the store goes, and the bodies that it was writing end.
        for request in store.data().requests.take() {
            // One that only the store still knows is answered to the last byte.
            if Arc::strong_count(&request) > 1 {
                concerned += 1;
                request.fail();
                if !is_cancellation(&error) {
                    request.report(&self.component, limit, &error);
                }
            }
        }
        if concerned == 0 && !is_cancellation(&error) {
            self.component.count_failure(false);
            self.component.log.line(format_args!(
                "component {} failed after it had answered: {error:#}",
                self.component.id
            ));
        }
    }
}

/// Whether it is only that the host's runtime ends, which Wasmtime takes for a
/// panic.
fn is_cancellation(error: &wasmtime::Error) -> bool {
    !std::thread::panicking() && error.to_string() == "worker panicked"
}

pin_project! {
    /// When a worker is to be given up.
    pub struct Expiration {
        idle_timeout: Duration,
        request_timeout: Duration,
        requests: Arc<Requests>,
        #[pin]
        sleep: Sleep,
    }
}

impl WorkerExpiration for Expiration {
    fn poll(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        status: WorkerStatus,
        start: Instant,
    ) -> Poll<()> {
        let mut this = self.project();
        let (start, timeout) = match status {
            WorkerStatus::Idle => (start, *this.idle_timeout),
            // Not from when the instance was given the request, as the request may
            // have waited for it.
            WorkerStatus::Requests => (
                this.requests.last_progress().unwrap_or(start),
                *this.request_timeout,
            ),
            // The guest may have returned after the client had read everything.
            WorkerStatus::PostReturn => (
                this.requests
                    .last_progress()
                    .map_or(start, |last| last.max(start)),
                *this.request_timeout,
            ),
        };
        let Some(deadline) = start.checked_add(timeout).map(tokio::time::Instant::from) else {
            return Poll::Pending;
        };
        // A timer that fires early does no harm, it is just set again, while setting
        // it costs a lock. So it isn't set back at each request, only when it would
        // fire too late or has fired too early.
        if this.sleep.deadline() > deadline {
            this.sleep.as_mut().reset(deadline);
        }
        while this.sleep.as_mut().poll(context).is_ready() {
            if tokio::time::Instant::now() >= deadline {
                return Poll::Ready(());
            }
            this.sleep.as_mut().reset(deadline);
        }
        Poll::Pending
    }
}
