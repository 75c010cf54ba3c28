//! Many clients, many requests, faults at random: whatever a seed says.

use std::env;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use edge_users::directory::Sizes;
use serde_json::json;

use crate::backend::Backend;
use crate::choice::{Choice, Fate};
use crate::client::mix;
use crate::conditions::Conditions;
use crate::names;
use crate::repeats::KEYS;
use crate::request::{Action, By, Condition, Direction, GroupAsk, Who};
use crate::sabotage::Sabotage;
use crate::scenario::{Failure, RECOVERY, Scenario};

/// How many schedules run in every test run.
const FEW: u64 = 10_000;
/// How many schedules [`simulate`] runs if `SIMULATION_SCHEDULES` does not say.
const MANY: u64 = 200_000;
/// In how many parts of so many schedules [`simulate`] tells how far it is.
const PARTS: u64 = 10;

/// Random numbers (SplitMix64).
struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Dice {
        Dice(mix(seed ^ 0x5eed))
    }

    /// A number below `sides`.
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(1);
        mix(self.0) % sides
    }

    fn of<T: Clone>(&mut self, some: &[T]) -> T {
        some[self.roll(some.len() as u64) as usize].clone()
    }

    fn once_in(&mut self, times: u64) -> bool {
        self.roll(times) == 0
    }
}

/// What some runs are about, beside what all are about.
#[derive(Clone, Copy, Debug)]
enum Topic {
    Words,
    Attributes,
    Groups,
    Upserts,
    ManyDeletes,
    /// Changes by SCIM.
    Scim,
    /// Users who are switched off.
    Active,
}

impl Topic {
    const ALL: [Topic; 7] = [
        Topic::Words,
        Topic::Attributes,
        Topic::Groups,
        Topic::Upserts,
        Topic::ManyDeletes,
        Topic::Scim,
        Topic::Active,
    ];
}

/// Figures of random runs.
#[derive(Clone, Copy, Debug, Default)]
pub struct Figures {
    pub schedules: u64,
    pub requests: u64,
    pub operations: u64,
    pub faults: u64,
    /// Requests that got 503, or no answer.
    pub unknown: u64,
}

impl std::ops::AddAssign for Figures {
    fn add_assign(&mut self, other: Figures) {
        self.schedules += other.schedules;
        self.requests += other.requests;
        self.operations += other.operations;
        self.faults += other.faults;
        self.unknown += other.unknown;
    }
}

impl std::fmt::Display for Figures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} schedules, {} requests, {} store operations, {} faults, {} requests not answered",
            self.schedules, self.requests, self.operations, self.faults, self.unknown
        )
    }
}

/// The scenario of a seed.
fn scenario(seed: u64, dice: &mut Dice, backend: Backend, sabotage: Option<Sabotage>) -> Scenario {
    let emails = dice.roll(3) + 1;
    let there = dice.roll(4);
    let clients = dice.roll(6) + 3;
    let topics = Topic::ALL.into_iter().filter(|_| dice.once_in(4));
    let topics: Vec<Topic> = topics.collect();
    let mut names = 0;
    let mut setup = Vec::new();
    for user in 0..there {
        let email = format!("e{user}@example.com");
        let email = (user < emails && !dice.once_in(3)).then_some(email);
        setup.push(Action::Create(
            json!({ "name": format!("U{user}"), "email": email }),
        ));
    }
    if topics.iter().any(|topic| matches!(topic, Topic::Groups)) {
        setup.extend(GROUPS.map(|name| Action::Group(GroupAsk::Create(name))));
    }
    let mut program = |dice: &mut Dice| {
        let count = dice.roll(3) + 1;
        let actions = (0..count).map(|_| {
            names += 1;
            let name = format!("N{names}");
            match !topics.is_empty() && dice.once_in(2) {
                true => about(dice.of(&topics), dice, emails, there, name),
                false => action(dice, emails, there, name),
            }
        });
        actions.collect()
    };
    Scenario {
        name: format!("seed {seed}"),
        backend,
        setup,
        died: Vec::new(),
        before: RECOVERY,
        programs: (0..clients).map(|_| program(dice)).collect(),
        sizes: dice.of(&[Sizes::SERVICE, names::TINY]),
        conditions: match sabotage {
            None => conditions(&mut Dice::new(!seed), backend),
            // What promises less would notice less.
            Some(_) => Conditions::default(),
        },
        sabotage,
    }
}

/// The conditions of a seed: usual ones, clocks that are wrong, slow stores, late reads.
fn conditions(dice: &mut Dice, backend: Backend) -> Conditions {
    let slow = dice.once_in(4);
    Conditions {
        clocks: match slow {
            true => 0,
            false => dice.of(&[0, 0, 2_000, 5 * 60_000]),
        },
        late_reads: backend == Backend::DynamoDb && dice.once_in(3),
        slow,
    }
}

fn action(dice: &mut Dice, emails: u64, there: u64, name: String) -> Action {
    let spelling = dice.of(&["e", "e", "E"]);
    let email = format!("{spelling}{}@example.com", dice.roll(emails));
    let who = match dice.roll(4) {
        0 => Who::Mine,
        // Also ids of users that are created in this run, if at all.
        _ => Who::Id(dice.roll(there + 2) + 1),
    };
    // As many usernames as emails.
    let username = format!("{spelling}{}", dice.roll(emails));
    let condition = dice.of(&[Condition::Always, Condition::Always, Condition::AsSeen]);
    if dice.once_in(8) {
        return about_external_id(dice, who, condition, name);
    }
    if dice.once_in(4) {
        return about_username(dice, who, condition, name, email, username);
    }
    match dice.roll(20) {
        0..3 => Action::Create(json!({ "name": name, "email": email })),
        3 => Action::Create(json!({ "name": name })),
        4 => Action::Patch(who, json!({ "name": name }), condition),
        5 => Action::Patch(who, json!({ "attributes": { name: 1 } }), condition),
        6 | 7 => Action::Patch(who, json!({ "email": email }), condition),
        8 => Action::Put(who, json!({ "name": name, "email": email }), condition),
        9 => Action::Put(who, json!({ "name": name }), condition),
        10 | 11 => Action::Delete(who, condition),
        16 | 17 => {
            let by = dice.of(&[
                By::Name("n".to_owned()),
                By::Name("n1".to_owned()),
                By::Name("u".to_owned()),
                By::Nothing(Direction::Forwards),
                By::Nothing(Direction::Backwards),
                By::Updates(Direction::Forwards),
                By::Updates(Direction::Backwards),
            ]);
            by.action(dice.roll(3) as usize + 1)
        }
        18 => Action::Patch(
            who,
            json!({ "name": dice.of(&["N", "N1", "U"]) }),
            condition,
        ),
        12 => dice.of(&[Action::Get(who), Action::Find(email)]),
        13..16 => {
            let key = dice.of(&KEYS);
            // Most often the same request as others with this key.
            let name = dice.of(&[key.to_owned(), key.to_owned(), name]);
            let email = dice.of(&[None, Some("e0@example.com")]);
            Action::CreateOnce(key, json!({ "name": name, "email": email }))
        }
        _ => Action::Walk(0, dice.roll(3) as usize + 1),
    }
}

/// The names of groups.
const GROUPS: [&str; 2] = ["g", "h"];

/// A request about a topic.
fn about(topic: Topic, dice: &mut Dice, emails: u64, there: u64, name: String) -> Action {
    let email = format!("e{}@example.com", dice.roll(emails));
    let username = format!("e{}", dice.roll(emails));
    let id = dice.roll(there + 2) + 1;
    let who = dice.of(&[Who::Mine, Who::Id(id), Who::Id(id)]);
    let limit = dice.roll(3) as usize + 1;
    let patch = |patch| Action::Patch(who, patch, Condition::Always);
    match topic {
        Topic::Words => match dice.roll(6) {
            0 => Action::Create(json!({ "name": format!("{name} L"), "email": email })),
            1 => patch(json!({ "name": format!("{name} L") })),
            2 => patch(json!({ "name": name })),
            _ => Action::SearchWord(dice.of(&["n", "l", "u"]).to_owned(), limit),
        },
        Topic::Attributes => {
            let team = dice.of(&["x", "x", "y"]);
            match dice.roll(6) {
                0 => Action::Create(json!({ "name": name, "attributes": { "team": team } })),
                1 | 2 => patch(json!({ "attributes": { "team": team } })),
                3 => patch(json!({ "attributes": null })),
                _ => Action::SearchAttribute(team.to_owned(), limit),
            }
        }
        Topic::Groups => {
            let group = dice.of(&[1, 1, 2]);
            let name = dice.of(&GROUPS);
            Action::Group(match dice.roll(31) {
                0 => GroupAsk::Create(name),
                1 | 2 => GroupAsk::Rename(group, name),
                3 => GroupAsk::Remove(group),
                4 => GroupAsk::Find(name),
                5..13 => GroupAsk::Join(group, id),
                13..18 => GroupAsk::Leave(group, id),
                18..21 => GroupAsk::Members(group),
                21..24 => GroupAsk::Of(id),
                24..27 => {
                    let others = (1..=there + 2).filter(|user| *user != id);
                    let others: Vec<u64> = others.filter(|_| dice.once_in(2)).collect();
                    let users = [id].into_iter().chain(others);
                    let users = users.map(|user| (user, dice.once_in(2)));
                    GroupAsk::Change(group, users.collect())
                }
                27 | 28 => {
                    let users = (1..=there + 2).filter(|_| dice.once_in(2));
                    GroupAsk::Set(group, users.collect())
                }
                _ => dice.of(&[
                    GroupAsk::Search("g"),
                    GroupAsk::Search(""),
                    GroupAsk::Backwards,
                ]),
            })
        }
        Topic::Upserts => {
            let external_id = dice.of(&["x0", "x1"]);
            let (member, profile) = match dice.roll(6) {
                0 | 1 => ("email", json!({ "name": name, "email": email })),
                2 => ("username", json!({ "name": name, "username": username })),
                3 => {
                    let both = json!({ "name": name, "email": email, "username": username });
                    (dice.of(&["email", "username"]), both)
                }
                4 => {
                    let external = json!({ "name": name, "external_id": external_id });
                    ("external_id", external)
                }
                // Most often it changes nothing.
                _ => ("email", json!({ "name": "N", "email": email })),
            };
            Action::Upsert(member, profile)
        }
        Topic::ManyDeletes => {
            let ids = (0..dice.roll(3) + 1).map(|_| dice.roll(there + 3) + 1);
            Action::DeleteMany(ids.collect())
        }
        Topic::Scim => {
            let profile = json!({ "name": name, "email": email, "username": username });
            let condition = dice.of(&[Condition::Always, Condition::AsSeen]);
            let patch = |patch| Action::Patch(who, patch, condition);
            let active = dice.of(&[true, false]);
            Action::Scim(Box::new(match dice.roll(10) {
                0 | 1 => Action::Create(profile),
                2 => Action::Put(who, profile, condition),
                3 | 4 => patch(json!({ "active": active })),
                5 => patch(json!({ "name": name, "username": username })),
                6 => patch(json!({ "email": email, "username": username })),
                7 => patch(json!({ "email": null, "external_id": "x0" })),
                8 => Action::Get(who),
                _ => Action::Delete(who, condition),
            }))
        }
        Topic::Active => {
            let by = [
                By::Nothing(Direction::Forwards),
                By::Nothing(Direction::Backwards),
                By::Name("n".to_owned()),
                By::ExternalId("x0".to_owned()),
            ];
            match dice.roll(5) {
                0 => Action::Create(json!({ "name": name, "active": false })),
                1 => patch(json!({ "active": false })),
                2 => patch(json!({ "active": true })),
                _ => Action::Active(dice.of(&by), limit),
            }
        }
    }
}

/// A request that sets or reads a username.
fn about_username(
    dice: &mut Dice,
    who: Who,
    condition: Condition,
    name: String,
    email: String,
    username: String,
) -> Action {
    let both = json!({ "name": name, "email": email, "username": username });
    match dice.roll(8) {
        0 => Action::Create(json!({ "name": name, "username": username })),
        1 => Action::Create(both),
        2 => Action::CreateOnce(dice.of(&KEYS), both),
        3 => Action::Patch(who, json!({ "username": username }), condition),
        4 => Action::Patch(
            who,
            json!({ "email": email, "username": username }),
            condition,
        ),
        5 => Action::Put(who, both, condition),
        6 => Action::Patch(who, json!({ "username": null }), condition),
        _ => Action::FindUsername(username),
    }
}

/// A request that sets or reads an external id.
fn about_external_id(dice: &mut Dice, who: Who, condition: Condition, name: String) -> Action {
    let id = dice.of(&["x0", "x0", "x1"]);
    match dice.roll(6) {
        0 => Action::Create(json!({ "name": name, "external_id": id })),
        1 => Action::CreateOnce(dice.of(&KEYS), json!({ "name": name, "external_id": id })),
        2 => Action::Patch(who, json!({ "external_id": id }), condition),
        3 => Action::Put(who, json!({ "name": name, "external_id": id }), condition),
        4 => Action::Patch(who, json!({ "external_id": null }), condition),
        _ => Action::SearchExternalId(id.to_owned(), dice.roll(2) as usize + 1),
    }
}

/// Runs the schedule of a seed.
pub fn run(
    seed: u64,
    backend: Backend,
    sabotage: Option<Sabotage>,
) -> Result<Figures, Box<Failure>> {
    let mut dice = Dice::new(seed);
    let scenario = scenario(seed, &mut dice, backend, sabotage);
    let prepared = scenario.prepare();
    let mut run = prepared.start();
    let mut choices = Vec::new();
    let mut faults = 0;
    let mut requests = 0;
    // Some runs are free of faults, some have many; in some a client runs long before others do;
    // in some time goes by, but no operation happens later than a request may take.
    let rarity = dice.of(&[u64::MAX, 200, 60, 20]);
    let pace = dice.of(&[u64::MAX, 40, 10]);
    let stay = dice.of(&[1, 2, 8]);
    let mut last = None;
    let mut go = || {
        loop {
            let waiting: Vec<usize> = run.waiting().collect();
            if waiting.is_empty() {
                requests = run.history.events.len() - scenario.setup.len();
                prepared.judge(&mut run)?;
                break Ok(());
            }
            let stays = last.filter(|last| waiting.contains(last) && !dice.once_in(stay));
            let client = stays.unwrap_or_else(|| dice.of(&waiting));
            last = Some(client);
            let faulty = rarity != u64::MAX && dice.once_in(rarity);
            let Conditions { clocks, slow, .. } = run.conditions;
            let outdated = run.outdated(client);
            let choice = if run.has_late() && dice.once_in(6) {
                Choice::Late
            } else if outdated > 0 && dice.once_in(3) {
                let writes = dice.roll(outdated as u64) as usize + 1;
                Choice::Client(client, Fate::Outdated(writes))
            } else if clocks > 0 && dice.once_in(20) {
                Choice::Clock(client, dice.of(&[-clocks, 0, clocks]))
            } else if slow && !run.has_late() && run.may_be_slow() && dice.once_in(15) {
                Choice::Slow
            } else if !run.has_late() && dice.once_in(pace) {
                match run.may_pause() && dice.once_in(4) {
                    true => Choice::Pause,
                    false => Choice::Time(dice.of(&[1, 1_000, 9_000, 25_000])),
                }
            } else if !faulty {
                Choice::Client(client, Fate::Happens)
            } else if dice.once_in(8) {
                Choice::Crash
            } else {
                // A store in the same process acts at once.
                let early =
                    [Fate::FailsEarly, Fate::Fails][usize::from(backend == Backend::Sqlite)];
                let fates = [
                    Fate::Fails,
                    Fate::FailsAfter,
                    early,
                    Fate::Lingers,
                    Fate::Dies,
                    Fate::DiesAfter,
                ];
                Choice::Client(client, dice.of(&fates))
            };
            faults += u64::from(faulty);
            choices.push(choice);
            run.step(choice)?;
        }
    };
    if let Err(violation) = go() {
        return Err(Box::new(Failure {
            scenario,
            choices,
            violation,
        }));
    }
    let unknown = run.history.unknown().len() as u64;
    Ok(Figures {
        schedules: 1,
        requests: requests as u64,
        operations: choices.len() as u64,
        faults,
        unknown,
    })
}

/// Runs the schedules of some seeds on as many threads as there are processors.
fn run_all(seeds: std::ops::Range<u64>) -> Figures {
    let next = AtomicU64::new(seeds.start);
    let work = || {
        let mut sum = Figures::default();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return sum;
            }
            let backend = Backend::ALL[seed as usize % Backend::ALL.len()];
            match run(seed, backend, None) {
                Ok(figures) => sum += figures,
                Err(failure) => {
                    next.store(seeds.end, Ordering::Relaxed);
                    panic!(
                        "{failure}\nAgain: SIMULATION_SEED={seed} cargo test --test simulation seed -- --ignored"
                    )
                }
            }
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let mut sum = Figures::default();
    thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        for thread in threads {
            sum += thread.join().expect("no schedule goes wrong");
        }
    });
    sum
}

#[test]
fn a_few_thousand_random_schedules_keep_every_promise() {
    println!("{}", run_all(0..FEW));
}

/// `make simulate`: many schedules, with figures.
#[test]
#[ignore = "takes minutes; SIMULATION_SCHEDULES says how many"]
fn simulate() {
    let schedules =
        env::var("SIMULATION_SCHEDULES").map_or(MANY, |text| text.parse().expect("a number"));
    let first = env::var("SIMULATION_SEED").map_or(0, |text| text.parse().expect("a number"));
    let start = Instant::now();
    let mut sum = Figures::default();
    for part in 0..PARTS {
        let at = |part| first + schedules * part / PARTS;
        sum += run_all(at(part)..at(part + 1));
        println!("{:4} s: {sum}", start.elapsed().as_secs());
    }
    println!("every promise kept");
}

/// The schedule of `SIMULATION_SEED` once more.
#[test]
#[ignore = "for one schedule, that of SIMULATION_SEED"]
fn seed() {
    let seed = env::var("SIMULATION_SEED").expect("SIMULATION_SEED says which");
    let seed = seed.parse().expect("a number");
    println!("{}", run_all(seed..seed + 1));
}
