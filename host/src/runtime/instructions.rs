//! Counts the instructions that instances execute: a figure that doesn't depend on the
//! machine.
//!
//! Wasmtime counts in fuel: most instructions take 1, a few take none. An instance must
//! not run out of fuel, so it is given the most that there can be.

use std::sync::atomic::{AtomicU64, Ordering};

use wasmtime::{AsContext, AsContextMut};

/// A running count.
#[derive(Debug, Default)]
pub struct Instructions(AtomicU64);

impl Instructions {
    /// Gives a new instance its fuel.
    pub fn begin(&self, mut store: impl AsContextMut) -> wasmtime::Result<()> {
        store.as_context_mut().set_fuel(u64::MAX)
    }

    /// Adds the instructions of an instance that has ended.
    pub fn end(&self, store: impl AsContext) {
        // Fails only in an engine that doesn't count.
        if let Ok(left) = store.as_context().get_fuel() {
            self.0.fetch_add(u64::MAX - left, Ordering::Relaxed);
        }
    }

    /// The instructions of all instances that have ended.
    pub fn total(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
