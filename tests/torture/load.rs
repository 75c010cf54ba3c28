//! The clients: each asks for something at random, over a few users and emails
//! that all of them contend for.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::groups::{GroupAsk, NAMES};
use crate::history::{Ask, Email, Record, Seen, Sought, Tag, Told, Write};
use crate::random::Random;
use crate::wire::{Failure, Wire};

/// How many emails there are to contend for.
pub const ADDRESSES: usize = 6;

/// With how many users the clients stop creating others.
const MAX_USERS: usize = 12;

/// How many users that are gone the clients remember, to ask for them again.
const MAX_GONE: usize = 20;

/// The first marker. It is longer than the numbers in emails and usernames, so that no search for the
/// one finds the others.
const FIRST_MARKER: u64 = 1000;

/// How long a client waits before it sends a request again that was not answered.
const RETRY_INTERVAL: Duration = Duration::from_millis(10);

/// How long a client waits after the service said that it failed.
const FAILURE_INTERVAL: Duration = Duration::from_millis(50);

/// The data that all clients share.
pub struct Stage {
    pub url: String,
    pub began: Instant,
    pub stop: AtomicBool,
    pub answered: AtomicU64,
    marker: AtomicU64,
    walk: AtomicU64,
    known: Mutex<Known>,
}

/// What the clients have read of the users. It may be out of date: that makes
/// preconditions fail, and requests for users that are gone.
#[derive(Default)]
struct Known {
    live: BTreeMap<u64, (Seen, Option<Tag>)>,
    gone: VecDeque<u64>,
    /// Groups, likewise.
    groups: BTreeSet<u64>,
}

/// What a client is about to do. The request is made of it each time it is sent,
/// for no two may have the same marker.
#[derive(Clone)]
enum Plan {
    Create(Option<usize>),
    Put(Target, Option<usize>),
    Patch(Target, Members),
    Delete(Target),
    Get(u64),
    Find(usize),
    Walk,
    Search(Sought),
    Group(GroupAsk),
}

/// A user, and the version at which it is to be changed.
#[derive(Clone)]
struct Target {
    seen: Seen,
    if_match: Option<Tag>,
}

/// The change of a patch.
#[derive(Clone, Copy)]
enum Members {
    Name,
    A,
    B,
    Email(Option<usize>),
}

impl Stage {
    pub fn new(url: String) -> Stage {
        Stage {
            url,
            began: Instant::now(),
            stop: AtomicBool::new(false),
            answered: AtomicU64::new(0),
            marker: AtomicU64::new(FIRST_MARKER),
            walk: AtomicU64::new(1),
            known: Mutex::default(),
        }
    }

    pub fn now(&self) -> u64 {
        self.began.elapsed().as_nanos() as u64
    }

    pub fn new_marker(&self) -> u64 {
        self.marker.fetch_add(1, Ordering::Relaxed)
    }

    pub fn new_walk(&self) -> u64 {
        self.walk.fetch_add(1, Ordering::Relaxed)
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn learn(&self, ask: &Ask, told: &Told) {
        let mut known = self.known();
        let deleted = matches!(ask, Ask::Delete { .. }) && told.is_success();
        if let Some(id) = ask.id()
            && (deleted || told.status() == Some(404))
            && known.live.remove(&id).is_some()
        {
            known.gone.push_back(id);
            if known.gone.len() > MAX_GONE {
                known.gone.pop_front();
            }
        }
        match (ask, told) {
            (Ask::Group(GroupAsk::Create(_) | GroupAsk::Find(_)), Told::Ids(groups)) => {
                known.groups.extend(groups);
            }
            (Ask::Group(GroupAsk::Delete(group)), Told::Status(204 | 404))
            | (Ask::Group(GroupAsk::Members(group)), Told::Status(404)) => {
                known.groups.remove(group);
            }
            _ => {}
        }
        for seen in told.seen() {
            if known.gone.contains(&seen.id) {
                continue;
            }
            let entry = known.live.entry(seen.id);
            let (last, last_tag) = entry.or_insert_with(|| (seen.clone(), None));
            *last = seen.clone();
            if let Told::User { tag, .. } = told {
                *last_tag = tag.clone();
            }
        }
    }
}

impl Known {
    fn plan(&self, random: &mut Random) -> Plan {
        let address = |random: &mut Random| {
            let address = random.below(ADDRESSES as u64) as usize;
            (!random.percent(15)).then_some(address)
        };
        let choice = random.below(100);
        if self.live.len() < 3 || choice < 14 && self.live.len() < MAX_USERS {
            return Plan::Create(address(random));
        }
        if random.percent(25) {
            return self.plan_more(random);
        }
        let mut target = |conditional: u64| {
            // The oldest ones more often, so that many meet at the same user.
            let few = if random.percent(50) {
                2
            } else {
                self.live.len() as u64
            };
            let at = random.below(few) as usize;
            let (seen, tag) = self.live.values().nth(at).expect("it is below the length");
            Target {
                seen: seen.clone(),
                if_match: tag.clone().filter(|_| random.percent(conditional)),
            }
        };
        match choice {
            // The room that other plans leave grows smaller the more users there are.
            0..14 => Plan::Delete(target(30)),
            14..26 => {
                let target = target(80);
                Plan::Put(target, address(random))
            }
            26..36 => Plan::Patch(target(30), Members::Name),
            36..44 => Plan::Patch(target(20), Members::A),
            44..52 => Plan::Patch(target(20), Members::B),
            52..62 => {
                let target = target(30);
                Plan::Patch(target, Members::Email(address(random)))
            }
            62..68 => Plan::Delete(target(40)),
            68..80 => Plan::Get(target(0).seen.id),
            80..90 => Plan::Find(random.below(ADDRESSES as u64) as usize),
            90..97 => Plan::Walk,
            _ => match self.gone.len() as u64 {
                0 => Plan::Walk,
                gone => Plan::Get(self.gone[random.below(gone) as usize]),
            },
        }
    }
}

impl Known {
    /// A search, or something about groups.
    fn plan_more(&self, random: &mut Random) -> Plan {
        let any = |random: &mut Random, ids: usize| random.below(ids as u64) as usize;
        let at = any(random, self.live.len());
        let (user, (seen, _)) = self.live.iter().nth(at).expect("it is below the length");
        let gone = self.gone.get(any(random, MAX_GONE));
        let choice = random.below(100);
        let name = any(random, NAMES);
        let group = match self.groups.len() {
            0 => return Plan::Group(GroupAsk::Create(name)),
            groups => self.groups.iter().nth(any(random, groups)),
        };
        let group = *group.expect("it is below the length");
        match choice {
            0..10 => Plan::Search(Sought::Word(seen.state.name)),
            10..20 => Plan::Search(Sought::A(seen.state.a)),
            20..26 => Plan::Group(GroupAsk::Create(name)),
            26..29 => Plan::Group(GroupAsk::Delete(group)),
            29..32 => Plan::Group(GroupAsk::Find(name)),
            32..55 => Plan::Group(GroupAsk::Join(group, *user)),
            55..70 => Plan::Group(GroupAsk::Leave(group, *user)),
            70..82 => Plan::Group(GroupAsk::Members(group)),
            82..95 => Plan::Group(GroupAsk::Of(*user)),
            // Of users that may be gone.
            95..97 => Plan::Group(GroupAsk::Join(group, *gone.unwrap_or(user))),
            _ => Plan::Group(GroupAsk::Of(*gone.unwrap_or(user))),
        }
    }
}

/// Asks until it is told to stop, and answers the records.
pub fn run(stage: &Stage, client: usize, mut random: Random) -> Vec<Record> {
    let mut session = Session::new(stage, client);
    while !stage.stop.load(Ordering::Relaxed) {
        let plan = stage.known().plan(&mut random);
        // Twice at the most: what was lost is asked for again, as a client would.
        for _ in 0..2 {
            if session.carry_out(&plan, &mut random).is_some() {
                break;
            }
        }
    }
    session.records
}

/// One client's requests, one after the other.
pub struct Session<'a> {
    stage: &'a Stage,
    client: usize,
    wire: Wire,
    /// Whether nobody kills the host: then there must be a connection.
    alone: bool,
    pub records: Vec<Record>,
}

impl Session<'_> {
    pub fn new(stage: &Stage, client: usize) -> Session<'_> {
        Session {
            stage,
            client,
            wire: Wire::to(&stage.url),
            alone: false,
            records: Vec::new(),
        }
    }

    /// A client that is left alone with the service.
    pub fn alone(stage: &Stage, client: usize) -> Session<'_> {
        Session {
            alone: true,
            ..Session::new(stage, client)
        }
    }

    pub fn new_marker(&self) -> u64 {
        self.stage.new_marker()
    }

    /// Sends a request until a connection takes it. `None` if the answer was lost,
    /// or if there was no connection until the end.
    pub fn ask(&mut self, ask: Ask) -> Option<Told> {
        loop {
            let start = self.stage.now();
            let told = match self.wire.send(&ask) {
                Ok(told) => told,
                Err(Failure::Lost) => Told::Lost,
                Err(Failure::NotSent) if self.alone => Told::Lost,
                Err(Failure::NotSent) if self.stage.stop.load(Ordering::Relaxed) => return None,
                Err(Failure::NotSent) => {
                    std::thread::sleep(RETRY_INTERVAL);
                    continue;
                }
            };
            let times = (start, self.stage.now());
            self.stage.answered.fetch_add(1, Ordering::Relaxed);
            self.stage.learn(&ask, &told);
            let lost = told == Told::Lost;
            let record = Record::new(self.client, times, ask, told.clone());
            self.records.push(record);
            if lost {
                std::thread::sleep(RETRY_INTERVAL);
                return None;
            }
            if told.is_unknown() {
                std::thread::sleep(FAILURE_INTERVAL);
            }
            return Some(told);
        }
    }

    fn carry_out(&mut self, plan: &Plan, random: &mut Random) -> Option<Told> {
        let marker = self.stage.new_marker();
        let ask = match plan.clone() {
            Plan::Create(address) => Ask::Create(Write::all(marker, address)),
            Plan::Put(Target { seen, if_match }, address) => Ask::Put {
                id: seen.id,
                made: seen.made,
                if_match,
                write: Write::all(marker, address),
            },
            Plan::Patch(Target { seen, if_match }, members) => Ask::Patch {
                id: seen.id,
                if_match,
                write: members.write(marker),
            },
            Plan::Delete(Target { seen, if_match }) => Ask::Delete {
                id: seen.id,
                if_match,
            },
            Plan::Get(id) => Ask::Get(id),
            Plan::Find(address) => Ask::Find(address),
            Plan::Search(sought) => Ask::Search(sought),
            Plan::Group(ask) => Ask::Group(ask),
            Plan::Walk => return self.walk(1 + random.below(5)),
        };
        self.ask(ask)
    }

    /// Walks through all pages, each of them asked for until it is answered.
    pub fn walk(&mut self, limit: u64) -> Option<Told> {
        let walk = self.stage.new_walk();
        let mut after = 0;
        loop {
            let page = self.ask(Ask::Page { walk, after, limit });
            match page {
                // A page that leads nowhere ends the walk, and is found by the checks.
                Some(Told::Users {
                    next: Some(next), ..
                }) if next > after => after = next,
                Some(Told::Status(502..=504) | Told::Contended) | None
                    if !self.stage.stop.load(Ordering::Relaxed) => {}
                last => return last,
            }
        }
    }
}

impl Members {
    fn write(self, marker: u64) -> Write {
        let nothing = Write::nothing(marker);
        match self {
            Members::Name => Write {
                name: true,
                ..nothing
            },
            Members::A => Write { a: true, ..nothing },
            Members::B => Write { b: true, ..nothing },
            Members::Email(Some(address)) => Write {
                email: Some(Some(Email {
                    address,
                    spelling: marker,
                })),
                ..nothing
            },
            // To take an email away leaves no marker: with another member it does, or a
            // version of the user could look like an earlier one.
            Members::Email(None) => Write {
                email: Some(None),
                a: true,
                ..nothing
            },
        }
    }
}
