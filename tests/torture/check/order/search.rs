//! The search for an order.
//!
//! It goes along the clock and keeps every situation in which the user can be. A
//! request is given its place when its end is reached and not before, as Lowe's
//! just-in-time linearization does it ("Testing for linearizability", 2017). That
//! no two versions are alike keeps the situations few.

use std::collections::{BTreeSet, HashSet};

use super::{Event, Phase};
use crate::history::Time;

/// With how many situations the search gives up.
const MAX_SITUATIONS: usize = 500_000;

/// The user, and which of the requests under way have taken effect.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Situation {
    phase: Phase,
    done: BTreeSet<usize>,
}

/// Why there is no order.
pub(super) enum Stuck {
    /// None of the states explains the event of that index.
    Unexplained(usize, Vec<Phase>),
    TooMany(usize),
}

/// Looks for an order of the events.
pub(super) fn explain(events: &[Event]) -> Result<(), Stuck> {
    // At one and the same time starts come first: then the two overlap.
    let mut points: Vec<(Time, bool, usize)> = Vec::new();
    for (index, event) in events.iter().enumerate() {
        points.push((event.start, false, index));
        // What may come at any time later has no end.
        if event.end < Time::MAX {
            points.push((event.end, true, index));
        }
    }
    points.sort_unstable();
    let mut pending = BTreeSet::new();
    let mut situations = HashSet::from([Situation {
        phase: Phase::Before,
        done: BTreeSet::new(),
    }]);
    for (_, is_end, index) in points {
        if is_end {
            let ended = end(events, &pending, &situations, index)?;
            if ended.is_empty() {
                let phases: HashSet<Phase> = situations.iter().map(|s| s.phase).collect();
                return Err(Stuck::Unexplained(index, phases.into_iter().collect()));
            }
            pending.remove(&index);
            situations = ended;
        } else {
            pending.insert(index);
            if events[index].kind.is_read() {
                situations = situations
                    .into_iter()
                    .map(|situation| situation.with_reads(events, [&index]))
                    .collect();
            }
        }
    }
    Ok(())
}

/// Every situation in which the event `index`, whose end is reached, has its place.
fn end(
    events: &[Event],
    pending: &BTreeSet<usize>,
    situations: &HashSet<Situation>,
    index: usize,
) -> Result<HashSet<Situation>, Stuck> {
    let mut ended = HashSet::new();
    let mut seen = HashSet::new();
    let mut open = Vec::new();
    for situation in situations {
        if situation.done.contains(&index) {
            ended.insert(situation.without(index));
            continue;
        }
        if !events[index].certain {
            ended.insert(situation.clone());
        }
        open.push(situation.clone());
    }
    while let Some(situation) = open.pop() {
        for write in pending.difference(&situation.done) {
            if events[*write].kind.is_read() {
                continue;
            }
            let Some(phase) = events[*write].kind.after(situation.phase) else {
                continue;
            };
            let mut next = situation.clone();
            next.phase = phase;
            next.done.insert(*write);
            let next = next.with_reads(events, pending);
            if next.done.contains(&index) {
                ended.insert(next.without(index));
            } else if seen.insert(next.clone()) {
                open.push(next);
            }
        }
        if seen.len() + ended.len() > MAX_SITUATIONS {
            return Err(Stuck::TooMany(index));
        }
    }
    Ok(ended)
}

impl Situation {
    /// Gives every read that fits here its place: to wait can gain nothing, for
    /// reads change nothing.
    fn with_reads<'i>(
        mut self,
        events: &[Event],
        pending: impl IntoIterator<Item = &'i usize>,
    ) -> Situation {
        for index in pending {
            let kind = &events[*index].kind;
            if kind.is_read() && kind.after(self.phase).is_some() {
                self.done.insert(*index);
            }
        }
        self
    }

    fn without(&self, index: usize) -> Situation {
        let mut without = self.clone();
        without.done.remove(&index);
        without
    }
}
