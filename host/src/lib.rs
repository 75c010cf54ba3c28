//! Runs a Spin HTTP application on one machine: what `spin up` does, on the Wasmtime
//! crates.
//!
//! A [`Host`] reads the manifest, compiles the components, opens the key-value
//! stores and serves. The path of a request: `server` accepts the connection,
//! `service` finds the route and hands the request to the workers of a component,
//! an instance answers it, by way of the `interfaces` to the `store`.
//!
//! # Layout
//!
//! What the application is:
//! * `manifest`: `spin.toml`, checked.
//! * `runtime_config`: the operator's part of the configuration.
//! * `variables`, `variable_source`, `template`: variables, from where they are
//!   given to what a component sees.
//! * `build_command`: `--build`.
//!
//! What runs it:
//! * `artifact`: a wasm file, made a component.
//! * `engine`: Wasmtime, as the machine allows.
//! * `application`: components and routes, loaded.
//! * `worker`: instances made, reused and given up.
//! * `instance`: the state of one instance.
//! * `instructions`: what instances execute, counted.
//! * `bindings`, `interfaces`: what it may import.
//! * `outbound`, `allowed_hosts`: requests of its own.
//! * `store`: the key-value store, on SQLite.
//!
//! What serves it:
//! * `host`, `options`: the whole, and what it can be told.
//! * `exposure`: to whom it is open.
//! * `server`, `service`: the listening socket, and requests.
//! * `connections`, `client_stream`: which connections there are, and which give way.
//! * `upload`: the body of a request, taken in.
//! * `in_flight`, `body`: a request until it is answered, its response until sent.
//! * `router`, `spin_headers`: routes, and what a component is told of its own.
//! * `log`: what goes wrong, and what components print.
//!
//! The library keeps its hands off the process: no signal handlers, no exit, no
//! logger. Those are in `main.rs`.

mod allowed_hosts;
mod application;
mod artifact;
mod bindings;
mod body;
mod build_command;
mod client_stream;
mod connections;
mod engine;
mod exposure;
mod host;
mod in_flight;
mod instance;
mod instructions;
mod interfaces;
mod log;
mod manifest;
mod options;
mod outbound;
mod router;
mod runtime_config;
mod server;
mod service;
mod source_line;
mod spin_headers;
mod store;
mod template;
mod upload;
mod variable_source;
mod variables;
mod worker;

pub use host::Host;
pub use options::UpOptions;
pub use store::count::StoreOperations;
pub use variable_source::VariableSource;
