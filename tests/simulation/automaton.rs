//! The service as an automaton. What it does next for a request is decided by the request, the
//! answers of the store so far, the times that it was told and its random numbers: so whatever it
//! did once in a scenario is known from then on, and is not run again.

use std::cell::RefCell;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::task::Poll;

use edge_users::directory::Sizes;

use crate::client::{Moment, Port, SimPlatform, Work, poll, serve};
use crate::operation::{Answer, Operation};
use crate::request::{Ask, Told};
use crate::sabotage::Sabotage;
use crate::store::hash;

/// A request that begins.
#[derive(Clone, Debug, Hash)]
pub struct Begin {
    pub client: u64,
    /// How many random numbers the client's earlier requests drew.
    pub drawn: u64,
    pub ask: Rc<Ask>,
    pub sabotage: Option<Sabotage>,
}

/// How far the service is with a request.
#[derive(Clone, Debug)]
pub struct Place {
    number: usize,
    /// The operation for which it waits; none once it has done all.
    pub operation: Option<Rc<Operation>>,
    /// The answer to the client, if it came with the last step.
    pub told: Option<Result<Told, String>>,
    /// How many random numbers the client's requests drew.
    pub drawn: u64,
    /// Names all that the service was answered by the store and told of the time.
    pub name: u64,
}

/// How a place is reached.
#[derive(Clone, Debug, Hash)]
enum Step {
    Begin(Begin),
    /// From another place, by an answer.
    Answer(usize, Answer),
}

/// The service at work on a request.
struct Session {
    ask: Rc<Ask>,
    port: Rc<Port>,
    platform: Rc<SimPlatform>,
    work: Work,
}

/// The places that were reached, and the ways between them.
#[derive(Default)]
struct Known {
    /// Each with the step that led there, and its time.
    places: Vec<(Place, Step, Moment)>,
    /// By the step, and by the moment where the service asked for it.
    ways: HashMap<(u64, Option<Moment>), usize>,
    /// The sessions that are at a place from which no step was made.
    sessions: HashMap<usize, Session>,
}

/// All that the service was seen to do.
pub struct Automaton {
    sizes: Sizes,
    known: RefCell<Known>,
}

impl Automaton {
    pub fn new(sizes: Sizes) -> Automaton {
        Automaton {
            sizes,
            known: RefCell::default(),
        }
    }

    /// The place at which a request waits for its first answer; `None` if the service panics.
    pub fn begin(&self, begin: Begin, moment: Moment) -> Option<Place> {
        self.reach(Step::Begin(begin), moment)
    }

    /// The place to which an answer leads; `None` if the service panics.
    pub fn go_on(&self, from: &Place, answer: Answer, moment: Moment) -> Option<Place> {
        self.reach(Step::Answer(from.number, answer), moment)
    }

    fn reach(&self, step: Step, moment: Moment) -> Option<Place> {
        let way = hash(&step);
        let mut known = self.known.borrow_mut();
        let mut ways = [None, Some(moment)].into_iter();
        if let Some(number) = ways.find_map(|moment| known.ways.get(&(way, moment))) {
            return Some(known.places[*number].0.clone());
        }
        let mut session = match &step {
            Step::Begin(begin) => self.session(begin),
            Step::Answer(from, _) => match known.sessions.remove(from) {
                Some(session) => session,
                None => self.again(&known, *from),
            },
        };
        let before = session.platform.times();
        let ended = session.run(&step, moment)?;
        let timeless = session.platform.times() == before;
        let name = match &step {
            Step::Begin(_) => 0,
            Step::Answer(from, answer) => hash(&(known.places[*from].0.name, answer)),
        };
        let told = session.port.response();
        let place = Place {
            number: known.places.len(),
            operation: session.port.operation().map(Rc::new),
            told: told.map(|response| Told::read(&session.ask, &response)),
            drawn: session.platform.drawn(),
            name: hash(&(name, session.platform.times())),
        };
        if !ended {
            known.sessions.insert(place.number, session);
        }
        let asked = (!timeless).then_some(moment);
        known.ways.insert((way, asked), place.number);
        known.places.push((place.clone(), step, moment));
        Some(place)
    }

    fn session(&self, begin: &Begin) -> Session {
        let port = Port::new(begin.sabotage);
        let platform = SimPlatform::new(begin.client, begin.drawn);
        let request = begin.ask.request();
        Session {
            ask: begin.ask.clone(),
            work: serve(port.clone(), platform.clone(), self.sizes, request),
            port,
            platform,
        }
    }

    /// A session that is at a place once more.
    fn again(&self, known: &Known, place: usize) -> Session {
        let mut steps = Vec::new();
        let mut next = Some(place);
        while let Some(number) = next {
            let (_, step, moment) = &known.places[number];
            steps.push((step, *moment));
            next = match step {
                Step::Begin(_) => None,
                Step::Answer(from, _) => Some(*from),
            };
        }
        let Some((Step::Begin(begin), _)) = steps.last() else {
            unreachable!("the first step begins a request");
        };
        let mut session = self.session(begin);
        for (step, moment) in steps.into_iter().rev() {
            session.run(step, moment).expect("it did not panic before");
            session.port.response();
        }
        session
    }
}

impl Session {
    /// Makes a step. Answers whether the service has done all; `None` if it panics.
    fn run(&mut self, step: &Step, moment: Moment) -> Option<bool> {
        if let Step::Answer(_, answer) = step {
            self.port.answer(answer.clone());
        }
        self.platform.set(moment);
        let polled = catch_unwind(AssertUnwindSafe(|| poll(self.work.as_mut())));
        polled.ok().map(|polled| polled == Poll::Ready(()))
    }
}
