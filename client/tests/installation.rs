//! What `cargo install --path client` compiles.

use std::process::Command;

#[test]
fn the_client_is_installed_without_a_wasm_engine() {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--locked", "--edges", "normal,build"])
        .args(["--package", "edge-users-cli", "--prefix", "none"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let tree = String::from_utf8(output.stdout).unwrap();
    assert!(tree.contains("hyper"), "{tree}");
    let engine = tree.lines().find(|line| line.starts_with("wasmtime"));
    assert_eq!(engine, None);
}
