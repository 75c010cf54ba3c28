//! One client's side: the store and the platform that the service sees while it
//! serves this client. Each store operation waits until the scheduler has
//! decided what becomes of it.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use edge_users::configuration::Configuration;
use edge_users::directory::{Directory, Sizes};
use edge_users::message::content::Part;
use edge_users::platform::Platform;
use edge_users::rest::Rest;
use edge_users::rest::groups::Groups;
use edge_users::scim::service::Scim;
use edge_users::service;
use edge_users::store::{Report, Store, StoreError};
use edge_users::timestamp::Timestamp;

use crate::operation::{Answer, Operation, Watch};
use crate::sabotage::Sabotage;
use crate::store::hash;

/// The service at work on one request, and on what it does once that was answered.
/// One poll, one store operation.
pub type Work = Pin<Box<dyn Future<Output = ()>>>;

/// Where the service leaves an operation, and the scheduler the answer; and where
/// it leaves its response.
#[derive(Default)]
pub struct Port {
    operation: RefCell<Option<Operation>>,
    answer: RefCell<Option<Answer>>,
    response: RefCell<Option<http::Response<Vec<u8>>>>,
    sabotage: Option<Sabotage>,
}

impl Port {
    /// A port for sabotages that take more than one operation.
    pub fn new(sabotage: Option<Sabotage>) -> Rc<Port> {
        Rc::new(Port {
            sabotage,
            ..Port::default()
        })
    }

    /// The operation that waits for its answer.
    pub fn operation(&self) -> Option<Operation> {
        self.operation.borrow().clone()
    }

    /// Answers the operation that waits. The next poll goes on from there.
    pub fn answer(&self, answer: Answer) {
        self.operation.take();
        self.answer.replace(Some(answer));
    }

    /// The response, once it is there.
    pub fn response(&self) -> Option<http::Response<Vec<u8>>> {
        self.response.take()
    }

    /// Leaves an operation to the scheduler, and waits for the answer.
    pub async fn call(&self, operation: Operation) -> Result<Answer, StoreError> {
        self.operation.replace(Some(operation));
        std::future::poll_fn(|_| match self.answer.take() {
            None => Poll::Pending,
            Some(Answer::Failed) => Poll::Ready(Err(StoreError("simulated".to_owned()))),
            Some(answer) => Poll::Ready(Ok(answer)),
        })
        .await
    }
}

impl Store for Port {
    type Watch = Watch;

    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        match self.call(Operation::Get(key.to_owned())).await? {
            Answer::Value(value) => Ok(value),
            answer => unreachable!("{answer:?} to get"),
        }
    }

    async fn set(&self, key: &str, value: &[u8]) -> Result<(), StoreError> {
        let operation = Operation::Set(key.to_owned(), value.to_owned());
        self.call(operation).await.map(|_| ())
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.call(Operation::Delete(key.to_owned()))
            .await
            .map(|_| ())
    }

    async fn increment(&self, key: &str, delta: i64) -> Result<i64, StoreError> {
        if let Some(sabotage) = self.sabotage.filter(|sabotage| sabotage.splits_increment()) {
            return sabotage.increment(self, key, delta).await;
        }
        match self
            .call(Operation::Increment(key.to_owned(), delta))
            .await?
        {
            Answer::Sum(sum) => Ok(sum),
            answer => unreachable!("{answer:?} to increment"),
        }
    }

    async fn current(&self, key: &str) -> Result<(Option<Vec<u8>>, Watch), StoreError> {
        match self.call(Operation::Current(key.to_owned())).await? {
            Answer::Watched(value, watch) => Ok((value, watch)),
            answer => unreachable!("{answer:?} to current"),
        }
    }

    async fn swap(&self, watch: Watch, value: &[u8]) -> Result<Report, StoreError> {
        match self.call(Operation::Swap(watch, value.to_owned())).await? {
            Answer::Swap(true) => Ok(Report::Swapped),
            Answer::Swap(false) => Ok(Report::Unsure),
            answer => unreachable!("{answer:?} to swap"),
        }
    }
}

/// What an instance takes for the time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Moment {
    /// The true time.
    pub now: i64,
    /// How many milliseconds the clock of the instance is ahead of that.
    pub skew: i64,
}

/// Time and chance, the same in every run.
pub struct SimPlatform {
    /// Random numbers are unique across clients.
    client: u64,
    drawn: Cell<u64>,
    times: Cell<u64>,
    moment: Cell<Moment>,
}

impl SimPlatform {
    /// The platform of a client that has drawn so many random numbers.
    pub fn new(client: u64, drawn: u64) -> Rc<SimPlatform> {
        Rc::new(SimPlatform {
            client,
            drawn: Cell::new(drawn),
            times: Cell::new(0),
            moment: Cell::default(),
        })
    }

    /// Sets the time.
    pub fn set(&self, moment: Moment) {
        self.moment.set(moment);
    }

    /// How many random numbers were drawn.
    pub fn drawn(&self) -> u64 {
        self.drawn.get()
    }

    /// Names all times that the service was told.
    pub fn times(&self) -> u64 {
        self.times.get()
    }
}

impl Platform for SimPlatform {
    fn now(&self) -> Timestamp {
        let Moment { now, skew } = self.moment.get();
        let now = now + skew;
        self.times.set(hash(&(self.times.get(), now)));
        Timestamp(now)
    }

    fn monotonic(&self) -> Duration {
        let now = self.moment.get().now;
        self.times.set(hash(&(self.times.get(), now)));
        Duration::from_millis(now as u64)
    }

    fn random(&self) -> u64 {
        self.drawn.set(self.drawn.get() + 1);
        mix(self.client << 32 | self.drawn.get())
    }

    /// The caller makes no difference here.
    fn variable(&self, name: &str) -> Result<Option<String>, String> {
        Ok(match name {
            "auth" => Some("off".to_owned()),
            "indexed_attributes" => Some("team".to_owned()),
            _ => None,
        })
    }

    /// Most failures are intended here.
    fn log_error(&self, _: &str) {}

    fn audit(&self, _: &str) {}
}

/// A bijection of numbers that looks random (the output of SplitMix64).
pub fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Hands a request to the service.
pub fn serve(
    port: Rc<Port>,
    platform: Rc<SimPlatform>,
    sizes: Sizes,
    request: http::Request<Vec<u8>>,
) -> Work {
    Box::pin(async move {
        let directory = Directory {
            store: &*port,
            platform: &*platform,
            sizes,
        };
        let configuration = Configuration::read(&*platform, None);
        // As the routes of the application say.
        let path = request.uri().path();
        let is_of_scim = path.starts_with("/scim/");
        let is_of_groups = path.starts_with("/groups") || path.ends_with("/groups");
        let request = Box::new(request);
        let answer = if is_of_scim {
            service::respond::<Scim, _, _, _>(&directory, &configuration, request).await
        } else if is_of_groups {
            service::respond::<Groups, _, _, _>(&directory, &configuration, request).await
        } else {
            service::respond::<Rest, _, _, _>(&directory, &configuration, request).await
        };
        let (head, mut content) = answer.response.into_parts();
        let mut body = Vec::new();
        // The client takes everything at once.
        loop {
            match content.next(0).await {
                Part::Bytes(bytes) => body.extend(bytes),
                Part::End => break,
                Part::Later | Part::Pause(_) => unreachable!("there is nothing to wait for"),
            }
        }
        let response = http::Response::from_parts(head, body);
        port.response.replace(Some(response));
        service::run_after_response(&directory, &configuration, answer.created).await
    })
}

/// Polls once.
pub fn poll<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}
