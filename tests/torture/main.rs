//! Tortures the service: `make torture`.
//!
//! Clients contend for a few users and emails while the host is killed with
//! SIGKILL again and again, and started again on the same state. Each request is
//! recorded with its answer, and in the end all promises of the service are
//! checked from these records. The checks have tests of their own, which run with
//! all others.
//!
//! - [`host`]: the process that is killed
//! - [`load`], [`quiet`]: the requests, during the kills and after them
//! - [`wire`]: how it is asked, over HTTP
//! - [`history`]: the requests and answers, and their times
//! - [`check`]: whether the promises were kept
//! - [`random`]: chance, from a seed

mod check;
mod history;
mod host;
mod load;
mod quiet;
mod random;
mod wire;

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::io::{IsTerminal, Write};
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use check::Findings;
use history::{History, Record, Time};
use host::Place;
use load::Stage;
use quiet::Recovery;
use random::Random;

/// Milliseconds between two kills: at least, and how many more at the most.
const KILL_AFTER: (u64, u64) = (200, 1800);

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
    kills: usize,
    recovery: Recovery,
}

#[test]
#[ignore = "it takes a minute: make torture"]
fn every_promise_is_kept_under_load_and_kills() {
    let options = Options::from_environment();
    match torture(&options) {
        Ok(kept) => assert!(kept, "a promise was broken, see above"),
        Err(error) => panic!("{error}"),
    }
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

/// Whether all promises were kept.
fn torture(options: &Options) -> Result<bool, Box<dyn Error>> {
    let Options {
        seconds,
        clients,
        seed,
    } = options;
    eprintln!("{clients} clients for {seconds} s: make torture SECONDS={seconds} SEED={seed}");
    let mut random = Random::new(*seed);
    let place = Place::prepare(&mut random)?;
    let run = match run(options, &place, random) {
        Ok(run) => run,
        Err(error) => {
            let kept = place.directory.display();
            return Err(format!("{error}; the state is kept in {kept}").into());
        }
    };
    let began = Instant::now();
    let findings = check::check(&run.history);
    print(&run, &findings, began.elapsed());
    if findings.violations.is_empty() {
        place.remove()?;
        return Ok(true);
    }
    let report = place.directory.join("history.txt");
    let mut file = std::io::BufWriter::new(std::fs::File::create(&report)?);
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

fn run(options: &Options, place: &Place, mut random: Random) -> Result<Run, Box<dyn Error>> {
    let mut host = place.start()?;
    let stage = Stage::new(format!("http://{}", place.address));
    let end = Instant::now() + Duration::from_secs(options.seconds);
    let mut kills: Vec<Time> = Vec::new();
    let mut records: Vec<Record> = thread::scope(|scope| {
        let clients: Vec<_> = (0..options.clients)
            .map(|client| {
                let (stage, random) = (&stage, random.fork());
                scope.spawn(move || load::run(stage, client, random))
            })
            .collect();
        let mut progress = Progress::new(&stage);
        let killed = loop {
            let pause = KILL_AFTER.0 + random.below(KILL_AFTER.1 + 1);
            let next = Instant::now() + Duration::from_millis(pause);
            while Instant::now() < next.min(end) {
                let rest = next.min(end).saturating_duration_since(Instant::now());
                thread::sleep(rest.min(Duration::from_millis(100)));
                progress.show(kills.len());
            }
            if Instant::now() >= end {
                break Ok(());
            }
            if let Err(error) = kill_and_start(&mut host, place, &stage, &mut kills) {
                break Err(error);
            }
        };
        // The clients end first: a panic of this thread must not leave them waiting.
        stage.stop.store(true, Ordering::Relaxed);
        let records = clients
            .into_iter()
            .flat_map(|client| client.join().expect("a client does not panic"))
            .collect();
        killed.map(|()| records)
    })?;
    kill_and_start(&mut host, place, &stage, &mut kills)?;
    thread::sleep(QUIET);
    let ids: BTreeSet<u64> = records
        .iter()
        .flat_map(|record| record.told.seen())
        .map(|seen| seen.id)
        .collect();
    let quiet_from = stage.now();
    let (inspected, recovery) = quiet::inspect(&stage, options.clients, &ids);
    records.extend(inspected);
    Ok(Run {
        history: History::new(records, &kills, quiet_from),
        kills: kills.len(),
        recovery,
    })
}

fn kill_and_start(
    host: &mut host::Host,
    place: &Place,
    stage: &Stage,
    kills: &mut Vec<Time>,
) -> Result<(), Box<dyn Error>> {
    if host.has_ended()? {
        let log = place.log();
        return Err(format!("the host ended by itself: see {}", log.display()).into());
    }
    host.kill()?;
    kills.push(stage.now());
    *host = place.start()?;
    Ok(())
}

/// A line now and then, to show that something happens.
struct Progress<'a> {
    stage: &'a Stage,
    every: Duration,
    last: Instant,
}

impl Progress<'_> {
    fn new(stage: &Stage) -> Progress<'_> {
        let seconds = if std::io::stderr().is_terminal() {
            5
        } else {
            10
        };
        Progress {
            stage,
            every: Duration::from_secs(seconds),
            last: Instant::now(),
        }
    }

    fn show(&mut self, kills: usize) {
        if self.last.elapsed() < self.every {
            return;
        }
        self.last += self.every;
        let seconds = self.stage.began.elapsed().as_secs();
        let answered = self.stage.answered.load(Ordering::Relaxed);
        eprintln!("{seconds:4} s: {answered} requests, {kills} kills");
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
    println!("kills: {}", run.kills);
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
