//! Messages of HTTP (RFC 9110), whatever they are about: reading a request, making a response.
//! Nothing here knows of users, so that every interface is made of the same parts.
//!
//! - [`host`], [`accept`], [`body`], [`idempotency_key`], [`precondition`], [`query`]: reading a
//!   request
//! - [`limits`]: how much of a request is looked at
//! - [`content`]: the content of a response, whole or made while it is sent
//! - [`response`], [`cacheable`], [`ndjson`], [`page`]: kinds of responses
//! - [`problem`]: refusals and failures (RFC 9457)
//! - [`compression`], [`cors`], [`trace`]: what goes for every request alike

pub(crate) mod accept;
pub mod body;
pub(crate) mod cacheable;
pub(crate) mod compression;
pub mod content;
pub(crate) mod cors;
pub(crate) mod host;
pub(crate) mod idempotency_key;
pub(crate) mod limits;
pub(crate) mod ndjson;
pub(crate) mod page;
pub(crate) mod precondition;
pub(crate) mod problem;
pub(crate) mod query;
pub(crate) mod response;
pub(crate) mod trace;
