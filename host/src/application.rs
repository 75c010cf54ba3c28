//! What the application is: its manifest, and what the operator adds to it.
//!
//! * [`manifest`]: `spin.toml`, checked.
//! * [`runtime_config`]: the operator's part of the configuration.
//! * [`variables`], [`variable_source`], [`template`]: variables, from where they are
//!   given to what a component sees.
//! * [`router`]: which route a request takes.
//! * [`allowed_hosts`]: where a component may send requests.
//! * [`exposure`]: to whom the application is open.
//! * [`build_command`]: the flag `--build`.
//! * [`source_line`]: errors that name a line of these files.

pub mod allowed_hosts;
pub mod build_command;
pub mod exposure;
pub mod manifest;
pub mod router;
pub mod runtime_config;
pub mod source_line;
pub mod template;
pub mod variable_source;
pub mod variables;
