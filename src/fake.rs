//! A store and a platform for the tests of single modules.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use http::{Response, Uri};

use crate::platform::Platform;
use crate::store::{Report, Store, StoreError};
use crate::timestamp::Timestamp;

/// A store on which nothing happens by itself. Its counters are decimal text, as on Redis.
#[derive(Default)]
pub struct FakeStore {
    pub values: RefCell<BTreeMap<String, Vec<u8>>>,
    pub operations: Cell<u32>,
    pub fails: Cell<bool>,
    /// It reports every swap as failed, as Redis does in Spin.
    pub is_unsure: Cell<bool>,
}

impl FakeStore {
    fn operate(&self) -> Result<(), StoreError> {
        self.operations.set(self.operations.get() + 1);
        match self.fails.get() {
            true => Err(StoreError("it fails".to_owned())),
            false => Ok(()),
        }
    }
}

impl Store for FakeStore {
    /// The key and its value.
    type Watch = (String, Option<Vec<u8>>);

    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.operate()?;
        Ok(self.values.borrow().get(key).cloned())
    }

    async fn set(&self, key: &str, value: &[u8]) -> Result<(), StoreError> {
        self.operate()?;
        let mut values = self.values.borrow_mut();
        values.insert(key.to_owned(), value.to_owned());
        Ok(())
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.operate()?;
        self.values.borrow_mut().remove(key);
        Ok(())
    }

    async fn increment(&self, key: &str, delta: i64) -> Result<i64, StoreError> {
        self.operate()?;
        let mut values = self.values.borrow_mut();
        let before = values.get(key).map_or("0", |value| {
            std::str::from_utf8(value).expect("a counter is text")
        });
        let sum = before.parse::<i64>().expect("a counter is a number") + delta;
        values.insert(key.to_owned(), sum.to_string().into_bytes());
        Ok(sum)
    }

    async fn current(&self, key: &str) -> Result<(Option<Vec<u8>>, Self::Watch), StoreError> {
        let value = self.get(key).await?;
        Ok((value.clone(), (key.to_owned(), value)))
    }

    async fn swap(&self, watch: Self::Watch, value: &[u8]) -> Result<Report, StoreError> {
        let (key, before) = watch;
        match self.get(&key).await? == before {
            true => {
                let mut values = self.values.borrow_mut();
                values.insert(key, value.to_owned());
                match self.is_unsure.get() {
                    false => Ok(Report::Swapped),
                    true => Ok(Report::Unsure),
                }
            }
            false => Ok(Report::Unsure),
        }
    }
}

/// What a platform answers to a fetch.
pub type Fetched = Result<Response<Vec<u8>>, String>;

type Answer = Box<dyn Fn(&Uri) -> Fetched>;

/// A platform on which nothing happens by itself.
#[derive(Default)]
pub struct FakePlatform {
    pub variables: BTreeMap<&'static str, &'static str>,
    /// In seconds.
    pub now: Cell<i64>,
    /// Answers a fetch of the URL.
    pub answer: RefCell<Option<Answer>>,
    pub fetches: Cell<u32>,
    /// What was logged.
    pub log: RefCell<Vec<String>>,
}

impl Platform for FakePlatform {
    fn now(&self) -> Timestamp {
        Timestamp(self.now.get() * 1000)
    }

    fn monotonic(&self) -> Duration {
        Duration::from_secs(self.now.get().unsigned_abs())
    }

    fn random(&self) -> u64 {
        0
    }

    fn variable(&self, name: &str) -> Result<Option<String>, String> {
        match self.variables.get(name) {
            Some(&"FAILS") => Err("it fails".to_owned()),
            value => Ok(value.map(|value| (*value).to_owned())),
        }
    }

    async fn fetch(&self, url: &Uri) -> Fetched {
        self.fetches.set(self.fetches.get() + 1);
        match &*self.answer.borrow() {
            Some(answer) => answer(url),
            None => Err("nobody answers".to_owned()),
        }
    }

    fn log_error(&self, line: &str) {
        self.log.borrow_mut().push(line.to_owned());
    }

    fn audit(&self, _: &str) {}
}

/// Nothing here ever waits.
pub fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("it waits"),
    }
}
