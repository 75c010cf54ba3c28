//! The host, as seen from outside: a real one serves the probe component, in this
//! process or as the program, and is talked to over its socket.

mod command;
mod durability;
mod failures;
mod limits;
mod requests;
mod shutdown;
mod stores;
mod support;
