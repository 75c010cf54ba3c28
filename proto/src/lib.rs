//! The messages of the procedure calls, made of the proto files beside this folder.
//!
//! - the packages [`edgeusers`], [`google`] and [`grpc`]: messages, in protobuf's binary form
//! - [`json`]: the same as JSON, as protobuf maps it
//! - [`Struct`]: `google.protobuf.Struct`, which is JSON already
//! - [`FILES`]: the proto files themselves, for the reflection service

pub mod json;
mod structure;

// Generated code is not ours to format or to lint.
#[allow(clippy::all, clippy::pedantic)]
mod packages {
    include!(concat!(env!("OUT_DIR"), "/packages.rs"));
}

pub use packages::{edgeusers, google, grpc};
pub use prost::{DecodeError, Message};
pub use prost_types::{Any, Duration, FieldMask, Timestamp};
pub use structure::Struct;

/// A proto file.
#[derive(Debug)]
pub struct File {
    pub name: &'static str,
    /// The names of the files that it imports.
    pub imports: &'static [&'static str],
    /// The full names that it declares, in order.
    pub symbols: &'static [&'static str],
    /// As a `google.protobuf.FileDescriptorProto`.
    pub descriptor: &'static [u8],
}

/// The files of all services, and those that they import.
pub const FILES: &[File] = include!(concat!(env!("OUT_DIR"), "/files.rs"));
