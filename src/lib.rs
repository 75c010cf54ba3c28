//! A user directory that runs at the edge.
//!
//! A request takes one way through the code:
//!
//! HTTP → [`rest`]: routes and representations, made of the parts in [`message`]
//!      → [`directory`]: users, ids, emails, and what makes them consistent
//!      → [`store`]: the few key-value operations that every backend keeps
//!
//! # Layout
//!
//! - [`rest`]: the interface over HTTP, on the types of the `http` crate
//! - [`message`]: requests and responses, whatever they are about
//! - [`directory`]: the directory of users, on any [`Store`](store::Store)
//! - [`auth`]: who calls, and what they may do
//! - [`user`]: a user and the rules for its members
//! - [`folded_name`]: names as a search compares them
//! - [`unicode`], `domain_name`: what standards say of characters and of domain names
//! - [`json`]: JSON texts, read strictly
//! - [`timestamp`]: points in time
//! - [`store`], [`platform`]: what is asked of the platform, as traits
//! - `spin`: the component, which is those traits on Spin's SDK, and its entry point

pub mod auth;
pub mod directory;
mod domain_name;
pub mod folded_name;
pub mod json;
pub mod message;
pub mod platform;
pub mod rest;
#[cfg(target_family = "wasm")]
mod spin;
pub mod store;
pub mod timestamp;
pub mod unicode;
pub mod user;
