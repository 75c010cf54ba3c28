//! For each user there is an order of all requests in which each takes effect at
//! one instant between its start and its end, and which explains every answer:
//! the user is linearizable (Herlihy and Wing 1990). It follows that nothing
//! acknowledged is lost, and that changes do not swallow one another.

mod search;

use std::collections::BTreeMap;

use super::Findings;
use crate::history::{Ask, History, Record, State, Time, Told, Write};
use search::{Stuck, explain};

/// How many records before the one that can't be explained are shown.
const SHOWN_BEFORE: usize = 15;

/// Of so many users one may have too many possible orders to try them all: each request with an
/// unknown outcome doubles them.
const USERS_TO_ONE_UNDECIDED: usize = 100;

/// The states of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Phase {
    Before,
    Live(State),
    Gone,
}

/// The statement of a request about a user, or its effect.
#[derive(Clone, Debug)]
enum Kind {
    Create(State),
    /// Makes `result`, where the answer told.
    Change {
        write: Write,
        at: Option<State>,
        result: Option<State>,
    },
    Delete {
        at: Option<State>,
    },
    /// The user was read.
    Read(State),
    /// There was no such user.
    Missing,
    /// There was no such user, or not at this version.
    NotAt(State),
    /// The user was there, and its change refused for another reason.
    Refused {
        at: Option<State>,
    },
}

#[derive(Clone, Debug)]
struct Event<'a> {
    kind: Kind,
    /// Whether it is certain that it took effect.
    certain: bool,
    start: Time,
    end: Time,
    record: &'a Record,
}

pub fn check(history: &History, findings: &mut Findings) {
    let users = events(history);
    let mut explained = 0;
    let mut undecided = 0;
    for (id, events) in &users {
        let (index, promise, what) = match explain(events) {
            Ok(()) => {
                explained += events.len();
                continue;
            }
            Err(Stuck::Unexplained(index, phases)) => {
                let (promise, what) = name(&events[index].kind, &phases);
                (index, promise, format!("user {id}: {what}"))
            }
            Err(Stuck::TooMany(index)) => {
                undecided += 1;
                if undecided * USERS_TO_ONE_UNDECIDED <= users.len() {
                    continue;
                }
                let what = format!("user {id}: too many orders are possible to try them all");
                (index, "undecided", what)
            }
        };
        let last = &events[index];
        let mut before: Vec<_> = events
            .iter()
            .filter(|event| event.start <= last.end && !std::ptr::eq(event.record, last.record))
            .map(|event| event.record)
            .collect();
        before.drain(..before.len().saturating_sub(SHOWN_BEFORE));
        findings.violation(promise, what, [last.record].into_iter().chain(before));
    }
    findings.count("users whose requests were put in order", users.len());
    findings.count("answers explained by that order", explained);
    findings.count("users with too many possible orders", undecided);
}

/// The promise that an event breaks which no phase explains.
fn name(kind: &Kind, phases: &[Phase]) -> (&'static str, String) {
    let alive = phases.iter().all(|phase| matches!(phase, Phase::Live(_)));
    let gone = phases.iter().all(|phase| *phase == Phase::Gone);
    let mut could: Vec<String> = phases
        .iter()
        .map(|phase| match phase {
            Phase::Before => "not created".to_owned(),
            Phase::Live(state) => state.to_string(),
            Phase::Gone => "deleted".to_owned(),
        })
        .collect();
    could.sort();
    let could = could.join(" or ");
    let (promise, what) = match kind {
        Kind::Missing if alive => ("durable", "it is missing"),
        Kind::NotAt(_) => ("one winner", "a true precondition failed"),
        _ if gone => ("identity", "it came back"),
        Kind::Read(_) => ("durable", "a version is read that it can't be at"),
        _ => (
            "durable",
            "an acknowledged change is lost, or made out of order",
        ),
    };
    (promise, format!("{what}; it could be {could}"))
}

fn events(history: &History) -> BTreeMap<u64, Vec<Event<'_>>> {
    let mut users: BTreeMap<u64, Vec<Event>> = BTreeMap::new();
    for record in &history.records {
        let at = record.ask.if_match();
        let at = at.and_then(|tag| history.tags.get(tag).copied());
        let mut add = |id: u64, kind: Kind| {
            users.entry(id).or_default().push(Event {
                kind,
                certain: !record.told.is_unknown(),
                start: record.start,
                end: record.settled,
                record,
            });
        };
        let result = match &record.told {
            Told::User { seen, .. } => Some(seen.state),
            _ => None,
        };
        let done = record.told.is_success() || record.told.is_unknown();
        let Some(id) = history.user(record) else {
            for seen in record.told.seen() {
                add(seen.id, Kind::Read(seen.state));
            }
            continue;
        };
        match (&record.ask, record.told.status()) {
            (Ask::Create(write), _) if done => add(id, Kind::Create(write.whole())),
            (Ask::Put { write, .. } | Ask::Patch { write, .. }, _) if done => {
                let write = *write;
                add(id, Kind::Change { write, at, result });
            }
            (Ask::Delete { .. }, _) if done => add(id, Kind::Delete { at }),
            (Ask::Get(_), Some(200)) => result.into_iter().for_each(|s| add(id, Kind::Read(s))),
            (_, Some(404)) => add(id, Kind::Missing),
            (_, Some(412)) => at.into_iter().for_each(|s| add(id, Kind::NotAt(s))),
            (_, Some(409)) if !matches!(record.ask, Ask::Create(_)) => {
                add(id, Kind::Refused { at });
            }
            _ => {}
        }
    }
    // Users of whom no create is known are the matter of another check.
    users.retain(|_, events| {
        let mut kinds = events.iter().map(|event| &event.kind);
        kinds.any(|kind| matches!(kind, Kind::Create(_)))
    });
    let pages: Vec<&Record> = history
        .records
        .iter()
        .filter(|record| matches!(record.told, Told::Users { .. }))
        .collect();
    for (id, events) in &mut users {
        add_omissions(*id, events, &pages);
    }
    users
}

/// Adds the pages that should show the user and don't. Those that ended before
/// its create began are explained, and so are all after the first that must be
/// after its end: they would only make the search longer.
fn add_omissions<'a>(id: u64, events: &mut Vec<Event<'a>>, pages: &[&'a Record]) {
    let mut created = Time::MAX;
    let mut alive = Time::MAX;
    let mut gone = Time::MAX;
    for event in events.iter() {
        match event.kind {
            Kind::Create(_) => created = created.min(event.start),
            Kind::Read(_) => alive = alive.min(event.end),
            Kind::Delete { .. } if event.certain => gone = gone.min(event.end),
            _ => {}
        }
        if matches!(event.kind, Kind::Create(_) | Kind::Change { .. }) && event.certain {
            alive = alive.min(event.end);
        }
    }
    let first = pages.partition_point(|page| page.start < created);
    for page in &pages[first..] {
        if page.start > gone {
            break;
        }
        let (Ask::Page { after, .. }, Told::Users { users, next, .. }) = (&page.ask, &page.told)
        else {
            continue;
        };
        let covers = *after < id && next.is_none_or(|next| id <= next);
        if !covers || users.iter().any(|seen| seen.id == id) {
            continue;
        }
        events.push(Event {
            kind: Kind::Missing,
            certain: true,
            start: page.start,
            end: page.end,
            record: page,
        });
        if page.start > alive {
            break;
        }
    }
    events.sort_by_key(|event| (event.start, event.end));
}

impl Kind {
    fn is_read(&self) -> bool {
        !matches!(
            self,
            Kind::Create(_) | Kind::Change { .. } | Kind::Delete { .. }
        )
    }

    /// The state of the user afterwards, if this can happen.
    fn after(&self, phase: Phase) -> Option<Phase> {
        let is = |at: &Option<State>, state| at.is_none_or(|at| at == state);
        match (self, phase) {
            (Kind::Create(state), Phase::Before) => Some(Phase::Live(*state)),
            (Kind::Change { write, at, result }, Phase::Live(state)) if is(at, state) => {
                let made = write.apply(state);
                is(result, made).then_some(Phase::Live(made))
            }
            (Kind::Delete { at }, Phase::Live(state)) if is(at, state) => Some(Phase::Gone),
            (Kind::Read(seen), Phase::Live(state)) if *seen == state => Some(phase),
            (Kind::Missing | Kind::NotAt(_), Phase::Before | Phase::Gone) => Some(phase),
            (Kind::NotAt(not), Phase::Live(state)) if *not != state => Some(phase),
            (Kind::Refused { at }, Phase::Live(state)) if is(at, state) => Some(phase),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::example::{Example, broken};
    use super::*;

    #[test]
    fn a_conversation_without_haste_is_explained() {
        let mut example = Example::new();
        let user = example.create(Some(0));
        let renamed = example.rename(&user, true);
        example.read(&renamed);
        example.page(&[&renamed]);
        example.told(example.delete(&user, true), Told::Status(412));
        example.told(example.delete(&user, false), Told::Status(204));
        example.told(Ask::Get(user.id), Told::Status(404));
        example.page(&[]);
        assert!(broken(check, example).is_empty());
    }

    #[test]
    fn a_created_user_is_not_lost() {
        let mut example = Example::new();
        let user = example.create(None);
        example.told(Ask::Get(user.id), Told::Status(404));
        assert_eq!(broken(check, example), ["durable"]);
    }

    #[test]
    fn a_created_user_is_on_the_page() {
        let mut example = Example::new();
        example.create(None);
        example.page(&[]);
        assert_eq!(broken(check, example), ["durable"]);
    }

    #[test]
    fn an_acknowledged_change_is_not_lost() {
        let mut example = Example::new();
        let user = example.create(None);
        example.rename(&user, false);
        example.read(&user);
        assert_eq!(broken(check, example), ["durable"]);
    }

    #[test]
    fn a_delete_is_not_undone() {
        let mut example = Example::new();
        let user = example.create(None);
        example.told(example.delete(&user, false), Told::Status(204));
        example.read(&user);
        assert_eq!(broken(check, example), ["identity"]);
    }

    #[test]
    fn patches_of_different_members_at_once_both_take_effect() {
        let mut example = Example::new();
        let user = example.create(None);
        let name = example.renaming(&user, false);
        let a = example.changing_a(&user);
        let named = example.result(&user, &name);
        let both = example.result(&named, &a);
        let mut swallowed = both.clone();
        swallowed.state.name = user.state.name;
        for (result, promises) in [(&both, &[][..]), (&swallowed, &["durable"])] {
            let mut example = example.clone();
            example.at(100, 110, name.clone(), example.ok(&named));
            example.at(100, 120, a.clone(), example.ok(result));
            assert_eq!(broken(check, example), promises);
        }
    }

    #[test]
    fn an_unanswered_change_may_take_effect_until_the_host_is_killed() {
        let mut example = Example::new();
        let user = example.create(None);
        let lost = example.renaming(&user, false);
        let changed = example.result(&user, &lost);
        example.at(100, 110, lost, Told::Lost);
        example.kill(200);
        let read = |start, seen| {
            let mut example = example.clone();
            example.at(start, start + 10, Ask::Get(user.id), example.ok(seen));
            example
        };
        assert!(broken(check, read(120, &user)).is_empty());
        assert!(broken(check, read(120, &changed)).is_empty());
        let mut late = read(210, &user);
        late.at(230, 240, Ask::Get(user.id), late.ok(&changed));
        assert_eq!(broken(check, late), ["durable"]);
    }

    #[test]
    fn an_unanswered_create_is_known_by_what_it_made() {
        let mut example = Example::new();
        let user = example.create(None);
        example.records.last_mut().unwrap().told = Told::Lost;
        example.read(&user);
        example.page(&[&user]);
        assert!(broken(check, example.clone()).is_empty());
        example.told(Ask::Get(user.id), Told::Status(404));
        assert_eq!(broken(check, example), ["durable"]);
    }

    #[test]
    fn what_was_read_is_read_again_by_who_comes_later() {
        let mut example = Example::new();
        let user = example.create(None);
        let ask = example.renaming(&user, false);
        let changed = example.result(&user, &ask);
        example.at(100, 200, ask, example.ok(&changed));
        example.at(110, 120, Ask::Get(user.id), example.ok(&changed));
        example.at(130, 140, Ask::Get(user.id), example.ok(&user));
        assert_eq!(broken(check, example), ["durable"]);
    }

    #[test]
    fn a_precondition_that_holds_does_not_fail() {
        let mut example = Example::new();
        let user = example.create(None);
        let ask = example.renaming(&user, true);
        example.told(ask, Told::Status(412));
        assert_eq!(broken(check, example), ["one winner"]);
    }

    #[test]
    fn a_precondition_that_does_not_hold_fails() {
        let mut example = Example::new();
        let user = example.create(None);
        example.rename(&user, false);
        example.told(example.delete(&user, true), Told::Status(204));
        assert_eq!(broken(check, example), ["durable"]);
    }
}
