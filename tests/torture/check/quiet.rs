//! At the end there is one client and one request at a time: every answer must be
//! the one that the users and the requests before it allow, and no other.

use std::collections::{BTreeMap, BTreeSet};

use super::Findings;
use crate::history::{Ask, History, Record, State, Told, Write};

/// The users in the service.
#[derive(Default)]
struct Model {
    users: BTreeMap<u64, State>,
    /// Emails that were refused although no user has them: they may be free soon.
    refused: BTreeMap<usize, Record>,
}

pub fn check(history: &History, findings: &mut Findings) {
    let records: Vec<&Record> = history
        .records
        .iter()
        .filter(|record| record.start >= history.quiet_from)
        .collect();
    let mut model = Model::default();
    // The first walk finds the present users.
    let walked = records
        .iter()
        .position(|record| matches!(record.told, Told::Users { next: None, .. }))
        .map_or(0, |last| last + 1);
    for record in &records[..walked] {
        let seen = record.told.seen();
        model
            .users
            .extend(seen.iter().map(|seen| (seen.id, seen.state)));
    }
    model.check_emails(&records[..walked], findings);
    for record in &records {
        if record.told.is_unknown() {
            let what = "the service was left alone and gave no answer".to_owned();
            findings.violation("nothing is stuck", what, [*record]);
        }
    }
    let mut last_count = None;
    for record in &records[walked..] {
        if let Some((promise, what)) = model.replay(record) {
            findings.violation(promise, what.to_owned(), [*record]);
        }
        if let (Ask::Page { .. }, Told::Users { total, .. }) = (&record.ask, &record.told) {
            last_count = Some((*total, model.users.len() as u64, *record));
        }
    }
    for (address, record) in &model.refused {
        let what = format!("nobody has e{address}, and nobody can take it");
        findings.violation("nothing is stuck", what, [record]);
    }
    // The last one only: the count is given the time that it needs.
    if let Some((total, users, record)) = last_count
        && total != users
    {
        let what = format!("X-Total-Count is {total} with {users} users");
        findings.violation("counted", what, [record]);
    }
    findings.count("requests in the quiet at the end", records.len());
    findings.count("users at the end", model.users.len());
}

impl Model {
    fn holder(&self, address: usize) -> Option<(&u64, &State)> {
        let mut users = self.users.iter();
        users.find(|(_, state)| state.email.is_some_and(|email| email.address == address))
    }

    fn check_emails(&self, walk: &[&Record], findings: &mut Findings) {
        let mut taken = BTreeSet::new();
        for state in self.users.values() {
            if let Some(email) = state.email
                && !taken.insert(email.address)
            {
                let what = format!("two users have e{} at the end", email.address);
                findings.violation("unique", what, walk.iter().copied());
            }
        }
    }

    /// Carries a request out, and reports the faults of its answer.
    fn replay(&mut self, record: &Record) -> Option<(&'static str, &'static str)> {
        match (&record.ask, &record.told) {
            (_, told) if told.is_unknown() => None,
            (Ask::Get(id), told) => self.check_get(*id, told),
            (Ask::Find(address), Told::Users { users, .. }) => {
                let found = users.iter().map(|seen| (&seen.id, &seen.state));
                let right = found.eq(self.holder(*address));
                (!right).then_some(("unique", "a lookup does not find who has the email"))
            }
            (Ask::Page { after, .. }, Told::Users { users, next, .. }) => {
                let right = next.is_none_or(|next| next > *after) && {
                    let page = self.users.range(after + 1..=next.unwrap_or(u64::MAX));
                    page.eq(users.iter().map(|seen| (&seen.id, &seen.state)))
                };
                (!right).then_some(("paging", "a page does not show its users"))
            }
            (Ask::Create(write), told) => self.create(write, record, told),
            (Ask::Patch { id, write, .. }, told) => self.patch(*id, write, told),
            _ => None,
        }
    }

    fn check_get(&self, id: u64, told: &Told) -> Option<(&'static str, &'static str)> {
        let read = told.seen().first().map(|seen| &seen.state);
        match (self.users.get(&id), read) {
            (state, read) if state == read => None,
            (Some(_), None) => Some(("durable", "a user is on the page and can't be read")),
            (None, Some(_)) => Some(("paging", "a user can be read and is not on the page")),
            _ => Some(("whole", "a user is read as two different versions")),
        }
    }

    fn create(
        &mut self,
        write: &Write,
        record: &Record,
        told: &Told,
    ) -> Option<(&'static str, &'static str)> {
        let address = write.email.flatten().map(|email| email.address);
        let held = address.is_some_and(|address| self.holder(address).is_some());
        match (told, address) {
            (Told::User { seen, .. }, _) => {
                self.users.insert(seen.id, seen.state);
                if let Some(address) = address {
                    self.refused.remove(&address);
                }
                held.then_some(("unique", "an email is given that a user has"))
            }
            (_, Some(address)) if !held => {
                self.refused.insert(address, record.clone());
                None
            }
            _ => None,
        }
    }

    fn patch(
        &mut self,
        id: u64,
        write: &Write,
        told: &Told,
    ) -> Option<(&'static str, &'static str)> {
        let state = self.users.get_mut(&id)?;
        *state = write.apply(*state);
        match told {
            Told::User { seen, .. } if seen.state == *state => None,
            Told::User { .. } => Some(("durable", "a patch was made on something else")),
            _ => Some(("nothing is stuck", "a user can't be changed")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::example::{Example, broken};
    use super::*;
    use crate::history::Seen;

    /// A history that is quiet after two users were created, and the present users.
    fn quiet() -> (Example, Seen, Seen) {
        let mut example = Example::new();
        let one = example.create(Some(0));
        let two = example.create(Some(1));
        example.be_quiet();
        example.page(&[&one, &two]);
        (example, one, two)
    }

    #[test]
    fn exact_answers_are_right() {
        let (mut example, one, two) = quiet();
        example.read(&one);
        example.find(1, &[&two]);
        example.find(2, &[]);
        let one = example.rename(&one, false);
        let refused = example.creating(Some(0));
        example.told(refused, Told::Status(409));
        let three = example.create(Some(2));
        example.page(&[&one, &two, &three]);
        assert!(broken(check, example).is_empty());
    }

    #[test]
    fn the_count_is_exact() {
        let (mut example, one, two) = quiet();
        let Told::Users { users, next, .. } = example.users(&[&one, &two]) else {
            panic!()
        };
        let total = 3;
        let told = Told::Users { users, next, total };
        example.told(example.paging(), told);
        assert_eq!(broken(check, example), ["counted"]);
    }

    #[test]
    fn a_page_shows_everybody() {
        let (mut example, one, _) = quiet();
        let told = example.users(&[&one]);
        example.told(example.paging(), told);
        assert!(broken(check, example).contains(&"paging"));
    }

    #[test]
    fn a_user_on_a_page_can_be_read() {
        let (mut example, one, _) = quiet();
        example.told(Ask::Get(one.id), Told::Status(404));
        assert_eq!(broken(check, example), ["durable"]);
    }

    #[test]
    fn a_lookup_finds_the_one_who_has_the_email() {
        let (mut example, one, _) = quiet();
        example.find(1, &[&one]);
        assert_eq!(broken(check, example), ["unique"]);
    }

    #[test]
    fn two_users_at_the_end_do_not_have_one_email() {
        let mut example = Example::new();
        let one = example.create(Some(0));
        let two = example.create(Some(0));
        example.be_quiet();
        example.page(&[&one, &two]);
        assert_eq!(broken(check, example), ["unique"]);
    }

    #[test]
    fn an_email_that_nobody_has_can_be_taken_in_the_end() {
        let (mut example, ..) = quiet();
        let refused = example.creating(Some(2));
        example.told(refused, Told::Status(409));
        assert_eq!(broken(check, example.clone()), ["nothing is stuck"]);
        example.create(Some(2));
        assert!(broken(check, example).is_empty());
    }

    #[test]
    fn every_user_can_be_changed() {
        let (mut example, one, _) = quiet();
        let rename = example.renaming(&one, false);
        example.told(rename, Told::Status(404));
        assert_eq!(broken(check, example), ["nothing is stuck"]);
    }

    #[test]
    fn every_request_is_answered() {
        let (mut example, ..) = quiet();
        example.told(Ask::Find(3), Told::Status(503));
        assert_eq!(broken(check, example), ["nothing is stuck"]);
    }
}
