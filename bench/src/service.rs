//! A contestant's process.

use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use crate::authorization::Authorization;
use crate::client::Client;
use crate::contestant::Contestant;
use crate::place::Place;

/// How long a start may take: filling a store, compiling without a cache.
const START_TIME_LIMIT: Duration = Duration::from_secs(120);

/// How often a process that starts is asked whether it serves.
const INTERVAL: Duration = Duration::from_millis(1);

/// A process that serves; it ends when this is dropped.
pub struct Service {
    child: Child,
    process: u32,
    pub address: SocketAddr,
    /// From the start of the process to its first answer.
    pub answered_after: Duration,
}

/// How to start one.
#[derive(Clone)]
pub struct Start<'a> {
    pub contestant: Contestant,
    pub users: u64,
    pub state: PathBuf,
    pub address: SocketAddr,
    pub authorization: Option<&'a Authorization>,
    /// Arguments beside the contestant's usual ones.
    pub arguments: &'a [&'a str],
}

impl<'a> Start<'a> {
    /// On a free port, with nothing special.
    pub fn new(contestant: Contestant, users: u64, state: &Path) -> Result<Start<'a>> {
        Ok(Start {
            contestant,
            users,
            state: state.to_owned(),
            address: free_address()?,
            authorization: None,
            arguments: &[],
        })
    }

    /// Starts the process, and returns once it has answered.
    pub async fn start(&self, place: &Place) -> Result<Service> {
        let Start {
            contestant,
            address,
            users,
            ..
        } = *self;
        let name = contestant.name();
        fs::create_dir_all(&self.state)?;
        let log = place.run().join("stderr");
        let command = contestant.command(place, address, &self.state, users, self.authorization);
        let mut command = command.with_context(|| format!("{name} is not on this machine"))?;
        command
            .args(self.arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&log)?)
            // A process group of its own, so that its children end with it.
            .process_group(0);
        let begun = Instant::now();
        let child = Command::from(command)
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        let mut service = Service {
            process: child.id().context("it has just been started")?,
            child,
            address,
            answered_after: Duration::ZERO,
        };
        while !answers(address, self.authorization).await {
            if service.child.try_wait()?.is_some() || begun.elapsed() > START_TIME_LIMIT {
                let said = fs::read_to_string(&log).unwrap_or_default();
                bail!("{name} doesn't serve: {}", said.trim());
            }
            sleep(INTERVAL).await;
        }
        service.answered_after = begun.elapsed();
        Ok(service)
    }
}

async fn answers(address: SocketAddr, authorization: Option<&Authorization>) -> bool {
    let header = authorization.map(|authorization| authorization.header.as_str());
    let asked = async {
        let mut client = Client::connect(address).await?;
        client.get("/users/1", header).await
    };
    asked.await.is_ok_and(|answer| answer.status == 200)
}

impl Service {
    /// The physical memory that the process has, in bytes.
    pub fn resident_bytes(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().next());
        let kilobytes: u64 = kilobytes.context("a process has memory")?.parse()?;
        Ok(kilobytes * 1024)
    }

    /// Ends it as an operator would.
    pub async fn stop(mut self) -> Result<()> {
        signal("TERM", self.process);
        timeout(START_TIME_LIMIT, self.child.wait()).await??;
        Ok(())
    }

    /// Ends it as a power failure would.
    pub async fn kill(mut self) -> Result<()> {
        signal("KILL", self.process);
        self.child.wait().await?;
        Ok(())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // Only while it is there: its number may be another's afterwards.
        if let Ok(None) = self.child.try_wait() {
            signal("KILL", self.process);
        }
    }
}

/// Sends a signal to a group of processes.
fn signal(name: &str, group: u32) {
    std::process::Command::new("kill")
        .args(["-s", name, "--", &format!("-{group}")])
        .stderr(Stdio::null())
        .status()
        .ok();
}

/// A free port.
pub fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}
