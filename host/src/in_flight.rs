//! A request while it is with an instance.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use http::{Method, Uri};

use crate::instance::Component;

/// What the service, the instance and the response's body each have to know of a
/// request.
#[derive(Debug)]
pub struct InFlight {
    method: Method,
    uri: Uri,
    started: Instant,
    /// Its instance is gone, and the response's body with it.
    failed: AtomicBool,
    reported: AtomicBool,
}

impl InFlight {
    /// A request that starts now.
    pub fn new(method: &Method, uri: &Uri) -> Self {
        Self {
            method: method.clone(),
            uri: uri.clone(),
            started: Instant::now(),
            failed: AtomicBool::new(false),
            reported: AtomicBool::new(false),
        }
    }

    /// Whether it took longer than `limit`.
    pub fn exceeds(&self, limit: Duration) -> bool {
        self.started.elapsed() >= limit
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
        if self.reported.swap(true, Ordering::Relaxed) {
            return;
        }
        let id = &component.id;
        if self.exceeds(limit) {
            component.log.line(format_args!(
                "{self} in component {id} took longer than {limit:?} and was given up"
            ));
        } else {
            component
                .log
                .line(format_args!("{self} in component {id} failed: {error:#}"));
        }
    }
}

/// Method and path. The query is left out, as it may say more of the user than a
/// log should.
impl fmt::Display for InFlight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.uri.path())
    }
}
