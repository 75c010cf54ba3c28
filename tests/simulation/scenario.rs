//! A scenario: users that there are, and clients with programs. It begins
//! before them and ends long after, when everything is tried again and read.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::rc::Rc;

use edge_users::directory::Sizes;
use serde_json::{Value, json};

use crate::backend::Backend;
use crate::choice::{Choice, Fate};
use crate::conditions::Conditions;
use crate::forgotten;
use crate::model::GROUPS;
use crate::request::{Action, Ask, By, Condition, GroupAsk, Told, Who, words};
use crate::sabotage::Sabotage;
use crate::scheduler::Simulation;
use crate::violation::Violation;

/// Within 60 seconds nothing is stuck any more.
pub const RECOVERY: i64 = 60_001;

/// After a day, idempotency keys are free again.
const DAY: i64 = 24 * 60 * 60 * 1000;

/// The requests of each client, and the backend.
#[derive(Clone, Debug)]
pub struct Scenario {
    pub name: String,
    pub backend: Backend,
    /// Done before the clients come, by one after another.
    pub setup: Vec<Action>,
    /// Done then, but that each dies just before it replaces the record of a user.
    pub died: Vec<Action>,
    /// How long that was before the clients come, in milliseconds: more than a minute.
    pub before: i64,
    pub programs: Vec<Vec<Action>>,
    pub sizes: Sizes,
    pub conditions: Conditions,
    pub sabotage: Option<Sabotage>,
}

/// A scenario that went wrong, and how.
#[derive(Debug)]
pub struct Failure {
    pub scenario: Scenario,
    pub choices: Vec<Choice>,
    pub violation: Violation,
}

impl Scenario {
    /// A run in which the setup is done. All runs of the scenario fork from it.
    pub fn prepare(&self) -> Prepared {
        let mut base = Simulation::new(self.backend, self.sizes);
        let tags = base.run_alone(self.setup.clone());
        let tags = tags.unwrap_or_else(|Violation(what)| panic!("{}: setup: {what}", self.name));
        for action in &self.died {
            let client = base.join(vec![action.clone()], BTreeMap::new());
            let died = base.run_until_commit(client);
            let died = died.and_then(|()| base.step(Choice::Client(client, Fate::Dies)));
            died.unwrap_or_else(|Violation(what)| panic!("{}: setup: {what}", self.name));
        }
        // The dead requests are old when the clients come.
        base.settle(self.before + self.conditions.delay())
            .expect("nothing is late");
        if self.before > DAY {
            base.history.forget_keys();
        }
        base.history.forget_the_gone();
        base.store.sabotage = self.sabotage;
        base.conditions = self.conditions;
        let actions = || self.setup.iter().chain(self.programs.iter().flatten());
        Prepared {
            base,
            tags,
            programs: self.programs.clone(),
            emails: values("email", actions()),
            usernames: values("username", actions()),
            groups: group_names(actions()),
            group_starts: group_starts(actions()),
            searches: searches(actions()),
            words: word_starts(actions()),
        }
    }

    /// Fails as the scenario does with these choices, and tells the steps.
    pub fn replay(&self, choices: &[Choice]) -> (Vec<String>, Result<(), Violation>) {
        let prepared = self.prepare();
        let mut run = prepared.start();
        run.steps = Some(Vec::new());
        let mut steps = choices.iter();
        let mut result = steps.try_for_each(|choice| run.step(*choice));
        if result.is_ok() && run.waiting().next().is_none() {
            result = prepared.judge(&mut run);
        }
        let mut steps = run.steps.take().unwrap_or_default();
        steps.push(format!("The store then:\n{}", run.store));
        (steps, result)
    }
}

/// A scenario, ready to be run many times.
pub struct Prepared {
    base: Simulation,
    tags: BTreeMap<u64, String>,
    programs: Vec<Vec<Action>>,
    emails: BTreeSet<String>,
    usernames: BTreeSet<String>,
    /// The names of groups that clients ask for.
    groups: BTreeSet<&'static str>,
    /// The starts of words of those names, where a client searches for groups.
    group_starts: BTreeSet<&'static str>,
    searches: BTreeSet<By>,
    /// The starts of words, where a client searches by words.
    words: BTreeSet<String>,
}

impl Prepared {
    /// A run in which the clients have come and nothing has happened.
    pub fn start(&self) -> Simulation {
        let mut run = self.base.clone();
        run.store.keeps_past = run.conditions.late_reads;
        for program in &self.programs {
            run.join(program.clone(), self.tags.clone());
        }
        run
    }

    /// Judges a run whose clients have finished: repeats what was not answered and what can be
    /// repeated, reads everything, takes all emails and usernames, and checks the answers.
    pub fn judge(&self, run: &mut Simulation) -> Result<(), Violation> {
        // From now on, reads are not late, and clocks are right.
        let conditions = std::mem::take(&mut run.conditions);
        run.store.forget_past();
        self.judge_index(run)?;
        run.settle(RECOVERY + conditions.delay())?;
        let mut program: Vec<Action> = run.history.unknown().into_iter().map(again).collect();
        program.extend(run.history.repeatable().into_iter().map(again));
        let seen = run.history.events.iter().map(|event| match &event.told {
            Told::User(_, seen) | Told::Replayed(seen) => seen.id,
            Told::Upserted(_, id) => *id,
            _ => 0,
        });
        let created = seen.max().unwrap_or(0) + program.len() as u64;
        program.extend((1..=created + 1).map(|id| Action::Get(Who::Id(id))));
        program.extend(self.emails.iter().cloned().map(Action::Find));
        program.extend(self.usernames.iter().cloned().map(Action::FindUsername));
        program.push(Action::Walk(0, 2));
        program.extend(read_groups(&self.groups, created));
        if !self.group_starts.is_empty() {
            let searches = self.group_starts.iter().copied().map(GroupAsk::Search);
            program.extend(searches.chain([GroupAsk::Backwards]).map(Action::Group));
        }
        program.extend(self.searches.iter().map(|by| by.clone().action(2)));
        for (member, values) in [("email", &self.emails), ("username", &self.usernames)] {
            let last = |(index, value)| json!({ "name": format!("Last {index}"), member: value });
            program.extend(values.iter().enumerate().map(last).map(Action::Create));
        }
        program.push(Action::Walk(0, 100));
        run.run_alone(program)?;
        self.judge_index(run)?;
        run.history.check_under(conditions).map_err(Violation)
    }

    /// Fails if the index says something of a name that no user has any more. Requests that died
    /// may leave that to the next search that comes by.
    fn judge_index(&self, run: &mut Simulation) -> Result<(), Violation> {
        let mut stale = forgotten::stale(&run.store);
        if run.faulty {
            run.settle(RECOVERY)?;
            let search = |start| Action::Search(start, 1);
            run.run_alone(stale.iter().cloned().map(search).collect())?;
            // Who comes by is who goes down to that place from the root.
            let of_users = self
                .words
                .iter()
                .map(|word| format!("/users?q={word}&limit=9"));
            let of_groups = self.group_starts.iter();
            let of_groups = of_groups.map(|start| GroupAsk::Search(start).target().1);
            for path in of_users.chain(of_groups) {
                let from = |name| Action::Group(GroupAsk::SearchFrom(path.clone(), name));
                run.run_alone(stale.iter().cloned().map(from).collect())?;
            }
            stale = forgotten::stale(&run.store);
        }
        match stale.first() {
            None => Ok(()),
            Some(start) => Err(Violation(format!("nobody's name begins with {start:?}"))),
        }
    }
}

/// The request once more, by a client that does not know its outcome.
fn again(ask: Rc<Ask>) -> Action {
    match Rc::unwrap_or_clone(ask) {
        Ask::Create(mut profile) => {
            let name = profile["name"].as_str().expect("users have names");
            profile["name"] = format!("{name} again").into();
            Action::Create(profile)
        }
        Ask::CreateOnce(key, profile) => Action::CreateOnce(key, profile),
        Ask::Get(id) => Action::Get(Who::Id(id)),
        Ask::Find(email) => Action::Find(email),
        Ask::FindUsername(name) => Action::FindUsername(name),
        Ask::Search { by, limit, .. } => by.action(limit),
        Ask::List { after, limit } => Action::Walk(after, limit),
        Ask::Put(id, profile, _) => Action::Put(Who::Id(id), profile, Condition::Always),
        Ask::Patch(id, patch, _) => Action::Patch(Who::Id(id), patch, Condition::Always),
        Ask::Delete(id, _) => Action::Delete(Who::Id(id), Condition::Always),
        Ask::DeleteMany(ids) => Action::DeleteMany(ids),
        Ask::Upsert(member, patch) => Action::Upsert(member, patch),
        Ask::Group(ask) => Action::Group(ask),
        Ask::Scim(ask) => Action::Scim(again(Rc::new(*ask)).into()),
        Ask::Ready => Action::Ready,
    }
}

/// The values of a member that is unique, as clients send them and look them up.
fn values<'a>(member: &str, actions: impl Iterator<Item = &'a Action>) -> BTreeSet<String> {
    let lower = |value: &Value| value[member].as_str().map(str::to_lowercase);
    let values = actions.filter_map(|action| match action.plain() {
        Action::Create(value)
        | Action::CreateOnce(_, value)
        | Action::Put(_, value, _)
        | Action::Patch(_, value, _)
        | Action::Upsert(_, value) => lower(value),
        Action::Find(email) if member == "email" => Some(email.to_lowercase()),
        Action::FindUsername(name) if member == "username" => Some(name.to_lowercase()),
        _ => None,
    });
    values.collect()
}

fn group_names<'a>(actions: impl Iterator<Item = &'a Action>) -> BTreeSet<&'static str> {
    let names = actions.filter_map(|action| match action {
        Action::Group(GroupAsk::Create(name) | GroupAsk::Rename(_, name)) => Some(*name),
        _ => None,
    });
    names.collect()
}

/// The starts of words of the names of groups, and the empty one, if a client searches for groups.
fn group_starts<'a>(actions: impl Iterator<Item = &'a Action> + Clone) -> BTreeSet<&'static str> {
    let searches =
        |action: &Action| matches!(action, Action::Group(ask) if ask.searched().is_some());
    if !actions.clone().any(searches) {
        return BTreeSet::new();
    }
    // Names of programs are of words in lower case.
    let names = group_names(actions).into_iter();
    let words = names.flat_map(|name| name.split(' '));
    let starts = words.flat_map(|word| (0..=word.len()).map(|end| &word[..end]));
    starts.collect()
}

/// The requests that read all groups, by their names and from both sides; none if clients asked for
/// none.
fn read_groups(names: &BTreeSet<&'static str>, users: u64) -> Vec<Action> {
    if names.is_empty() {
        return Vec::new();
    }
    let found = names.iter().map(|name| GroupAsk::Find(name));
    let members = (1..=GROUPS).map(GroupAsk::Members);
    let of = (1..=users).map(GroupAsk::Of);
    let asks = found.chain(members).chain(of);
    asks.map(Action::Group).collect()
}

/// The starts of words of the users whom clients make, if one of them searches by words.
fn word_starts<'a>(actions: impl Iterator<Item = &'a Action>) -> BTreeSet<String> {
    let mut starts = BTreeSet::new();
    let mut searches = false;
    for action in actions.map(Action::plain) {
        searches |= matches!(action, Action::SearchWord(..));
        let (Action::Create(value)
        | Action::CreateOnce(_, value)
        | Action::Put(_, value, _)
        | Action::Patch(_, value, _)
        | Action::Upsert(_, value)) = action
        else {
            continue;
        };
        let texts = ["name", "username", "email"].map(|member| value[member].as_str());
        for text in texts.into_iter().flatten() {
            // Joined ones too: N1 is found by n1, by n and by 1.
            let joined = text.to_lowercase();
            let joined = joined.split([' ', '@']).map(str::to_owned);
            let words = words(text).into_iter().chain(joined);
            starts.extend(words.flat_map(|word| {
                let starts = (1..=word.len()).map(|end| word[..end].to_owned());
                starts.collect::<Vec<_>>()
            }));
        }
    }
    starts.retain(|_| searches);
    starts
}

/// The searches of clients, and one by each external id.
fn searches<'a>(actions: impl Iterator<Item = &'a Action>) -> BTreeSet<By> {
    let external_id = |value: &Value| {
        let id = value["external_id"].as_str()?;
        Some(By::ExternalId(id.to_owned()))
    };
    let searches = actions.filter_map(|action| match action.plain() {
        Action::Search(prefix, _) => Some(By::Name(prefix.clone())),
        Action::SearchWord(prefix, _) => Some(By::Word(prefix.clone())),
        Action::SearchExternalId(id, _) => Some(By::ExternalId(id.clone())),
        Action::SearchAttribute(value, _) => Some(By::Attribute(value.clone())),
        Action::Sorted(direction, _) => Some(By::Nothing(*direction)),
        Action::Active(by, _) => Some(By::Active(by.clone().into())),
        Action::Updated(direction, _) => Some(By::Updates(*direction)),
        Action::Create(value)
        | Action::CreateOnce(_, value)
        | Action::Put(_, value, _)
        | Action::Patch(_, value, _)
        | Action::Upsert(_, value) => external_id(value),
        _ => None,
    });
    searches.collect()
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Failure {
            scenario,
            choices,
            violation: Violation(what),
        } = self;
        let (steps, _) = scenario.replay(choices);
        writeln!(f, "{} on {:?}: {what}", scenario.name, scenario.backend)?;
        writeln!(f, "The steps, by the store's clock:")?;
        steps.iter().try_for_each(|step| writeln!(f, "{step}"))
    }
}
