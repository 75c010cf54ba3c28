//! A server that is killed, paused, or not there yet.

use std::net::SocketAddr;
use std::time::Duration;

use edge_host::Host;
use tokio::time::{sleep, timeout};

use super::Setting;
use crate::support::redis_server::free_port;
use crate::support::{Application, Client, Program, RedisServer, TEST_TIMEOUT, get, request};

/// More requests than could wait one after the other for a server that is away.
const MANY: usize = 500;

/// Asks until the store can be used again.
async fn recovered(address: SocketAddr) {
    let asked = async {
        while get(address, "/stores/default/exists/k")
            .await
            .text()
            .contains("Err(")
        {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(TEST_TIMEOUT, asked).await.expect("it recovers");
}

/// Asks until the store can't be used, and then so often that it would take far too long if each
/// request waited.
async fn fails_at_once(address: SocketAddr) {
    let mut client = Client::connect(address).await;
    let mut get = async || {
        let answer = client.get("/stores/default/get/k").await;
        answer.text().starts_with("Err(Error::Other(")
    };
    let failed = async {
        while !get().await {}
        for _ in 0..MANY {
            assert!(get().await);
        }
    };
    timeout(TEST_TIMEOUT, failed).await.expect("none waits");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_loses_nothing_and_is_found_again() {
    let Some(mut setting) = Setting::new(&[]) else {
        return;
    };
    let host = setting.host().await;
    let address = host.local_addr();
    let mut answered = 0;
    for _ in 0..3 {
        // Some writers, of which the kill interrupts the last writes.
        let writers: Vec<_> = (0..4)
            .map(|writer| {
                tokio::spawn(async move {
                    let mut client = Client::connect(address).await;
                    let mut written = Vec::new();
                    for number in 0_u32.. {
                        let key = format!("{answered}-{writer}-{number}");
                        let set = request("PUT", &format!("/stores/default/set/{key}"), &key);
                        match client.send(set).await.text() {
                            "Ok(())" => written.push(key),
                            error => {
                                assert!(error.starts_with("Err(Error::Other("), "{error}");
                                return written;
                            }
                        }
                    }
                    written
                })
            })
            .collect();
        let first = format!("/stores/default/exists/{answered}-3-50");
        while get(address, &first).await.text() != "Ok(true)" {}
        setting.redis.kill();
        let mut written = Vec::new();
        for writer in writers {
            written.extend(writer.await.unwrap());
        }
        fails_at_once(address).await;
        setting.redis.restart();
        recovered(address).await;
        let mut client = Client::connect(address).await;
        for key in &written {
            let value = client.get(&format!("/stores/default/get/{key}")).await;
            assert_eq!(value.text(), key);
        }
        answered += written.len();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_paused_server_nobody_waits_long_and_nothing_is_called_done() {
    let Some(setting) = Setting::new(&[]) else {
        return;
    };
    let host = setting.host().await;
    let address = host.local_addr();
    assert_eq!(get(address, "/atomics/increment/n/1").await.text(), "Ok(1)");
    setting.redis.signal("STOP");
    let requests: Vec<_> = (0..20)
        .map(|_| tokio::spawn(async move { get(address, "/atomics/increment/n/1").await }))
        .collect();
    for request in requests {
        let answer = request.await.unwrap();
        assert!(answer.text().starts_with("Err("), "{}", answer.text());
    }
    fails_at_once(address).await;
    setting.redis.signal("CONT");
    recovered(address).await;
    // Each of the increments that failed was made or not, and none of them twice.
    let count = get(address, "/atomics/increment/n/0").await;
    let count = count.text().strip_prefix("Ok(").unwrap();
    let count: u32 = count.strip_suffix(")").unwrap().parse().unwrap();
    assert!((1..=21).contains(&count), "{count}");
}

#[tokio::test]
async fn a_host_starts_before_its_server() {
    if !RedisServer::is_installed() {
        return;
    }
    let data = tempfile::tempdir().unwrap();
    // To learn of a free port, at which there is a server later.
    let mut redis = RedisServer::start(data.path(), &[]);
    redis.kill();
    let application = Application::probe("");
    let config = application.directory().join("runtime.toml");
    let store = format!(
        "[key_value_store.default]\ntype = 'redis'\nurl = '{}'\n",
        redis.url()
    );
    std::fs::write(&config, store).unwrap();
    let arguments = ["--runtime-config-file", "runtime.toml"];
    let mut program = Program::start(&application, &arguments);
    let name = format!("the key-value store in Redis at 127.0.0.1:{}", redis.port());
    let line = program.wait_for_log(&format!("cannot reach {name}: "));
    assert!(line.contains("refused"), "{line}");
    fails_at_once(program.address()).await;
    assert_eq!(get(program.address(), "/hello").await.text(), "hello");
    redis.restart();
    recovered(program.address()).await;
    let line = program.wait_for_log(&format!("{name} can be reached again"));
    assert!(line.contains("operations failed"), "{line}");
    program.signal("TERM");
    assert_eq!(program.wait().code(), Some(0));
    let log = program.rest_of_log();
    assert_eq!(log.len(), 2, "{log:#?}");
}

#[tokio::test]
async fn a_start_that_has_to_write_into_a_server_that_is_away_fails() {
    let application = Application::probe("");
    let config = application.directory().join("runtime.toml");
    let store = format!(
        "[key_value_store.default]\ntype = 'redis'\nurl = 'redis://127.0.0.1:{}'\n",
        free_port()
    );
    std::fs::write(&config, store).unwrap();
    let options = edge_host::UpOptions {
        runtime_config_file: Some(config),
        key_values: vec![("k".to_owned(), "v".to_owned())],
        ..application.options()
    };
    let error = Host::start(options).await.err().expect("it fails");
    let error = format!("{error:#}");
    assert!(error.starts_with("cannot set the key k: "), "{error}");
}
