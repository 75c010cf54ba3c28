//! A request while it is with an instance.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use http::{Method, Uri};
use tokio::sync::Notify;

use crate::runtime::component::Component;
use crate::runtime::request_id::RequestId;
use crate::store::{Basis, NotDurable};
use crate::telemetry::trace::Span;

/// A request that an instance answers. The service, the instance and the response's body
/// share it.
#[derive(Debug)]
pub struct InFlight {
    method: Method,
    uri: Uri,
    id: RequestId,
    depth: usize,
    span: Option<Span>,
    started: Instant,
    /// When the last part of the response was taken, in microseconds since it
    /// started; 0 while there is none.
    progress: AtomicU64,
    timed_out: OnceLock<bool>,
    /// What its instance rests on, once it has one.
    basis: OnceLock<Arc<Basis>>,
    /// Its instance is gone, and the response's body with it.
    failed: AtomicBool,
    /// Its instance needed memory that others had.
    found_no_room: AtomicBool,
    is_reported: AtomicBool,
    reported: Notify,
}

impl InFlight {
    /// A request that starts now. A client's has the depth 0, a
    /// [`Call`](crate::runtime::chaining::Call) its own. `span` is the part of the trace that the
    /// instance has.
    pub fn new(
        method: &Method,
        uri: &Uri,
        id: RequestId,
        depth: usize,
        span: Option<Span>,
    ) -> Self {
        Self {
            method: method.clone(),
            uri: uri.clone(),
            id,
            depth,
            span,
            started: Instant::now(),
            progress: AtomicU64::new(0),
            timed_out: OnceLock::new(),
            basis: OnceLock::new(),
            failed: AtomicBool::new(false),
            found_no_room: AtomicBool::new(false),
            is_reported: AtomicBool::new(false),
            reported: Notify::new(),
        }
    }

    /// Notes that the response's head or a part of its body was taken. From here the
    /// time limit counts anew: the time that a client takes to read the response isn't the
    /// component's.
    pub fn advance(&self) {
        let elapsed = u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.progress.store(elapsed, Ordering::Relaxed);
    }

    /// Notes what the instance that handles it rests on.
    pub fn rest_on(&self, basis: Arc<Basis>) {
        self.basis.set(basis).ok();
    }

    /// What its instance rests on.
    pub fn basis(&self) -> Arc<Basis> {
        self.basis.get().cloned().unwrap_or_default()
    }

    /// Waits until it is durable what its instance rests on now. Nothing of the response leaves
    /// the host before.
    pub async fn durable(&self) -> Result<(), NotDurable> {
        match self.basis.get() {
            Some(basis) if !basis.is_durable() => basis.durable().await,
            _ => Ok(()),
        }
    }

    /// The part of the trace that the instance has, if there is a trace.
    pub fn span(&self) -> Option<&Span> {
        self.span.as_ref()
    }

    /// From when its time limit counts.
    pub fn last_progress(&self) -> Instant {
        self.started + Duration::from_micros(self.progress.load(Ordering::Relaxed))
    }

    /// Whether it is past its time limit. Once one has asked, the answer is the same
    /// for all others, so that the status and the log don't contradict each other.
    pub fn timed_out(&self, limit: Duration) -> bool {
        *self
            .timed_out
            .get_or_init(|| self.last_progress().elapsed() >= limit)
    }

    /// Notes that nothing more will come from its instance.
    pub fn fail(&self) {
        self.failed.store(true, Ordering::Release);
    }

    /// Whether its instance is gone.
    pub fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Acquire)
    }

    /// Whether its instance needed memory that others had.
    pub fn has_found_no_room(&self) -> bool {
        self.found_no_room.load(Ordering::Relaxed)
    }

    /// Writes the one line about its failure, unless it is written.
    pub fn report(&self, component: &Component, limit: Duration, error: &wasmtime::Error) {
        if self.is_reported.swap(true, Ordering::Relaxed) {
            return;
        }
        let id = &component.id;
        let timed_out = self.timed_out(limit);
        if let Some(span) = &self.span {
            span.failed();
        }
        component.count_failure(timed_out);
        if timed_out {
            component.log.line(format_args!(
                "{self} in component {id} took longer than {limit:?} and was given up \
                 request={}",
                self.id
            ));
        } else {
            component.log.line(format_args!(
                "{self} in component {id} failed: {error:#} request={}",
                self.id
            ));
        }
        self.reported.notify_one();
    }

    /// Waits until its failure is reported.
    pub async fn reported(&self) {
        self.reported.notified().await;
    }
}

/// The requests that an instance is handling, and maybe some it has handled.
#[derive(Debug, Default)]
pub struct Requests(Mutex<Vec<Arc<InFlight>>>);

impl Requests {
    /// Adds a request, and removes those for which `is_over` is true.
    pub fn replace(&self, is_over: impl Fn(&Arc<InFlight>) -> bool, request: Arc<InFlight>) {
        let mut requests = self.lock();
        requests.retain(|request| !is_over(request));
        requests.push(request);
    }

    /// When the last progress of any of them was.
    pub fn last_progress(&self) -> Option<Instant> {
        self.lock().iter().map(|r| r.last_progress()).max()
    }

    /// The depth of the deepest of them.
    pub fn depth(&self) -> usize {
        let requests = self.lock();
        requests.iter().map(|r| r.depth).max().unwrap_or_default()
    }

    /// Notes that their instance needed memory that others had.
    pub fn find_no_room(&self) {
        for request in &*self.lock() {
            request.found_no_room.store(true, Ordering::Relaxed);
        }
    }

    /// Fails those that are not answered to the last byte, as their instance ends with this
    /// error, and reports it. This has to be done before the instance's store goes, and the
    /// bodies that it was writing end.
    pub fn fail(&self, component: &Component, limit: Duration, error: &wasmtime::Error) {
        let unanswered = self.abandon();
        for request in &unanswered {
            request.report(component, limit, error);
        }
        if unanswered.is_empty() {
            component.count_failure(false);
            component.log.line(format_args!(
                "component {} failed after it had answered: {error:#}",
                component.id
            ));
        }
    }

    /// Fails those that are not answered to the last byte, without a report, and returns them.
    pub fn abandon(&self) -> Vec<Arc<InFlight>> {
        let mut requests = std::mem::take(&mut *self.lock());
        // One that only the instance still knows is answered, or its client is gone.
        requests.retain(|request| Arc::strong_count(request) > 1);
        for request in &requests {
            request.fail();
        }
        requests
    }

    /// Forgets all of them: they are answered.
    pub fn clear(&self) {
        self.lock().clear();
    }

    // A std mutex: nothing is awaited while it is held.
    fn lock(&self) -> MutexGuard<'_, Vec<Arc<InFlight>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Method and path. The query is left out, as it may say more of the user than a
/// log should.
impl fmt::Display for InFlight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.uri.path())
    }
}
