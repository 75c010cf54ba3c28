//! The requests and answers, and their times.
//!
//! Every write puts a number of its own, its marker, into each member that it
//! writes. So whatever is read tells which requests made it, and no two versions
//! of a user are alike.

use std::collections::HashMap;
use std::fmt;

use crate::faults::Faults;
use crate::groups::GroupAsk;

/// Nanoseconds since the run began, on a clock that never goes back.
pub type Time = u64;

/// Names the write that a member's value is from.
pub type Marker = u64;

/// An entity tag, as the service gave it.
pub type Tag = String;

/// An email or a username: which of the contended addresses, as spelled by which write. Those of odd
/// numbers are usernames. A user has one of either kind, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Email {
    pub address: usize,
    pub spelling: Marker,
}

/// The members of a user at one version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct State {
    pub name: Marker,
    pub email: Option<Email>,
    /// The attributes that patches change one by one.
    pub a: Marker,
    pub b: Marker,
}

/// A user, as it was represented.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    pub id: u64,
    /// The attribute that names the create, which every write keeps.
    pub made: Marker,
    pub state: State,
    pub created_at: String,
}

/// The effect of a write on the members: `None` leaves a member as it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Write {
    pub marker: Marker,
    pub name: bool,
    pub email: Option<Option<Email>>,
    pub a: bool,
    pub b: bool,
}

impl Write {
    /// No member, to start from.
    pub fn nothing(marker: Marker) -> Write {
        Write {
            marker,
            name: false,
            email: None,
            a: false,
            b: false,
        }
    }

    /// Every member: for creates and replacements.
    pub fn all(marker: Marker, address: Option<usize>) -> Write {
        Write {
            marker,
            name: true,
            email: Some(address.map(|address| Email {
                address,
                spelling: marker,
            })),
            a: true,
            b: true,
        }
    }

    /// The state after this write.
    pub fn apply(&self, state: State) -> State {
        let or = |written: bool, before| if written { self.marker } else { before };
        State {
            name: or(self.name, state.name),
            email: self.email.unwrap_or(state.email),
            a: or(self.a, state.a),
            b: or(self.b, state.b),
        }
    }

    /// The state after a write of every member, for any state before.
    pub fn whole(&self) -> State {
        let nothing = State {
            name: 0,
            email: None,
            a: 0,
            b: 0,
        };
        self.apply(nothing)
    }
}

/// What users are searched by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Sought {
    /// A word of the name that begins with the digits of this marker.
    Word(Marker),
    /// The attribute a.
    A(Marker),
}

impl Sought {
    /// Whether a search finds a user in this state.
    pub fn finds(self, state: &State) -> bool {
        match self {
            Sought::Word(marker) => state.name.to_string().starts_with(&marker.to_string()),
            Sought::A(marker) => state.a == marker,
        }
    }
}

/// A request.
#[derive(Clone, Debug, PartialEq)]
pub enum Ask {
    Create(Write),
    Put {
        id: u64,
        made: Marker,
        if_match: Option<Tag>,
        write: Write,
    },
    Patch {
        id: u64,
        if_match: Option<Tag>,
        write: Write,
    },
    Delete {
        id: u64,
        if_match: Option<Tag>,
    },
    Get(u64),
    /// The lookup of an address.
    Find(usize),
    /// A page, as part of the walk of that number.
    Page {
        walk: u64,
        after: u64,
        limit: u64,
    },
    Search(Sought),
    Group(GroupAsk),
}

impl Ask {
    pub fn kind(&self) -> &'static str {
        match self {
            Ask::Create(_) => "create",
            Ask::Put { if_match: None, .. } => "put",
            Ask::Put { .. } => "put if-match",
            Ask::Patch { if_match: None, .. } => "patch",
            Ask::Patch { .. } => "patch if-match",
            Ask::Delete { if_match: None, .. } => "delete",
            Ask::Delete { .. } => "delete if-match",
            Ask::Get(_) => "get",
            Ask::Find(_) => "find",
            Ask::Page { .. } => "page",
            Ask::Search(Sought::Word(_)) => "search a word",
            Ask::Search(Sought::A(_)) => "search a value",
            Ask::Group(ask) => ask.kind(),
        }
    }

    /// The user that it is about, if it names one.
    pub fn id(&self) -> Option<u64> {
        match *self {
            Ask::Put { id, .. } | Ask::Patch { id, .. } | Ask::Delete { id, .. } => Some(id),
            Ask::Get(id) => Some(id),
            Ask::Create(_) | Ask::Find(_) | Ask::Page { .. } | Ask::Search(_) => None,
            // The user may be there or not, whatever is told of the group.
            Ask::Group(_) => None,
        }
    }

    pub fn if_match(&self) -> Option<&Tag> {
        match self {
            Ask::Put { if_match, .. }
            | Ask::Patch { if_match, .. }
            | Ask::Delete { if_match, .. } => if_match.as_ref(),
            _ => None,
        }
    }

    pub fn write(&self) -> Option<&Write> {
        match self {
            Ask::Create(write) | Ask::Put { write, .. } | Ask::Patch { write, .. } => Some(write),
            _ => None,
        }
    }

    /// The email that it would give a user.
    pub fn email(&self) -> Option<Email> {
        self.write()?.email?
    }

    /// Whether a user may lose an email by it.
    pub fn touches_email(&self) -> bool {
        matches!(self, Ask::Delete { .. }) || self.write().is_some_and(|w| w.email.is_some())
    }

    /// Whether it is meant to change anything.
    pub fn changes(&self) -> bool {
        let is_change_of_group = matches!(self, Ask::Group(ask) if ask.changes());
        self.write().is_some() || matches!(self, Ask::Delete { .. }) || is_change_of_group
    }
}

/// An answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    /// The connection was lost on the way. The request may have been carried out.
    Lost,
    /// A status, with nothing else that matters.
    Status(u16),
    /// 503, as others changed the same at the same time, too often.
    Contended,
    /// One user: 200 or 201.
    User {
        status: u16,
        /// Not in answers to PUT.
        tag: Option<Tag>,
        seen: Seen,
    },
    Users {
        users: Vec<Seen>,
        /// Where the next page starts.
        next: Option<u64>,
        total: u64,
    },
    /// 200, with all users that a search finds.
    Found(Vec<Seen>),
    /// 200 or 201, with groups, or with the users in one: their ids.
    Ids(Vec<u64>),
    /// Something that no request can have made.
    Garbled { status: u16, body: String },
}

impl Told {
    pub fn status(&self) -> Option<u16> {
        match *self {
            Told::Lost => None,
            Told::Contended => Some(503),
            Told::Status(status) | Told::User { status, .. } | Told::Garbled { status, .. } => {
                Some(status)
            }
            Told::Users { .. } | Told::Found(_) | Told::Ids(_) => Some(200),
        }
    }

    /// Whether a change was acknowledged.
    pub fn is_success(&self) -> bool {
        self.status()
            .is_some_and(|status| (200..300).contains(&status))
    }

    /// Whether it says nothing about the outcome. So does 503: the store may
    /// have made the change and failed to say so. 502 and 504 are the answers of a balancer
    /// that has lost the host.
    pub fn is_unknown(&self) -> bool {
        matches!(self.status(), None | Some(502..=504))
    }

    /// Every representation in it.
    pub fn seen(&self) -> &[Seen] {
        match self {
            Told::User { seen, .. } => std::slice::from_ref(seen),
            Told::Users { users, .. } | Told::Found(users) => users,
            _ => &[],
        }
    }
}

/// A request with its answer.
#[derive(Clone, Debug)]
pub struct Record {
    pub client: usize,
    pub start: Time,
    pub end: Time,
    /// From when on it can't take effect any more: the end, if it was answered by a host.
    pub settled: Time,
    pub ask: Ask,
    pub told: Told,
}

impl Record {
    pub fn new(client: usize, (start, end): (Time, Time), ask: Ask, told: Told) -> Record {
        Record {
            client,
            start,
            end,
            settled: end,
            ask,
            told,
        }
    }

    /// Whether it took effect, or may have.
    pub fn may_have_changed(&self) -> bool {
        self.ask.changes() && (self.told.is_success() || self.told.is_unknown())
    }
}

/// The records of a run, in the order of their starts.
pub struct History {
    pub records: Vec<Record>,
    /// When the service had been left alone: later requests come one by one.
    pub quiet_from: Time,
    /// What was away meanwhile.
    pub faults: Faults,
    /// The user that a create made, by the create's marker.
    pub made: HashMap<Marker, u64>,
    /// The states that were read with each entity tag.
    pub tags: HashMap<Tag, State>,
}

impl History {
    pub fn new(mut records: Vec<Record>, faults: Faults, quiet_from: Time) -> History {
        records.sort_by_key(|record| (record.start, record.end));
        let mut made = HashMap::new();
        let mut tags = HashMap::new();
        for record in &mut records {
            record.settled = faults.settled(record);
            for seen in record.told.seen() {
                made.entry(seen.made).or_insert(seen.id);
            }
            if let Told::User {
                tag: Some(tag),
                seen,
                ..
            } = &record.told
            {
                tags.entry(tag.clone()).or_insert(seen.state);
            }
        }
        History {
            records,
            quiet_from,
            faults,
            made,
            tags,
        }
    }

    /// The user that a request is about. That of an unanswered create is known if
    /// the user was ever seen.
    pub fn user(&self, record: &Record) -> Option<u64> {
        match (&record.ask, &record.told) {
            (Ask::Create(_), Told::User { seen, .. }) => Some(seen.id),
            (Ask::Create(write), _) => self.made.get(&write.marker).copied(),
            (ask, _) => ask.id(),
        }
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "e{}.{}", self.address, self.spelling)
    }
}

fn email(email: &Option<Email>) -> String {
    email.map_or("none".to_owned(), |email| email.to_string())
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let State { name, a, b, .. } = self;
        write!(
            f,
            "{{name {name}, email {}, a {a}, b {b}}}",
            email(&self.email)
        )
    }
}

impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut members = Vec::new();
        members.extend(self.name.then(|| "name".to_owned()));
        members.extend(self.email.map(|e| format!("email {}", email(&e))));
        members.extend(self.a.then(|| "a".to_owned()));
        members.extend(self.b.then(|| "b".to_owned()));
        write!(f, "{} ({})", self.marker, members.join(", "))
    }
}

impl fmt::Display for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind())?;
        match self {
            Ask::Create(write) => write!(f, " {write}")?,
            Ask::Put { id, write, .. } | Ask::Patch { id, write, .. } => {
                write!(f, " user {id} {write}")?;
            }
            Ask::Delete { id, .. } | Ask::Get(id) => write!(f, " user {id}")?,
            Ask::Find(address) => write!(f, " e{address}")?,
            Ask::Page { walk, after, limit } => {
                write!(f, " of walk {walk}, {limit} after {after}")?;
            }
            Ask::Search(Sought::Word(marker) | Sought::A(marker)) => write!(f, " {marker}")?,
            Ask::Group(ask) => ask.fmt(f)?,
        }
        match self.if_match() {
            Some(tag) => write!(f, " {tag}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Told::Lost => f.write_str("lost"),
            Told::Status(status) => write!(f, "{status}"),
            Told::Contended => write!(f, "503, contended"),
            Told::User { status, tag, seen } => {
                let tag = tag.as_deref().unwrap_or("without a tag");
                write!(f, "{status} user {} {tag} {}", seen.id, seen.state)
            }
            Told::Users { users, next, total } => {
                let users: Vec<String> = users
                    .iter()
                    .map(|seen| format!("{} {}", seen.id, seen.state))
                    .collect();
                let next = next.map_or("none".to_owned(), |next| next.to_string());
                write!(f, "[{}], next {next}, total {total}", users.join(", "))
            }
            Told::Found(users) => {
                let users = users.iter();
                let users = users.map(|seen| format!("{} {}", seen.id, seen.state));
                write!(f, "[{}]", users.collect::<Vec<_>>().join(", "))
            }
            Told::Ids(ids) => write!(f, "{ids:?}"),
            Told::Garbled { status, body } => write!(f, "{status}, garbled: {body:?}"),
        }
    }
}

/// One line, in milliseconds since the beginning.
impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [start, end] = [self.start, self.end].map(|time| time as f64 / 1e6);
        let Record {
            client, ask, told, ..
        } = self;
        write!(f, "{start:.3}..{end:.3}: client {client} {ask} → {told}")
    }
}
