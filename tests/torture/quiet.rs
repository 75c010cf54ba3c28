//! The end of a run: the service was started once more and left alone. One
//! client, one request after the other, looks at everything and uses everything.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use crate::groups::{GroupAsk, NAMES};
use crate::history::{Ask, Marker, Record, Sought, Told, Write};
use crate::load::{ADDRESSES, Session, Stage};

/// How soon an email or a user that a dead request left behind can be used again.
const FREE: Duration = Duration::from_secs(60);

/// How soon the count of users is exact after a crash: once the creates that died
/// are given up for dead, which is after 60 s, and somebody has looked.
const COUNTED: Duration = Duration::from_secs(100);

/// The most users that a page can have.
const LARGE: u64 = 1000;

/// How long it took until the service had recovered.
pub struct Recovery {
    pub usable: Duration,
    /// `None` if the count of users was still wrong when the patience ended.
    pub counted: Option<Duration>,
}

/// What is known of those who are there, or were.
#[derive(Default)]
pub struct Traces {
    users: BTreeSet<u64>,
    groups: BTreeSet<u64>,
    /// What they had last, so far as anybody saw it: their names, and their attributes.
    names: BTreeMap<u64, Marker>,
    values: BTreeMap<u64, Marker>,
}

impl Traces {
    pub fn of(records: &[Record]) -> Traces {
        let mut traces = Traces::default();
        for record in records {
            for seen in record.told.seen() {
                traces.users.insert(seen.id);
                traces.names.insert(seen.id, seen.state.name);
                traces.values.insert(seen.id, seen.state.a);
            }
            if let (Ask::Group(GroupAsk::Create(_) | GroupAsk::Of(_)), Told::Ids(groups)) =
                (&record.ask, &record.told)
            {
                traces.groups.extend(groups);
            }
        }
        traces
    }
}

/// Looks at every user of `traces` and all others, at every email and every group, by every side,
/// changes every user, takes every email and every name of a group.
pub fn inspect(stage: &Stage, client: usize, traces: &Traces) -> (Vec<Record>, Recovery) {
    let mut session = Session::alone(stage, client);
    session.walk(5);
    let counted = session.wait_for_count();
    for id in &traces.users {
        session.ask(Ask::Get(*id));
    }
    // Also what nobody has any more.
    for marker in traces.names.values() {
        session.ask(Ask::Search(Sought::Word(*marker)));
    }
    for marker in traces.values.values() {
        session.ask(Ask::Search(Sought::A(*marker)));
    }
    session.look_at_groups(traces);
    for address in 0..ADDRESSES {
        session.ask(Ask::Find(address));
    }
    let began = Instant::now();
    for id in session.users().0 {
        session.until_answered(|session| {
            session.ask(Ask::Patch {
                id,
                if_match: None,
                write: Write {
                    name: true,
                    ..Write::nothing(session.new_marker())
                },
            })
        });
    }
    for address in 0..ADDRESSES {
        session.take(address);
        session.free(address);
        session.take(address);
        session.ask(Ask::Find(address));
    }
    session.change_groups();
    let usable = began.elapsed();
    session.look_at_groups(traces);
    session.walk(5);
    session.users();
    (session.records, Recovery { usable, counted })
}

impl Session<'_> {
    /// The members of each group, and the groups of each user.
    fn look_at_groups(&mut self, traces: &Traces) {
        for group in &traces.groups {
            self.ask(Ask::Group(GroupAsk::Members(*group)));
        }
        for user in &traces.users {
            self.ask(Ask::Group(GroupAsk::Of(*user)));
        }
    }

    /// Has a group for each name, and each user in all of them.
    fn change_groups(&mut self) {
        for name in 0..NAMES {
            let mut group = None;
            self.until_answered(|session| {
                let created = session.ask(Ask::Group(GroupAsk::Create(name)))?;
                let told = match created.status() {
                    Some(409) => session.ask(Ask::Group(GroupAsk::Find(name)))?,
                    _ => created,
                };
                if let Told::Ids(ids) = &told {
                    group = ids.first().copied();
                }
                // Refused without a holder: it will be free soon.
                group.map(|_| told)
            });
            let Some(group) = group else { continue };
            for user in self.users().0 {
                self.until_answered(|session| session.ask(Ask::Group(GroupAsk::Join(group, user))));
            }
            self.ask(Ask::Group(GroupAsk::Members(group)));
        }
        for user in self.users().0 {
            self.ask(Ask::Group(GroupAsk::Of(user)));
        }
    }

    /// The ids of all users, and how many the service says there are.
    fn users(&mut self) -> (Vec<u64>, u64) {
        let before = self.records.len();
        let Some(Told::Users { total, .. }) = self.walk(LARGE) else {
            return (Vec::new(), u64::MAX);
        };
        let pages = self.records[before..].iter();
        let users = pages.flat_map(|page| page.told.seen());
        (users.map(|seen| seen.id).collect(), total)
    }

    /// Waits until the count of users is exact, and answers how long it was not.
    fn wait_for_count(&mut self) -> Option<Duration> {
        let began = Instant::now();
        let mut waited = Duration::ZERO;
        while waited < COUNTED {
            let (users, total) = self.users();
            if users.len() as u64 == total {
                return Some(waited);
            }
            std::thread::sleep(Duration::from_millis(200));
            waited = began.elapsed();
        }
        None
    }

    /// Creates a user with an email, unless somebody is shown to have it.
    fn take(&mut self, address: usize) {
        self.until_answered(|session| {
            let found = session.ask(Ask::Find(address))?;
            let write = Write::all(session.new_marker(), Some(address));
            let created = session.ask(Ask::Create(write))?;
            match (created.status(), found.seen()) {
                // Refused without a holder: something is stuck, or will be freed soon.
                (Some(409), []) => None,
                _ => Some(created),
            }
        });
    }

    /// Takes an email away from whoever has it.
    fn free(&mut self, address: usize) {
        self.until_answered(|session| {
            let found = session.ask(Ask::Find(address))?;
            let Some(seen) = found.seen().first() else {
                return Some(found);
            };
            session.ask(Ask::Patch {
                id: seen.id,
                if_match: None,
                write: Write {
                    email: Some(None),
                    a: true,
                    ..Write::nothing(session.new_marker())
                },
            })
        });
    }

    /// Repeats a step while it fails in a way that may pass.
    fn until_answered(&mut self, mut step: impl FnMut(&mut Self) -> Option<Told>) {
        let began = Instant::now();
        while step(self).is_none_or(|told| told.is_unknown()) && began.elapsed() < FREE {
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}
