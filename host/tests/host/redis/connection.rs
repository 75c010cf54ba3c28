//! How a host comes to its connection: users and passwords, TLS, and connections that are closed.

use std::path::Path;
use std::process::Command;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::Setting;
use crate::support::{Application, Client, Program, RedisServer, edge_host, get, request};

const ARGUMENTS: [&str; 2] = ["--runtime-config-file", "runtime.toml"];

#[tokio::test]
async fn a_wrong_password_is_told_of_and_is_in_no_log() {
    let Some(setting) = Setting::new(&["--requirepass", "right-secret"]) else {
        return;
    };
    let port = setting.redis.port();
    setting.use_url(&format!("redis://:wrong-secret@127.0.0.1:{port}"));
    let mut program = Program::start(&setting.application, &ARGUMENTS);
    program.wait_for_log(&format!(
        "cannot reach the key-value store in Redis at 127.0.0.1:{port}: the user or the \
         password in the url of the runtime configuration is refused"
    ));
    let answer = get(program.address(), "/stores/default/get/k").await;
    assert!(answer.text().contains("the user or the password"));
    assert!(!answer.text().contains("secret"));
    // Once the server knows the password, nothing else is to be done.
    let changed = setting
        .redis
        .send("AUTH right-secret\r\nCONFIG SET requirepass wrong-secret");
    assert!(changed.unwrap().starts_with("+OK"));
    program.wait_for_log("can be reached again");
    let answer = get(program.address(), "/stores/default/get/k").await;
    assert_eq!(answer.text(), "Ok(None)");
    program.signal("TERM");
    assert_eq!(program.wait().code(), Some(0));
    let output = [program.rest_of_output(), program.rest_of_log()].concat();
    assert!(
        !output.iter().any(|line| line.contains("secret")),
        "{output:#?}"
    );
}

#[tokio::test]
async fn a_password_that_is_missing_is_told_of() {
    let Some(setting) = Setting::new(&["--requirepass", "right-secret"]) else {
        return;
    };
    let mut program = Program::start(&setting.application, &ARGUMENTS);
    program.wait_for_log("the url of the runtime configuration lacks a password");
    // A URL is read as it is meant, and is not shown when it can't be.
    setting.use_url("redis://:right-secret@127.0.0.1:port");
    let line = crate::support::refused(&setting.application, &ARGUMENTS);
    assert!(
        line.starts_with("runtime.toml:3: the url of the key-value store"),
        "{line}"
    );
    assert!(!line.contains("secret"), "{line}");
}

#[tokio::test]
async fn a_user_with_a_password_comes_into_the_database_of_the_url() {
    let users = "--user edge on >se:cret ~* +@all -config --user default off";
    let users: Vec<_> = users.split(' ').collect();
    let Some(setting) = Setting::new(&users) else {
        return;
    };
    let port = setting.redis.port();
    setting.use_url(&format!("redis://edge:se%3Acret@127.0.0.1:{port}/4"));
    let host = setting.host().await;
    let mut client = Client::connect(host.local_addr()).await;
    let set = request("PUT", "/stores/default/set/k", "value");
    assert_eq!(client.send(set).await.text(), "Ok(())");
    let value = |database: u8| {
        let line = format!("AUTH edge se:cret\r\nSELECT {database}\r\nEXISTS k");
        setting.redis.send(&line).unwrap()
    };
    assert_eq!(value(4), "+OK\r\n+OK\r\n:1\r\n");
    assert_eq!(value(0), "+OK\r\n+OK\r\n:0\r\n");
}

#[tokio::test]
async fn a_connection_that_the_server_closes_costs_no_read() {
    let Some(setting) = Setting::new(&[]) else {
        return;
    };
    let host = setting.host().await;
    let mut client = Client::connect(host.local_addr()).await;
    let set = request("PUT", "/stores/default/set/k", "value");
    assert_eq!(client.send(set).await.text(), "Ok(())");
    for _ in 0..20 {
        setting.redis.send("CLIENT KILL TYPE normal").unwrap();
        assert_eq!(client.get("/stores/default/get/k").await.text(), "value");
    }
}

/// Passes everything on between a host and a server, except for the answers to writes that are
/// atomic: then it closes the connection.
async fn lose_answers(listener: TcpListener, port: u16) {
    while let Ok((mut host, _)) = listener.accept().await {
        tokio::spawn(async move {
            let mut server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            let (mut question, mut answer) = ([0; 4096], [0; 4096]);
            let mut is_atomic = false;
            loop {
                tokio::select! {
                    length = host.read(&mut question) => {
                        let question = &question[..length.unwrap_or(0)];
                        let text = String::from_utf8_lossy(question);
                        is_atomic |= text.contains("INCRBY") || text.contains("EVAL");
                        if question.is_empty() || server.write_all(question).await.is_err() {
                            return;
                        }
                    }
                    length = server.read(&mut answer) => {
                        let answer = &answer[..length.unwrap_or(0)];
                        if answer.is_empty() || is_atomic || host.write_all(answer).await.is_err() {
                            return;
                        }
                    }
                }
            }
        });
    }
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_is_made_once_at_most_and_is_not_called_done() {
    let Some(setting) = Setting::new(&[]) else {
        return;
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("redis://{}", listener.local_addr().unwrap());
    tokio::spawn(lose_answers(listener, setting.redis.port()));
    setting.use_url(&url);
    let host = setting.host().await;
    let mut client = Client::connect(host.local_addr()).await;
    for _ in 0..5 {
        let answer = client.get("/atomics/increment/n/1").await;
        assert!(answer.text().starts_with("Err("), "{}", answer.text());
    }
    // One that found no new connection in time was not made.
    let count = setting.redis.send("GET n").unwrap();
    let count: u32 = count.lines().nth(1).unwrap().parse().unwrap();
    assert!((1..=5).contains(&count), "{count}");
    setting.redis.send("SET k a").unwrap();
    let outcome = loop {
        let answer = client.get("/atomics/swap/k/-/b").await;
        if let Some(outcome) = answer.text().strip_prefix("Ok(Some([97])), ") {
            break outcome.to_owned();
        }
    };
    assert!(outcome.starts_with("Error::Other("), "{outcome}");
    assert_eq!(setting.redis.send("GET k").unwrap(), "$1\r\nb\r\n");
}

#[tokio::test]
async fn a_server_that_may_lose_values_is_told_of() {
    let arguments = ["--appendonly", "no", "--maxmemory", "100mb"];
    let eviction = ["--maxmemory-policy", "allkeys-lru"];
    let Some(setting) = Setting::new(&[&arguments[..], &eviction].concat()) else {
        return;
    };
    let mut program = Program::start(&setting.application, &ARGUMENTS);
    program.wait_for_log("set appendonly yes and appendfsync always");
    program.wait_for_log("set maxmemory-policy noeviction");
    // It is used all the same.
    let answer = get(program.address(), "/stores/default/get/k").await;
    assert_eq!(answer.text(), "Ok(None)");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_operations_than_the_connection_takes_wait_for_their_turn() {
    let Some(setting) = Setting::new(&[]) else {
        return;
    };
    let host = setting.host().await;
    let address = host.local_addr();
    // For so long the server answers nobody, and every request comes meanwhile or later.
    setting.redis.send("CLIENT PAUSE 500 ALL").unwrap();
    let requests: Vec<_> = (0..400)
        .map(|_| tokio::spawn(async move { get(address, "/atomics/increment/n/1").await }))
        .collect();
    for request in requests {
        let answer = request.await.unwrap();
        assert!(answer.text().starts_with("Ok("), "{}", answer.text());
    }
    assert_eq!(setting.redis.send("GET n").unwrap(), "$3\r\n400\r\n");
}

/// Makes a certificate for 127.0.0.1 that signs itself, and its key.
fn make_certificate(directory: &Path) -> bool {
    let made = Command::new("openssl")
        .args([
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
        ])
        .args(["-subj", "/CN=redis"])
        .args(["-addext", "subjectAltName=IP:127.0.0.1"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .args(["-keyout", "key.pem", "-out", "certificate.pem"])
        .current_dir(directory)
        .output();
    made.is_ok_and(|output| output.status.success())
}

#[tokio::test]
async fn a_server_is_trusted_by_its_certificate() {
    let certificates = tempfile::tempdir().unwrap();
    if RedisServer::is_installed() && !make_certificate(certificates.path()) {
        println!("SKIPPED: it needs openssl");
        return;
    }
    let file = |name: &str| certificates.path().join(name).to_str().unwrap().to_owned();
    let port = crate::support::redis_server::free_port().to_string();
    let Some(setting) = Setting::new(&[
        "--tls-port",
        &port,
        "--tls-cert-file",
        &file("certificate.pem"),
        "--tls-key-file",
        &file("key.pem"),
        "--tls-auth-clients",
        "no",
    ]) else {
        return;
    };
    let start = |application: &Application, trusted: bool| {
        let mut command = edge_host();
        command
            .args(["up", "--listen", "127.0.0.1:0"])
            .args(ARGUMENTS)
            .current_dir(application.directory());
        if trusted {
            // As OpenSSL has it, instead of the certificates of the system.
            command.env("SSL_CERT_FILE", file("certificate.pem"));
        }
        Program::spawn(command)
    };
    let url = format!("rediss://127.0.0.1:{port}");
    setting.use_url(&url);
    let mut stranger = start(&setting.application, false);
    let line = stranger.wait_for_log("cannot reach the key-value store in Redis");
    assert!(line.contains("certificate"), "{line}");
    let friend = start(&setting.application, true);
    let answer = get(friend.address(), "/atomics/increment/n/1").await;
    assert_eq!(answer.text(), "Ok(1)");
    // Whoever says so in the URL trusts anybody, as in Spin.
    setting.use_url(&format!("{url}#insecure"));
    let trusting = start(&setting.application, false);
    let answer = get(trusting.address(), "/atomics/increment/n/1").await;
    assert_eq!(answer.text(), "Ok(2)");
}
