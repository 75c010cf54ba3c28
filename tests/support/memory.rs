//! A store, a clock and a log in the memory of a test: the service without a host.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::Duration;

use edge_users::configuration::Configuration;
use edge_users::directory::{Directory, Sizes};
use edge_users::message::content::Part;
use edge_users::platform::Platform;
use edge_users::rest::Rest;
use edge_users::service::{self, Interface};
use edge_users::store::{Report, Store, StoreError};
use edge_users::timestamp::Timestamp;
use http::{Request, Response};
use tokio::runtime::Builder;

/// A store whose operations happen at once.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    entries: RefCell<BTreeMap<String, Vec<u8>>>,
    operations: Cell<u64>,
}

/// The value that was read under a key.
pub struct Watch(String, Option<Vec<u8>>);

impl Watch {
    /// The key.
    pub fn key(&self) -> &str {
        &self.0
    }
}

impl Memory {
    /// How many operations there were so far.
    pub fn operations(&self) -> u64 {
        self.operations.get()
    }

    /// How many keys there are.
    pub fn keys(&self) -> usize {
        self.entries.borrow().len()
    }

    fn value(&self, key: &str) -> Option<Vec<u8>> {
        self.operations.set(self.operations.get() + 1);
        self.entries.borrow().get(key).cloned()
    }

    /// The keys that there are, in order.
    pub fn all_keys(&self) -> Vec<String> {
        self.entries.borrow().keys().cloned().collect()
    }

    /// Puts a value there that the service did not write.
    pub fn put(&self, key: &str, value: &[u8]) {
        self.write(key, value.to_owned());
    }

    fn write(&self, key: &str, value: Vec<u8>) {
        self.entries.borrow_mut().insert(key.to_owned(), value);
    }
}

impl Store for Memory {
    type Watch = Watch;

    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.value(key))
    }

    async fn set(&self, key: &str, value: &[u8]) -> Result<(), StoreError> {
        self.value(key);
        self.write(key, value.to_owned());
        Ok(())
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.value(key);
        self.entries.borrow_mut().remove(key);
        Ok(())
    }

    async fn increment(&self, key: &str, delta: i64) -> Result<i64, StoreError> {
        let number = self.value(key).unwrap_or_else(|| vec![0; 8]);
        let number = number
            .try_into()
            .map_err(|_| StoreError("it is no counter".to_owned()))?;
        let sum = i64::from_le_bytes(number) + delta;
        self.write(key, sum.to_le_bytes().to_vec());
        Ok(sum)
    }

    async fn current(&self, key: &str) -> Result<(Option<Vec<u8>>, Watch), StoreError> {
        let value = self.value(key);
        Ok((value.clone(), Watch(key.to_owned(), value)))
    }

    async fn swap(&self, Watch(key, read): Watch, value: &[u8]) -> Result<Report, StoreError> {
        if self.value(&key) != read {
            return Ok(Report::Unsure);
        }
        self.write(&key, value.to_owned());
        Ok(Report::Swapped)
    }
}

/// A platform whose clock stands still until it is set, and which lets everybody in unless a
/// variable says otherwise.
#[derive(Debug, Default)]
pub struct TestPlatform {
    pub now: Cell<i64>,
    pub variables: BTreeMap<&'static str, String>,
    /// The lines of the log and of the audit trail.
    pub lines: RefCell<Vec<String>>,
    drawn: Cell<u64>,
}

impl Platform for TestPlatform {
    fn now(&self) -> Timestamp {
        Timestamp(self.now.get())
    }

    fn monotonic(&self) -> Duration {
        Duration::from_millis(self.now.get().unsigned_abs())
    }

    fn random(&self) -> u64 {
        self.drawn.set(self.drawn.get() + 1);
        self.drawn.get()
    }

    fn variable(&self, name: &str) -> Result<Option<String>, String> {
        let open = (name == "auth").then(|| "off".to_owned());
        Ok(self.variables.get(name).cloned().or(open))
    }

    fn log_error(&self, line: &str) {
        self.lines.borrow_mut().push(line.to_owned());
    }

    fn audit(&self, line: &str) {
        self.lines.borrow_mut().push(line.to_owned());
    }
}

/// The answer by REST, to its end.
pub fn respond<S: Store + 'static>(
    store: &S,
    platform: &TestPlatform,
    request: Request<Vec<u8>>,
) -> Response<Vec<u8>> {
    respond_by::<Rest, S>(store, platform, request)
}

/// The answer by an interface, to its end.
pub fn respond_by<I: Interface, S: Store + 'static>(
    store: &S,
    platform: &TestPlatform,
    request: Request<Vec<u8>>,
) -> Response<Vec<u8>> {
    let sizes = Sizes::SERVICE;
    let directory = Directory {
        store,
        platform,
        sizes,
    };
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    let configuration = Configuration::read(platform, None);
    let answered = service::respond::<I, S, _, _>(&directory, &configuration, Box::new(request));
    runtime.block_on(async {
        let (head, mut content) = answered.await.response.into_parts();
        let mut body = Vec::new();
        loop {
            match content.next(0).await {
                Part::Bytes(bytes) => body.extend(bytes),
                Part::Later | Part::Pause(_) => {}
                Part::End => return Response::from_parts(head, body),
            }
        }
    })
}
