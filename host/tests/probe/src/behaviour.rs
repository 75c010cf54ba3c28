//! Misbehaviour, mostly.

use std::hint::black_box;
use std::io::Write;
use std::time::Duration;

use spin_sdk::http::{OutgoingBody, ResponseOutparam};

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
        ["fetch"] => fetch("127.0.0.1:1", out),
        ["fetch", authority] => fetch(authority, out),
        _ => response::send(out, Answer::not_found()),
    }
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
