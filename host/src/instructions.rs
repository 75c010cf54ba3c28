//! What instances execute, counted: a figure that doesn't depend on the machine.
//!
//! Wasmtime counts in fuel, of which most instructions take 1 and a few none. An
//! instance that isn't to run out of it is given all there is, again and again.

use std::sync::atomic::{AtomicU64, Ordering};

use wasmtime::AsContextMut;

/// A running count.
#[derive(Debug, Default)]
pub struct Instructions(AtomicU64);

impl Instructions {
    /// Gives a new instance what it may execute.
    pub fn begin(&self, mut store: impl AsContextMut) -> wasmtime::Result<()> {
        store.as_context_mut().set_fuel(u64::MAX)
    }

    /// Adds what the instance executed since the last time.
    pub fn add(&self, mut store: impl AsContextMut) {
        let mut store = store.as_context_mut();
        // Both fail only in an engine that doesn't count.
        if let Ok(left) = store.get_fuel() {
            self.0.fetch_add(u64::MAX - left, Ordering::Relaxed);
            store.set_fuel(u64::MAX).ok();
        }
    }

    /// What all of them executed.
    pub fn total(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
