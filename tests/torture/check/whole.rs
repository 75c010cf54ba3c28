//! What is read was written: every member by a request to that user that had
//! been sent by then, and every version under an entity tag of its own.

use std::collections::HashMap;

use super::Findings;
use crate::history::{Ask, History, Record, Seen, State, Told};

pub fn check(history: &History, findings: &mut Findings) {
    let mut writers: HashMap<u64, &Record> = HashMap::new();
    for record in &history.records {
        if let Some(write) = record.ask.write() {
            writers.insert(write.marker, record);
        }
    }
    let mut tags: HashMap<u64, HashMap<State, (&str, &Record)>> = HashMap::new();
    let mut born: HashMap<u64, (&str, &Record)> = HashMap::new();
    let mut count = 0;
    for record in &history.records {
        for seen in record.told.seen() {
            count += 1;
            if let Some(member) = foreign(seen, record, &writers) {
                let what = format!("the {member} of user {} is from no write to it", seen.id);
                findings.violation("whole", what, [record]);
            }
            let first = born.entry(seen.id).or_insert((&seen.created_at, record));
            if first.0 != seen.created_at {
                let what = format!("user {} was created at two times", seen.id);
                findings.violation("whole", what, [first.1, record]);
            }
        }
        if let Told::User {
            tag: Some(tag),
            seen,
            ..
        } = &record.told
        {
            let versions = tags.entry(seen.id).or_default();
            let first = versions.entry(seen.state).or_insert((tag, record));
            if first.0 != tag {
                let what = format!("a version of user {} has two entity tags", seen.id);
                findings.violation("whole", what, [first.1, record]);
            }
            if history.tags[tag] != seen.state {
                let what = format!("two versions of user {} have one entity tag", seen.id);
                findings.violation("whole", what, [record]);
            }
        }
    }
    findings.count("representations read", count);
}

/// The member that no write can have made.
fn foreign(seen: &Seen, record: &Record, writers: &HashMap<u64, &Record>) -> Option<&'static str> {
    let is_from = |marker: u64, member: fn(&crate::history::Write) -> bool| {
        writers.get(&marker).is_some_and(|writer| {
            let write = writer.ask.write().expect("it is a writer");
            let same_user = match writer.ask.id() {
                Some(id) => id == seen.id,
                None => marker == seen.made,
            };
            let possible = writer.may_have_changed() && writer.start < record.end;
            same_user && possible && member(write)
        })
    };
    let maker = writers.get(&seen.made);
    if !maker.is_some_and(|maker| matches!(maker.ask, Ask::Create(_))) {
        return Some("origin");
    }
    let state = &seen.state;
    let email = state.email.is_none_or(|email| {
        let writer = writers.get(&email.spelling);
        is_from(email.spelling, |write| write.email.is_some())
            && writer.is_some_and(|writer| writer.ask.email() == Some(email))
    });
    [
        ("name", is_from(state.name, |write| write.name)),
        ("email", email),
        ("attribute a", is_from(state.a, |write| write.a)),
        ("attribute b", is_from(state.b, |write| write.b)),
    ]
    .into_iter()
    .find_map(|(member, known)| (!known).then_some(member))
}

#[cfg(test)]
mod tests {
    use super::super::example::{Example, broken};
    use super::*;

    #[test]
    fn a_member_that_nobody_wrote_is_noticed() {
        let mut example = Example::new();
        let mut user = example.create(None);
        user.state.name = 99;
        example.read(&user);
        assert_eq!(broken(check, example), ["whole"]);
    }

    #[test]
    fn a_member_of_another_user_is_noticed() {
        let mut example = Example::new();
        let mut user = example.create(None);
        let other = example.create(None);
        user.state.a = other.state.a;
        example.read(&user);
        assert_eq!(broken(check, example), ["whole"]);
    }

    #[test]
    fn a_write_that_was_refused_is_not_read() {
        let mut example = Example::new();
        let mut user = example.create(None);
        let ask = example.renaming(&user, true);
        user.state.name = ask.write().unwrap().marker;
        example.told(ask, Told::Status(412));
        example.page(&[&user]);
        assert_eq!(broken(check, example), ["whole"]);
    }

    #[test]
    fn a_version_has_one_entity_tag() {
        let mut example = Example::new();
        let user = example.create(None);
        let told = Told::User {
            status: 200,
            tag: Some("\"other\"".to_owned()),
            seen: user.clone(),
        };
        example.told(Ask::Get(user.id), told);
        assert_eq!(broken(check, example), ["whole"]);
    }

    #[test]
    fn versions_have_different_entity_tags() {
        let mut example = Example::new();
        let user = example.create(None);
        let tag = example.tag(&user);
        let mut renamed = example.rename(&user, false);
        renamed.state.b = renamed.state.name;
        let told = Told::User {
            status: 200,
            tag: Some(tag),
            seen: example.rename(&user, false),
        };
        example.told(Ask::Get(user.id), told);
        assert_eq!(broken(check, example).first(), Some(&"whole"));
    }
}
