//! `--build`: the commands that make the components.

use std::path::Path;
use std::process::Stdio;

use anyhow::{Context as _, bail};
use tokio::process::Command;

use crate::manifest::Manifest;

/// Runs the build commands of every component that has some, in order, and stops at
/// the first that fails. `directory` is the manifest's.
pub async fn run(manifest: &Manifest, directory: &Path) -> anyhow::Result<()> {
    for (id, component) in &manifest.components {
        let Some(build) = &component.build else {
            continue;
        };
        let workdir = match &build.workdir {
            Some(workdir) if workdir.has_root() => {
                bail!("component {id}: the workdir of its build must be relative")
            }
            Some(workdir) => directory.join(workdir),
            None => directory.to_owned(),
        };
        for command in &build.commands {
            let status = Command::new("sh")
                .args(["-c", command])
                .current_dir(&workdir)
                .stdin(Stdio::null())
                .status()
                .await
                .with_context(|| format!("component {id}: cannot run `{command}`"))?;
            if !status.success() {
                bail!("component {id}: `{command}` failed ({status})");
            }
        }
    }
    Ok(())
}
