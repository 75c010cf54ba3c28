//! A request while it is with an instance.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use http::{Method, Uri};
use tokio::sync::Notify;

use crate::runtime::instance::Component;

/// What the service, the instance and the response's body each have to know of a
/// request.
#[derive(Debug)]
pub struct InFlight {
    method: Method,
    uri: Uri,
    started: Instant,
    /// When the last part of the response was taken, in microseconds since it
    /// started; 0 while there is none.
    progress: AtomicU64,
    timed_out: OnceLock<bool>,
    /// Its instance is gone, and the response's body with it.
    failed: AtomicBool,
    is_reported: AtomicBool,
    reported: Notify,
}

impl InFlight {
    /// A request that starts now.
    pub fn new(method: &Method, uri: &Uri) -> Self {
        Self {
            method: method.clone(),
            uri: uri.clone(),
            started: Instant::now(),
            progress: AtomicU64::new(0),
            timed_out: OnceLock::new(),
            failed: AtomicBool::new(false),
            is_reported: AtomicBool::new(false),
            reported: Notify::new(),
        }
    }

    /// Notes that the response's head or a part of its body was taken. From here the
    /// time limit counts anew: how long a client takes to read what it is sent isn't
    /// the component's doing.
    pub fn advance(&self) {
        let elapsed = u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.progress.store(elapsed, Ordering::Relaxed);
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

    /// Writes the one line about what went wrong, if nobody has.
    pub fn report(&self, component: &Component, limit: Duration, error: &wasmtime::Error) {
        if self.is_reported.swap(true, Ordering::Relaxed) {
            return;
        }
        let id = &component.id;
        if self.timed_out(limit) {
            component.log.line(format_args!(
                "{self} in component {id} took longer than {limit:?} and was given up"
            ));
        } else {
            component
                .log
                .line(format_args!("{self} in component {id} failed: {error:#}"));
        }
        self.reported.notify_one();
    }

    /// Waits for somebody to report.
    pub async fn reported(&self) {
        self.reported.notified().await;
    }
}

/// The requests that an instance is handling, and maybe some it has handled.
#[derive(Debug, Default)]
pub struct Requests(Mutex<Vec<Arc<InFlight>>>);

impl Requests {
    /// Adds one to them, in the place of those that `is_over` says so of.
    pub fn replace(&self, is_over: impl Fn(&Arc<InFlight>) -> bool, request: Arc<InFlight>) {
        let mut requests = self.lock();
        requests.retain(|request| !is_over(request));
        requests.push(request);
    }

    /// When the last progress of any of them was.
    pub fn last_progress(&self) -> Option<Instant> {
        self.lock().iter().map(|r| r.last_progress()).max()
    }

    /// All of them; none is left.
    pub fn take(&self) -> Vec<Arc<InFlight>> {
        std::mem::take(&mut self.lock())
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
