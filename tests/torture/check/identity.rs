//! An id is given once, and a user that is gone does not come back.

use std::collections::HashMap;

use super::Findings;
use crate::history::{Ask, History, Record};

pub fn check(history: &History, findings: &mut Findings) {
    let mut created: HashMap<u64, &Record> = HashMap::new();
    let mut makers: HashMap<u64, (u64, &Record)> = HashMap::new();
    // By user: the first answer, by its end, that could only be given after its death.
    let mut gone: HashMap<u64, &Record> = HashMap::new();
    // By user: the first answer, by its end, that could only be given in its life.
    let mut alive: HashMap<u64, &Record> = HashMap::new();
    for record in &history.records {
        for seen in record.told.seen() {
            keep_first(&mut alive, seen.id, record);
            let maker = makers.entry(seen.made).or_insert((seen.id, record));
            if maker.0 != seen.id {
                let what = format!("users {} and {} are from one create", maker.0, seen.id);
                findings.violation("identity", what, [maker.1, record]);
            }
        }
        if let (Ask::Create(_), [seen]) = (&record.ask, record.told.seen())
            && let Some(first) = created.insert(seen.id, record)
        {
            let what = format!("id {} was given twice", seen.id);
            findings.violation("identity", what, [first, record]);
        }
    }
    for record in &history.records {
        let Some(id) = record.ask.id() else { continue };
        let deleted = matches!(record.ask, Ask::Delete { .. }) && record.told.is_success();
        let missed = record.told.status() == Some(404)
            && alive.get(&id).is_some_and(|seen| seen.end < record.start);
        if deleted || missed {
            keep_first(&mut gone, id, record);
        }
    }
    let mut reported = Vec::new();
    for record in &history.records {
        for seen in record.told.seen() {
            if let Some(end) = gone.get(&seen.id)
                && end.end < record.start
                && !reported.contains(&seen.id)
            {
                reported.push(seen.id);
                let what = format!("user {} came back", seen.id);
                let created = created.get(&seen.id).copied();
                let records = created.into_iter().chain([*end, record]);
                findings.violation("identity", what, records);
            }
        }
    }
    findings.count("users that were acknowledged", created.len());
    findings.count("users that were deleted", gone.len());
}

fn keep_first<'a>(records: &mut HashMap<u64, &'a Record>, id: u64, record: &'a Record) {
    let first = records.entry(id).or_insert(record);
    if record.end < first.end {
        *first = record;
    }
}

#[cfg(test)]
mod tests {
    use super::super::example::{Example, broken};
    use super::*;
    use crate::history::Told;

    #[test]
    fn an_id_is_not_given_twice() {
        let mut example = Example::new();
        let user = example.create(None);
        let other = example.create(None);
        let last = example.records.last_mut().unwrap();
        let Told::User { seen, .. } = &mut last.told else {
            panic!()
        };
        assert_eq!(seen.id, other.id);
        seen.id = user.id;
        assert_eq!(broken(check, example), ["identity"]);
    }

    #[test]
    fn a_create_makes_one_user() {
        let mut example = Example::new();
        let mut user = example.create(None);
        user.id += 1;
        example.read(&user);
        assert_eq!(broken(check, example), ["identity"]);
    }

    #[test]
    fn a_deleted_user_does_not_come_back() {
        let mut example = Example::new();
        let user = example.create(None);
        example.told(example.delete(&user, false), Told::Status(204));
        example.page(&[&user]);
        assert_eq!(broken(check, example), ["identity"]);
    }

    #[test]
    fn a_user_that_was_missed_does_not_come_back() {
        let mut example = Example::new();
        let user = example.create(None);
        example.told(Ask::Get(user.id), Told::Status(404));
        example.read(&user);
        assert_eq!(broken(check, example), ["identity"]);
    }

    #[test]
    fn a_user_may_be_missed_before_it_is_created() {
        let mut example = Example::new();
        example.told(Ask::Get(1), Told::Status(404));
        let user = example.create(None);
        example.read(&user);
        assert!(broken(check, example).is_empty());
    }
}
