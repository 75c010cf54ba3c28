//! Instances of a component of WASI 0.2, and the requests that they answer one by one.
//!
//! A request takes an idle instance, or a new one, and calls it in the task that has the
//! request. There it stays for as long as its guest has not begun to answer. The guest of a
//! request whose response has begun, or whose client has left, may have something left to do:
//! it goes on in a task of its own.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use http::{Request, Response};
use tokio::runtime::Handle;
use tokio::time::sleep_until;
use wasmtime::{Store, format_err};
use wasmtime_wasi_http::p2::bindings::http::types::{ErrorCode, Scheme};
use wasmtime_wasi_http::p2::bindings::{Proxy, ProxyPre};
use wasmtime_wasi_http::{WasiBody, WasiHttpView as _};

use crate::runtime::component::Component;
use crate::runtime::deadline::Deadline;
use crate::runtime::handler::{Failure, Reuse};
use crate::runtime::in_flight::InFlight;
use crate::runtime::instance::{self, Admission, InstanceState};

/// The instances of a component that are not at work.
pub struct Pool {
    pre: ProxyPre<InstanceState>,
    component: Arc<Component>,
    reuse: Reuse,
    idle: Mutex<Idle>,
}

#[derive(Default)]
struct Idle {
    /// The one that worked last comes last, and is the first to be used again: its memory is
    /// in the processor's caches, and those that are not needed get old.
    instances: Vec<(Instant, Instance)>,
    /// Whether a task drops those that have been idle for too long.
    is_watched: bool,
}

impl Pool {
    /// Of a component that is linked and ready to be instantiated.
    pub fn new(pre: ProxyPre<InstanceState>, component: Arc<Component>, reuse: Reuse) -> Arc<Self> {
        Arc::new(Self {
            pre,
            component,
            reuse,
            idle: Mutex::default(),
        })
    }

    /// The component they are of.
    pub fn component(&self) -> &Arc<Component> {
        &self.component
    }

    /// How long a request may take.
    pub fn request_timeout(&self) -> Duration {
        self.reuse.request_timeout
    }

    /// Has an instance answer.
    ///
    /// If this is dropped before the response begins, the guest still goes on to its end.
    pub async fn handle(
        self: &Arc<Self>,
        admission: Admission,
        request: Request<WasiBody>,
    ) -> Result<Response<WasiBody>, Failure> {
        let head = Head::default();
        let run = self.clone().run(admission, request, head.clone());
        Answering {
            run: Some(Box::pin(run)),
            head,
        }
        .await
    }

    /// Runs an instance with the request until the guest has finished.
    async fn run(
        self: Arc<Self>,
        admission: Admission,
        request: Request<WasiBody>,
        head: Head,
    ) -> Result<(), Failure> {
        let mut instance = match self.take() {
            Some(instance) => instance,
            None => {
                let made = self.instantiate().await;
                made.map_err(|error| Failure::NeverBegan(error.context("instantiation error")))?
            }
        };
        // The request keeps its place until the guest has finished.
        let Admission {
            request: in_flight,
            place: _place,
        } = admission;
        let limit = self.reuse.request_timeout;
        match instance.serve(in_flight, request, head, limit).await {
            Ok(()) => {
                instance.store.data().requests.clear();
                if instance.served < self.reuse.max_requests {
                    self.put_back(instance);
                } else {
                    // To take its memory apart takes time, in which the response would wait.
                    tokio::spawn(async move { drop(instance) });
                }
                Ok(())
            }
            Err(error) => {
                let requests = &instance.store.data().requests;
                requests.fail(&self.component, limit, &error);
                Err(Failure::Failed(error))
            }
        }
    }

    async fn instantiate(&self) -> wasmtime::Result<Instance> {
        let mut store = instance::store(self.pre.engine(), &self.component)?;
        let made = self.pre.instantiate_async(&mut store);
        let proxy = instance::made_in_time(self.reuse.request_timeout, made).await?;
        Ok(Instance {
            store,
            proxy,
            deadline: Deadline::default(),
            served: 0,
        })
    }

    /// Takes an idle instance, if there is one that can go on.
    fn take(&self) -> Option<Instance> {
        loop {
            let (_, instance) = self.lock().instances.pop()?;
            if !instance.store.data().basis.is_lost() {
                return Some(instance);
            }
        }
    }

    fn put_back(self: Arc<Self>, instance: Instance) {
        let mut idle = self.lock();
        idle.instances.push((Instant::now(), instance));
        if !std::mem::replace(&mut idle.is_watched, true) {
            tokio::spawn(drop_idle(Arc::downgrade(&self)));
        }
    }

    /// Takes out the instances that have been idle for too long. Returns them, and when to
    /// look for others, if there are others.
    fn take_expired(&self) -> (Vec<(Instant, Instance)>, Option<Instant>) {
        let now = Instant::now();
        let until = |since: Instant| since.checked_add(self.reuse.idle_timeout);
        let mut idle = self.lock();
        let is_expired = |(since, _): &(Instant, _)| until(*since).is_some_and(|at| at <= now);
        let count = idle.instances.partition_point(is_expired);
        let expired = idle.instances.drain(..count).collect();
        let next = idle.instances.first().and_then(|(since, _)| until(*since));
        idle.is_watched = !idle.instances.is_empty();
        (expired, next)
    }

    // A std mutex: nothing is awaited while it is held.
    fn lock(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Drops instances that have been idle for too long, until none is idle.
async fn drop_idle(pool: Weak<Pool>) {
    while let Some((expired, next)) = pool.upgrade().map(|pool| pool.take_expired()) {
        drop(expired);
        match next {
            Some(at) => sleep_until(at.into()).await,
            None => return,
        }
    }
}

/// An instance of a component.
struct Instance {
    store: Store<InstanceState>,
    proxy: Proxy,
    /// Of the request that it serves.
    deadline: Deadline,
    /// How many requests it was given.
    served: usize,
}

impl Instance {
    /// Calls the guest. Fails if it traps, if the time is over, or if the host panics in one of
    /// its functions. The instance is of no use then.
    async fn serve(
        &mut self,
        in_flight: Arc<InFlight>,
        request: Request<WasiBody>,
        head: Head,
        limit: Duration,
    ) -> wasmtime::Result<()> {
        let (store, deadline) = (&mut self.store, &mut self.deadline);
        self.served += 1;
        let state = store.data_mut();
        let requests = state.requests.clone();
        if let Some(current) = &state.current_span {
            current.set(in_flight.span());
        }
        in_flight.rest_on(state.basis.clone());
        requests.replace(|_| true, in_flight);
        let mut http = state.http();
        let request = http.new_incoming_request(Scheme::Http, request)?;
        let out = http.new_response_outparam_from_callback(move |answer| head.set(answer))?;
        let handler = self.proxy.wasi_http_incoming_handler();
        let mut call = pin!(handler.call_handle(store, request, out));
        let due = || requests.last_progress()?.checked_add(limit);
        std::future::poll_fn(|context| {
            // The connection of the client is in the same task.
            let polled = catch_unwind(AssertUnwindSafe(|| call.as_mut().poll(context)));
            match polled {
                Ok(Poll::Ready(returned)) => Poll::Ready(returned),
                // Not from when the instance was given the request, as the request may have
                // waited for it.
                Ok(Poll::Pending) => deadline
                    .poll(due(), context)
                    .map(|()| Err(format_err!("guest timed out"))),
                Err(_) => Poll::Ready(Err(format_err!("the host panicked"))),
            }
        })
        .await
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        let state = self.store.data();
        // It is dropped at work when the host stops. A response that it was writing must not
        // look whole.
        state.requests.abandon();
        if let Some(instructions) = &state.component.instructions {
            instructions.end(&self.store);
        }
    }
}

/// The response of a guest, or the error that it answers with instead.
type Answer = Result<Response<WasiBody>, ErrorCode>;

/// Where the guest leaves its answer when it begins.
#[derive(Clone, Default)]
struct Head(Arc<Mutex<Option<Answer>>>);

impl Head {
    fn set(&self, answer: Answer) {
        *self.lock() = Some(answer);
    }

    fn take(&self) -> Option<Result<Response<WasiBody>, Failure>> {
        let answer = self.lock().take()?;
        Some(answer.map_err(|error| Failure::Failed(error.into())))
    }

    // A std mutex: nothing is awaited while it is held.
    fn lock(&self) -> MutexGuard<'_, Option<Answer>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

type Run = Pin<Box<dyn Future<Output = Result<(), Failure>> + Send>>;

/// Waits for the response of a guest that runs. Ready with the response as soon as the guest
/// pauses or ends.
struct Answering {
    run: Option<Run>,
    head: Head,
}

impl Future for Answering {
    type Output = Result<Response<WasiBody>, Failure>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let run = self
            .run
            .as_mut()
            .expect("it is not polled once it was ready");
        let polled = run.as_mut().poll(context);
        if polled.is_ready() {
            self.run = None;
        }
        match (self.head.take(), polled) {
            // With a guest that goes on. A guest that failed shows in the body.
            (Some(answer), _) => Poll::Ready(answer),
            (None, Poll::Pending) => Poll::Pending,
            (None, Poll::Ready(Err(failure))) => Poll::Ready(Err(failure)),
            (None, Poll::Ready(Ok(()))) => Poll::Ready(Err(Failure::Failed(format_err!(
                "guest never invoked `response-outparam::set` method"
            )))),
        }
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        // Without a runtime the host has ended.
        if let (Some(run), Ok(runtime)) = (self.run.take(), Handle::try_current()) {
            runtime.spawn(run);
        }
    }
}
