//! Many requests, by wrk; over HTTP/2 by h2load.

mod http2;

use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use tokio::process::Command;

use crate::place::Place;
use crate::work::Work;

/// The task of one run of wrk.
#[derive(Clone, Debug)]
pub struct Load<'a> {
    pub address: SocketAddr,
    pub work: Work,
    pub connections: u64,
    pub seconds: u64,
    /// How many users the store has.
    pub users: u64,
    /// The same seed gives the same requests.
    pub seed: u64,
    /// The id that deletes begin at, going down.
    pub first: u64,
    pub authorization: Option<&'a str>,
    /// The file with entity tags, for work that needs them.
    pub tags: Option<&'a Path>,
}

/// The result of a run. Times are in microseconds.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
pub struct Sample {
    pub requests: u64,
    pub microseconds: u64,
    /// How many answers had a status of 400 or more.
    pub refused: u64,
    /// How many requests were not answered.
    pub broken: u64,
    pub mean: f64,
    pub p50: f64,
    pub p90: f64,
    pub p99: f64,
    pub p999: f64,
    pub max: f64,
}

impl Sample {
    /// Requests / time, in requests a second.
    pub fn throughput(&self) -> f64 {
        self.requests as f64 / (self.microseconds as f64 / 1e6)
    }
}

impl Load<'_> {
    /// Runs it; fails unless every request was answered as the work has it. Requests
    /// that the service may refuse, and did, are left out of what it did.
    pub async fn run(&self, place: &Place) -> Result<Sample> {
        let mut sample = self.sample(place).await?;
        let Sample {
            requests,
            refused,
            broken,
            ..
        } = sample;
        let work = self.work.name();
        ensure!(broken == 0, "{work}: {broken} of {requests} broke off");
        if self.work.may_be_refused() && refused > 0 {
            eprintln!("  {work}: {refused} of {requests} requests were refused");
            sample.requests -= refused;
        }
        ensure!(sample.requests > 0, "{work}: no request was answered");
        let is_right = match refused {
            0 => !self.work.is_refused(),
            _ if self.work.may_be_refused() => true,
            _ => self.work.is_refused() && refused == requests,
        };
        ensure!(
            is_right,
            "{work}: {refused} of {requests} requests were refused"
        );
        Ok(sample)
    }

    /// Runs it, however the requests were answered.
    pub async fn sample(&self, place: &Place) -> Result<Sample> {
        let Some(script_name) = self.work.script_name() else {
            return http2::sample(self, place).await;
        };
        let tags = self.tags.map_or("-".into(), Path::to_string_lossy);
        let output = Command::new(&place.wrk)
            // One thread: there are two cores, and the service needs one as well.
            .args(["-t1", "--latency"])
            .args(["-c", &self.connections.to_string()])
            .arg(format!("-d{}s", self.seconds))
            .arg("-s")
            .arg(place.root.join("bench/wrk/requests.lua"))
            .arg(format!("http://{}/", self.address))
            .arg("--")
            .arg(script_name)
            .arg(self.users.to_string())
            .arg(self.seed.to_string())
            .arg(self.first.to_string())
            .arg(self.authorization.unwrap_or("-"))
            .arg(&*tags)
            .kill_on_drop(true)
            .output()
            .await
            .context("cannot run wrk")?;
        let printed = String::from_utf8_lossy(&output.stdout);
        let line = printed.lines().rfind(|line| line.starts_with('{'));
        let line = line.with_context(|| {
            let said = String::from_utf8_lossy(&output.stderr);
            format!("wrk failed: {printed}{said}")
        })?;
        Ok(serde_json::from_str(line)?)
    }
}
