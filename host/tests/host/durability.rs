//! Answered writes survive every failure of the host.

use std::fs::File;
use std::io;
use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use edge_host::{Host, UpOptions};
use http_body_util::BodyExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::support::{Application, Client, Program, TEST_TIMEOUT, edge_host, get, request};

#[tokio::test]
async fn a_killed_host_loses_nothing_that_it_answered() {
    let application = Application::probe("");
    let mut program = Program::start(&application, &[]);
    let address = program.address();
    // Several at once, so that many writes share a commit, and one that is killed in
    // the middle of it.
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            tokio::spawn(async move {
                let mut client = Client::connect(address).await;
                let mut answered = 0;
                for number in 0_u32.. {
                    let path = format!("/stores/default/set/{writer}-{number}");
                    let set = request("PUT", &path, &number.to_string());
                    match client.try_send(set).await {
                        Ok(answer) if answer.text() == "Ok(())" => answered += 1,
                        _ => break,
                    }
                }
                answered
            })
        })
        .collect();
    let mut client = Client::connect(address).await;
    while client.get("/stores/default/exists/3-50").await.text() != "Ok(true)" {}
    program.signal("KILL");
    program.wait();
    let mut answered = Vec::new();
    for writer in writers {
        answered.push(writer.await.unwrap());
    }

    let program = Program::start(&application, &[]);
    let mut client = Client::connect(program.address()).await;
    for (writer, answered) in answered.into_iter().enumerate() {
        assert!(answered > 0);
        for number in 0..answered {
            let path = format!("/stores/default/get/{writer}-{number}");
            assert_eq!(client.get(&path).await.text(), number.to_string(), "{path}");
        }
    }
}

#[tokio::test]
async fn a_store_that_cannot_be_written_is_told_and_reported_with_its_name() {
    let application = Application::probe("");
    // No file may grow beyond a megabyte or half of one, as on a disk that is full.
    let script = "trap '' XFSZ; ulimit -f 1024; exec \"$0\" up --listen 127.0.0.1:0";
    let mut command = Command::new("sh");
    command
        .args(["-c", script])
        .arg(edge_host().get_program())
        .current_dir(application.directory());
    let mut program = Program::spawn(command);
    let mut client = Client::connect(program.address()).await;
    let set = |key: u32| {
        let path = format!("/stores/default/set/{key}");
        request("PUT", &path, &"x".repeat(50_000))
    };
    let mut answers = Vec::new();
    for key in 0..30 {
        let answer = client.send(set(key)).await;
        answers.push((answer.status.as_u16(), answer.text().to_owned()));
    }
    let kept = answers.iter().take_while(|(_, text)| text == "Ok(())");
    let kept = kept.count();
    assert!((1..30).contains(&kept), "{answers:?}");
    for (status, text) in &answers[kept..] {
        // The host refuses to tell of a write that the component took for made.
        let is_refused = *status == 503 || text.starts_with("Err(Error::Other(");
        assert!(is_refused, "{status} {text}");
    }
    // From then on the component learns of it.
    let (_, last_answer) = &answers[29];
    assert!(
        last_answer.starts_with("Err(Error::Other("),
        "{last_answer}"
    );
    // Present values can still be read, and the failures are one line.
    let last = format!("/stores/default/exists/{}", kept - 1);
    assert_eq!(client.get(&last).await.text(), "Ok(true)");
    let line = program.wait_for_log("cannot write to the key-value store ");
    assert!(line.contains("sqlite_key_value.db: "), "{line}");
    program.signal("TERM");
    assert_eq!(program.wait().code(), Some(0));
    let log = program.rest_of_log();
    assert_eq!(log.len(), 1, "{log:#?}");
}

#[tokio::test]
async fn a_killed_instance_takes_nothing_with_it() {
    let application = Application::probe("");
    let program = Program::start(&application, &[]);
    let mut client = Client::connect(program.address()).await;
    client
        .send(request("PUT", "/stores/default/set/k", "kept"))
        .await;
    assert_eq!(client.get("/trap").await.status, 500);
    let answer = get(program.address(), "/stores/default/get/k").await;
    assert_eq!(answer.text(), "kept");
}

#[tokio::test]
async fn a_response_waits_for_the_disk_if_it_rests_on_something_that_is_not_there() {
    let application = Application::probe("");
    let (host, disk) = with_a_disk(application.options()).await;
    let address = host.local_addr();
    let busy = disk.lock().await;
    let setting = tokio::spawn(async move {
        let set = request("PUT", "/stores/default/set/k", "value");
        Client::connect(address).await.send(set).await
    });
    seen_by_others(address).await;
    assert!(!setting.is_finished());
    drop(busy);
    assert_eq!(setting.await.unwrap().text(), "Ok(())");
}

#[tokio::test]
async fn a_printed_line_waits_for_the_disk() {
    let application = Application::probe("");
    let logs = application.directory().join("logs");
    let options = UpOptions {
        log_dir: Some(logs.clone()),
        ..application.options()
    };
    let (host, disk) = with_a_disk(options).await;
    let address = host.local_addr();
    let lines = || std::fs::read_to_string(logs.join("probe_stdout.txt")).unwrap_or_default();
    let busy = disk.lock().await;
    let printing = tokio::spawn(async move { get(address, "/set-and-print/k/set").await });
    seen_by_others(address).await;
    assert_eq!(lines(), "");
    drop(busy);
    assert_eq!(printing.await.unwrap().text(), "printed");
    host.shutdown().await.unwrap();
    assert_eq!(lines(), "set\n");
}

#[tokio::test]
async fn a_request_to_another_host_waits_for_the_disk() {
    let other = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let authority = other.local_addr().unwrap();
    let allowed = format!("allowed_outbound_hosts = ['http://{authority}']");
    let application = Application::probe(&allowed);
    let (host, disk) = with_a_disk(application.options()).await;
    let address = host.local_addr();
    let busy = disk.lock().await;
    let path = format!("/set-and-fetch/k/{authority}");
    let fetching = tokio::spawn(async move { get(address, &path).await });
    seen_by_others(address).await;
    let early = timeout(SHORT, other.accept()).await;
    assert!(
        early.is_err(),
        "it came before the disk had what it rests on"
    );
    drop(busy);
    let (mut stream, _) = timeout(TEST_TIMEOUT, other.accept())
        .await
        .unwrap()
        .unwrap();
    let head = b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n";
    stream.write_all(head).await.unwrap();
    assert_eq!(fetching.await.unwrap().text(), "Ok(204)");
}

#[tokio::test]
async fn each_part_of_a_body_waits_for_what_it_rests_on_and_for_nothing_else() {
    let application = Application::probe("");
    let (host, disk) = with_a_disk(application.options()).await;
    let address = host.local_addr();
    let busy = disk.lock().await;
    let mut client = Client::connect(address).await;
    let mut body = client.begin("/set-and-drip/k").await.into_body();
    let before = timeout(TEST_TIMEOUT, body.frame()).await.unwrap();
    assert_eq!(before.unwrap().unwrap().into_data().unwrap(), "before\n");
    seen_by_others(address).await;
    let early = timeout(SHORT, body.frame()).await;
    assert!(
        early.is_err(),
        "it came before the disk had what it rests on"
    );
    drop(busy);
    let after = timeout(TEST_TIMEOUT, body.collect()).await.unwrap();
    assert_eq!(after.unwrap().to_bytes(), "after\n");
}

/// How long to wait for what must not happen.
const SHORT: Duration = Duration::from_millis(100);

/// A host, and its disk: who holds that keeps the host's log from being brought to it.
async fn with_a_disk(options: UpOptions) -> (Host, Arc<Mutex<()>>) {
    let disk = Arc::new(Mutex::new(()));
    let sync = {
        let disk = disk.clone();
        move |log: &File| {
            let _free = disk.blocking_lock();
            log.sync_data()
        }
    };
    let host = Host::start_syncing(options, Arc::new(sync)).await;
    (host.unwrap(), disk)
}

/// Waits until other instances see that `k` is set. They must not tell either: their responses
/// wait while the disk is busy.
async fn seen_by_others(address: SocketAddr) {
    loop {
        let reading = tokio::spawn(async move { get(address, "/stores/default/get/k").await });
        tokio::time::sleep(SHORT).await;
        if !reading.is_finished() {
            return;
        }
        assert_eq!(reading.await.unwrap().text(), "Ok(None)");
    }
}

#[tokio::test]
async fn what_the_disk_did_not_take_is_not_answered() {
    let application = Application::probe("");
    let is_well = Arc::new(AtomicBool::new(true));
    let sync = {
        let is_well = is_well.clone();
        move |_: &File| match is_well.load(Ordering::SeqCst) {
            true => Ok(()),
            false => Err(io::Error::other("no disk")),
        }
    };
    let host = Host::start_syncing(application.options(), Arc::new(sync));
    let host = host.await.unwrap();
    let mut client = Client::connect(host.local_addr()).await;
    let set = |key: &str| request("PUT", &format!("/stores/default/set/{key}"), "value");
    assert_eq!(client.send(set("before")).await.text(), "Ok(())");
    is_well.store(false, Ordering::SeqCst);
    let answer = client.send(set("k")).await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.problem()["status"], 503);
    // The next sync would succeed, and mean nothing.
    is_well.store(true, Ordering::SeqCst);
    let answer = get(host.local_addr(), "/stores/default/get/k").await;
    assert_eq!(answer.status, 503);
    let answer = client.send(set("later")).await;
    let is_refused = answer.status == 503 || answer.text().contains("start the host again");
    assert!(is_refused, "{answer:?}");
}
