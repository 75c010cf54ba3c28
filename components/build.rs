//! How each component is linked: the build script of all of them.

use std::env;

pub fn main() {
    println!("cargo::rerun-if-changed=../build.rs");
    let released = env::var("PROFILE").is_ok_and(|profile| profile == "release");
    let target = env::var("CARGO_CFG_TARGET_FAMILY");
    if released && target.is_ok_and(|family| family.contains("wasm")) {
        // Addresses in code take as many bytes as they need, where they would take five
        // for the linker's convenience. It does not work with debug information.
        println!("cargo::rustc-link-arg-cdylib=--strip-debug");
        println!("cargo::rustc-link-arg-cdylib=--compress-relocations");
    }
}
