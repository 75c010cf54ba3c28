//! The costs of requests, which are the same on every machine: `bench/costs.toml`, to which the
//! test `tests/costs.rs` holds the service.

use std::fs;

use anyhow::Result;
use serde::Deserialize;

use crate::place::Place;

/// The costs of all requests.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Costs {
    pub request: Vec<Cost>,
}

/// The cost of one request.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cost {
    pub name: String,
    /// WebAssembly instructions.
    pub instructions: u64,
    /// Operations on the key-value store.
    pub store_operations: u64,
}

/// Reads the file.
pub fn read(place: &Place) -> Result<Costs> {
    let text = fs::read_to_string(place.root.join("bench/costs.toml"))?;
    Ok(toml::from_str(&text)?)
}
