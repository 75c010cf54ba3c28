//! `--build`: the commands that make the components.

use std::io;
use std::path::Path;
use std::process::{self, ExitStatus, Stdio};

use anyhow::{Context as _, bail};
use tokio::process::Command;

use crate::application::manifest::Manifest;

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
            let status = run_command(command, &workdir)
                .await
                .with_context(|| format!("component {id}: cannot run `{command}`"))?;
            if !status.success() {
                bail!("component {id}: `{command}` failed ({status})");
            }
        }
    }
    Ok(())
}

/// Runs a command in a process group of its own. Dropping this future ends all of
/// the group: the shell's compiler, too, and not the shell alone.
async fn run_command(command: &str, workdir: &Path) -> io::Result<ExitStatus> {
    let mut child = Command::new("sh")
        .args(["-c", command])
        .current_dir(workdir)
        .stdin(Stdio::null())
        .process_group(0)
        .spawn()?;
    let mut group = Group { id: child.id() };
    let status = child.wait().await;
    // From here on the number may be that of another process.
    group.id = None;
    status
}

/// A process group that is ended when this is dropped.
struct Group {
    id: Option<u32>,
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            // The shell has a `kill`, while the standard library has none for groups.
            process::Command::new("sh")
                .args(["-c", &format!("kill -s TERM -- -{id}")])
                .stdin(Stdio::null())
                .status()
                .ok();
        }
    }
}
