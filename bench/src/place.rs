//! Where everything is, and which of the optional programs are there.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use tokio::process::Command;
use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
};
use wit_component::ComponentEncoder;

/// The repository, its build, and the programs on the PATH.
pub struct Place {
    pub root: PathBuf,
    pub wrk: PathBuf,
    pub h2load: Option<PathBuf>,
    pub wasmtime: Option<PathBuf>,
    pub spin: Option<PathBuf>,
    /// The native service, which has a workspace and a build of its own.
    pub native: Option<PathBuf>,
    /// The article's service, built.
    pub article: Option<PathBuf>,
    /// Whether the component asks for tokens.
    pub has_authorization: bool,
    /// A line on everything that isn't measured.
    pub skipped: Vec<String>,
    programs: PathBuf,
}

impl Place {
    /// Looks for everything, and builds programs that `make` doesn't build.
    pub async fn prepare() -> Result<Place> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .context("the package is in a repository")?
            .to_owned();
        let this = env::current_exe()?;
        let programs = this.parent().context("a program is in a directory")?;
        let wrk = on_path("wrk")
            .context("there is no wrk, which generates the load; on Debian: apt-get install wrk")?;
        let manifest: toml::Table = fs::read_to_string(root.join("spin.toml"))?.parse()?;
        let mut place = Place {
            wrk,
            h2load: on_path("h2load"),
            wasmtime: on_path("wasmtime"),
            spin: env::var("SPIN").ok().map(PathBuf::from).or(on_path("spin")),
            native: None,
            article: None,
            has_authorization: has_variable(&manifest, "auth"),
            skipped: Vec::new(),
            programs: programs.to_owned(),
            root,
        };
        let host = place.program("edge-host");
        ensure!(host.exists(), "there is no {}", host.display());
        let native = place.work().join("native/release/edge-users-bench-native");
        match native.exists() {
            true => place.native = Some(native),
            false => place.skip("the native service", "make bench builds it"),
        }
        fs::create_dir_all(place.work())?;
        place.clear();
        fs::create_dir_all(place.run())?;
        place.build_article().await?;
        if place.h2load.is_none() {
            let why = "there is no h2load on the PATH; on Debian: apt-get install nghttp2-client";
            place.skip("HTTP/2 and gRPC", why);
        }
        match place.wasmtime {
            Some(_) => place.componentize()?,
            None => place.skip("wasmtime serve", "there is no wasmtime on the PATH"),
        }
        if place.spin.is_none() {
            place.skip("spin up", "there is no spin on the PATH, nor in SPIN");
        }
        if !place.has_authorization {
            place.skip("with a token", "the component has no variable auth");
        }
        Ok(place)
    }

    /// A program of this workspace.
    pub fn program(&self, name: &str) -> PathBuf {
        self.programs.join(name)
    }

    /// The module that edge-users is.
    pub fn component(&self) -> PathBuf {
        self.module("edge_users")
    }

    /// The fixed floor as a component, for hosts that take no modules.
    pub fn fixed_component(&self) -> PathBuf {
        self.work().join("floor-fixed.wasm")
    }

    /// The directory that is kept from one run to the next.
    pub fn work(&self) -> PathBuf {
        self.root.join("target/bench")
    }

    /// The directory of one run.
    pub fn run(&self) -> PathBuf {
        self.work().join("run")
    }

    /// Removes the directory of the last run.
    pub fn clear(&self) {
        fs::remove_dir_all(self.run()).ok();
    }

    fn module(&self, name: &str) -> PathBuf {
        let directory = self.root.join("target/wasm32-wasip1/release");
        directory.join(format!("{name}.wasm"))
    }

    fn skip(&mut self, what: &str, why: &str) {
        self.skipped.push(format!("skipped: {what}: {why}"));
    }

    /// Builds the article's service, with chi from the network or from Debian's package.
    async fn build_article(&mut self) -> Result<()> {
        const DEBIAN: &str = "/usr/share/gocode/src/github.com/go-chi/chi";
        let what = "the article's service";
        let Some(go) = on_path("go") else {
            self.skip(what, "there is no go on the PATH");
            return Ok(());
        };
        let source = self.root.join("bench/article");
        // A copy, for building writes down what it found.
        let module_file = self.work().join("article.mod");
        fs::copy(source.join("go.mod"), &module_file)?;
        if Path::new(DEBIAN).exists() {
            let mut text = fs::read_to_string(&module_file)?;
            text += &format!("\nreplace github.com/go-chi/chi/v5 => {DEBIAN}\n");
            fs::write(&module_file, text)?;
        }
        let program = self.work().join("article");
        let output = Command::new(go)
            .current_dir(source)
            .args(["build", "-mod=mod"])
            .arg(format!("-modfile={}", module_file.display()))
            .arg("-o")
            .arg(&program)
            .kill_on_drop(true)
            .output()
            .await?;
        if output.status.success() {
            self.article = Some(program);
        } else {
            let said = String::from_utf8_lossy(&output.stderr);
            let line = said.lines().last().unwrap_or("it doesn't build").to_owned();
            self.skip(what, &line);
        }
        Ok(())
    }

    fn componentize(&self) -> Result<()> {
        let module = fs::read(self.module("edge_users_floor_fixed"))?;
        let component = ComponentEncoder::default()
            .module(&module)?
            .adapter(
                WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME,
                WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
            )?
            .encode()?;
        fs::write(self.fixed_component(), component)?;
        Ok(())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.clear();
    }
}

fn on_path(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .map(|directory| directory.join(program))
        .find(|file| file.is_file())
}

/// Copies the files of one directory into a new one, onto the disk, so that writing
/// them doesn't go on while something is measured.
pub fn copy_directory(from: &Path, to: &Path) -> Result<()> {
    fs::remove_dir_all(to).ok();
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        if !entry.file_type()?.is_file() {
            bail!("{} is no file", entry.path().display());
        }
        let copy = to.join(entry.file_name());
        fs::copy(entry.path(), &copy)?;
        fs::File::open(copy)?.sync_all()?;
    }
    Ok(())
}

/// Reads the files of a directory, if there is one, so that the kernel has them in memory.
pub fn read_directory(directory: &Path) -> Result<()> {
    if directory.is_dir() {
        for entry in fs::read_dir(directory)? {
            io::copy(&mut fs::File::open(entry?.path())?, &mut io::sink())?;
        }
    }
    Ok(())
}

/// Whether the application has that variable.
fn has_variable(manifest: &toml::Table, name: &str) -> bool {
    let variables = manifest.get("variables").and_then(toml::Value::as_table);
    variables.is_some_and(|variables| variables.contains_key(name))
}
