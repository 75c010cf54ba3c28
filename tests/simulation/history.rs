//! The requests and answers, and their times.

use std::collections::BTreeSet;
use std::fmt;
use std::rc::Rc;

use crate::conditions::Conditions;
use crate::linearizability::{self, Interval};
use crate::model::{Call, GROUPS, Stretch};
use crate::request::{Ask, By, GroupAsk, Outcome, Seen, Told};
use crate::store::hash;

/// The end of a request that has not ended.
pub const OPEN: usize = usize::MAX;

/// A request: from its first store operation to its last.
#[derive(Clone, Debug)]
pub struct Event {
    pub client: usize,
    /// Which of the client's requests it is.
    pub number: usize,
    pub ask: Rc<Ask>,
    pub told: Told,
    pub start: usize,
    pub end: usize,
    /// How many store operations it made.
    pub operations: usize,
    /// Whether reads may have been late for it.
    pub reads_late: bool,
}

/// The requests of a run, in the order of their starts.
#[derive(Clone, Debug, Default)]
pub struct History {
    pub events: Vec<Rc<Event>>,
    /// Names the set of requests that ended.
    ended: u64,
    fingerprint: u64,
}

impl History {
    /// The most store operations that one request made.
    pub fn most_operations(&self) -> usize {
        let operations = self.events.iter().map(|event| event.operations);
        operations.max().unwrap_or(0)
    }

    /// Notes that a request starts, and answers its index.
    pub fn start(&mut self, client: usize, number: usize, ask: Rc<Ask>, now: usize) -> usize {
        self.fingerprint ^= hash(&(client, number, self.ended));
        self.events.push(Rc::new(Event {
            client,
            number,
            ask,
            told: Told::Unknown,
            start: now,
            end: OPEN,
            operations: 0,
            reads_late: false,
        }));
        self.events.len() - 1
    }

    /// Notes the answer. A request that may still take effect does not end.
    pub fn end(&mut self, index: usize, told: Told, now: usize) {
        let event = self.event(index);
        let name = (event.client, event.number);
        if told != Told::Unknown {
            event.end = now;
            self.ended ^= hash(&name);
            self.fingerprint ^= hash(&(name, &told));
        }
        let event = self.event(index);
        event.told = told;
    }

    /// A request that is under way.
    pub fn event(&mut self, index: usize) -> &mut Event {
        Rc::make_mut(&mut self.events[index])
    }

    /// Notes that no request is under way: a request without effect so far never has one.
    pub fn settle(&mut self, now: usize) {
        for event in &mut self.events {
            if event.end > now {
                Rc::make_mut(event).end = now;
            }
        }
    }

    /// Takes creates with a key for creates without one: their keys are free again.
    pub fn forget_keys(&mut self) {
        for event in &mut self.events {
            if let Ask::CreateOnce(_, profile) = &*event.ask {
                let create = Rc::new(Ask::Create(profile.clone()));
                Rc::make_mut(event).ask = create;
            }
        }
    }

    /// Leaves out what concerns only users who are gone, as if they had never been; but those
    /// who were created with a key leave that.
    pub fn forget_the_gone(&mut self) {
        let deleted = |event: &Rc<Event>| match (event.ask.plain(), &event.told) {
            (Ask::Delete(id, _), Told::Status(204)) => Some(*id),
            _ => None,
        };
        let keyed = |event: &Rc<Event>| match (&*event.ask, &event.told) {
            (Ask::CreateOnce(..), Told::User(_, seen)) => Some(seen.id),
            _ => None,
        };
        let keyed: BTreeSet<u64> = self.events.iter().filter_map(keyed).collect();
        let gone = self.events.iter().filter_map(deleted);
        let gone: BTreeSet<u64> = gone.filter(|id| !keyed.contains(id)).collect();
        self.events
            .retain(|event| match (event.ask.plain(), &event.told) {
                (Ask::Create(_), Told::User(_, seen)) => !gone.contains(&seen.id),
                (Ask::Delete(id, _), _) => !gone.contains(id),
                _ => true,
            });
    }

    /// The requests without an answer, except those that are [repeatable](History::repeatable).
    pub fn unknown(&self) -> Vec<Rc<Ask>> {
        let unknown = self.events.iter().filter(|event| {
            event.told == Told::Unknown && !matches!(*event.ask, Ask::CreateOnce(..))
        });
        unknown.map(|event| event.ask.clone()).collect()
    }

    /// The requests with a key, each once.
    pub fn repeatable(&self) -> Vec<Rc<Ask>> {
        let mut asks: Vec<Rc<Ask>> = Vec::new();
        for event in &self.events {
            if matches!(*event.ask, Ask::CreateOnce(..)) && !asks.contains(&event.ask) {
                asks.push(event.ask.clone());
            }
        }
        asks
    }

    /// Names everything that clients know, in the order in which they could observe it.
    pub fn fingerprint(&self) -> u64 {
        self.fingerprint
    }

    /// Fails if no order of the requests, each taking effect at one instant
    /// between its start and its end, explains the answers.
    pub fn check(&self) -> Result<(), String> {
        self.check_under(Conditions::default())
    }

    /// Fails likewise, if the answer is promised under these conditions.
    pub fn check_under(&self, conditions: Conditions) -> Result<(), String> {
        let mut calls = Vec::new();
        let ids = self.ids();
        let promised = self.events.iter().filter(|event| !conditions.exempt(event));
        let promised: Vec<&Event> = promised.map(|event| &**event).collect();
        let tags: BTreeSet<&String> = promised.iter().filter_map(|event| event.tag()).collect();
        for event in &promised {
            let late = conditions.late_reads;
            let understood = late.then(|| self.understood(event, &tags));
            let event = understood.as_ref().unwrap_or(event);
            let mut call = |call| {
                calls.push(Interval {
                    call,
                    start: event.start,
                    end: event.end,
                })
            };
            if event.told == Told::InProgress {
                match self.is_in_progress(event) {
                    true => continue,
                    false => return Err(format!("nothing is in progress: {event}\n{self}")),
                }
            }
            if let Some(stretch) = Stretch::of(&event.ask, &event.told) {
                self.check_search(event, &stretch)?;
                if self.overlaps(event) {
                    self.found(event, &stretch, &ids)
                        .into_iter()
                        .for_each(&mut call);
                } else {
                    call(Call::Asked(event.ask.clone(), event.told.clone()));
                }
                continue;
            }
            if let (Ask::DeleteMany(ids), told) = (&*event.ask, &event.told) {
                let told = match told {
                    Told::Each(results) => results.clone(),
                    _ => ids.iter().map(|id| (*id, Told::Unknown)).collect(),
                };
                for (id, told) in told {
                    let is_open = told == Told::Unknown;
                    let mut part = event.part(Ask::Delete(id, None), told);
                    // One that failed may still take effect.
                    if is_open {
                        part.end = OPEN;
                    }
                    calls.push(part);
                }
                continue;
            }
            if let Ask::Group(ask) = &*event.ask
                && let GroupAsk::Change(group, _) | GroupAsk::Set(group, _) = ask
            {
                for (one, told) in self.members_changed(event) {
                    calls.push(event.part(Ask::Group(one), told));
                }
                if event.told == Told::Status(404) {
                    calls.push(
                        event.part(Ask::Group(GroupAsk::Members(*group)), event.told.clone()),
                    );
                }
                if event.told == Told::Status(400) && !event.reads_late {
                    calls.push(Interval {
                        call: Call::Missing(ask.joining(*group)),
                        start: event.start,
                        end: event.end,
                    });
                }
                continue;
            }
            let is_late = conditions.late_reads && event.reads_late;
            if let Ask::Upsert("external_id", _) = &*event.ask
                && (is_late || self.overlaps(event))
            {
                call(Call::Upserted(event.ask.clone(), event.told.clone()));
                continue;
            }
            // Read one by one: only alone the answer is of one moment.
            if let Ask::Group(ask) = &*event.ask
                && ask.reads_several()
                && self.overlaps(event)
            {
                self.groups_found(event, ask)
                    .into_iter()
                    .for_each(&mut call);
                continue;
            }
            let Told::Users { users, next, .. } = &event.told else {
                if !(event.ask.reads() && event.told == Told::Unknown) {
                    call(Call::Asked(event.ask.clone(), event.told.clone()));
                }
                continue;
            };
            let &Ask::List { after, limit } = &*event.ask else {
                call(Call::Asked(event.ask.clone(), event.told.clone()));
                continue;
            };
            let ascending = users.windows(2).all(|pair| pair[0].id < pair[1].id);
            let within = users.iter().all(|seen| seen.id > after) && users.len() <= limit;
            let forward = next.is_none_or(|next| next > after);
            if !ascending || !within || !forward {
                return Err(format!("this is no page: {event}\n{self}"));
            }
            if !self.overlaps(event) && conditions.counts_and_finds() {
                call(Call::Asked(event.ask.clone(), event.told.clone()));
                continue;
            }
            // A page is read user by user: each must have been so at some moment of it.
            for seen in users {
                call(Call::Listed(seen.clone()));
            }
            for id in ids.range(after + 1..=next.unwrap_or(u64::MAX)) {
                if !users.iter().any(|seen| seen.id == *id) {
                    call(Call::LeftOut(*id));
                }
            }
        }
        let created = self.events.iter().filter_map(|event| match &event.told {
            Told::User(201, seen) => Some(seen.id),
            Told::Upserted(Outcome::Created, id) => Some(*id),
            _ => None,
        });
        let created: BTreeSet<u64> = created.collect();
        let nameless: Vec<u64> = ids.difference(&created).copied().collect();
        linearizability::check(&calls, &nameless).map_err(|stuck| {
            format!("no order of the requests explains the answers; {stuck}\n{self}")
        })
    }

    /// Fails if no search may ever be answered so.
    fn check_search(&self, event: &Event, stretch: &Stretch) -> Result<(), String> {
        let (Told::Found { users, .. }, Ask::Search { limit, .. }) = (&event.told, &*event.ask)
        else {
            return Ok(());
        };
        let position = |seen: &Seen| stretch.by.position(&seen.traits(), seen.id);
        let mut positions: Vec<_> = users.iter().filter_map(position).collect();
        if stretch.by.is_backwards() {
            positions.reverse();
        }
        let ascending = positions.windows(2).all(|pair| pair[0] < pair[1]);
        let here = positions.iter().filter(|position| stretch.has(position));
        let within = here.count() == users.len();
        let forward = stretch.to.as_ref().is_none_or(|to| *to >= stretch.from);
        match ascending && within && forward && users.len() <= *limit {
            true => Ok(()),
            false => Err(format!("this is no page of a search: {event}\n{self}")),
        }
    }

    /// The parts of a change of a group's members.
    fn members_changed(&self, event: &Event) -> Vec<(GroupAsk, Told)> {
        // Where it fails, some may have come and gone all the same.
        let told = match event.told {
            Told::Status(204) => Told::Status(204),
            _ => Told::Unknown,
        };
        match &*event.ask {
            Ask::Group(GroupAsk::Change(group, users)) => {
                let parts = users.iter().map(|(user, comes)| match comes {
                    true => GroupAsk::Join(*group, *user),
                    false => GroupAsk::Leave(*group, *user),
                });
                parts.map(|one| (one, told.clone())).collect()
            }
            Ask::Group(GroupAsk::Set(group, users)) => {
                let joined = users.iter().map(|user| GroupAsk::Join(*group, *user));
                let joined = joined.map(|one| (one, told.clone()));
                let joining = |event: &Rc<Event>| match &*event.ask {
                    Ask::Group(ask) => ask.joining(*group),
                    _ => Vec::new(),
                };
                let all: BTreeSet<u64> = self.events.iter().flat_map(joining).collect();
                // The members are read, and then sent away: not those who come meanwhile.
                let beside: Vec<u64> = self.overlapping(event).flat_map(joining).collect();
                let others = all.into_iter().filter(|user| !users.contains(user));
                let left = others.map(|user| {
                    let is_open = event.reads_late || beside.contains(&user);
                    let told = if is_open { Told::Unknown } else { told.clone() };
                    (GroupAsk::Leave(*group, user), told)
                });
                joined.chain(left).collect()
            }
            _ => Vec::new(),
        }
    }

    /// What a search tells that was made while others wrote. Leaves are read one
    /// after another, and their users' records: each user found was so at some
    /// moment of it. Who was not found was not to be found at some moment, unless
    /// it got another position meanwhile.
    fn found(&self, event: &Event, stretch: &Stretch, ids: &BTreeSet<u64>) -> Vec<Call> {
        let Told::Found { users, .. } = &event.told else {
            return Vec::new();
        };
        let found = users.iter().map(|seen| Call::Listed(seen.clone()));
        let others = ids
            .iter()
            .filter(|id| !users.iter().any(|seen| seen.id == **id));
        let others = others.filter(|id| !self.moves(**id, event, &stretch.by));
        let others = others.map(|id| Call::NotFound(*id, stretch.clone()));
        found.chain(others).collect()
    }

    /// The same for a search for groups.
    fn groups_found(&self, event: &Event, ask: &GroupAsk) -> Vec<Call> {
        let (Told::Ids(found), Some(start)) = (&event.told, ask.searched()) else {
            return Vec::new();
        };
        let renamed = |id: u64| {
            let mut others = self.overlapping(event);
            others.any(
                |other| matches!(*other.ask, Ask::Group(GroupAsk::Rename(group, _)) if group == id),
            )
        };
        let made = |event: &&Rc<Event>| matches!(*event.ask, Ask::Group(GroupAsk::Create(_)));
        let made = self.events.iter().filter(made).count() as u64;
        let ids = (1..=made.min(GROUPS)).filter(|id| found.contains(id) || !renamed(*id));
        let calls = ids.map(|id| Call::GroupFound(id, start, found.contains(&id)));
        calls.collect()
    }

    /// Whether a user may have got another position while a search went on.
    fn moves(&self, id: u64, event: &Event, by: &By) -> bool {
        let mut others = self.events.iter();
        others.any(|other| {
            let moves = match other.ask.plain() {
                Ask::Put(user, ..) => *user == id,
                Ask::Patch(user, patch, _) => *user == id && by.is_touched_by(patch),
                // Of whom, is not known before it ends.
                Ask::Upsert(_, patch) => by.is_touched_by(patch),
                _ => false,
            };
            moves && other.start <= event.end && event.start <= other.end
        })
    }

    /// What an event tells where reads may be late.
    ///
    /// - A change that was made to a version which no answer with a promise shows counts as one
    ///   without a condition. Late reads may have shown the version before.
    /// - A group whose record was read late may be gone: then its member was made or not.
    fn understood(&self, event: &Event, tags: &BTreeSet<&String>) -> Event {
        let mut event = event.clone();
        let is_made = matches!(event.told, Told::User(..) | Told::Status(204));
        let group = match *event.ask {
            Ask::Group(
                GroupAsk::Join(group, _)
                | GroupAsk::Leave(group, _)
                | GroupAsk::Change(group, _)
                | GroupAsk::Set(group, _),
            ) => Some(group),
            _ => None,
        };
        let removes = |other: &Rc<Event>| {
            let is_early = other.start <= event.end;
            is_early && group.is_some_and(|id| *other.ask == Ask::Group(GroupAsk::Remove(id)))
        };
        if event.reads_late && self.events.iter().any(removes) {
            event.told = Told::Unknown;
        }
        let ask = match Rc::make_mut(&mut event.ask) {
            Ask::Scim(ask) => &mut **ask,
            ask => ask,
        };
        if let Ask::Put(.., condition) | Ask::Patch(.., condition) | Ask::Delete(_, condition) = ask
            && is_made
            && condition.as_ref().is_some_and(|tag| !tags.contains(tag))
        {
            *condition = None;
        }
        event
    }

    fn overlaps(&self, event: &Event) -> bool {
        self.overlapping(event).next().is_some()
    }

    /// Whether there is another request with the key, or one that died, when this one runs.
    fn is_in_progress(&self, event: &Event) -> bool {
        let Ask::CreateOnce(key, _) = *event.ask else {
            return false;
        };
        self.overlapping(event)
            .any(|other| matches!(*other.ask, Ask::CreateOnce(others, _) if others == key))
    }

    /// The other requests that run when this one does.
    fn overlapping(&self, event: &Event) -> impl Iterator<Item = &Rc<Event>> {
        self.events.iter().filter(move |other| {
            let same = (other.client, other.number) == (event.client, event.number);
            !same && other.start <= event.end && event.start <= other.end
        })
    }

    /// The ids that named a user as far as somebody knows, and those that may have.
    fn ids(&self) -> BTreeSet<u64> {
        let mut ids = BTreeSet::new();
        for event in &self.events {
            match (&event.told, event.ask.plain()) {
                (Told::User(_, seen) | Told::Replayed(seen), _) => ids.extend([seen.id]),
                (Told::Upserted(_, id), _) => ids.extend([*id]),
                (Told::Each(_) | Told::Unknown, Ask::DeleteMany(deleted)) => ids.extend(deleted),
                (Told::Users { users, .. } | Told::Found { users, .. }, _) => {
                    ids.extend(users.iter().map(|seen| seen.id))
                }
                (Told::Status(204 | 412) | Told::Unknown, Ask::Delete(id, _))
                | (Told::Status(412) | Told::Unknown, Ask::Put(id, ..) | Ask::Patch(id, ..)) => {
                    ids.extend([*id])
                }
                _ => {}
            }
        }
        ids
    }
}

impl Event {
    /// A part of the request, with its answer.
    fn part(&self, ask: Ask, told: Told) -> Interval {
        Interval {
            call: Call::Asked(ask.into(), told),
            start: self.start,
            end: self.end,
        }
    }

    /// The tag of the version that the answer shows.
    fn tag(&self) -> Option<&String> {
        match &self.told {
            Told::User(_, seen) | Told::Replayed(seen) => seen.tag.as_ref(),
            _ => None,
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = match self.end {
            OPEN => String::new(),
            end => end.to_string(),
        };
        let (client, ask, told) = (self.client, &self.ask, &self.told);
        write!(f, "{}..{end}: client {client} {ask} → {told}", self.start)
    }
}

/// One line for each request.
impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.events
            .iter()
            .try_for_each(|event| writeln!(f, "  {event}"))
    }
}
