//! What instances execute, counted: a figure that doesn't depend on the machine.
//!
//! Wasmtime counts in fuel, of which most instructions take 1 and a few none. An
//! instance isn't to run out of it, so it is given all there is.

use std::sync::atomic::{AtomicU64, Ordering};

use wasmtime::{AsContext, AsContextMut};

/// A running count.
#[derive(Debug, Default)]
pub struct Instructions(AtomicU64);

impl Instructions {
    /// Gives a new instance what it may execute.
    pub fn begin(&self, mut store: impl AsContextMut) -> wasmtime::Result<()> {
        store.as_context_mut().set_fuel(u64::MAX)
    }

    /// Adds what an instance executed that is done.
    pub fn end(&self, store: impl AsContext) {
        // Fails only in an engine that doesn't count.
        if let Ok(left) = store.as_context().get_fuel() {
            self.0.fetch_add(u64::MAX - left, Ordering::Relaxed);
        }
    }

    /// What all of them executed.
    pub fn total(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
