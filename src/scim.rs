//! The language of SCIM 2.0 (RFC 7643, RFC 7644): what a client writes about users and groups, and
//! what is said to it. Nothing here but [`service`] knows of stores or of HTTP.
//!
//! # Layout
//!
//! - [`schema`]: descriptions of attributes, the fixed ones and those that an operator declares
//! - [`resource_type`]: users and groups, with the schemas that they have
//! - [`path`]: the paths of attributes, as filters and patches have them
//! - [`filter`]: which resources a list has
//! - [`patch`]: changes of a resource
//! - [`members`]: the members of a group, and how a patch changes them
//! - [`resource`]: the body of a request, read by the schemas
//! - [`value`]: the value of an attribute, read by its type
//! - [`projection`]: which attributes an answer has
//! - [`order`]: resources in the order of an attribute
//! - [`error`]: what is wrong, as SCIM says it
//! - [`service`]: the interface for identity providers, made of all this
//!
//! A resource is an object of `serde_json`: its members have the names that the schemas give
//! them, and the attributes of an extension are in a member that is named by the extension's URN.
//! So is what a store keeps and what an answer has, without a type for each schema; and values in
//! filters are read by [`json`](crate::json), as the component has one reader of JSON.
//!
//! # Why no crate
//!
//! `scim_v2` is kept, and parses filters and paths, by tables of LALRPOP and a set of regular
//! expressions: a component that has them is 607 KB larger, and compiles the expressions in each
//! instance. It does not compare values by their schemas, and does not apply patches. `scim-filter`
//! was changed last in January 2024, and brings a decimal type; `scim-server` has no parser of
//! filters; `scim_proto` is a part of Kanidm, under a licence that this project does not take.

pub mod error;
pub mod filter;
pub mod members;
pub mod order;
pub mod patch;
pub mod path;
pub mod projection;
pub mod resource;
pub mod resource_type;
pub mod schema;
pub mod service;
pub mod value;

pub use error::{Error, ScimType};
pub use filter::Filter;
pub use patch::Patch;
pub use projection::Projection;
pub use resource_type::{ResourceType, Schemas};
