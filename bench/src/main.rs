//! Measures edge-users beside other services: on the same machine,
//! under the same load, alternating, in one run. `bench/README.md` tells how and why.
//!
//! Measuring:
//! - `contestant`: the services, and how each is started
//! - `work`, `plan`: the requests, and the numbers of users
//! - `authorization`: with a token or without
//! - `seed`: stores with users in them
//!
//! How:
//! - `service`: a contestant's process
//! - `client`: single requests, timed
//! - `load`: many requests, by wrk and h2load
//! - `round`: everything once, in turn
//! - `startup`, `instance`, `split`, `availability`: figures besides throughput
//!
//! Results:
//! - `statistics`: medians over rounds
//! - `machine`: the machine
//! - `costs`: costs that don't depend on the machine
//! - `report`, `plot`: `RESULTS.md` and its pictures

mod authorization;
mod availability;
mod client;
mod contestant;
mod costs;
mod instance;
mod load;
mod machine;
mod place;
mod plan;
mod plot;
mod report;
mod round;
mod seed;
mod service;
mod split;
mod startup;
mod statistics;
mod work;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Result, bail};
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

use availability::Availability;
use contestant::Contestant;
use instance::InstanceCost;
use machine::Machine;
use place::Place;
use plan::Group;
use split::Split;
use startup::Startup;
use statistics::Measurements;
use work::Work;

/// Measures edge-users beside other services
#[derive(Parser)]
struct Arguments {
    /// How often everything is measured; the medians count
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    rounds: u64,

    /// How long each measurement takes
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,

    /// Measure only these works, and write no results
    #[arg(long, value_delimiter = ',', value_enum)]
    work: Vec<Work>,

    /// Measure only these contestants, and write no results
    #[arg(long, value_delimiter = ',', value_enum)]
    contestant: Vec<Contestant>,

    /// Measure only stores of these sizes, and write no results
    #[arg(long, value_delimiter = ',')]
    users: Vec<u64>,
}

impl Arguments {
    fn is_whole(&self) -> bool {
        self.work.is_empty() && self.contestant.is_empty() && self.users.is_empty()
    }

    fn keeps(&self, group: &Group) -> bool {
        let (contestants, users) = (&self.contestant, &self.users);
        (contestants.is_empty() || contestants.contains(&group.contestant))
            && (users.is_empty() || users.contains(&group.users))
    }
}

/// All that was measured.
pub struct Results {
    pub machine: Machine,
    pub skipped: Vec<String>,
    pub rounds: u64,
    pub seconds: u64,
    pub elapsed: std::time::Duration,
    pub measurements: Measurements,
    pub startups: Vec<Startup>,
    pub instance: InstanceCost,
    pub splits: Vec<Split>,
    pub availability: Vec<Availability>,
    pub component_bytes: u64,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Runtime::new().expect("the system has a thread left");
    let result = runtime.block_on(async {
        tokio::select! {
            result = run(arguments) => result,
            result = interrupted() => result,
        }
    });
    // Not waiting for a store that is being filled.
    runtime.shutdown_background();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("Error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Completes with Ctrl-C and the like. The started programs are then dropped, and end.
async fn interrupted() -> Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
    bail!("interrupted, nothing was written")
}

async fn run(arguments: Arguments) -> Result<()> {
    let begun = Instant::now();
    let place = Place::prepare().await?;
    for line in &place.skipped {
        eprintln!("{line}");
    }
    let mut groups = plan::groups(&place);
    groups.retain(|group| arguments.keeps(group));
    for group in &mut groups {
        let works = &arguments.work;
        group.retain(|work| works.is_empty() || works.contains(&work));
    }
    groups.retain(|group| !group.is_empty());
    seed::prepare(&place, &groups).await?;

    let mut measurements = Measurements::default();
    for number in 0..arguments.rounds {
        let seconds = arguments.seconds;
        round::run(&place, &groups, number, seconds, &mut measurements).await?;
        let (done, rounds) = (number + 1, arguments.rounds);
        eprintln!("round {done} of {rounds}, {:.0?}", begun.elapsed());
    }
    if !arguments.is_whole() {
        print!("{}", report::cases(&measurements));
        return Ok(());
    }
    eprintln!("start of the process");
    let startups = startup::measure(&place, arguments.rounds).await?;
    eprintln!("instances");
    let instance = instance::measure(&place, arguments.rounds, arguments.seconds).await?;
    eprintln!("latency split");
    let splits = split::measure(&place).await?;
    eprintln!("availability");
    let availability = availability::measure(&place).await?;
    let results = Results {
        machine: Machine::of(&place)?,
        skipped: place.skipped.clone(),
        rounds: arguments.rounds,
        seconds: arguments.seconds,
        elapsed: begun.elapsed(),
        measurements,
        startups,
        instance,
        splits,
        availability,
        component_bytes: std::fs::metadata(place.component())?.len(),
    };
    let directory: PathBuf = place.root.join("bench");
    report::write(&results, &place, &directory)?;
    plot::write(&results, &directory)?;
    eprintln!("wrote {}", directory.join("RESULTS.md").display());
    Ok(())
}
