//! What Cargo compiles: for `cargo install --path client`, and for `make run` and `make test`.

use std::collections::BTreeSet;
use std::process::Command;

/// The packages that Cargo compiles, a line each.
fn tree(arguments: &[&str]) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--locked", "--prefix", "none"])
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let tree = String::from_utf8(output.stdout).unwrap();
    let lines = tree.lines().map(|line| line.trim_end_matches(" (*)"));
    lines.map(str::to_owned).collect()
}

#[test]
fn the_client_is_installed_without_a_wasm_engine() {
    let packages = tree(&["--edges", "normal,build", "--package", "edge-users-cli"]);
    let has = |name: &str| packages.iter().any(|line| line.starts_with(name));
    assert!(has("hyper"), "{packages:?}");
    assert!(!has("wasmtime"), "{packages:?}");
}

/// A crate that has other features is compiled again, with all that depend on it.
#[test]
fn make_test_compiles_the_host_as_make_run_does() {
    let with_features = |edges| tree(&["--workspace", "--edges", edges, "--format", "{p} {f}"]);
    let (run, test) = (with_features("normal"), with_features("normal,dev"));
    let of_host = tree(&["--edges", "normal", "--package", "edge-host"]);
    let is_of_host = |line: &&String| {
        let mut packages = of_host.iter();
        packages.any(|package| line.starts_with(&format!("{package} ")))
    };
    assert!(run.iter().filter(is_of_host).count() > 100, "{run:?}");
    let others: Vec<_> = run.difference(&test).filter(is_of_host).collect();
    assert!(
        others.is_empty(),
        "with other features in tests: {others:?}; name the tests' dependency that asks for them in \
         tests/tonic/Cargo.toml, too"
    );
}
