//! Running the application, on Wasmtime.
//!
//! * [`artifact`]: makes a component of a wasm file.
//! * [`engine`]: the Wasmtime engine, set up for the machine.
//! * [`loader`]: loads components and routes.
//! * [`component`]: the part that all instances of a component share.
//! * [`handler`]: the way of a request to an instance.
//! * [`pool`]: instances of WASI 0.2; [`worker`]: those of WASI 0.3; [`deadline`]: their time.
//! * [`instance`]: the state of one instance; [`instance_output`]: its output streams.
//! * [`in_flight`], [`request_id`]: a request while it is with an instance, and its name.
//! * [`room`]: places and memory for requests.
//! * [`instructions`]: counts the instructions that instances execute.
//! * [`bindings`], [`interfaces`]: the imports of an instance.
//! * [`durable_body`]: a body that an instance writes, on its way out of the host.
//! * [`outbound`]: the requests that an instance sends; [`chaining`]: those to other components.

pub mod artifact;
pub mod bindings;
pub mod chaining;
pub mod component;
pub mod deadline;
pub mod durable_body;
pub mod engine;
pub mod handler;
pub mod in_flight;
pub mod instance;
pub mod instance_output;
pub mod instructions;
pub mod interfaces;
pub mod loader;
pub mod outbound;
pub mod pool;
pub mod request_id;
pub mod room;
pub mod worker;
