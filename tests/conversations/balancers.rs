//! Balancers in front of several hosts, with the configurations that `deploy/` has for them.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::process::{Process, free_address, start_host_with};
use crate::support::{Service, new_state_dir, path, root};

/// A program, its configuration, and its arguments, where `DIRECTORY` is one of its own, and
/// `FILE` the configuration.
const BALANCERS: &[(&str, &str, &[&str])] = &[
    (
        "haproxy",
        "deploy/haproxy/haproxy.cfg",
        &["-db", "-f", "FILE"],
    ),
    (
        "nginx",
        "deploy/nginx/nginx.conf",
        &["-p", "DIRECTORY", "-c", "FILE"],
    ),
];

/// How long anything may take to be there.
const TEST_TIMEOUT: Duration = Duration::from_secs(30);

/// The balancer at work, for hosts at the addresses that its configuration has, or rather at
/// these; its own address is the first. `None` where the program is missing.
fn start_balancer(
    (program, file, arguments): (&str, &str, &[&str]),
    addresses: &[SocketAddr; 4],
) -> Option<Process> {
    // Programs of the administrator need not be in everybody's path.
    let program = ["/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin"]
        .map(|directory| PathBuf::from(directory).join(program))
        .into_iter()
        .find(|program| program.exists());
    let Some(program) = program else {
        println!("SKIPPED: {file} is not run, as its program is missing");
        return None;
    };
    let mut configuration = std::fs::read_to_string(root().join(file)).expect("a file");
    for (port, address) in (3000..).zip(addresses) {
        let written = format!("127.0.0.1:{port}");
        assert!(configuration.contains(&written), "{file}: {written}");
        configuration = configuration.replace(&written, &address.to_string());
    }
    let directory = new_state_dir();
    let written = directory.join("configuration");
    std::fs::write(&written, configuration).expect("a file");
    let place = |argument: &&str| match *argument {
        "DIRECTORY" => directory.clone(),
        "FILE" => written.clone(),
        other => PathBuf::from(other),
    };
    let log = std::fs::File::create(directory.join("log")).expect("a file");
    let child = Command::new(program)
        .args(arguments.iter().map(place))
        .stdout(Stdio::null())
        .stderr(log)
        .spawn();
    Some(Process(child.expect("the balancer starts")))
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + TEST_TIMEOUT;
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// The status of the answer, if there is one.
fn status(client: &reqwest::blocking::Client, url: &str) -> Option<u16> {
    let answer = client.get(url).send().ok()?;
    let status = answer.status().as_u16();
    answer.bytes().ok()?;
    Some(status)
}

/// Whether the balancer hands a request to the host that shows so many users on a page.
fn is_served_by(client: &reqwest::blocking::Client, url: &str, page_size: u64) -> bool {
    let Ok(page) = client.get(format!("{url}/users")).send() else {
        return false;
    };
    let next = page.headers().get("link");
    let next = next.and_then(|link| link.to_str().ok());
    next.is_some_and(|next| next.contains(&format!("limit={page_size}&")))
}

#[test]
fn no_safe_request_fails_while_one_of_the_hosts_is_there() {
    for &balancer in BALANCERS {
        // Nobody is at the last one.
        let addresses = [(); 4].map(|()| free_address());
        let Some(_balancer) = start_balancer(balancer, &addresses) else {
            continue;
        };
        let state_dir = new_state_dir();
        // They are told apart by how many users they show on a page.
        let mut first = start_host_with(&state_dir, addresses[1], &["page_size=1"]);
        let mut second = start_host_with(&state_dir, addresses[2], &["page_size=2"]);
        let client = reqwest::blocking::Client::new();
        let url = format!("http://{}", addresses[0]);
        wait_until("the balancer finds a host", || {
            status(&client, &format!("{url}/readyz")) == Some(200)
        });
        let user = Service::at(&url).create(json!({ "name": "Ada" }));
        let user = format!("{url}{}", path(&user));
        for name in ["Bea", "Cyd"] {
            Service::at(&url).create(json!({ "name": name }));
        }
        let wait_for_host = |page_size| {
            wait_until("the balancer finds the host", || {
                is_served_by(&client, &url, page_size)
            })
        };
        wait_for_host(1);
        wait_for_host(2);

        let (is_over, answers) = (AtomicBool::new(false), AtomicUsize::new(0));
        let failures = thread::scope(|scope| {
            let readers = [(); 4].map(|()| {
                scope.spawn(|| {
                    let client = reqwest::blocking::Client::new();
                    let mut failures = Vec::new();
                    while !is_over.load(Ordering::Relaxed) {
                        match status(&client, &user) {
                            Some(200) => answers.fetch_add(1, Ordering::Relaxed),
                            other => {
                                failures.push(other);
                                0
                            }
                        };
                    }
                    failures
                })
            });
            let read = |times| {
                let before = answers.load(Ordering::Relaxed);
                let enough = || answers.load(Ordering::Relaxed) >= before + times;
                wait_until("the readers are answered", enough);
            };
            read(200);
            first.signal("KILL");
            read(200);
            first = start_host_with(&state_dir, addresses[1], &["page_size=1"]);
            wait_for_host(1);
            read(200);
            second.signal("TERM");
            read(200);
            is_over.store(true, Ordering::Relaxed);
            readers
                .map(|reader| reader.join().expect("no panic"))
                .concat()
        });
        assert_eq!(failures, [], "{}", balancer.0);
    }
}

/// A host that is ready, and takes every request, but dies before it answers. It counts them.
fn start_dying_host(address: SocketAddr) -> Arc<AtomicUsize> {
    let requests = Arc::new(AtomicUsize::new(0));
    let listener = TcpListener::bind(address).expect("its port is free");
    let counted = requests.clone();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream: TcpStream = stream.expect("a connection");
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                match stream.read(&mut byte) {
                    Ok(1) => head.push(byte[0]),
                    _ => break,
                }
            }
            if head.starts_with(b"GET /readyz") {
                let ready = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
                stream.write_all(ready).ok();
            } else if !head.is_empty() {
                counted.fetch_add(1, Ordering::Relaxed);
            }
        }
    });
    requests
}

#[test]
fn a_balancer_repeats_what_changes_nothing_and_nothing_else() {
    for &balancer in BALANCERS {
        let addresses = [(); 4].map(|()| free_address());
        let Some(_balancer) = start_balancer(balancer, &addresses) else {
            continue;
        };
        let hosts = [1, 2, 3].map(|number| start_dying_host(addresses[number]));
        // HAProxy closes a connection that it has served, instead of an answer.
        let client = reqwest::blocking::Client::builder().pool_max_idle_per_host(0);
        let client = client.build().expect("a client");
        let url = format!("http://{}/readyz", addresses[0]);
        wait_until("the balancer finds a host", || {
            status(&client, &url) == Some(200)
        });
        // A balancer may have left a host out until its first answer.
        thread::sleep(Duration::from_secs(2));
        let url = format!("http://{}/users/1", addresses[0]);
        for (method, is_repeated) in [
            ("GET", true),
            ("HEAD", true),
            ("PUT", false),
            ("PATCH", false),
            ("POST", false),
            ("DELETE", false),
        ] {
            for host in &hosts {
                host.store(0, Ordering::Relaxed);
            }
            let method: reqwest::Method = method.parse().expect("a method");
            let sent = client
                .request(method.clone(), &url)
                .send()
                .expect("an answer");
            assert!(sent.status().is_server_error(), "{} {method}", balancer.0);
            let counts = hosts.each_ref().map(|host| host.load(Ordering::Relaxed));
            let count: usize = counts.iter().sum();
            let asked = counts.iter().filter(|count| **count > 0).count();
            if is_repeated {
                assert!(asked > 1, "{} {method}: {counts:?}", balancer.0);
            } else {
                assert_eq!(count, 1, "{} {method}: {counts:?}", balancer.0);
            }
            // Hosts that failed are left out for a second.
            thread::sleep(Duration::from_secs(2));
        }
    }
}
