//! The wasm file of a component.

use std::borrow::Cow;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context as _, anyhow, ensure};
use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
};
use wit_component::ComponentEncoder;

const MAGIC: &[u8] = b"\0asm";
/// The 2 bytes after the version that tell a component from a core module.
const COMPONENT_LAYER: [u8; 2] = [1, 0];

/// Reads the wasm file at `path`. `build` is the command that makes it, to name
/// when it isn't there.
pub fn read(path: &Path, build: Option<&str>) -> anyhow::Result<Vec<u8>> {
    fs::read(path).map_err(|error| {
        if error.kind() != ErrorKind::NotFound {
            return anyhow!("cannot read {}: {error}", path.display());
        }
        match build {
            Some(command) => anyhow!(
                "{} does not exist; build it with `{command}`, or have --build do so",
                path.display()
            ),
            None => anyhow!("{} does not exist", path.display()),
        }
    })
}

/// The component in `wasm`: it itself, or around the core module that it is.
///
/// A module gets the adapter that turns its WASI 0.1 imports into those of 0.2, in
/// its *reactor* form: one that is called and has no `main`.
pub fn componentize(wasm: &[u8]) -> anyhow::Result<Cow<'_, [u8]>> {
    ensure!(wasm.starts_with(MAGIC), "not a wasm file");
    if wasm.get(6..8) == Some(&COMPONENT_LAYER) {
        return Ok(Cow::Borrowed(wasm));
    }
    ComponentEncoder::default()
        .validate(true)
        .module(wasm)
        .and_then(|encoder| {
            encoder.adapter(
                WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME,
                WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
            )
        })
        .and_then(|mut encoder| encoder.encode())
        .map(Cow::Owned)
        .context("cannot make a component of the module")
}
