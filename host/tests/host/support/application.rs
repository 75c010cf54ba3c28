//! An application of the probe component, in a directory of its own.

use std::fs;
use std::path::{Path, PathBuf};

use edge_host::{Host, UpOptions};
use tempfile::TempDir;

/// A directory with a `spin.toml`.
pub struct Application {
    directory: TempDir,
}

impl Application {
    /// With the probe at every path, and with `more` in its component's table.
    pub fn probe(more: &str) -> Self {
        Self::manifest(&format!(
            "[[trigger.http]]\nroute = '/...'\ncomponent = 'probe'\n\
             [component.probe]\nsource = '{}'\nkey_value_stores = ['default']\n{more}",
            probe_path()
        ))
    }

    /// With this after the head of the manifest, which is its first three lines.
    pub fn manifest(rest: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let head = "spin_manifest_version = 2\n[application]\nname = 'test'\n";
        fs::write(directory.path().join("spin.toml"), format!("{head}{rest}")).unwrap();
        Self { directory }
    }

    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    pub fn database(&self) -> PathBuf {
        self.directory().join(".spin/sqlite_key_value.db")
    }

    /// The options to serve it on a free port.
    pub fn options(&self) -> UpOptions {
        UpOptions {
            from: self.directory().to_owned(),
            listen: "127.0.0.1:0".parse().unwrap(),
            quiet: true,
            discard_stdout: true,
            ..UpOptions::default()
        }
    }
}

/// A host of the probe, and the directory it needs for as long as it runs.
pub async fn start() -> (Host, Application) {
    let application = Application::probe("");
    let host = Host::start(application.options()).await.unwrap();
    (host, application)
}

/// The wasm file of the probe, which isn't built by testing.
pub fn probe_path() -> String {
    wasm_file("edge-host-probe")
}

/// The wasm file of the probe of WASI 0.3.
pub fn concurrent_probe_path() -> String {
    wasm_file("edge-host-probe-concurrent")
}

fn wasm_file(package: &str) -> String {
    let target = Path::new(env!("CARGO_BIN_EXE_edge-host"))
        .ancestors()
        .nth(2)
        .unwrap();
    let name = package.replace('-', "_");
    let file = target.join(format!("wasm32-wasip1/release/{name}.wasm"));
    assert!(
        file.exists(),
        "{} is missing; first run: cargo build --target wasm32-wasip1 --release -p {package}",
        file.display()
    );
    file.to_str().unwrap().to_owned()
}
