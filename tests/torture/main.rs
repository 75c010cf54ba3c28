//! Tortures the service: `make torture`, and `make fleet-torture`.
//!
//! Clients contend for a few users and emails while the host's power fails: it is killed with
//! SIGKILL, loses what was not on the disk, and is started again, again and again; or while the same
//! happens to several hosts, and to the store that they share. Each request is
//! recorded with its answer, and in the end all promises of the service are
//! checked from these records. The checks have tests of their own, which run with
//! all others.
//!
//! - [`target`]: what is harmed: [`one_host`] or a [`fleet`]
//! - [`power`]: what a failure of the power takes away
//! - [`host`], [`balancer`], [`redis_server`]: the processes
//! - [`faults`]: what was away, and when; [`availability`]: how much of the time
//! - [`load`], [`quiet`]: the requests, during the harm and after it
//! - [`wire`]: how it is asked, over HTTP
//! - [`history`]: the requests and answers, and their times; [`groups`]: those about groups
//! - [`check`]: whether the promises were kept
//! - [`random`]: chance, from a seed

mod availability;
mod balancer;
mod check;
mod faults;
mod fleet;
mod groups;
mod history;
mod host;
mod load;
mod one_host;
mod power;
mod quiet;
mod random;
#[path = "../../host/tests/host/support/redis_server.rs"]
mod redis_server;
mod target;
mod wire;

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{IsTerminal, Write};
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use availability::availability;
use check::Findings;
use fleet::Fleet;
use history::{History, Record};
use host::Place;
use load::Stage;
use one_host::OneHost;
use quiet::{Recovery, Traces};
use random::Random;
use target::Target;

/// How long the service is left alone before it is inspected.
const QUIET: Duration = Duration::from_secs(1);

/// How many violations of each promise are printed: one fault makes many.
const SHOWN: usize = 5;

struct Options {
    seconds: u64,
    clients: usize,
    seed: u64,
}

/// The result of a run.
struct Run {
    history: History,
    harm: String,
    /// By the name of the part.
    availabilities: Vec<(String, f64)>,
    recovery: Recovery,
}

#[test]
#[ignore = "it takes a minute: make torture"]
fn every_promise_is_kept_under_load_and_kills() {
    torture("torture", |place, random| {
        Ok(Box::new(OneHost::start(place, random)?))
    });
}

#[test]
#[ignore = "it takes a minute: make fleet-torture"]
fn a_fleet_keeps_every_promise_and_hides_its_faults() {
    if let Err(missing) = fleet::check_programs() {
        panic!("{missing}");
    }
    torture("fleet-torture", |place, random| {
        Ok(Box::new(Fleet::start(place, random)?))
    });
}

impl Options {
    /// From the environment variables `TORTURE_SECONDS`, `TORTURE_CLIENTS` and
    /// `TORTURE_SEED`; those that are empty or not there have a default.
    fn from_environment() -> Options {
        let number = |name: &str| {
            let value = std::env::var(name).ok().filter(|value| !value.is_empty());
            value.map(|value| {
                let number = value.parse::<u64>().ok();
                number.unwrap_or_else(|| panic!("{name} is not a number: {value}"))
            })
        };
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let now = now.map_or(0, |now| now.as_nanos() as u64);
        Options {
            seconds: number("TORTURE_SECONDS").unwrap_or(60),
            clients: number("TORTURE_CLIENTS").unwrap_or(8).max(1) as usize,
            seed: number("TORTURE_SEED").unwrap_or(now),
        }
    }
}

type Start = for<'a> fn(&'a Place, &mut Random) -> Result<Box<dyn Target + 'a>, Box<dyn Error>>;

/// Fails if a promise was not kept. `command` is the target of make that runs this.
fn torture(command: &str, start: Start) {
    match try_torture(command, start) {
        Ok(kept) => assert!(kept, "a promise was broken, see above"),
        Err(error) => panic!("{error}"),
    }
}

/// Whether all promises were kept.
fn try_torture(command: &str, start: Start) -> Result<bool, Box<dyn Error>> {
    let options = Options::from_environment();
    let Options {
        seconds,
        clients,
        seed,
    } = options;
    eprintln!("{clients} clients for {seconds} s: make {command} SECONDS={seconds} SEED={seed}");
    let mut random = Random::new(seed);
    let place = Place::prepare()?;
    let run = start(&place, &mut random).and_then(|mut target| run(&options, &mut *target, random));
    let run = run.map_err(|error| {
        let kept = place.directory.display();
        format!("{error}; the state is kept in {kept}")
    })?;
    let began = Instant::now();
    let findings = check::check(&run.history);
    print(&run, &findings, began.elapsed());
    if findings.violations.is_empty() {
        place.remove()?;
        return Ok(true);
    }
    let report = place.directory.join("history.txt");
    let mut file = std::io::BufWriter::new(std::fs::File::create(&report)?);
    writeln!(file, "{:#?}", run.history.faults)?;
    for record in &run.history.records {
        writeln!(file, "{record}")?;
    }
    file.flush()?;
    println!(
        "the state, the host's log and all records are kept in {}",
        place.directory.display()
    );
    Ok(false)
}

fn run(
    options: &Options,
    target: &mut dyn Target,
    mut random: Random,
) -> Result<Run, Box<dyn Error>> {
    let stage = Stage::new(target.url());
    let end = Instant::now() + Duration::from_secs(options.seconds);
    let (mut records, availabilities) = thread::scope(|scope| {
        let clients: Vec<_> = (0..options.clients)
            .map(|client| {
                let (stage, random) = (&stage, random.fork());
                scope.spawn(move || load::run(stage, client, random))
            })
            .collect();
        let stage = &stage;
        let probes = target.parts().into_iter();
        let probes: Vec<_> = probes
            .map(|(part, url)| (part, scope.spawn(move || availability::probe(stage, &url))))
            .collect();
        let harmed = {
            // A panic of this thread must not leave the clients waiting.
            let _stop = StopAtEnd(stage);
            target.torment(stage, &mut random, end, &mut Progress::new())
        };
        let records: Vec<Record> = clients
            .into_iter()
            .flat_map(|client| client.join().expect("a client does not panic"))
            .collect();
        let availabilities = probes.into_iter().map(|(part, probes)| {
            let probes = probes.join().expect("a probe does not panic");
            (part, availability(&probes))
        });
        let availabilities: Vec<_> = availabilities.collect();
        harmed.map(|()| (records, availabilities))
    })?;
    target.recover(&stage)?;
    thread::sleep(QUIET);
    let quiet_from = stage.now();
    let (inspected, recovery) = quiet::inspect(&stage, options.clients, &Traces::of(&records));
    records.extend(inspected);
    Ok(Run {
        history: History::new(records, target.faults().clone(), quiet_from),
        harm: target.harm_done(),
        availabilities,
        recovery,
    })
}

/// Ends the clients when it is dropped.
struct StopAtEnd<'a>(&'a Stage);

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.0.stop.store(true, Ordering::Relaxed);
    }
}

/// A line now and then, to show that something happens.
struct Progress {
    every: Duration,
    last: Instant,
}

impl Progress {
    fn new() -> Progress {
        let seconds = if std::io::stderr().is_terminal() {
            5
        } else {
            10
        };
        Progress {
            every: Duration::from_secs(seconds),
            last: Instant::now(),
        }
    }

    fn show(&mut self, stage: &Stage, harm: &str) {
        if self.last.elapsed() < self.every {
            return;
        }
        self.last += self.every;
        let seconds = stage.began.elapsed().as_secs();
        let answered = stage.answered.load(Ordering::Relaxed);
        eprintln!("{seconds:4} s: {answered} requests, {harm}");
    }
}

fn print(run: &Run, findings: &Findings, took: Duration) {
    let mut kinds: BTreeMap<&str, BTreeMap<String, usize>> = BTreeMap::new();
    for record in &run.history.records {
        let outcome = record.told.status();
        let outcome = outcome.map_or("lost".to_owned(), |status| status.to_string());
        let outcomes = kinds.entry(record.ask.kind()).or_default();
        *outcomes.entry(outcome).or_default() += 1;
    }
    println!("requests: {}", run.history.records.len());
    for (kind, outcomes) in kinds {
        let outcomes: Vec<String> = outcomes
            .iter()
            .map(|(outcome, count)| format!("{outcome}: {count}"))
            .collect();
        println!("  {kind:16}{}", outcomes.join(", "));
    }
    println!("harm: {}", run.harm);
    println!("availability = uptime / total time");
    for (part, availability) in &run.availabilities {
        println!("  {part}: {:.2} %", availability * 100.0);
    }
    println!("checks, in {:.1} s:", took.as_secs_f64());
    for (what, count) in &findings.counts {
        println!("  {what}: {count}");
    }
    let Recovery { usable, counted } = run.recovery;
    println!(
        "every user was changed and every email taken within {:.1} s",
        usable.as_secs_f64()
    );
    match counted {
        Some(waited) => println!("X-Total-Count: exact after {:.1} s", waited.as_secs_f64()),
        None => println!("X-Total-Count: still wrong when the wait for it ended"),
    }
    println!("violations: {}", findings.violations.len());
    let mut promises: BTreeMap<&str, Vec<_>> = BTreeMap::new();
    for violation in &findings.violations {
        let promise = promises.entry(violation.promise).or_default();
        promise.push(violation);
    }
    for (promise, violations) in promises {
        println!("{promise}: {}", violations.len());
        for violation in violations.iter().take(SHOWN) {
            print!("  {violation}");
        }
    }
}
