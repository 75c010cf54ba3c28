//! The version of Rust that is promised is the one with which everything is tested.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::root;

/// All manifests of packages in the repository.
fn manifests(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().unwrap_or_default().to_owned();
        if path.is_dir() && name != "target" && !name.as_encoded_bytes().starts_with(b".") {
            manifests(&path, found);
        } else if name == "Cargo.toml" {
            found.push(path);
        }
    }
}

fn read(path: &Path) -> toml::Table {
    let text = fs::read_to_string(path).expect("a file");
    text.parse().expect("TOML")
}

#[test]
fn every_package_promises_the_version_that_tests_it() {
    let toolchain = read(&root().join("rust-toolchain.toml"));
    let pinned = toolchain["toolchain"]["channel"]
        .as_str()
        .expect("a version");
    let mut all = Vec::new();
    manifests(root(), &mut all);
    assert!(all.len() >= 11, "{all:?}");
    for path in all {
        let manifest = read(&path);
        let promised = manifest["package"]["rust-version"].as_str();
        let promised = promised.unwrap_or_else(|| panic!("{} promises none", path.display()));
        assert_eq!(
            format!("{promised}.0"),
            pinned,
            "{} promises another version than is tested",
            path.display()
        );
    }
}
