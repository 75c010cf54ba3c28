//! The application as it is described: by its manifest, and by the operator.
//!
//! * [`manifest`]: `spin.toml`, checked.
//! * [`runtime_config`]: the operator's part of the configuration.
//! * [`variables`], [`variable_name`], [`variable_source`], [`template`]: variables, from
//!   the command line to the values that a component sees.
//! * [`router`]: finds the route of a request.
//! * [`allowed_hosts`], [`internal_host`]: where a component may send requests, and the names of
//!   other components.
//! * [`exposure`]: refuses to be open to other machines, and adds names of hosts.
//! * [`build_command`]: the flag `--build`.
//! * [`source_line`]: errors that name a line of these files.

pub mod allowed_hosts;
pub mod build_command;
pub mod exposure;
pub mod internal_host;
pub mod manifest;
pub mod router;
pub mod runtime_config;
pub mod source_line;
pub mod template;
pub mod variable_name;
pub mod variable_source;
pub mod variables;
