//! An email has one user at a time, lookups find whom it has, and nobody is
//! refused an email that is free.
//!
//! Users change while they are read, so that two users on one page may both show
//! an email that went from one to the other meanwhile. What counts is therefore
//! for how long a user *certainly* had an email: no spelling is used twice, so
//! that it was never lost between two sightings of it.

use std::collections::{BTreeMap, HashMap};

use super::Findings;
use crate::history::{Ask, Email, History, Record, Time, Told};

/// How many violations of a kind are told: one broken claim makes many.
const TOLD: usize = 5;

/// That a user certainly had an email, from one time to another.
struct Holding<'a> {
    id: u64,
    from: Time,
    to: Time,
    sightings: [&'a Record; 2],
}

/// That a user may have had an email.
struct Possible {
    id: u64,
    from: Time,
    to: Time,
}

pub fn check(history: &History, findings: &mut Findings) {
    let holdings = holdings(history);
    findings.count(
        "times that a user held an email",
        holdings.values().map(Vec::len).sum(),
    );
    check_unique(&holdings, findings);
    check_lookups(history, &holdings, findings);
    check_refusals(history, findings);
}

/// By user, the requests that may have removed its email, in the order of their starts.
fn changes(history: &History) -> HashMap<u64, Vec<&Record>> {
    let mut changes: HashMap<u64, Vec<&Record>> = HashMap::new();
    for record in &history.records {
        if let Some(id) = history.user(record)
            && record.ask.touches_email()
            && record.may_have_changed()
        {
            changes.entry(id).or_default().push(record);
        }
    }
    changes
}

/// The certain holdings of each address, in the order of their beginnings.
fn holdings(history: &History) -> BTreeMap<usize, Vec<Holding<'_>>> {
    let mut sightings: HashMap<(u64, Email), Vec<&Record>> = HashMap::new();
    for record in &history.records {
        for seen in record.told.seen() {
            if let Some(email) = seen.state.email {
                sightings.entry((seen.id, email)).or_default().push(record);
            }
        }
    }
    let changes = changes(history);
    let mut holdings: BTreeMap<usize, Vec<Holding>> = BTreeMap::new();
    for ((id, email), records) in sightings {
        let first = records.iter().min_by_key(|record| record.end);
        let last = records.iter().max_by_key(|record| record.start);
        let (Some(first), Some(last)) = (first, last) else {
            continue;
        };
        // After the last sighting it was held until the first request began that may
        // have taken it away then.
        let next = changes.get(&id).into_iter().flatten().find(|change| {
            let wrote_it = change.ask.email() == Some(email);
            !wrote_it && change.settled > last.start
        });
        let to = next.map_or(Time::MAX, |change| change.start.max(last.start));
        if first.end <= to {
            holdings.entry(email.address).or_default().push(Holding {
                id,
                from: first.end,
                to,
                sightings: [first, last],
            });
        }
    }
    for holdings in holdings.values_mut() {
        holdings.sort_by_key(|holding| (holding.from, holding.to));
    }
    holdings
}

fn check_unique(holdings: &BTreeMap<usize, Vec<Holding>>, findings: &mut Findings) {
    let mut told = 0;
    for (address, holdings) in holdings {
        let mut longest: Option<&Holding> = None;
        for holding in holdings {
            if let Some(other) = longest
                && other.id != holding.id
                && holding.from < other.to
                && holding.from < holding.to
                && told < TOLD
            {
                told += 1;
                let what = format!(
                    "users {} and {} had e{address} at once",
                    other.id, holding.id
                );
                let records = other.sightings.into_iter().chain(holding.sightings);
                findings.violation("unique", what, records);
            }
            if longest.is_none_or(|other| other.to < holding.to) {
                longest = Some(holding);
            }
        }
    }
}

/// Whoever is read with an email, had it at a moment of the reading: so nobody
/// else had it during all of it. Likewise if a lookup finds nobody.
fn check_lookups(
    history: &History,
    holdings: &BTreeMap<usize, Vec<Holding>>,
    findings: &mut Findings,
) {
    let mut told = 0;
    let mut lookups = 0;
    for record in &history.records {
        let mut shown: Vec<(usize, Option<u64>)> = Vec::new();
        for seen in record.told.seen() {
            shown.extend(seen.state.email.map(|email| (email.address, Some(seen.id))));
        }
        if let (Ask::Find(address), Told::Users { users, .. }) = (&record.ask, &record.told) {
            lookups += 1;
            let wrong = users.len() > 1
                || users.iter().any(|seen| {
                    seen.state
                        .email
                        .is_none_or(|email| email.address != *address)
                });
            if wrong {
                let what = "a lookup answers something else".to_owned();
                findings.violation("unique", what, [record]);
            }
            if users.is_empty() {
                shown.push((*address, None));
            }
        }
        for (address, id) in shown {
            let Some(holdings) = holdings.get(&address) else {
                continue;
            };
            let before = holdings.partition_point(|holding| holding.from <= record.start);
            let during = holdings[..before]
                .iter()
                .rev()
                .take(8)
                .find(|holding| holding.to >= record.end && Some(holding.id) != id);
            if let Some(holder) = during
                && told < TOLD
            {
                told += 1;
                let found = id.map_or("nobody".to_owned(), |id| format!("user {id}"));
                let what = format!("user {} had e{address}, {found} is shown", holder.id);
                findings.violation("unique", what, [record].into_iter().chain(holder.sightings));
            }
        }
    }
    findings.count("lookups of an email", lookups);
}

/// Who is refused an email is refused it because another user may have it.
fn check_refusals(history: &History, findings: &mut Findings) {
    let possible = possible(history);
    let mut refusals = 0;
    let mut told = 0;
    for record in &history.records {
        let (Some(email), Some(409)) = (record.ask.email(), record.told.status()) else {
            continue;
        };
        refusals += 1;
        let own = record.ask.id();
        let possible = possible.get(&email.address).map_or(&[][..], Vec::as_slice);
        let begun = possible.partition_point(|holding| holding.from <= record.end);
        // The latest first: it is the likeliest.
        let explained = possible[..begun]
            .iter()
            .rev()
            .any(|holding| Some(holding.id) != own && holding.to >= record.start);
        if !explained && told < TOLD {
            told += 1;
            let what = format!("e{} was refused, and nobody had it", email.address);
            findings.violation("nothing is stuck", what, [record]);
        }
    }
    findings.count("refusals of an email", refusals);
}

/// The possible holdings of each address, in the order of their beginnings.
fn possible(history: &History) -> BTreeMap<usize, Vec<Possible>> {
    let changes = changes(history);
    let mut possible: BTreeMap<usize, Vec<Possible>> = BTreeMap::new();
    for (id, changes) in &changes {
        for change in changes {
            let Some(email) = change.ask.email() else {
                continue;
            };
            // It is gone for certain when a later change was acknowledged.
            let mut later = changes.iter().filter(|later| later.start > change.settled);
            let later = later.find(|later| later.told.is_success());
            possible.entry(email.address).or_default().push(Possible {
                id: *id,
                from: change.start,
                to: later.map_or(Time::MAX, |later| later.end),
            });
        }
    }
    for possible in possible.values_mut() {
        possible.sort_by_key(|holding| holding.from);
    }
    possible
}

#[cfg(test)]
mod tests {
    use super::super::example::{Example, broken};
    use super::*;

    #[test]
    fn an_email_may_go_from_one_user_to_another() {
        let mut example = Example::new();
        let one = example.create(Some(0));
        let two = example.create(None);
        example.told(example.delete(&one, false), Told::Status(204));
        let two = example.give(&two, 0);
        example.find(0, &[&two]);
        assert!(broken(check, example).is_empty());
    }

    #[test]
    fn a_page_may_show_an_email_twice_while_it_changes_hands() {
        let mut example = Example::new();
        let one = example.create(Some(0));
        let two = example.create(None);
        let delete = example.delete(&one, false);
        example.at(110, 120, delete, Told::Status(204));
        let give = example.giving(&two, 0);
        let given = example.result(&two, &give);
        example.at(130, 140, give, example.ok(&given));
        example.at(100, 150, example.paging(), example.users(&[&one, &given]));
        assert!(broken(check, example).is_empty());
    }

    #[test]
    fn two_users_do_not_have_one_email() {
        let mut example = Example::new();
        let one = example.create(Some(0));
        let two = example.create(Some(0));
        example.page(&[&one, &two]);
        assert!(broken(check, example).contains(&"unique"));
    }

    #[test]
    fn a_lookup_finds_who_has_the_email() {
        let mut example = Example::new();
        example.create(Some(0));
        example.find(0, &[]);
        assert_eq!(broken(check, example), ["unique"]);
    }

    #[test]
    fn a_lookup_does_not_find_who_does_not_have_the_email() {
        let mut example = Example::new();
        let user = example.create(Some(1));
        example.find(0, &[&user]);
        assert_eq!(broken(check, example), ["unique"]);
    }

    #[test]
    fn an_email_is_not_refused_that_was_freed() {
        let mut example = Example::new();
        let user = example.create(Some(0));
        let refused = example.creating(Some(0));
        example.told(refused.clone(), Told::Status(409));
        assert!(broken(check, example.clone()).is_empty());
        example.told(example.delete(&user, false), Told::Status(204));
        let refused = example.creating(Some(0));
        example.told(refused, Told::Status(409));
        assert_eq!(broken(check, example), ["nothing is stuck"]);
    }

    #[test]
    fn an_email_may_be_refused_that_an_unanswered_change_may_have_taken() {
        let mut example = Example::new();
        let user = example.create(None);
        let lost = example.giving(&user, 0);
        example.told(lost, Told::Lost);
        let refused = example.creating(Some(0));
        example.told(refused, Told::Status(409));
        assert!(broken(check, example).is_empty());
    }
}
