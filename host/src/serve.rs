//! What serves the application over HTTP.
//!
//! * [`server`], [`service`]: the listening socket, and requests.
//! * [`connections`], [`client_stream`]: which connections there are, and which give way.
//! * [`upload`]: the body of a request, taken in.
//! * [`body`]: the body of a response, until it is sent.
//! * [`spin_headers`]: what a component is told of its request.

pub mod body;
pub mod client_stream;
pub mod connections;
pub mod server;
pub mod service;
pub mod spin_headers;
pub mod upload;
