//! Whether a user is in a group is one thing, whichever of the two is asked: each answer tells what
//! the last change made of it, or one that ran at the time. And groups of one name do not meet.

use std::collections::{BTreeMap, BTreeSet};

use super::Findings;
use crate::groups::GroupAsk;
use crate::history::{Ask, History, Record, Time, Told};

/// What made a user a member of a group, or no longer one.
struct Change<'a> {
    joins: bool,
    /// Whether it is certain that it took effect.
    certain: bool,
    start: Time,
    settled: Time,
    record: &'a Record,
}

/// A group and a user.
type Pair = (u64, u64);

pub fn check(history: &History, findings: &mut Findings) {
    let changes = changes(history);
    let mut count = 0;
    for record in &history.records {
        for (pair, is_member) in told(record, changes.keys()) {
            count += 1;
            if let Some(last) = contradiction(&changes[&pair], record, is_member) {
                let (group, user) = pair;
                let not = ["not ", ""][usize::from(is_member)];
                let what = format!("user {user} is shown {not}to be in group {group}");
                findings.violation("membership", what, [last, record]);
            }
        }
    }
    findings.count("answers about a user in a group", count);
    check_names(history, findings);
}

/// All changes of each pair that anybody asked for, in the order of their starts.
fn changes(history: &History) -> BTreeMap<Pair, Vec<Change<'_>>> {
    let mut pairs: BTreeSet<Pair> = BTreeSet::new();
    for record in &history.records {
        if let Ask::Group(GroupAsk::Join(group, user)) = record.ask {
            pairs.insert((group, user));
        }
    }
    let mut changes: BTreeMap<Pair, Vec<Change>> = BTreeMap::new();
    for record in &history.records {
        let (is_of, joins): (&dyn Fn(&Pair) -> bool, bool) = match &record.ask {
            Ask::Group(GroupAsk::Join(group, user)) => (&|pair| *pair == (*group, *user), true),
            Ask::Group(GroupAsk::Leave(group, user)) => (&|pair| *pair == (*group, *user), false),
            Ask::Group(GroupAsk::Delete(group)) => (&|pair| pair.0 == *group, false),
            Ask::Delete { id, .. } => (&|pair| pair.1 == *id, false),
            _ => continue,
        };
        if !record.may_have_changed() {
            continue;
        }
        for pair in pairs.iter().filter(|pair| is_of(pair)) {
            changes.entry(*pair).or_default().push(Change {
                joins,
                certain: record.told.is_success(),
                start: record.start,
                settled: record.settled,
                record,
            });
        }
    }
    changes
}

/// What an answer tells of pairs.
fn told<'a>(
    record: &'a Record,
    pairs: impl Iterator<Item = &'a Pair> + 'a,
) -> Box<dyn Iterator<Item = (Pair, bool)> + 'a> {
    match (&record.ask, &record.told) {
        (Ask::Group(GroupAsk::Members(group)), Told::Ids(users)) => {
            let pairs = pairs.filter(move |pair| pair.0 == *group);
            Box::new(pairs.map(|pair| (*pair, users.contains(&pair.1))))
        }
        (Ask::Group(GroupAsk::Of(user)), Told::Ids(groups)) => {
            let pairs = pairs.filter(move |pair| pair.1 == *user);
            Box::new(pairs.map(|pair| (*pair, groups.contains(&pair.0))))
        }
        _ => Box::new(std::iter::empty()),
    }
}

/// The change after which nothing explains the answer, if there is one.
fn contradiction<'a>(
    changes: &[Change<'a>],
    record: &Record,
    is_member: bool,
) -> Option<&'a Record> {
    let certain = |change: &&Change| change.certain && change.settled < record.start;
    // The last one that had certainly taken effect before the answer was asked for.
    let others = changes.iter().filter(|change| change.joins != is_member);
    let last = others.filter(certain).max_by_key(|change| change.start)?;
    let mut same = changes.iter().filter(|change| change.joins == is_member);
    let explained = same.any(|change| change.settled >= last.start && change.start < record.end);
    (!explained).then_some(last.record)
}

/// No two groups certainly have one name at one moment, and lookups find at most one.
fn check_names(history: &History, findings: &mut Findings) {
    let mut ends: BTreeMap<u64, Time> = BTreeMap::new();
    for record in &history.records {
        if let Ask::Group(GroupAsk::Delete(group)) = record.ask
            && record.may_have_changed()
        {
            ends.entry(group).or_insert(record.start);
        }
    }
    let mut held: BTreeMap<usize, Vec<(u64, Time, &Record)>> = BTreeMap::new();
    for record in &history.records {
        let (Ask::Group(GroupAsk::Create(name) | GroupAsk::Find(name)), Told::Ids(ids)) =
            (&record.ask, &record.told)
        else {
            continue;
        };
        if ids.len() > 1 {
            let what = format!("several groups have the name g{name}");
            findings.violation("unique", what, [record]);
        }
        let Some(group) = ids.first() else { continue };
        let holders = held.entry(*name).or_default();
        let from = record.end;
        let end = ends.get(group).copied().unwrap_or(Time::MAX);
        // Each group keeps its name to the end.
        let other = holders
            .iter()
            .find(|(other, until, _)| other != group && from < *until);
        if let Some((other, _, first)) = other.filter(|_| from < end) {
            let what = format!("groups {other} and {group} have the name g{name} at once");
            findings.violation("unique", what, [*first, record]);
        }
        holders.push((*group, end, record));
    }
    let groups = held.values().flatten().map(|(group, ..)| group);
    findings.count("groups", groups.collect::<BTreeSet<_>>().len());
}

#[cfg(test)]
mod tests {
    use super::super::example::{Example, broken};
    use super::*;
    use GroupAsk::{Create, Delete, Join, Leave, Members, Of};

    fn ask(example: &mut Example, ask: GroupAsk, told: Told) {
        example.told(Ask::Group(ask), told);
    }

    fn done(example: &mut Example, change: GroupAsk) {
        ask(example, change, Told::Status(204));
    }

    /// Group 1, with user 1 in it.
    fn joined() -> Example {
        let mut example = Example::new();
        example.create(None);
        ask(&mut example, Create(0), Told::Ids(vec![1]));
        done(&mut example, Join(1, 1));
        example
    }

    #[test]
    fn a_member_is_shown_from_both_sides() {
        let mut example = joined();
        ask(&mut example, Members(1), Told::Ids(vec![1]));
        ask(&mut example, Of(1), Told::Ids(vec![1]));
        assert!(broken(check, example.clone()).is_empty());
        ask(&mut example, Members(1), Told::Ids(vec![]));
        assert_eq!(broken(check, example.clone()), ["membership"]);
        ask(&mut example, Of(1), Told::Ids(vec![]));
        assert_eq!(broken(check, example), ["membership", "membership"]);
    }

    #[test]
    fn who_left_or_was_deleted_is_not_shown() {
        let [mut left, mut deleted, mut without_group] = [joined(), joined(), joined()];
        done(&mut left, Leave(1, 1));
        let delete = Ask::Delete {
            id: 1,
            if_match: None,
        };
        deleted.told(delete, Told::Status(204));
        done(&mut without_group, Delete(1));
        for mut example in [left, deleted, without_group] {
            ask(&mut example, Members(1), Told::Ids(vec![]));
            assert!(broken(check, example.clone()).is_empty());
            ask(&mut example, Of(1), Told::Ids(vec![1]));
            assert_eq!(broken(check, example), ["membership"]);
        }
    }

    #[test]
    fn a_change_without_an_answer_may_have_been_made_or_not() {
        let mut example = joined();
        ask(&mut example, Leave(1, 1), Told::Status(503));
        ask(&mut example, Of(1), Told::Ids(vec![1]));
        ask(&mut example, Of(1), Told::Ids(vec![]));
        assert!(broken(check, example).is_empty());
    }

    #[test]
    fn two_groups_do_not_have_one_name() {
        let mut example = joined();
        ask(&mut example, Create(0), Told::Ids(vec![2]));
        assert_eq!(broken(check, example), ["unique"]);
        let mut example = joined();
        done(&mut example, Delete(1));
        ask(&mut example, Create(0), Told::Ids(vec![2]));
        assert!(broken(check, example).is_empty());
    }
}
