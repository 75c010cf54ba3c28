//! A walk through all pages shows every user once that is there during all of it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::Findings;
use crate::history::{Ask, History, Record, Seen, Time, Told};

/// For how long a user was certainly there: between its first sighting and the
/// first request that may have deleted it.
#[derive(Clone, Copy)]
struct Life {
    from: Time,
    to: Time,
}

pub fn check(history: &History, findings: &mut Findings) {
    let mut walks: BTreeMap<u64, Vec<&Record>> = BTreeMap::new();
    for record in &history.records {
        if let (Ask::Page { walk, .. }, Told::Users { .. }) = (&record.ask, &record.told) {
            walks.entry(*walk).or_default().push(record);
        }
    }
    let lives = lives(history);
    let mut complete = 0;
    let mut appearances = 0;
    for pages in walks.values() {
        let mut all: Vec<&Seen> = Vec::new();
        let mut ended = false;
        for page in pages {
            let (Ask::Page { after, limit, .. }, Told::Users { users, next, .. }) =
                (&page.ask, &page.told)
            else {
                continue;
            };
            let within = users.len() as u64 <= *limit && users.iter().all(|seen| seen.id > *after);
            let last = users.last().map_or(*after + 1, |seen| seen.id);
            if !within || next.is_some_and(|next| next < last) {
                let what = "this is no page".to_owned();
                findings.violation("paging", what, [*page]);
            }
            all.extend(users);
            ended = next.is_none();
        }
        if !all.is_sorted_by(|one, next| one.id < next.id) {
            let what = "ids do not ascend in a walk, or appear twice".to_owned();
            findings.violation("paging", what, pages.iter().copied());
        }
        let (Some(first), Some(last)) = (pages.first(), pages.last()) else {
            continue;
        };
        if !ended {
            continue;
        }
        complete += 1;
        let shown: BTreeSet<u64> = all.iter().map(|seen| seen.id).collect();
        for (id, life) in &lives {
            if life.from >= first.start || life.to <= last.end {
                continue;
            }
            appearances += 1;
            if !shown.contains(id) {
                let what = format!("user {id} is there and not in a walk");
                findings.violation("paging", what, pages.iter().copied());
            }
        }
    }
    findings.count("complete walks", complete);
    findings.count("users there during all of a walk", appearances);
}

fn lives(history: &History) -> BTreeMap<u64, Life> {
    let mut ends: HashMap<u64, Time> = HashMap::new();
    for record in &history.records {
        if let (Ask::Delete { id, .. }, true) = (&record.ask, record.may_have_changed()) {
            ends.entry(*id).or_insert(record.start);
        }
    }
    let mut lives: BTreeMap<u64, Life> = BTreeMap::new();
    for record in &history.records {
        for seen in record.told.seen() {
            let to = ends.get(&seen.id).copied().unwrap_or(Time::MAX);
            let from = record.end;
            let life = lives.entry(seen.id).or_insert(Life { from, to });
            life.from = life.from.min(from);
        }
    }
    lives
}

#[cfg(test)]
mod tests {
    use super::super::example::{Example, broken};
    use super::*;

    #[test]
    fn a_walk_shows_every_user_once() {
        let mut example = Example::new();
        let users = [example.create(None), example.create(None)];
        example.page(&[&users[0], &users[1]]);
        assert!(broken(check, example.clone()).is_empty());
        for wrong in [
            &[&users[0]][..],
            &[&users[0], &users[0], &users[1]],
            &[&users[1], &users[0]],
        ] {
            let mut example = example.clone();
            example.page(wrong);
            assert_eq!(broken(check, example), ["paging"]);
        }
    }

    #[test]
    fn a_walk_need_not_show_who_comes_or_goes_meanwhile() {
        let mut example = Example::new();
        let user = example.create(None);
        let delete = example.delete(&user, false);
        example.at(100, 120, delete, Told::Lost);
        example.at(110, 130, example.paging(), example.users(&[]));
        assert!(broken(check, example).is_empty());
    }

    #[test]
    fn a_page_goes_on_after_its_beginning() {
        let mut example = Example::new();
        let user = example.create(None);
        let page = Ask::Page {
            walk: 1,
            after: user.id,
            limit: 5,
        };
        example.told(page, example.users(&[&user]));
        assert_eq!(broken(check, example), ["paging"]);
    }
}
