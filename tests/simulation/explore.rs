//! Exhaustive exploration: every order of the store operations of a scenario's
//! clients, with a fault or a long pause at every point, in a depth-first search.
//!
//! A place that was reached before by other ways is not searched again: the
//! same store, the same answers so far to each request that is under way, and
//! the same history as far as clients can tell.

use std::collections::HashSet;
use std::fmt;

use crate::choice::{Choice, Fate};
use crate::scenario::{Failure, Prepared, Scenario};
use crate::scheduler::Simulation;
use crate::store::hash;
use crate::violation::Violation;

/// How much is explored.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// How many faults a run may have; where reads may be late, how many of them are.
    pub faults: usize,
    /// How often more than a minute may go by.
    pub pauses: usize,
    /// How often a client is left for another one though it could go on.
    pub switches: usize,
    /// From this many store operations on, a request that others keep from
    /// finishing is left alone until it has finished: two that overtake each
    /// other again and again could do so in more ways than can be counted.
    pub patience: usize,
}

/// Figures of an exploration.
#[derive(Clone, Copy, Debug, Default)]
pub struct Figures {
    pub states: usize,
    pub runs: usize,
    /// The most store operations that one request made.
    pub operations: usize,
    /// In how many of the states branches were left out because of [`Bounds::patience`].
    pub impatient: usize,
}

impl std::ops::AddAssign for Figures {
    fn add_assign(&mut self, other: Figures) {
        self.states += other.states;
        self.runs += other.runs;
        self.operations = self.operations.max(other.operations);
        self.impatient += other.impatient;
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Figures {
            states,
            runs,
            operations,
            impatient,
        } = self;
        write!(
            f,
            "{states:7} states ({impatient} out of patience), {runs:5} ends, \
             at most {operations} operations a request"
        )
    }
}

/// A place on the way of the search, and where one can go from it.
struct Fork {
    run: Simulation,
    taken: Taken,
    choices: Vec<Choice>,
    next: usize,
}

/// Explores a scenario until it fails, or to the end.
pub fn explore(scenario: &Scenario, bounds: Bounds) -> Result<Figures, Box<Failure>> {
    let prepared = scenario.prepare();
    let run = prepared.start();
    let mut search = Search {
        scenario,
        bounds,
        prepared,
        reached: HashSet::new(),
        way: Vec::new(),
        figures: Figures::default(),
    };
    search.descend(run, Taken::default())?;
    while let Some((run, taken)) = search.turn()? {
        search.descend(run, taken)?;
    }
    Ok(search.figures)
}

/// The faults, pauses and switches on the way to a place.
#[derive(Clone, Copy, Default)]
struct Taken {
    faults: usize,
    pauses: usize,
    switches: usize,
    /// The client that went last.
    last: Option<usize>,
}

struct Search<'a> {
    scenario: &'a Scenario,
    bounds: Bounds,
    prepared: Prepared,
    reached: HashSet<u64>,
    way: Vec<Fork>,
    figures: Figures,
}

impl Search<'_> {
    fn choices(&self) -> Vec<Choice> {
        let taken = self.way.iter().map(|fork| fork.choices[fork.next]);
        taken.collect()
    }

    /// Runs onward to the end or to where others were.
    fn descend(&mut self, mut run: Simulation, mut taken: Taken) -> Result<(), Box<Failure>> {
        loop {
            // How many switches are left only counts where they are few.
            let switches = match self.bounds.switches {
                usize::MAX => None,
                _ => Some((taken.switches, taken.last)),
            };
            let place = (run.fingerprint(), taken.faults, taken.pauses, switches);
            if !self.reached.insert(hash(&place)) {
                return Ok(());
            }
            self.figures.states += 1;
            let choices = self.open(&run, taken);
            let Some(choice) = choices.first().copied() else {
                return self.judge(run);
            };
            self.way.push(Fork {
                run: run.clone(),
                taken,
                choices,
                next: 0,
            });
            self.take(&mut run, choice, &mut taken)?;
        }
    }

    fn take(
        &self,
        run: &mut Simulation,
        choice: Choice,
        taken: &mut Taken,
    ) -> Result<(), Box<Failure>> {
        match choice {
            Choice::Client(client, fate) => {
                let left = taken.last.filter(|last| *last != client);
                taken.switches += usize::from(left.is_some_and(|last| run.is_waiting(last)));
                taken.faults += usize::from(fate != Fate::Happens);
                taken.last = Some(client);
            }
            _ => taken.pauses += 1,
        }
        run.step(choice)
            .map_err(|violation| self.failure(violation))
    }

    fn failure(&self, violation: Violation) -> Box<Failure> {
        Box::new(Failure {
            scenario: self.scenario.clone(),
            choices: self.choices(),
            violation,
        })
    }

    fn judge(&mut self, mut run: Simulation) -> Result<(), Box<Failure>> {
        self.figures.runs += 1;
        let judged = self.prepared.judge(&mut run);
        let most = run.history.most_operations();
        self.figures.operations = self.figures.operations.max(most);
        judged.map_err(|violation| self.failure(violation))
    }

    /// Where the run can go. The client that went last goes first, so that the
    /// schedules that are found first are the ones with the fewest switches.
    fn open(&mut self, run: &Simulation, taken: Taken) -> Vec<Choice> {
        let mut clients: Vec<usize> = run.waiting().collect();
        clients.sort_by_key(|client| Some(*client) != taken.last);
        let last = taken.last.filter(|last| clients.contains(last));
        if let Some(last) = last.filter(|_| taken.switches >= self.bounds.switches) {
            clients.retain(|client| *client == last);
        }
        let mut bothered = clients.iter();
        let bothered = bothered.find(|client| run.patience(**client) >= self.bounds.patience);
        if let Some(client) = bothered {
            self.figures.impatient += 1;
            return vec![Choice::Client(*client, Fate::Happens)];
        }
        let happens = clients
            .iter()
            .map(|client| Choice::Client(*client, Fate::Happens));
        let mut choices: Vec<_> = happens.collect();
        for client in clients.iter().filter(|_| taken.faults < self.bounds.faults) {
            let fates: &[Fate] = match run.writes(*client) {
                _ if run.conditions.late_reads => &[],
                true => &[Fate::Dies, Fate::DiesAfter, Fate::Fails, Fate::FailsAfter],
                false => &[Fate::Dies, Fate::Fails],
            };
            choices.extend(fates.iter().map(|fate| Choice::Client(*client, *fate)));
            // The newest of the late answers, and the oldest.
            let late = run.outdated(*client);
            let late = [1, late].into_iter().take(late.min(2));
            choices.extend(late.map(|writes| Choice::Client(*client, Fate::Outdated(writes))));
        }
        if taken.pauses < self.bounds.pauses && !clients.is_empty() {
            let (pause, may) = match run.conditions.slow {
                true => (Choice::Slow, run.may_be_slow()),
                false => (Choice::Pause, run.may_pause()),
            };
            choices.extend(may.then_some(pause));
        }
        choices
    }

    /// Goes back to the last fork that has another way, and takes it.
    fn turn(&mut self) -> Result<Option<(Simulation, Taken)>, Box<Failure>> {
        while let Some(fork) = self.way.last_mut() {
            fork.next += 1;
            if let Some(choice) = fork.choices.get(fork.next).copied() {
                let (mut run, mut taken) = (fork.run.clone(), fork.taken);
                self.take(&mut run, choice, &mut taken)?;
                return Ok(Some((run, taken)));
            }
            self.way.pop();
        }
        Ok(None)
    }
}
