//! The targets, and whether they are reached.

use std::fmt::Write as _;

use anyhow::Result;

use super::{GROWING, whole};
use crate::Results;
use crate::contestant::Contestant::{
    Article, EdgeUsers, EdgeUsersIndexed, Fixed, NativeMemory, NativeSqlite, OneRead,
};
use crate::load::Sample;
use crate::plan::SIZES;
use crate::startup::WARM;
use crate::statistics::Case;
use crate::work::Work;

/// A figure and the bound that it is to keep.
struct Target {
    what: String,
    bound: Bound,
    figure: Option<f64>,
}

#[derive(Clone, Copy)]
enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

impl Target {
    fn row(&self) -> String {
        let (bound, limit) = match self.bound {
            Bound::AtLeast(limit) => ("at least", limit),
            Bound::AtMost(limit) => ("at most", limit),
        };
        let number = |number: f64| match number {
            number if limit >= 100.0 => whole(number),
            number => format!("{number:.2}"),
        };
        let (figure, reached) = match (self.figure, self.bound) {
            (None, _) => ("–".to_owned(), "not measured"),
            (Some(figure), Bound::AtLeast(limit)) if figure >= limit => (number(figure), "yes"),
            (Some(figure), Bound::AtMost(limit)) if figure <= limit => (number(figure), "yes"),
            (Some(figure), _) => (number(figure), "**no**"),
        };
        let limit = number(limit);
        format!(
            "| {} | {bound} {limit} | {figure} | {reached} |\n",
            self.what
        )
    }
}

/// Writes the targets as a table.
pub fn table(text: &mut String, results: &Results) -> Result<()> {
    writeln!(text, "## Targets\n")?;
    writeln!(text, "| | target | figure | reached |\n|---|--:|--:|---|")?;
    for target in targets(results) {
        *text += &target.row();
    }
    writeln!(text)?;
    Ok(())
}

fn targets(results: &Results) -> Vec<Target> {
    use Bound::{AtLeast, AtMost};
    let p99 = |sample: &Sample| sample.p99;
    let case = Case::base;
    let mut targets = Vec::new();
    let mut add = |what: String, bound, figure| {
        targets.push(Target {
            what,
            bound,
            figure,
        });
    };
    let ratio = |a, b, figure: fn(&Sample) -> f64| results.measurements.ratio(a, b, figure);

    let floor = case(OneRead, Work::Get);
    for work in [Work::Get, Work::GetNotModified, Work::GetMissing] {
        let ours = case(EdgeUsers, work);
        let name = work.name();
        add(
            format!("{name}: throughput, in parts of the floor with one read"),
            AtLeast(0.85),
            ratio(ours, floor, Sample::throughput),
        );
        add(
            format!("{name}: p99, likewise"),
            AtMost(1.25),
            ratio(ours, floor, p99),
        );
    }
    for (call, rest) in [
        (Work::GetConnect, Work::Get),
        (Work::GetGrpc, Work::GetHttp2),
    ] {
        add(
            format!("{}: throughput, in parts of {}", call.name(), rest.name()),
            AtLeast(0.8),
            ratio(
                case(EdgeUsers, call),
                case(EdgeUsers, rest),
                Sample::throughput,
            ),
        );
    }
    let get = case(EdgeUsers, Work::Get);
    for (work, limit) in [(Work::Page, 3.0), (Work::GetByEmail, 1.6)] {
        add(
            format!("{}: time, in times of get by id", work.name()),
            AtMost(limit),
            // Of throughput in reverse, it is the ratio of times.
            ratio(get, case(EdgeUsers, work), Sample::throughput),
        );
    }
    add(
        format!("{}: throughput, in parts of get by id", Work::Update.name()),
        AtLeast(0.5),
        ratio(case(EdgeUsers, Work::Update), get, Sample::throughput),
    );
    let [_, medium, large] = SIZES;
    let delete = case(EdgeUsers, Work::Delete).users(medium);
    add(
        "delete at 100,000 users: throughput, in parts of get by id".to_owned(),
        AtLeast(0.25),
        ratio(delete, get.users(medium), Sample::throughput),
    );
    add(
        "delete at 100,000 users: p99, ms".to_owned(),
        AtMost(10.0),
        results
            .measurements
            .summary(delete)
            .map(|summary| summary.p99 / 1e3),
    );
    for work in GROWING {
        let small = case(EdgeUsers, work);
        let name = work.name();
        add(
            format!("{name}: throughput at 1,000,000 users, in parts of that at 1,000"),
            AtLeast(0.83),
            ratio(small.users(large), small, Sample::throughput),
        );
        add(
            format!("{name}: p99, likewise"),
            AtMost(1.5),
            ratio(small.users(large), small, p99),
        );
    }
    let found = case(EdgeUsersIndexed, Work::FindByWord).users(large);
    let page = case(EdgeUsersIndexed, Work::ShortPage).users(large);
    add(
        "find 5 by word at 1,000,000 users: time, in times of a page of 5".to_owned(),
        AtMost(2.0),
        // Of throughput in reverse, as above.
        ratio(page, found, Sample::throughput),
    );
    for (ours, work, other, limits) in [
        (
            EdgeUsers,
            Work::Get,
            NativeSqlite,
            &[(1, 1.1), (16, 0.65)][..],
        ),
        (Fixed, Work::Get, NativeMemory, &[(1, 1.3), (16, 0.7)]),
        (
            EdgeUsers,
            Work::Create,
            NativeSqlite,
            &[(1, 0.5), (16, 0.3), (64, 0.2)],
        ),
    ] {
        for (connections, limit) in limits {
            add(
                format!(
                    "{}, {}: throughput in parts of {}, connections: {connections}",
                    ours.name(),
                    work.name(),
                    other.name()
                ),
                AtLeast(*limit),
                ratio(
                    case(ours, work).connections(*connections),
                    case(other, work).connections(*connections),
                    Sample::throughput,
                ),
            );
        }
    }
    add(
        "get by id: throughput, in parts of the article's service".to_owned(),
        AtLeast(0.45),
        ratio(get, case(Article, Work::Get), Sample::throughput),
    );
    let warm = results.startups.iter().find(|s| s.what == WARM);
    add(
        "first answer, compiled before, ms".to_owned(),
        AtMost(300.0),
        warm.map(|startup| startup.time.as_secs_f64() * 1e3),
    );
    add(
        "a new instance, µs".to_owned(),
        AtMost(200.0),
        Some(results.instance.making.as_secs_f64() * 1e6),
    );
    add(
        "memory of an idle instance, MiB".to_owned(),
        AtMost(4.0),
        Some(results.instance.idle / f64::from(1 << 20)),
    );
    add(
        "the component, bytes".to_owned(),
        AtMost(1_200_000.0),
        Some(results.component_bytes as f64),
    );
    targets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_reached_or_not() {
        let row = |bound, figure| {
            let what = "x".to_owned();
            Target {
                what,
                bound,
                figure,
            }
            .row()
        };
        let low = row(Bound::AtLeast(0.9), Some(0.85));
        assert_eq!(low, "| x | at least 0.90 | 0.85 | **no** |\n");
        let small = row(Bound::AtMost(1_200_000.0), Some(694_735.0));
        assert_eq!(small, "| x | at most 1,200,000 | 694,735 | yes |\n");
        let unknown = row(Bound::AtMost(1.0), None);
        assert_eq!(unknown, "| x | at most 1.00 | – | not measured |\n");
    }
}
