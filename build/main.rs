//! Makes the service's data when it is compiled.

mod description;
mod unicode;

use std::path::PathBuf;
use std::{env, fs};

use anyhow::Context;

fn main() -> anyhow::Result<()> {
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rerun-if-changed=src/rest/openapi");
    let out = PathBuf::from(env::var_os("OUT_DIR").context("cargo sets OUT_DIR")?);
    for (name, content) in [
        ("openapi.json.gz", description::compressed()?),
        ("unicode.rs", unicode::tables().into_bytes()),
    ] {
        fs::write(out.join(name), content).with_context(|| format!("cannot write {name}"))?;
    }
    Ok(())
}
