//! Runs a Spin HTTP application on one machine, as `spin up` does, on the Wasmtime crates.
//!
//! A [`Host`] reads the manifest, compiles the components, opens the key-value
//! stores and serves. The path of a request: `serve::server` accepts the connection,
//! `serve::service` finds the route and hands the request to the workers of a
//! component, an instance answers it, by way of `runtime::interfaces` to the `store`.
//!
//! # Layout
//!
//! * `host`, `options`: the whole, and its options.
//! * `application`: the application as it is described.
//! * `runtime`: runs its components.
//! * `store`: the key-value stores, on SQLite and Redis.
//! * `serve`: serves it over HTTP.
//! * `telemetry`: its metrics.
//! * `log`: the host's reports, and the output of components.
//!
//! Each of the folders has its own list. They import each other in this direction only:
//! `serve`, `runtime`, `application` and `store`, `telemetry`, `log`.
//!
//! The library keeps its hands off the process: no signal handlers, no exit, no
//! logger. Those are in `main.rs`.

mod application;
mod host;
mod log;
mod options;
mod runtime;
mod serve;
mod store;
mod telemetry;

pub use application::variable_source::VariableSource;
pub use host::Host;
pub use options::UpOptions;
pub use serve::date::prepare_thread;
pub use store::count::StoreOperations;
pub use store::{LogSync, Restored, back_up, restore};
