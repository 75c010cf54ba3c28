//! A user directory that runs at the edge.
//!
//! A request takes one way through the code:
//!
//! HTTP → [`service`]: what goes for every request: who calls, how often, what is kept of it
//!      → [`rest`]: resources and representations, made of the parts in [`message`]
//!      → [`directory`]: users, ids, emails, and what makes them consistent
//!      → [`store`]: the few key-value operations that every backend keeps
//!
//! # Layout
//!
//! - [`service`]: the way of a request, the same for every interface
//! - [`rest`]: the interface for users as resources
//! - [`rpc`]: the interface by procedure call: gRPC, gRPC-Web and Connect
//! - [`message`]: requests and responses, whatever they are about
//! - [`directory`]: the directory of users, on any [`Store`](store::Store)
//! - [`auth`]: who calls, and what they may do
//! - [`configuration`]: what the operator sets
//! - [`user`]: a user and the rules for its members
//! - [`folded_name`]: names as a search compares them
//! - [`unicode`], `domain_name`: what standards say of characters and of domain names
//! - [`json`]: JSON texts, read strictly
//! - [`timestamp`]: points in time
//! - [`store`], [`platform`]: what is asked of the platform, as traits
//! - `spin`: those traits on Spin's SDK, for the components in `components/`

pub mod auth;
pub mod configuration;
pub mod directory;
mod domain_name;
#[cfg(test)]
mod fake;
pub mod folded_name;
pub mod json;
pub mod log;
pub mod message;
pub mod platform;
mod remembered;
pub mod rest;
pub mod rpc;
pub mod service;
#[cfg(target_family = "wasm")]
pub mod spin;
pub mod store;
pub mod timestamp;
pub mod unicode;
pub mod user;
