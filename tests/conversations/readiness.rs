//! `/readyz`: whether the service can work, that is, write to a store that does what it should.

use std::cell::Cell;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::memory::{Memory, TestPlatform, Watch, respond};
use crate::support::{
    RUNTIME, Send as _, Service, host_program, manifest, new_state_dir, start_host_with,
};
use edge_host::UpOptions;
use edge_users::store::{Report, Store, StoreError};
use http::Request;
use serde_json::{Value, json};

/// A store that can be read always, and written while its disk has room.
#[derive(Default)]
struct Disk {
    is_full: Cell<bool>,
    memory: Memory,
}

impl Disk {
    fn check(&self) -> Result<(), StoreError> {
        match self.is_full.get() {
            true => Err(StoreError("the disk is full".to_owned())),
            false => Ok(()),
        }
    }
}

impl Store for Disk {
    type Watch = Watch;

    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.memory.get(key).await
    }

    async fn set(&self, key: &str, value: &[u8]) -> Result<(), StoreError> {
        self.check()?;
        self.memory.set(key, value).await
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.check()?;
        self.memory.delete(key).await
    }

    async fn increment(&self, key: &str, delta: i64) -> Result<i64, StoreError> {
        self.check()?;
        self.memory.increment(key, delta).await
    }

    async fn current(&self, key: &str) -> Result<(Option<Vec<u8>>, Watch), StoreError> {
        self.memory.current(key).await
    }

    async fn swap(&self, watch: Watch, value: &[u8]) -> Result<Report, StoreError> {
        self.check()?;
        self.memory.swap(watch, value).await
    }
}

#[test]
fn a_store_that_cannot_be_written_is_told_of_within_five_seconds() {
    let (disk, platform) = (Disk::default(), TestPlatform::default());
    let ready = |seconds: i64| {
        platform.now.set(1_800_000_000_000 + seconds * 1000);
        let before = disk.memory.operations();
        let request = Request::get("/readyz").body(Vec::new()).expect("a request");
        let answer = respond(&disk, &platform, request);
        let body = String::from_utf8(answer.body().clone()).expect("text");
        (
            answer.status().as_u16(),
            disk.memory.operations() - before,
            body,
        )
    };
    // Two reads, and a check if the last one is five seconds ago, or in a time to come. The first
    // one makes a number.
    for (seconds, operations) in [
        (0, 14),
        (0, 2),
        (4, 2),
        (5, 12),
        (9, 2),
        (10, 12),
        (-10, 12),
        (-6, 2),
    ] {
        let (status, cost, body) = ready(seconds);
        assert_eq!((status, cost), (200, operations), "{seconds}: {body}");
    }
    disk.is_full.set(true);
    assert_eq!(ready(-6).0, 200);
    for seconds in [0, 0, 1, 100] {
        let (status, _, body) = ready(seconds);
        assert_eq!(status, 503, "{seconds}");
        assert!(
            body.contains("can't be written") && body.contains("full"),
            "{body}"
        );
    }
    let lines = platform.lines.borrow().clone();
    assert!(
        lines
            .last()
            .is_some_and(|line| line.contains("the disk is full")),
        "{lines:?}"
    );
    disk.is_full.set(false);
    assert_eq!(ready(100).0, 200);
    // A value that another put there is none of a time.
    disk.memory.put("readiness", b"garbage");
    assert_eq!(ready(100).1, 12);
}

/// What a store does otherwise than it should.
#[derive(Clone, Copy, Debug)]
enum Wrong {
    Nothing,
    ReportsNoSwap,
    SwapsNothing,
    SwapsBlindly,
    SwapsNothingAndSaysSo,
    CountsNothing,
    AnswersAnOlderSum,
    HasNoSwap,
    HasNoIncrement,
}

struct Unsound(Wrong, Memory);

impl Store for Unsound {
    type Watch = Watch;

    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.1.get(key).await
    }

    async fn set(&self, key: &str, value: &[u8]) -> Result<(), StoreError> {
        self.1.set(key, value).await
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.1.delete(key).await
    }

    async fn increment(&self, key: &str, delta: i64) -> Result<i64, StoreError> {
        match self.0 {
            Wrong::CountsNothing => self.1.increment(key, 0).await,
            Wrong::AnswersAnOlderSum => Ok(self.1.increment(key, delta).await? - delta),
            Wrong::HasNoIncrement => Err(StoreError("not implemented".to_owned())),
            _ => self.1.increment(key, delta).await,
        }
    }

    async fn current(&self, key: &str) -> Result<(Option<Vec<u8>>, Watch), StoreError> {
        self.1.current(key).await
    }

    async fn swap(&self, watch: Watch, value: &[u8]) -> Result<Report, StoreError> {
        match self.0 {
            Wrong::ReportsNoSwap => self.1.swap(watch, value).await.map(|_| Report::Unsure),
            Wrong::SwapsNothing => Ok(Report::Swapped),
            Wrong::SwapsNothingAndSaysSo => Ok(Report::Unsure),
            Wrong::SwapsBlindly => {
                self.1.set(watch.key(), value).await?;
                Ok(Report::Swapped)
            }
            Wrong::HasNoSwap => Err(StoreError("not implemented".to_owned())),
            _ => self.1.swap(watch, value).await,
        }
    }
}

#[test]
fn a_store_that_cannot_be_trusted_is_told_of_each_time() {
    let not_swapped = "it did not swap a value that nobody had changed";
    let not_added = "it did not add to a number";
    for (wrong, expected) in [
        (Wrong::Nothing, None),
        (Wrong::ReportsNoSwap, None),
        (Wrong::SwapsNothing, Some(not_swapped)),
        (Wrong::SwapsNothingAndSaysSo, Some(not_swapped)),
        (
            Wrong::SwapsBlindly,
            Some("it swapped a value that had been changed"),
        ),
        (Wrong::CountsNothing, Some(not_added)),
        (Wrong::AnswersAnOlderSum, Some(not_added)),
        (Wrong::HasNoSwap, Some("can't be written")),
        (Wrong::HasNoIncrement, Some("can't be written")),
    ] {
        let (store, platform) = (Unsound(wrong, Memory::default()), TestPlatform::default());
        for _ in 0..3 {
            let request = Request::get("/readyz").body(Vec::new()).expect("a request");
            let answer = respond(&store, &platform, request);
            let body = String::from_utf8(answer.body().clone()).expect("text");
            let status = if expected.is_none() { 200 } else { 503 };
            assert_eq!(answer.status(), status, "{wrong:?}: {body}");
            let expected = expected.unwrap_or("ok");
            assert!(body.contains(expected), "{wrong:?}: {body}");
            // To try again would not help.
            let is_unsound = body.contains("can't be trusted with users");
            let retry = answer.headers().contains_key("retry-after");
            assert_eq!(retry, status == 503 && !is_unsound, "{wrong:?}");
        }
    }
}

/// A host whose files can't grow beyond 256 KiB, and where it serves.
fn start_limited() -> (Child, Service) {
    let script = "trap '' XFSZ; ulimit -f 256; exec \"$@\"";
    let mut child = Command::new("bash")
        .args(["-c", script, "bash"])
        .arg(host_program())
        .args(["up", "--disable-cache", "--listen", "127.0.0.1:0"])
        .args(["--variable", "auth=off", "--from"])
        .arg(manifest())
        .arg("--state-dir")
        .arg(new_state_dir())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("bash starts");
    let mut output = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let url = output.by_ref().map_while(Result::ok).find_map(|line| {
        let url = line.strip_prefix("Serving ")?;
        Some(url.to_owned())
    });
    std::thread::spawn(move || output.for_each(drop));
    (child, Service::at(&url.expect("it serves")))
}

#[test]
fn a_full_disk_is_told_of() {
    let (mut child, service) = start_limited();
    assert_eq!(service.get("/readyz").status, 200);
    let note = "x".repeat(8000);
    let large = json!({ "name": "Large", "attributes": { "note": note } });
    // The host says it itself where it only learns of it after the component was done.
    let post = |user: &Value| {
        service
            .request("POST", "/users")
            .json(user)
            .answer_of_call()
    };
    let last = (0..1000)
        .map(|_| post(&large))
        .find(|answer| answer.status != 201)
        .expect("the disk has an end");
    assert_eq!(last.status, 503, "{}", last.body);
    let deadline = Instant::now() + Duration::from_secs(30);
    let ready = loop {
        // Until there is no room for the least thing.
        post(&large);
        post(&json!({ "name": "Small" }));
        let ready = service.get("/readyz");
        if ready.status != 200 {
            break ready;
        }
        assert!(Instant::now() < deadline, "it says that it is ready");
        std::thread::sleep(Duration::from_millis(100));
    };
    assert_eq!(ready.status, 503);
    let problem = ready.problem();
    assert!(
        problem["detail"].to_string().contains("can't be written"),
        "{problem}"
    );
    // What can be read is read.
    assert_eq!(service.get("/users/1").status, 200);
    assert_eq!(service.get("/healthz").status, 200);
    child.kill().expect("it runs");
    child.wait().expect("it ends");
}

#[test]
fn a_host_that_drains_says_by_rest_and_by_grpc_that_it_is_not_ready() {
    let host = start_host_with(UpOptions {
        state_dir: Some(new_state_dir()),
        drain: Duration::from_secs(3600),
        ..UpOptions::default()
    });
    let service = Service::of(&host);
    let readiness = || service.request("GET", "/readyz").answer_of_call().status;
    let health = || {
        let check = service.request("POST", "/grpc.health.v1.Health/Check");
        check.json(&json!({})).answer_of_call().status
    };
    assert_eq!((readiness(), health()), (200, 200));
    RUNTIME.spawn(host.shutdown());
    let deadline = Instant::now() + Duration::from_secs(60);
    while readiness() == 200 {
        assert!(Instant::now() < deadline, "it is still ready");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!((readiness(), health()), (503, 503));
    assert_eq!(service.get("/healthz").status, 200);
    service.create(json!({ "name": "Late" }));
}
