//! Misbehaviour, mostly.

use std::hint::black_box;
use std::io::Write;
use std::time::Duration;

use spin_sdk::http::{OutgoingBody, ResponseOutparam};
use spin_sdk::wit::wasi::keyvalue::store;

use crate::response::{self, Answer};

pub fn show(path: &[&str], out: ResponseOutparam) {
    match path {
        ["trap"] => panic!("asked to"),
        ["trap-after-head"] => {
            let (_body, stream) = response::begin(out);
            stream
                .blocking_write_and_flush(b"so far so good")
                .expect("it is open");
            panic!("asked to, after the head");
        }
        ["no-response"] => {}
        ["loop"] => loop {
            black_box(());
        },
        ["sleep", milliseconds] => {
            let milliseconds = milliseconds.parse().expect("it is a number");
            std::thread::sleep(Duration::from_millis(milliseconds));
            response::send(out, Answer::text("slept"));
        }
        // Says on its standard output that it goes on.
        ["sleep", milliseconds, text] => {
            let milliseconds = milliseconds.parse().expect("it is a number");
            std::thread::sleep(Duration::from_millis(milliseconds));
            println!("{text}");
            response::send(out, Answer::text("slept"));
        }
        ["answer-and-loop"] => {
            response::send(out, Answer::text("answered"));
            loop {
                black_box(());
            }
        }
        ["drip", count] => drip(out, count, "20"),
        ["drip", count, milliseconds] => drip(out, count, milliseconds),
        // So many bytes, which the instance holds until all are taken.
        ["bytes", count] => {
            let count = count.parse().expect("it is a number");
            response::send(out, Answer::bytes(vec![b'x'; count]));
        }
        // An answer before the body is read.
        ["refuse", status] => {
            let status = status.parse().expect("it is a number");
            response::send(out, Answer::text("refused").with_status(status));
        }
        ["memory", megabytes] => {
            let megabytes: usize = megabytes.parse().expect("it is a number");
            let memory = black_box(vec![1_u8; megabytes << 20]);
            response::send(out, Answer::text(memory.len()));
        }
        ["print", text] => {
            println!("{text} to stdout");
            eprintln!("{text} to stderr");
            print!("{text} without a newline");
            std::io::stdout().flush().expect("it is open");
            response::send(out, Answer::text("printed"));
        }
        // Each does something that others notice after it has written to its store.
        ["set-and-print", key, text] => {
            set(key);
            println!("{text}");
            response::send(out, Answer::text("printed"));
        }
        ["set-and-fetch", key, authority] => {
            set(key);
            fetch(authority, out);
        }
        ["set-and-drip", key] => {
            let (body, stream) = response::begin(out);
            stream
                .blocking_write_and_flush(b"before\n")
                .expect("it is open");
            // What is written leaves the host when the instance waits.
            std::thread::sleep(Duration::from_millis(100));
            set(key);
            stream
                .blocking_write_and_flush(b"after\n")
                .expect("it is open");
            drop(stream);
            OutgoingBody::finish(body, None).expect("it has no length");
        }
        ["fetch"] => fetch("127.0.0.1:1", out),
        ["fetch", authority] => fetch(authority, out),
        _ => response::send(out, Answer::not_found()),
    }
}

/// Writes a value to the store `default`.
fn set(key: &str) {
    let bucket = store::open("default").expect("the manifest grants it");
    bucket.set(key, b"value").expect("the store takes it");
}

/// So many drops, each after a pause.
fn drip(out: ResponseOutparam, count: &str, milliseconds: &str) {
    let pause = Duration::from_millis(milliseconds.parse().expect("it is a number"));
    let (body, stream) = response::begin(out);
    for _ in 0..count.parse().expect("it is a number") {
        std::thread::sleep(pause);
        stream
            .blocking_write_and_flush(b"drop\n")
            .expect("it is open");
    }
    drop(stream);
    OutgoingBody::finish(body, None).expect("it has no length");
}

fn fetch(authority: &str, out: ResponseOutparam) {
    let request = spin_sdk::http::Request::get(format!("http://{authority}/"));
    let result: Result<spin_sdk::http::Response, _> =
        spin_sdk::http::run(spin_sdk::http::send(request));
    response::send(
        out,
        Answer::debug(result.map(|response| *response.status())),
    );
}
