//! What the service has as data, made while it is compiled.

mod description;

use std::path::PathBuf;
use std::{env, fs};

fn main() {
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rerun-if-changed=src/rest/openapi");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    let path = out.join("openapi.json.gz");
    fs::write(path, description::compressed()).expect("the file can be written");
}
