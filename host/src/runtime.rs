//! What runs the application, on Wasmtime.
//!
//! * [`artifact`]: a wasm file, made a component.
//! * [`engine`]: Wasmtime, as the machine allows.
//! * [`loader`]: components and routes, loaded.
//! * [`worker`]: instances made, reused and given up.
//! * [`instance`]: the state of one instance.
//! * [`in_flight`]: a request while it is with an instance.
//! * [`instructions`]: what instances execute, counted.
//! * [`bindings`], [`interfaces`]: what an instance may import.
//! * [`outbound`]: requests of its own.

pub mod artifact;
pub mod bindings;
pub mod engine;
pub mod in_flight;
pub mod instance;
pub mod instructions;
pub mod interfaces;
pub mod loader;
pub mod outbound;
pub mod worker;
