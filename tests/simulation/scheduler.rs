//! The scheduler: runs the service for several clients in one thread, one store
//! operation at a time, in an order and with faults that are given from
//! outside. The same choices give the same run.

use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use edge_users::directory::Sizes;

use crate::automaton::{Automaton, Begin, Place};
use crate::backend::Backend;
use crate::choice::{Choice, Fate};
use crate::client::Moment;
use crate::conditions::{Conditions, SLOW_MILLIS};
use crate::history::{Event, History};
use crate::observer::Observer;
use crate::operation::{Answer, Operation};
use crate::request::{Action, Ask, By, Condition, Cursor, Told, Who};
use crate::store::{SimStore, hash};
use crate::violation::Violation;

/// The longest that a request takes: hosts end it then.
const TIME_LIMIT_MILLIS: i64 = 30_000;

/// How long a pause is: after that, a request that has not ended is taken for dead.
const PAUSE_MILLIS: i64 = 60_001;

/// No request makes so many store operations. Two changes of names make 5,100 or more: in leaves of two or three
/// ids, where each add splits a leaf, they remove each other's marks and try again, each of them 64 times.
const ENDLESS: usize = 10_000;

/// No client makes so many requests.
const ENDLESS_WALK: usize = 1000;

#[derive(Clone)]
struct Client {
    todo: VecDeque<Rc<Action>>,
    /// How many milliseconds the clock of its instance is ahead.
    skew: i64,
    /// How many random numbers its requests drew.
    drawn: u64,
    running: Option<Running>,
    /// An answer of the store that has yet to come.
    lingering: Option<Answer>,
    /// How many of its requests were started.
    requests: usize,
    mine: Option<u64>,
    /// Where its search goes on.
    cursor: Option<Cursor>,
    tags: Rc<BTreeMap<u64, String>>,
}

#[derive(Clone)]
struct Running {
    ask: Rc<Ask>,
    place: Place,
    /// In the history, once it has started.
    event: Option<usize>,
    operations: usize,
    /// The time at which it started.
    since: i64,
    /// The time at which it asked for the operation that waits.
    asked: i64,
    /// Whether the client has the response, and the service goes on.
    answered: bool,
}

/// A run. A clone of it goes on where this one is.
#[derive(Clone)]
pub struct Simulation {
    pub store: SimStore,
    pub history: History,
    clients: Vec<Client>,
    clock: usize,
    now: i64,
    late: VecDeque<Operation>,
    observer: Observer,
    automaton: Rc<Automaton>,
    pub conditions: Conditions,
    /// Whether an operation failed or an instance died.
    pub faulty: bool,
    /// The steps in words, if they are wanted.
    pub steps: Option<Vec<String>>,
}

impl Client {
    /// The next request of the program.
    fn next(&mut self) -> Option<Ask> {
        let action = Rc::unwrap_or_clone(self.todo.pop_front()?);
        Some(self.ask(action))
    }

    fn ask(&mut self, action: Action) -> Ask {
        let who = |who| match who {
            Who::Id(id) => id,
            Who::Mine => self.mine.unwrap_or(1),
        };
        let tag = |id, condition| match condition {
            Condition::Always => None,
            Condition::AsSeen => self.tags.get(&id).cloned(),
        };
        match action {
            Action::Create(profile) => Ask::Create(profile),
            Action::CreateOnce(key, profile) => Ask::CreateOnce(key, profile),
            Action::Get(user) => Ask::Get(who(user)),
            Action::Find(email) => Ask::Find(email),
            Action::FindUsername(name) => Ask::FindUsername(name),
            Action::Walk(after, limit) => Ask::List { after, limit },
            Action::Search(prefix, limit) => Ask::Search {
                by: By::Name(prefix),
                after: self.cursor.take(),
                limit,
            },
            Action::SearchWord(prefix, limit) => Ask::Search {
                by: By::Word(prefix),
                after: self.cursor.take(),
                limit,
            },
            Action::SearchExternalId(id, limit) => Ask::Search {
                by: By::ExternalId(id),
                after: self.cursor.take(),
                limit,
            },
            Action::SearchAttribute(value, limit) => Ask::Search {
                by: By::Attribute(value),
                after: self.cursor.take(),
                limit,
            },
            Action::Sorted(direction, limit) => Ask::Search {
                by: By::Nothing(direction),
                after: self.cursor.take(),
                limit,
            },
            Action::Updated(direction, limit) => Ask::Search {
                by: By::Updates(direction),
                after: self.cursor.take(),
                limit,
            },
            Action::Put(user, profile, condition) => {
                Ask::Put(who(user), profile, tag(who(user), condition))
            }
            Action::Patch(user, patch, condition) => {
                Ask::Patch(who(user), patch, tag(who(user), condition))
            }
            Action::Delete(user, condition) => Ask::Delete(who(user), tag(who(user), condition)),
            Action::Active(by, limit) => Ask::Search {
                by: By::Active(by.into()),
                after: self.cursor.take(),
                limit,
            },
            Action::DeleteMany(ids) => Ask::DeleteMany(ids),
            Action::Upsert(member, patch) => Ask::Upsert(member, patch),
            Action::Group(ask) => Ask::Group(ask),
            Action::Scim(action) => Ask::Scim(self.ask(*action).into()),
            Action::Ready => Ask::Ready,
        }
    }
}

impl Client {
    /// The operation that waits for its answer.
    fn operation(&self) -> Option<&Rc<Operation>> {
        self.running.as_ref()?.place.operation.as_ref()
    }
}

impl Simulation {
    /// A run on an empty store.
    pub fn new(backend: Backend, sizes: Sizes) -> Simulation {
        Simulation {
            store: SimStore::new(backend),
            history: History::default(),
            clients: Vec::new(),
            clock: 0,
            now: 1_800_000_000_000,
            late: VecDeque::new(),
            observer: Observer::default(),
            automaton: Rc::new(Automaton::new(sizes)),
            conditions: Conditions::default(),
            faulty: false,
            steps: None,
        }
    }

    /// Adds a client with its program, and the entity tags that it knows. Answers its number.
    pub fn join(&mut self, program: Vec<Action>, tags: BTreeMap<u64, String>) -> usize {
        let number = self.clients.len();
        self.clients.push(Client {
            todo: program.into_iter().map(Rc::new).collect(),
            skew: self.conditions.skew(number),
            drawn: 0,
            running: None,
            lingering: None,
            requests: 0,
            mine: None,
            cursor: None,
            tags: Rc::new(tags),
        });
        self.prepare(number).expect("a client can ask");
        number
    }

    /// Runs a client's requests alone, without faults.
    pub fn run_alone(&mut self, program: Vec<Action>) -> Result<BTreeMap<u64, String>, Violation> {
        let client = self.join(program, BTreeMap::new());
        self.finish_client(client)?;
        if let Some(event) = self.failed_alone(client) {
            return Err(Violation(format!("with nobody in its way: {event}")));
        }
        Ok(BTreeMap::clone(&self.clients[client].tags))
    }

    /// Runs a client until it is about to replace the record of a user, or has nothing to do.
    pub fn run_until_commit(&mut self, client: usize) -> Result<(), Violation> {
        while let Some(operation) = self.operation(client) {
            let swaps = matches!(**operation, Operation::Swap(..));
            if swaps && operation.key().starts_with("user/") {
                break;
            }
            self.step(Choice::Client(client, Fate::Happens))?;
        }
        Ok(())
    }

    /// Runs a client to the end of its program.
    pub fn finish_client(&mut self, client: usize) -> Result<(), Violation> {
        while self.is_waiting(client) {
            self.step(Choice::Client(client, Fate::Happens))?;
        }
        Ok(())
    }

    fn failed_alone(&self, client: usize) -> Option<&Event> {
        let mut events = self.history.events.iter().map(|event| &**event);
        events.find(|event| event.client == client && event.told == Told::Unknown)
    }

    /// Ends the part of a run in which clients meet: all that may happen late happens now, and
    /// nothing later. Time goes by.
    pub fn settle(&mut self, milliseconds: i64) -> Result<(), Violation> {
        while !self.late.is_empty() {
            self.step(Choice::Late)?;
        }
        self.clock += 1;
        self.history.settle(self.clock);
        self.clock += 1;
        self.now += milliseconds;
        Ok(())
    }

    /// The clients that have something to do.
    pub fn waiting(&self) -> impl Iterator<Item = usize> {
        (0..self.clients.len()).filter(|client| self.is_waiting(*client))
    }

    /// Whether the next operation of a client may change the store.
    pub fn writes(&self, client: usize) -> bool {
        let operation = self.operation(client);
        operation.is_some_and(|operation| operation.writes())
    }

    /// Whether the next operation of a client is a swap.
    pub fn swaps(&self, client: usize) -> bool {
        let operation = self.operation(client);
        matches!(
            operation.map(|operation| &**operation),
            Some(Operation::Swap(..))
        )
    }

    /// Whether the next operation of a client counts something up.
    pub fn increments(&self, client: usize) -> bool {
        let operation = self.operation(client);
        matches!(
            operation.map(|operation| &**operation),
            Some(Operation::Increment(..))
        )
    }

    /// The operations of the request that a client is in.
    pub fn patience(&self, client: usize) -> usize {
        let running = self.clients[client].running.as_ref();
        running.map_or(0, |running| running.operations)
    }

    /// Whether operations that failed have yet to happen.
    pub fn has_late(&self) -> bool {
        !self.late.is_empty()
    }

    /// Whether a pause does no harm.
    pub fn may_pause(&self) -> bool {
        self.may_pass(PAUSE_MILLIS)
    }

    /// Whether the store may be slow.
    pub fn may_be_slow(&self) -> bool {
        self.may_pass(SLOW_MILLIS)
    }

    /// Whether so many milliseconds may go by. They do harm to a create that is about to write its
    /// first record: the one lease of the protocol.
    fn may_pass(&self, milliseconds: i64) -> bool {
        let end = self.now + milliseconds;
        self.clients.iter().all(|client| {
            let first_write = client.operation().is_some_and(|operation| {
                matches!(**operation, Operation::Set(..)) && operation.key().starts_with("user/")
            });
            let asked = client.running.as_ref().map_or(end, |running| running.asked);
            !first_write || end - asked <= self.conditions.first_write_millis()
        })
    }

    /// Whether the next operation of a client is about a key that begins so.
    pub fn asks_for(&self, client: usize, start: &str) -> bool {
        let operation = self.operation(client);
        operation.is_some_and(|operation| operation.key().starts_with(start))
    }

    /// How many late answers there are to the next operation of a client.
    pub fn outdated(&self, client: usize) -> usize {
        match self.operation(client).map(|operation| &**operation) {
            Some(Operation::Get(key)) => self.store.past(key).len(),
            _ => 0,
        }
    }

    /// Whether a client has something to do.
    pub fn is_waiting(&self, client: usize) -> bool {
        self.clients[client].running.is_some()
    }

    /// A number for all that decides how the run may go on, and how it will be judged.
    pub fn fingerprint(&self) -> u64 {
        let clients = self.clients.iter().map(|client| {
            let running = client.running.as_ref();
            let lingers = client.lingering.is_some();
            running.map(|running| {
                let started = running.event.is_some();
                (client.requests, started, lingers, running.place.name)
            })
        });
        let clients: Vec<_> = clients.collect();
        hash(&(
            self.now,
            self.store.fingerprint(),
            self.history.fingerprint(),
            clients,
        ))
    }

    /// Takes a step.
    pub fn step(&mut self, choice: Choice) -> Result<(), Violation> {
        self.clock += 1;
        self.store.now = self.now;
        match choice {
            Choice::Client(client, fate) => self.step_of(client, fate),
            Choice::Crash => {
                self.note(|_| "the host dies".to_owned());
                let clients: Vec<_> = self.waiting().collect();
                clients.into_iter().try_for_each(|client| self.die(client))
            }
            Choice::Time(milliseconds) => {
                self.now += milliseconds;
                self.note(|_| format!("{milliseconds} ms go by"));
                let now = self.now;
                let slow = self.clients.iter().enumerate().filter(|(_, client)| {
                    let running = client.running.as_ref();
                    running.is_some_and(|running| {
                        running.event.is_some() && now - running.since > TIME_LIMIT_MILLIS
                    })
                });
                let slow: Vec<_> = slow.map(|(client, _)| client).collect();
                slow.into_iter().try_for_each(|client| self.die(client))
            }
            Choice::Pause => {
                self.now += PAUSE_MILLIS;
                self.note(|_| "more than a minute goes by".to_owned());
                Ok(())
            }
            Choice::Slow => {
                self.now += SLOW_MILLIS;
                self.note(|_| format!("{SLOW_MILLIS} ms go by, and no request is ended"));
                Ok(())
            }
            Choice::Clock(client, ahead) => {
                self.clients[client].skew = ahead;
                self.note(|_| format!("the clock of client {client} is set {ahead} ms ahead"));
                Ok(())
            }
            Choice::Late => {
                let operation = self.late.pop_front().expect("an operation is late");
                let answer = self.store.apply(usize::MAX, &operation);
                self.note(|this| format!("late: {}", this.store.describe(&operation, &answer)));
                self.observer.look(&self.store, &operation)
            }
        }
    }

    fn step_of(&mut self, client: usize, fate: Fate) -> Result<(), Violation> {
        if let Some(answer) = self.clients[client].lingering.take() {
            self.note(|_| format!("client {client} is answered"));
            return self.resume(client, answer);
        }
        let operation = self.operation(client).expect("it waits").clone();
        self.begin(client)?;
        let happens = matches!(
            fate,
            Fate::Happens | Fate::FailsAfter | Fate::Lingers | Fate::DiesAfter
        );
        let answer = match fate {
            Fate::Outdated(writes) => self.store.outdated(&operation, writes),
            _ if happens => self.store.apply(client, &operation),
            _ => Answer::Failed,
        };
        self.note(|this| {
            let ask = this.clients[client]
                .running
                .as_ref()
                .map(|running| &running.ask);
            let ask = ask.map(|ask| ask.to_string()).unwrap_or_default();
            let done = this.store.describe(&operation, &answer);
            format!("client {client} {ask}: {done}{}", fate.words())
        });
        self.observer.look(&self.store, &operation)?;
        self.faulty |= !matches!(fate, Fate::Happens | Fate::Lingers | Fate::Outdated(_));
        match fate {
            Fate::Happens | Fate::Outdated(_) => self.resume(client, answer),
            Fate::Lingers => {
                self.clients[client].lingering = Some(answer);
                Ok(())
            }
            Fate::Dies | Fate::DiesAfter => self.die(client),
            Fate::Fails | Fate::FailsAfter | Fate::FailsEarly => {
                if fate == Fate::FailsEarly {
                    self.late.push_back(Operation::clone(&operation));
                }
                // As Spin's DynamoDB store has it: what goes wrong in a swap is a swap lost.
                let lost = self.store.backend == Backend::DynamoDb;
                match *operation {
                    Operation::Swap(..) if lost => self.resume(client, Answer::Swap(false)),
                    _ => self.resume(client, Answer::Failed),
                }
            }
        }
    }

    /// Notes the start of a request with its first operation: as late as can be.
    fn begin(&mut self, client: usize) -> Result<(), Violation> {
        let number = self.clients[client].requests;
        let running = self.clients[client].running.as_mut().expect("it waits");
        running.operations += 1;
        if running.operations > ENDLESS {
            return Err(Violation(format!("{} does not end", running.ask)));
        }
        let event = *running.event.get_or_insert_with(|| {
            running.since = self.now;
            self.history
                .start(client, number, running.ask.clone(), self.clock)
        });
        let event = self.history.event(event);
        event.operations += usize::from(!running.answered);
        event.reads_late |= self.store.keeps_past;
        Ok(())
    }

    fn die(&mut self, client: usize) -> Result<(), Violation> {
        self.faulty = true;
        self.clients[client].running = None;
        self.clients[client].lingering = None;
        self.prepare(client)
    }

    fn resume(&mut self, client: usize, answer: Answer) -> Result<(), Violation> {
        let moment = self.moment(client);
        let running = self.clients[client].running.as_ref().expect("it waits");
        let place = self.automaton.go_on(&running.place, answer, moment);
        self.come_to(client, place)
    }

    /// Notes where the service is with the request of a client; nowhere, if it panics.
    fn come_to(&mut self, client: usize, place: Option<Place>) -> Result<(), Violation> {
        let this = &mut self.clients[client];
        let running = this.running.as_mut().expect("it runs");
        running.asked = self.now;
        let Some(place) = place else {
            return Err(Violation(format!("a panic in {}", running.ask)));
        };
        this.drawn = place.drawn;
        running.place = place;
        if let Some(told) = running.place.told.take() {
            self.answer(client, told.map_err(Violation)?)?;
        }
        if self.operation(client).is_some() {
            return Ok(());
        }
        self.clients[client].running = None;
        self.prepare(client)
    }

    /// What the instance that serves a client takes for the time.
    fn moment(&self, client: usize) -> Moment {
        Moment {
            now: self.now,
            skew: self.clients[client].skew,
        }
    }

    /// The operation of a client that waits for its answer.
    fn operation(&self, client: usize) -> Option<&Rc<Operation>> {
        self.clients[client].operation()
    }

    /// Hands the response to the client.
    fn answer(&mut self, client: usize, told: Told) -> Result<(), Violation> {
        let this = &mut self.clients[client];
        let running = this.running.as_mut().expect("it runs");
        running.answered = true;
        let ask = running.ask.clone();
        let event = running.event;
        let event = event.ok_or_else(|| Violation(format!("{ask} did not ask the store")))?;
        match &told {
            Told::User(status, seen) => {
                let tags = Rc::make_mut(&mut this.tags);
                match seen.tag.clone() {
                    Some(tag) => tags.insert(seen.id, tag),
                    None => tags.remove(&seen.id),
                };
                if *status == 201 {
                    this.mine = Some(seen.id);
                }
            }
            Told::Replayed(seen) => this.mine = Some(seen.id),
            Told::Upserted(_, id) => this.mine = Some(*id),
            Told::Users {
                next: Some(next), ..
            } => {
                if let Ask::List { after, limit } = *ask {
                    if *next <= after {
                        return Err(Violation(format!("a walk goes back: {ask} → {told}")));
                    }
                    this.todo.push_front(Action::Walk(*next, limit).into());
                }
            }
            Told::Found {
                next: Some(next), ..
            } => {
                if let Ask::Search { by, limit, .. } = &*ask {
                    this.cursor = Some(next.clone());
                    this.todo.push_front(by.clone().action(*limit).into());
                }
                if this.requests > ENDLESS_WALK {
                    return Err(Violation(format!("a walk does not end: {ask} → {told}")));
                }
            }
            _ => {}
        }
        self.note(|_| format!("client {client} {ask} → {told}"));
        self.history.end(event, told, self.clock);
        Ok(())
    }

    /// Lets a client come to the first operation of its next request.
    fn prepare(&mut self, client: usize) -> Result<(), Violation> {
        let this = &mut self.clients[client];
        let Some(ask) = this.next() else {
            return Ok(());
        };
        let ask = Rc::new(ask);
        this.requests += 1;
        let begin = Begin {
            client: client as u64 + 1,
            drawn: this.drawn,
            ask: ask.clone(),
            sabotage: self.store.sabotage,
        };
        let place = self.automaton.begin(begin, self.moment(client));
        let Some(place) = place else {
            return Err(Violation(format!("a panic in {ask}")));
        };
        self.clients[client].running = Some(Running {
            ask,
            place: place.clone(),
            event: None,
            operations: 0,
            since: 0,
            asked: 0,
            answered: false,
        });
        self.come_to(client, Some(place))
    }

    fn note(&mut self, step: impl Fn(&Simulation) -> String) {
        if let Some(mut steps) = self.steps.take() {
            steps.push(format!("{:4}: {}", self.clock, step(self)));
            self.steps = Some(steps);
        }
    }
}
