//! A client of the procedure calls, as tonic makes it of the proto files.

// Generated code is not ours to lint.
#[allow(clippy::all, clippy::pedantic)]
mod packages {
    tonic::include_proto!("packages");
}

pub use packages::{edgeusers, google, grpc};
pub use prost::Message;
pub use prost_types;
pub use tonic;
