//! The service as a component. Its entry point is in `src/spin.rs`, with all the rest.

#[cfg(target_family = "wasm")]
extern crate service as _;
