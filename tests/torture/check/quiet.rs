//! At the end there is one client and one request at a time: every answer must be
//! the one that the users and the requests before it allow, and no other.

use std::collections::{BTreeMap, BTreeSet};

use super::Findings;
use crate::groups::GroupAsk;
use crate::history::{Ask, History, Record, State, Told, Write};

/// The users in the service.
#[derive(Default)]
struct Model {
    users: BTreeMap<u64, State>,
    /// Who is in which group, once anybody was told.
    groups: BTreeMap<u64, BTreeSet<u64>>,
    /// Names of groups that were refused, and not found since.
    refused_names: BTreeMap<usize, Record>,
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
    for (name, record) in &model.refused_names {
        let what = format!("no group has the name g{name}, and none can take it");
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
            (Ask::Search(sought), Told::Found(users)) => {
                let found: BTreeSet<u64> = users.iter().map(|seen| seen.id).collect();
                let all = self.users.iter();
                let all = all.filter(|(_, state)| sought.finds(state));
                let right = all.map(|(id, _)| id).eq(&found) && found.len() == users.len();
                (!right).then_some(("found", "a search does not find who has it"))
            }
            (Ask::Group(ask), told) => self.group(*ask, record, told),
            _ => None,
        }
    }

    fn group(
        &mut self,
        ask: GroupAsk,
        record: &Record,
        told: &Told,
    ) -> Option<(&'static str, &'static str)> {
        match (ask, told) {
            (GroupAsk::Create(name), Told::Ids(ids)) => {
                self.refused_names.remove(&name);
                let new = ids.iter().map(|group| (*group, BTreeSet::new()));
                self.groups.extend(new);
                None
            }
            (GroupAsk::Create(name), _) => {
                self.refused_names.insert(name, record.clone());
                None
            }
            (GroupAsk::Find(name), Told::Ids(ids)) => {
                if !ids.is_empty() {
                    self.refused_names.remove(&name);
                }
                None
            }
            (GroupAsk::Members(group), Told::Ids(users)) => {
                let users: BTreeSet<u64> = users.iter().copied().collect();
                if !users.iter().all(|user| self.users.contains_key(user)) {
                    return Some(("membership", "a group has a user who is not there"));
                }
                let known = self.groups.entry(group).or_insert_with(|| users.clone());
                let right = *known == users;
                (!right).then_some(("membership", "a group does not show its users"))
            }
            (GroupAsk::Members(group), _) => {
                let gone = !self.groups.contains_key(&group);
                (!gone).then_some(("durable", "a group is there and can't be read"))
            }
            (GroupAsk::Of(user), Told::Ids(ids)) => {
                let groups = self.groups.iter();
                let groups = groups.filter(|(_, users)| users.contains(&user));
                let right = self.users.contains_key(&user) && groups.map(|(id, _)| id).eq(ids);
                (!right).then_some(("membership", "a user does not show its groups"))
            }
            (GroupAsk::Of(user), _) => {
                let gone = !self.users.contains_key(&user);
                (!gone).then_some(("durable", "a user is there, and its groups can't be read"))
            }
            (GroupAsk::Join(group, user), told) => {
                self.groups.entry(group).or_default().insert(user);
                let right = told.is_success();
                (!right).then_some(("nothing is stuck", "a user can't get into a group"))
            }
            (GroupAsk::Delete(_) | GroupAsk::Leave(..), _) => None,
            (GroupAsk::Find(_), _) => None,
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
    fn a_search_finds_who_has_it_and_nobody_else() {
        use crate::history::Sought;
        let (mut example, one, two) = quiet();
        let search = |seen: &Seen| Ask::Search(Sought::A(seen.state.a));
        example.told(search(&one), Told::Found(vec![one.clone()]));
        assert!(broken(check, example.clone()).is_empty());
        example.told(search(&two), Told::Found(vec![]));
        assert_eq!(broken(check, example), ["found"]);
    }

    #[test]
    fn groups_and_users_tell_the_same() {
        let (mut example, one, two) = quiet();
        let ask = |example: &mut Example, ask, ids: &[u64]| {
            example.told(Ask::Group(ask), Told::Ids(ids.to_vec()));
        };
        ask(&mut example, GroupAsk::Members(1), &[one.id]);
        ask(&mut example, GroupAsk::Of(one.id), &[1]);
        ask(&mut example, GroupAsk::Of(two.id), &[]);
        assert!(broken(check, example.clone()).is_empty());
        ask(&mut example, GroupAsk::Of(two.id), &[1]);
        assert_eq!(broken(check, example.clone()), ["membership"]);
        ask(&mut example, GroupAsk::Members(1), &[one.id, 99]);
        assert_eq!(broken(check, example), ["membership", "membership"]);
    }

    #[test]
    fn a_name_that_no_group_has_can_be_taken_in_the_end() {
        let (mut example, ..) = quiet();
        let create = Ask::Group(GroupAsk::Create(0));
        example.told(create.clone(), Told::Status(409));
        assert_eq!(broken(check, example.clone()), ["nothing is stuck"]);
        example.told(create, Told::Ids(vec![1]));
        assert!(broken(check, example).is_empty());
    }

    #[test]
    fn every_request_is_answered() {
        let (mut example, ..) = quiet();
        example.told(Ask::Find(3), Told::Status(503));
        assert_eq!(broken(check, example), ["nothing is stuck"]);
    }
}
