//! The host, as seen from outside: a real one serves the probe component, in this
//! process or as the program, and is talked to over its socket.

mod backup;
mod chaining;
mod clock;
mod command;
mod concurrent;
mod durability;
mod failures;
mod instances;
mod limits;
mod metrics;
mod monitoring;
mod opentelemetry;
mod output;
mod redis;
mod refusals;
mod requests;
mod shutdown;
mod slow_clients;
mod startup;
mod stores;
mod support;
