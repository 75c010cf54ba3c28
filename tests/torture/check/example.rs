//! Histories made by hand, to see that each check finds its faults.

use super::Findings;
use crate::faults::{Away, Faults};
use crate::history::{Ask, Email, History, Record, Seen, Time, Told, Write};

/// The requests so far. Those without times come one after the other.
#[derive(Clone)]
pub struct Example {
    pub records: Vec<Record>,
    pub faults: Faults,
    quiet_from: Time,
    now: Time,
    marker: u64,
    id: u64,
    walk: u64,
}

/// The promises that a check finds broken.
pub fn broken(check: fn(&History, &mut Findings), example: Example) -> Vec<&'static str> {
    let history = History::new(example.records, example.faults, example.quiet_from);
    let mut findings = Findings::default();
    check(&history, &mut findings);
    let violations = findings.violations.iter();
    violations.map(|violation| violation.promise).collect()
}

impl Example {
    pub fn new() -> Example {
        Example {
            records: Vec::new(),
            faults: Faults {
                hosts: vec![Vec::new()],
                ..Faults::default()
            },
            quiet_from: Time::MAX,
            now: 0,
            marker: 0,
            id: 0,
            walk: 0,
        }
    }

    /// A kill of the host, which is at once back.
    pub fn kill(&mut self, at: Time) {
        self.faults.hosts[0].push(Away { from: at, to: at });
    }

    /// From now on there is one request at a time.
    pub fn be_quiet(&mut self) {
        self.quiet_from = self.now;
    }

    pub fn told(&mut self, ask: Ask, told: Told) {
        self.at(self.now + 1, self.now + 2, ask, told);
    }

    pub fn at(&mut self, start: Time, end: Time, ask: Ask, told: Told) {
        self.now = self.now.max(end + 1);
        self.records.push(Record::new(0, (start, end), ask, told));
    }

    pub fn tag(&self, seen: &Seen) -> String {
        format!("\"{}\"", seen.state)
    }

    pub fn ok(&self, seen: &Seen) -> Told {
        Told::User {
            status: 200,
            tag: Some(self.tag(seen)),
            seen: seen.clone(),
        }
    }

    pub fn users(&self, users: &[&Seen]) -> Told {
        Told::Users {
            users: users.iter().copied().cloned().collect(),
            next: None,
            total: users.len() as u64,
        }
    }

    pub fn creating(&mut self, address: Option<usize>) -> Ask {
        self.marker += 1;
        Ask::Create(Write::all(self.marker, address))
    }

    pub fn create(&mut self, address: Option<usize>) -> Seen {
        let ask = self.creating(address);
        self.id += 1;
        let write = ask.write().expect("a create writes");
        let seen = Seen {
            id: self.id,
            made: write.marker,
            state: write.whole(),
            created_at: "then".to_owned(),
        };
        let told = Told::User {
            status: 201,
            tag: Some(self.tag(&seen)),
            seen: seen.clone(),
        };
        self.told(ask, told);
        seen
    }

    fn patching(&mut self, user: &Seen, conditional: bool, change: impl Fn(&mut Write)) -> Ask {
        self.marker += 1;
        let mut write = Write::nothing(self.marker);
        change(&mut write);
        Ask::Patch {
            id: user.id,
            if_match: conditional.then(|| self.tag(user)),
            write,
        }
    }

    pub fn renaming(&mut self, user: &Seen, conditional: bool) -> Ask {
        self.patching(user, conditional, |write| write.name = true)
    }

    pub fn changing_a(&mut self, user: &Seen) -> Ask {
        self.patching(user, false, |write| write.a = true)
    }

    pub fn giving(&mut self, user: &Seen, address: usize) -> Ask {
        self.patching(user, false, |write| {
            let spelling = write.marker;
            write.email = Some(Some(Email { address, spelling }));
        })
    }

    /// The user after a patch.
    pub fn result(&self, user: &Seen, ask: &Ask) -> Seen {
        let write = ask.write().expect("a patch writes");
        Seen {
            state: write.apply(user.state),
            ..user.clone()
        }
    }

    pub fn rename(&mut self, user: &Seen, conditional: bool) -> Seen {
        let ask = self.renaming(user, conditional);
        self.succeed(user, ask)
    }

    pub fn give(&mut self, user: &Seen, address: usize) -> Seen {
        let ask = self.giving(user, address);
        self.succeed(user, ask)
    }

    fn succeed(&mut self, user: &Seen, ask: Ask) -> Seen {
        let seen = self.result(user, &ask);
        self.told(ask, self.ok(&seen));
        seen
    }

    pub fn delete(&self, user: &Seen, conditional: bool) -> Ask {
        Ask::Delete {
            id: user.id,
            if_match: conditional.then(|| self.tag(user)),
        }
    }

    pub fn read(&mut self, user: &Seen) {
        self.told(Ask::Get(user.id), self.ok(user));
    }

    pub fn find(&mut self, address: usize, users: &[&Seen]) {
        self.told(Ask::Find(address), self.users(users));
    }

    pub fn paging(&self) -> Ask {
        Ask::Page {
            walk: self.walk + 1,
            after: 0,
            limit: 1000,
        }
    }

    pub fn page(&mut self, users: &[&Seen]) {
        let ask = self.paging();
        self.told(ask, self.users(users));
        self.walk += 1;
    }
}
