//! Conversations with the service over HTTP, and with the programs that come with it: one
//! program for all of them, so that they are built and linked once.
//!
//! `cargo test --profile host --workspace --test conversations users::` runs those about one subject.

#[path = "../support/mod.rs"]
mod support;

mod active;
mod admin;
mod audit;
mod authorization;
mod balancers;
mod bulk_clients;
mod bulk_delete;
mod bulk_failures;
mod component;
mod configuration;
mod description;
mod durability;
mod emails;
mod export;
mod external_ids;
mod finding;
mod greeting;
mod group_files;
mod group_words;
mod groups;
mod hosts;
mod idempotency;
mod import;
mod json;
mod jwt;
mod limits;
mod make_fleet;
mod make_run;
mod narrowing;
mod negotiation;
mod operations;
mod own_fields;
mod pages;
mod patch;
mod preconditions;
mod privacy;
mod process;
mod readiness;
mod readme;
mod redis;
mod search;
mod toolchain;
mod tracing;
mod unreadable;
mod updates;
mod upserts;
mod usernames;
mod users;
mod words;
