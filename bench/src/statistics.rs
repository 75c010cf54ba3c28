//! Medians over rounds.

use std::collections::BTreeMap;

use crate::contestant::Contestant;
use crate::load::Sample;
use crate::plan::{BASE, CONNECTIONS};
use crate::work::Work;

/// A case that is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Case {
    pub contestant: Contestant,
    pub users: u64,
    pub with_token: bool,
    pub work: Work,
    pub connections: u64,
}

impl Case {
    /// On the store and the connections on which everybody is compared.
    pub fn base(contestant: Contestant, work: Work) -> Case {
        Case {
            contestant,
            users: BASE,
            with_token: false,
            work,
            connections: CONNECTIONS,
        }
    }

    pub fn users(self, users: u64) -> Case {
        Case { users, ..self }
    }

    pub fn connections(self, connections: u64) -> Case {
        Case {
            connections,
            ..self
        }
    }

    pub fn with_token(self) -> Case {
        Case {
            with_token: true,
            ..self
        }
    }
}

/// All samples.
#[derive(Debug, Default)]
pub struct Measurements(BTreeMap<Case, Vec<Sample>>);

/// The figures of a case that are shown: the medians of its samples, each figure by itself.
/// Times are in microseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// Requests a second.
    pub throughput: f64,
    /// The lowest and the highest throughput of a round.
    pub spread: (f64, f64),
    pub mean: f64,
    pub p50: f64,
    pub p90: f64,
    pub p99: f64,
    pub p999: f64,
}

impl Measurements {
    pub fn add(&mut self, case: Case, sample: Sample) {
        self.0.entry(case).or_default().push(sample);
    }

    /// The medians of a case; none if it wasn't measured.
    pub fn summary(&self, case: Case) -> Option<Summary> {
        let samples = self.0.get(&case)?;
        let of = |figure: fn(&Sample) -> f64| median(samples.iter().map(figure));
        let throughputs = samples.iter().map(Sample::throughput);
        Some(Summary {
            throughput: of(Sample::throughput)?,
            spread: (
                throughputs.clone().fold(f64::INFINITY, f64::min),
                throughputs.fold(0.0, f64::max),
            ),
            mean: of(|sample| sample.mean)?,
            p50: of(|sample| sample.p50)?,
            p90: of(|sample| sample.p90)?,
            p99: of(|sample| sample.p99)?,
            p999: of(|sample| sample.p999)?,
        })
    }

    /// The median over the rounds of the ratio of a figure in two cases: what two
    /// cases of one round have in common, such as a busy machine, goes out of it.
    pub fn ratio(&self, case: Case, to: Case, figure: fn(&Sample) -> f64) -> Option<f64> {
        let (samples, others) = (self.0.get(&case)?, self.0.get(&to)?);
        median(
            samples
                .iter()
                .zip(others)
                .map(|(a, b)| figure(a) / figure(b)),
        )
    }

    /// Every case there is, in order.
    pub fn cases(&self) -> impl Iterator<Item = Case> {
        self.0.keys().copied()
    }
}

/// The one in the middle, or between the two in the middle; none of nothing.
pub fn median(figures: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut figures: Vec<f64> = figures.into_iter().collect();
    figures.sort_by(f64::total_cmp);
    let upper = figures.len() / 2;
    let middle = match figures.len() % 2 {
        0 => &figures[upper.checked_sub(1)?..=upper],
        _ => &figures[upper..=upper],
    };
    Some(middle.iter().sum::<f64>() / middle.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(requests: u64, p99: f64) -> Sample {
        Sample {
            requests,
            microseconds: 1_000_000,
            refused: 0,
            broken: 0,
            mean: 0.0,
            p50: 0.0,
            p90: 0.0,
            p99,
            p999: 0.0,
            max: 0.0,
        }
    }

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median([]), None);
        assert_eq!(median([3.0]), Some(3.0));
        assert_eq!(median([9.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median([4.0, 1.0, 9.0, 2.0]), Some(3.0));
    }

    #[test]
    fn each_figure_has_its_own_median() {
        let case = Case::base(Contestant::EdgeUsers, Work::Get);
        let mut measurements = Measurements::default();
        for (requests, p99) in [(10, 5.0), (30, 7.0), (20, 6.0)] {
            measurements.add(case, sample(requests, p99));
        }
        let summary = measurements.summary(case).unwrap();
        assert_eq!((summary.throughput, summary.p99), (20.0, 6.0));
        assert_eq!(summary.spread, (10.0, 30.0));
        assert_eq!(measurements.summary(case.connections(1)), None);
    }

    #[test]
    fn a_ratio_compares_within_rounds() {
        let (a, b) = (
            Case::base(Contestant::EdgeUsers, Work::Get),
            Case::base(Contestant::Fixed, Work::Get),
        );
        let mut measurements = Measurements::default();
        // The machine was busy in the second round.
        for (of_a, of_b) in [(90, 100), (9, 10), (180, 200)] {
            measurements.add(a, sample(of_a, 0.0));
            measurements.add(b, sample(of_b, 0.0));
        }
        let ratio = measurements.ratio(a, b, Sample::throughput);
        assert_eq!(ratio, Some(0.9));
    }
}
