//! Imports and exports on a store that fails at some keys, without a host.

use std::cell::RefCell;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::support::memory::{Memory, Watch};
use edge_users::configuration::Configuration;
use edge_users::directory::{Directory, Sizes};
use edge_users::message::content::Part;
use edge_users::platform::Platform;
use edge_users::rest::Rest;
use edge_users::service;
use edge_users::store::{Report, Store, StoreError};
use edge_users::timestamp::Timestamp;
use http::{Request, StatusCode};
use serde_json::{Value, json};

/// A store in memory that fails at these keys.
struct Failing {
    keys: Vec<&'static str>,
    memory: Memory,
}

impl Failing {
    fn at(keys: &[&'static str]) -> Failing {
        Failing {
            keys: keys.to_vec(),
            memory: Memory::default(),
        }
    }

    fn check(&self, key: &str) -> Result<(), StoreError> {
        match self.keys.contains(&key) {
            true => Err(StoreError("intended".to_owned())),
            false => Ok(()),
        }
    }
}

impl Store for Failing {
    type Watch = Watch;

    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.check(key)?;
        self.memory.get(key).await
    }

    async fn set(&self, key: &str, value: &[u8]) -> Result<(), StoreError> {
        self.check(key)?;
        self.memory.set(key, value).await
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.check(key)?;
        self.memory.delete(key).await
    }

    async fn increment(&self, key: &str, delta: i64) -> Result<i64, StoreError> {
        self.check(key)?;
        self.memory.increment(key, delta).await
    }

    async fn current(&self, key: &str) -> Result<(Option<Vec<u8>>, Watch), StoreError> {
        self.check(key)?;
        self.memory.current(key).await
    }

    async fn swap(&self, watch: Watch, value: &[u8]) -> Result<Report, StoreError> {
        self.check(watch.key())?;
        self.memory.swap(watch, value).await
    }
}

/// A platform with a clock that stands still.
#[derive(Default)]
struct Still {
    log: RefCell<Vec<String>>,
}

impl Platform for Still {
    fn now(&self) -> Timestamp {
        Timestamp(0)
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }

    fn random(&self) -> u64 {
        7
    }

    fn variable(&self, name: &str) -> Result<Option<String>, String> {
        Ok((name == "auth").then(|| "off".to_owned()))
    }

    fn log_error(&self, line: &str) {
        self.log.borrow_mut().push(line.to_owned());
    }

    fn audit(&self, _: &str) {}
}

/// Nothing here ever waits.
fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it waits"),
    }
}

fn import(store: &Failing, platform: &Still, lines: usize) -> Vec<Value> {
    let line = |number| format!("{{\"name\":\"User {number}\"}}\n");
    let body: String = (1..=lines).map(line).collect();
    let request = Request::post("/users/import").header("content-type", "application/x-ndjson");
    let (status, lines) = respond(store, platform, request.body(body.into_bytes()));
    assert_eq!(status, StatusCode::OK);
    lines
}

/// The status and the lines of an answer.
fn respond(
    store: &Failing,
    platform: &Still,
    request: http::Result<Request<Vec<u8>>>,
) -> (StatusCode, Vec<Value>) {
    let sizes = Sizes::SERVICE;
    let directory = Directory {
        store,
        platform,
        sizes,
    };
    let configuration = Configuration::read(platform, None);
    let request = request.expect("a request");
    let request = Box::new(request);
    let answered = service::respond::<Rest, _, _, _>(&directory, &configuration, request);
    let response = ready(answered).response;
    let status = response.status();
    let mut content = response.into_body();
    let mut bytes = Vec::new();
    loop {
        match ready(content.next(0)) {
            Part::Bytes(part) => bytes.extend(part),
            Part::Later | Part::Pause(_) => panic!("there is nothing to wait for"),
            Part::End => break,
        }
    }
    let text = String::from_utf8(bytes).expect("text");
    let lines = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"));
    (status, lines.collect())
}

#[test]
fn an_import_ends_when_the_store_fails_three_times_in_a_row() {
    let store = Failing::at(&["user/2", "user/4", "user/5", "user/6"]);
    let platform = Still::default();
    let mut lines = import(&store, &platform, 10);
    let last = lines.pop().expect("a last line");
    let statuses: Vec<_> = lines.iter().map(|line| line["status"].as_u64()).collect();
    let expected = [201, 503, 201, 503, 503, 503];
    assert_eq!(statuses, expected.map(Some));
    assert_eq!(lines[1]["problem"]["type"], "/problems/store-unavailable");
    let end = json!({
        "end": "failures", "created": 2, "refused": 0, "failed": 4, "next": "/users/import?line=7",
    });
    assert_eq!(last, end);
    let log = platform.log.borrow();
    assert_eq!(log.len(), 4);
    assert!(
        log[0].contains("POST /users/import: line 2: the store failed"),
        "{log:?}"
    );
}

#[test]
fn an_export_of_a_store_that_fails_does_not_look_complete() {
    let mut store = Failing::at(&[]);
    let platform = Still::default();
    import(&store, &platform, 5);
    store.keys = vec!["user/4"];
    let request = || Request::get("/users/export?fields=id").body(Vec::new());
    let (status, lines) = respond(&store, &platform, request());
    assert_eq!(status, StatusCode::OK);
    assert_eq!(
        lines[..3],
        [json!({ "id": 1 }), json!({ "id": 2 }), json!({ "id": 3 })]
    );
    assert_eq!(
        (&lines[3]["end"], &lines[3]["users"]),
        (&json!("problem"), &json!(3))
    );
    assert_eq!(lines[3]["next"], "/users/export?after=3&fields=id");
    assert_eq!(lines[3]["problem"]["status"], 503);
    assert_eq!((lines.len(), platform.log.borrow().len()), (4, 1));

    // Before the first user there is still the status to tell it.
    store.keys = vec!["count/created"];
    let (status, lines) = respond(&store, &platform, request());
    assert_eq!(
        (status, &lines[0]["status"]),
        (StatusCode::SERVICE_UNAVAILABLE, &json!(503))
    );
}
