//! A component that does the task in the path of its request, for the tests of the
//! host. On anything but wasm there is nothing of it.

#![cfg(target_family = "wasm")]

mod atomics;
mod behaviour;
mod call;
mod response;
mod stores;
mod users;

use std::cell::Cell;

use spin_sdk::http::{IncomingRequest, ResponseOutparam};
use spin_sdk::http_component;

use response::Answer;

thread_local! {
    static REQUESTS: Cell<u32> = const { Cell::new(0) };
}

#[http_component]
fn handle(request: IncomingRequest, out: ResponseOutparam) {
    REQUESTS.set(REQUESTS.get() + 1);
    let target = request.path_with_query().unwrap_or_default();
    let path = target.split('?').next().unwrap_or_default().to_owned();
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    match segments.as_slice() {
        ["hello"] => response::send(out, Answer::text("hello")),
        ["requests"] => response::send(out, Answer::text(REQUESTS.get())),
        ["echo"] => response::send(out, Answer::bytes(response::body_of(&request))),
        ["headers"] => response::send(out, Answer::text(response::headers_of(&request))),
        ["method"] => response::send(out, Answer::text(request.method())),
        ["authority"] => response::send(out, Answer::debug(request.authority())),
        ["variable", name] => {
            response::send(out, Answer::debug(spin_sdk::variables::get(name)));
        }
        ["config", name] => {
            let value = spin_sdk::wit::wasi::config::store::get(name);
            response::send(out, Answer::debug(value));
        }
        ["config"] => {
            let all = spin_sdk::wit::wasi::config::store::get_all();
            response::send(out, Answer::debug(all));
        }
        ["environment", name] => response::send(out, Answer::debug(std::env::var(name))),
        ["stores", rest @ ..] => {
            response::send(out, stores::wasi(rest, || response::body_of(&request)));
        }
        ["spin-stores", rest @ ..] => {
            response::send(out, stores::spin(rest, || response::body_of(&request)));
        }
        ["users", id] => response::send(out, users::answer(id, &request)),
        ["call", ..] => response::send(out, call::answer(&request)),
        ["atomics", rest @ ..] => response::send(out, atomics::answer(rest)),
        rest => behaviour::show(rest, out),
    }
}
