//! A user directory that runs at the edge.
//!
//! A request takes one way through the code:
//!
//! HTTP → [`service`]: the steps that every request takes: caller, limit of requests, audit trail
//!      → [`rest`]: resources and representations, made of the parts in [`message`]
//!      → [`directory`]: users, ids, emails, usernames, and what makes them consistent
//!      → [`store`]: the few key-value operations that every backend keeps
//!
//! # Layout
//!
//! - [`service`]: the steps of a request, the same for every interface
//! - [`rest`]: the interface for users as resources
//! - [`admin`]: the page for people who look after users
//! - [`rpc`]: the interface by procedure call: gRPC, gRPC-Web and Connect
//! - [`message`]: parts of HTTP requests and responses that know nothing of users
//! - [`directory`]: the directory of users, on any [`Store`](store::Store)
//! - [`auth`]: the caller of a request, and the caller's permissions
//! - [`configuration`]: the operator's variables
//! - [`user`], [`group`]: a user, a group of users, and the rules for their members
//! - [`folded_name`]: names as a search compares them
//! - [`scim`]: the interface for identity providers, SCIM, and its language: schemas, filters, patches
//! - [`words`]: the words by which users are found
//! - [`unicode`], `domain_name`: the standards' rules for characters and domain names
//! - [`json`]: JSON texts, read strictly
//! - `quoted_string`, `hexadecimal`: strings in double quotes, numbers as digits
//! - [`timestamp`]: points in time
//! - [`store`], [`platform`]: the traits that a platform implements
//! - `spin`: those traits on Spin's SDK, for the components in `components/`

pub mod admin;
pub mod auth;
pub mod configuration;
pub mod directory;
mod domain_name;
#[cfg(test)]
mod fake;
pub mod folded_name;
pub mod group;
mod hexadecimal;
pub mod json;
pub mod log;
pub mod message;
pub mod platform;
mod quoted_string;
mod remembered;
pub mod rest;
pub mod rpc;
pub mod scim;
pub mod service;
#[cfg(target_family = "wasm")]
pub mod spin;
pub mod store;
pub mod timestamp;
pub mod unicode;
pub mod user;
pub mod words;
