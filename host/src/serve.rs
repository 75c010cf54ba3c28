//! Serving the application over HTTP.
//!
//! * [`server`], [`service`]: the listening socket, and requests.
//! * [`chaining`]: requests from one component to another.
//! * [`connections`], [`exchange`], [`streams`]: which of them wait for their clients, and
//!   which give way.
//! * [`client_stream`]: the socket of a client.
//! * [`drain`]: the end, in which no request is lost.
//! * [`request_check`], [`refusal`]: the requests that are refused, and the answer to them.
//! * [`metrics_page`]: the page of metrics, on a socket of its own.
//! * [`startup_check`]: asks the application whether it can be served.
//! * [`upload`]: the body of a request, received.
//! * [`body`]: the body of a response, until it is sent.
//! * [`spin_headers`], [`date`]: header fields that the host adds.

pub mod body;
pub mod chaining;
pub mod client_stream;
pub mod connections;
pub mod date;
pub mod drain;
pub mod exchange;
pub mod metrics_page;
pub mod refusal;
pub mod request_check;
pub mod server;
pub mod service;
pub mod spin_headers;
pub mod startup_check;
pub mod streams;
pub mod upload;
