//! `RESULTS.md`: ratios first, absolute figures second.

mod targets;

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Result;

use crate::Results;
use crate::availability::Incident;
use crate::contestant::Contestant;
use crate::costs;
use crate::load::Sample;
use crate::place::Place;
use crate::plan::{BASE, CONNECTIONS, OF_LISTS, SIZES};
use crate::statistics::{Case, Measurements};
use crate::work::Work;

/// The services that edge-users is compared with, in the order of tables and plots.
pub const CONTESTANTS: [Contestant; 9] = [
    Contestant::EdgeUsers,
    Contestant::EdgeUsersWatched,
    Contestant::OneRead,
    Contestant::Fixed,
    Contestant::NativeSqlite,
    Contestant::NativeMemory,
    Contestant::Article,
    Contestant::FixedOnWasmtime,
    Contestant::EdgeUsersOnSpin,
];

/// The work that edge-users does on stores of every size.
pub const GROWING: [Work; 5] = [
    Work::Get,
    Work::GetByEmail,
    Work::Page,
    Work::Create,
    Work::Update,
];

/// Writes the results into `directory`.
pub fn write(results: &Results, place: &Place, directory: &Path) -> Result<()> {
    let mut text = String::new();
    head(&mut text, results)?;
    targets::table(&mut text, results)?;
    comparison(&mut text, &results.measurements)?;
    works(&mut text, &results.measurements)?;
    sizes(&mut text, &results.measurements)?;
    token(&mut text, &results.measurements)?;
    start(&mut text, results)?;
    machine_independent(&mut text, place)?;
    split(&mut text, results)?;
    availability(&mut text, results)?;
    writeln!(text, "## Everything\n")?;
    text += &cases(&results.measurements);
    std::fs::write(directory.join("RESULTS.md"), text)?;
    Ok(())
}

fn head(text: &mut String, results: &Results) -> Result<()> {
    let Results {
        machine,
        rounds,
        seconds,
        ..
    } = results;
    writeln!(text, "# Results\n")?;
    writeln!(
        text,
        "Written by `make bench` on {}, in {:.0} min. [README.md](README.md) tells how it is measured and\n\
         how to read it. Medians of {rounds} rounds of {seconds} s each; {CONNECTIONS} connections and \
         {BASE} users where nothing else is said.\n",
        machine.date,
        results.elapsed.as_secs_f64() / 60.0,
    )?;
    for (name, value) in &machine.facts {
        writeln!(text, "- {name}: {value}")?;
    }
    for line in &results.skipped {
        writeln!(text, "- {line}")?;
    }
    writeln!(text)?;
    Ok(())
}

fn comparison(text: &mut String, measurements: &Measurements) -> Result<()> {
    writeln!(text, "## Side by side\n")?;
    writeln!(
        text,
        "![Throughput against connections](throughput.svg)\n\n![Latency percentiles](latency.svg)\n"
    )?;
    for work in [Work::Get, Work::Create] {
        writeln!(
            text,
            "**{}**: throughput of edge-users in parts of the other's, then requests a second\n",
            work.name()
        )?;
        writeln!(
            text,
            "| | 1 connection | 16 | 64 | 1 connection, requests/s | 16 | 64 | p50, µs, 16 connections | p99 |\n\
             |---|--:|--:|--:|--:|--:|--:|--:|--:|"
        )?;
        for contestant in CONTESTANTS {
            let case = Case::base(contestant, work);
            let Some(summary) = measurements.summary(case) else {
                continue;
            };
            write!(text, "| {} ", contestant.name())?;
            for connections in [1, 16, 64] {
                let case = case.connections(connections);
                let of_edge_users = Case {
                    contestant: Contestant::EdgeUsers,
                    ..case
                };
                let ratio = measurements.ratio(of_edge_users, case, Sample::throughput);
                write!(text, "| {} ", ratio.map_or("–".to_owned(), ratio_text))?;
            }
            for connections in [1, 16, 64] {
                let summary = measurements.summary(case.connections(connections));
                let throughput = summary.map(|summary| whole(summary.throughput));
                write!(text, "| {} ", throughput.unwrap_or("–".to_owned()))?;
            }
            writeln!(text, "| {} | {} |", whole(summary.p50), whole(summary.p99))?;
        }
        writeln!(text)?;
    }
    Ok(())
}

fn works(text: &mut String, measurements: &Measurements) -> Result<()> {
    writeln!(text, "## What each request takes\n")?;
    writeln!(
        text,
        "| edge-users | time, in times of get by id | requests/s | lowest to highest round | p50, µs | p90 | p99 | p99.9 |\n\
         |---|--:|--:|--:|--:|--:|--:|--:|"
    )?;
    let get = Case::base(Contestant::EdgeUsers, Work::Get);
    let here = measurements.cases().filter(|case| {
        matches!(
            case.contestant,
            Contestant::EdgeUsers | Contestant::EdgeUsersIndexed
        ) && case.connections == CONNECTIONS
            && !case.with_token
            && (case.users == BASE || case.work == Work::Delete)
    });
    for case in here {
        let Some(summary) = measurements.summary(case) else {
            continue;
        };
        // Of throughput in reverse, it is the ratio of times.
        let ratio = measurements.ratio(get, case, Sample::throughput);
        let of = match case.users {
            BASE if case.contestant.has_indexes() && !OF_LISTS.contains(&case.work) => {
                ", with indexes".to_owned()
            }
            BASE => String::new(),
            users => format!(", {} users", whole(users as f64)),
        };
        writeln!(
            text,
            "| {}{of} | {} | {} | {} to {} | {} | {} | {} | {} |",
            case.work.name(),
            ratio.map_or("–".to_owned(), ratio_text),
            whole(summary.throughput),
            whole(summary.spread.0),
            whole(summary.spread.1),
            whole(summary.p50),
            whole(summary.p90),
            whole(summary.p99),
            whole(summary.p999),
        )?;
    }
    writeln!(text)?;
    Ok(())
}

fn sizes(text: &mut String, measurements: &Measurements) -> Result<()> {
    writeln!(
        text,
        "## What more users cost\n\n![Cost against number of users](users.svg)\n"
    )?;
    writeln!(
        text,
        "Throughput and p99, in parts of those with {} users, then requests a second.\n",
        whole(BASE as f64)
    )?;
    writeln!(
        text,
        "| | throughput, 100,000 | 1,000,000 | p99, 100,000 | 1,000,000 | requests/s, 1,000 | 100,000 | 1,000,000 |\n\
         |---|--:|--:|--:|--:|--:|--:|--:|"
    )?;
    let native = [Work::Get, Work::Create].map(|work| (Contestant::NativeSqlite, work));
    let edge_users = GROWING.map(|work| (Contestant::EdgeUsers, work));
    let indexed = OF_LISTS.map(|work| (Contestant::EdgeUsersIndexed, work));
    for (contestant, work) in edge_users.into_iter().chain(indexed).chain(native) {
        let base = Case::base(contestant, work);
        write!(text, "| {}, {} ", contestant.name(), work.name())?;
        for figure in [Sample::throughput, |sample: &Sample| sample.p99] {
            for users in &SIZES[1..] {
                let ratio = measurements.ratio(base.users(*users), base, figure);
                write!(text, "| {} ", ratio.map_or("–".to_owned(), ratio_text))?;
            }
        }
        for users in SIZES {
            let summary = measurements.summary(base.users(users));
            let throughput = summary.map(|summary| whole(summary.throughput));
            write!(text, "| {} ", throughput.unwrap_or("–".to_owned()))?;
        }
        writeln!(text, "|")?;
    }
    writeln!(text)?;
    Ok(())
}

fn token(text: &mut String, measurements: &Measurements) -> Result<()> {
    let cases: Vec<Case> = measurements
        .cases()
        .filter(|case| case.with_token)
        .collect();
    if cases.is_empty() {
        return Ok(());
    }
    writeln!(text, "## What a token costs\n")?;
    writeln!(
        text,
        "| | throughput, in parts of that with `auth=off` | requests/s | p99, µs |\n|---|--:|--:|--:|"
    )?;
    for case in cases {
        let open = Case {
            with_token: false,
            ..case
        };
        let Some(summary) = measurements.summary(case) else {
            continue;
        };
        let ratio = measurements.ratio(case, open, Sample::throughput);
        writeln!(
            text,
            "| {} | {} | {} | {} |",
            case.work.name(),
            ratio.map_or("–".to_owned(), ratio_text),
            whole(summary.throughput),
            whole(summary.p99)
        )?;
    }
    writeln!(text)?;
    Ok(())
}

fn start(text: &mut String, results: &Results) -> Result<()> {
    writeln!(text, "## Start and memory\n")?;
    writeln!(
        text,
        "| from the start of the process to its first answer | ms | memory then, MiB |\n|---|--:|--:|"
    )?;
    for startup in &results.startups {
        let milliseconds = startup.time.as_secs_f64() * 1e3;
        let memory = mebibytes(startup.resident);
        writeln!(text, "| {} | {milliseconds:.0} | {memory} |", startup.what)?;
    }
    let instance = &results.instance;
    writeln!(
        text,
        "\n- a new instance: {:.0} µs more than one that is used again\n\
         - an idle instance, with its connection: {} MiB, beside {} MiB of the host\n\
         - the component: {} bytes\n",
        instance.making.as_secs_f64() * 1e6,
        mebibytes(instance.idle),
        mebibytes(instance.host),
        whole(results.component_bytes as f64),
    )?;
    Ok(())
}

fn machine_independent(text: &mut String, place: &Place) -> Result<()> {
    writeln!(text, "## On every machine alike\n")?;
    writeln!(
        text,
        "| | WebAssembly instructions | store operations |\n|---|--:|--:|"
    )?;
    for cost in costs::read(place)?.request {
        let instructions = whole(cost.instructions as f64);
        writeln!(
            text,
            "| {} | {instructions} | {} |",
            cost.name, cost.store_operations
        )?;
    }
    writeln!(text)?;
    Ok(())
}

fn split(text: &mut String, results: &Results) -> Result<()> {
    writeln!(text, "## Latency: send + process + receive\n")?;
    writeln!(
        text,
        "Get by id, one connection, medians in µs. What is sent and received passes through this machine's \
         kernel only.\nThe store's part of *process* and the rest of the component's are what it says in `Server-Timing`; \
         what is left is the host's and the kernel's.\n"
    )?;
    writeln!(
        text,
        "| | send | process | of it the component, without the store | of it the store | receive | together |\n|---|--:|--:|--:|--:|--:|--:|"
    )?;
    for split in &results.splits {
        let part = |part: Option<f64>| part.map_or("–".to_owned(), |part| format!("{part:.0}"));
        writeln!(
            text,
            "| {} | {:.0} | {:.0} | {} | {} | {:.1} | {:.0} |",
            split.contestant.name(),
            split.send,
            split.process,
            part(split.component),
            part(split.store),
            split.receive,
            split.send + split.process + split.receive,
        )?;
    }
    writeln!(text)?;
    Ok(())
}

fn availability(text: &mut String, results: &Results) -> Result<()> {
    writeln!(text, "## Availability: uptime / total time\n")?;
    writeln!(
        text,
        "Edge-users on one embedded host, under the load of {CONNECTIONS} connections that get users by id. \
         The host is\nthe only one that has the store's file and the port: a restart is a stop and a start.\n"
    )?;
    writeln!(
        text,
        "| | availability | down, ms | watched, s | answered of those asked once | lost by a client that tries again for 1 s |\n\
         |---|--:|--:|--:|--:|--:|"
    )?;
    for availability in &results.availability {
        let incident = match availability.incident {
            Incident::None => "nothing happens",
            Incident::Restart => "a restart (SIGTERM)",
            Incident::Kill => "a crash (SIGKILL) and a start",
        };
        writeln!(
            text,
            "| {incident} | {:.3} % | {:.0} | {:.1} | {} of {} | {} |",
            availability.share() * 100.0,
            availability.down.as_secs_f64() * 1e3,
            availability.watched.as_secs_f64(),
            availability.answered,
            availability.asked,
            availability.lost,
        )?;
    }
    writeln!(text)?;
    Ok(())
}

/// Every case, as a table.
pub fn cases(measurements: &Measurements) -> String {
    let mut text = "| | users | connections | requests/s | lowest to highest round | mean, µs | p50 | p90 | p99 | p99.9 |\n\
         |---|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n"
        .to_owned();
    for case in measurements.cases() {
        let Some(summary) = measurements.summary(case) else {
            continue;
        };
        let token = if case.with_token {
            ", with a token"
        } else {
            ""
        };
        text += &format!(
            "| {}, {}{token} | {} | {} | {} | {} to {} | {} | {} | {} | {} | {} |\n",
            case.contestant.name(),
            case.work.name(),
            whole(case.users as f64),
            case.connections,
            whole(summary.throughput),
            whole(summary.spread.0),
            whole(summary.spread.1),
            whole(summary.mean),
            whole(summary.p50),
            whole(summary.p90),
            whole(summary.p99),
            whole(summary.p999),
        );
    }
    text
}

fn ratio_text(ratio: f64) -> String {
    format!("{ratio:.2}")
}

fn mebibytes(bytes: f64) -> String {
    format!("{:.1}", bytes / f64::from(1 << 20))
}

/// A whole number, with commas between the thousands.
fn whole(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (index, digit) in digits.char_indices() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn searches_and_groups_stand_beside_other_requests() {
        let mut measurements = Measurements::default();
        let mut add = |contestant, work, users, requests| {
            let case = Case::base(contestant, work).users(users);
            let sample = Sample {
                requests,
                microseconds: 1_000_000,
                refused: 0,
                broken: 0,
                mean: 1.0,
                p50: 1.0,
                p90: 1.0,
                p99: 1.0,
                p999: 1.0,
                max: 1.0,
            };
            measurements.add(case, sample);
        };
        add(Contestant::EdgeUsers, Work::Get, BASE, 8000);
        add(Contestant::EdgeUsersIndexed, Work::Get, BASE, 4000);
        add(Contestant::EdgeUsersIndexed, Work::FindByWord, BASE, 2000);
        add(
            Contestant::EdgeUsersIndexed,
            Work::FindByWord,
            SIZES[2],
            1000,
        );
        let (mut each, mut growing) = (String::new(), String::new());
        works(&mut each, &measurements).expect("a string takes all");
        sizes(&mut growing, &measurements).expect("a string takes all");
        assert!(each.contains("| get by id | 1.00 | 8,000 |"), "{each}");
        assert!(
            each.contains("| get by id, with indexes | 2.00 | 4,000 |"),
            "{each}"
        );
        assert!(each.contains("| find 5 by word | 4.00 | 2,000 |"), "{each}");
        let row = "| edge-users, with indexes, find 5 by word | – | 0.50 | – | 1.00 | 2,000 | – | 1,000 |";
        assert!(growing.contains(row), "{growing}");
    }

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!(whole(0.4), "0");
        assert_eq!(whole(999.0), "999");
        assert_eq!(whole(1000.0), "1,000");
        assert_eq!(whole(1_234_567.0), "1,234,567");
    }
}
