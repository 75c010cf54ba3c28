//! A component of WASI 0.3 that does the task in the path of its request. An instance of it
//! can have several requests at the same time. On anything but wasm there is nothing of it.

#![cfg(target_family = "wasm")]

use std::cell::Cell;

use wasip3::clocks::monotonic_clock;
use wasip3::http::types::{ErrorCode, Fields, Request, Response};
use wasip3::wit_future;

thread_local! {
    static PRESENT: Cell<u32> = const { Cell::new(0) };
}

struct Probe;

wasip3::http::service::export!(Probe);

impl wasip3::exports::http::handler::Guest for Probe {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        let path = request.get_path_with_query().unwrap_or_default();
        PRESENT.set(PRESENT.get() + 1);
        let present = PRESENT.get();
        match path.split('/').skip(2).collect::<Vec<_>>().as_slice() {
            ["trap"] => panic!("asked to"),
            ["sleep", milliseconds] => {
                let milliseconds: u64 = milliseconds.parse().expect("it is a number");
                monotonic_clock::wait_for(milliseconds * 1_000_000).await;
            }
            _ => {}
        }
        PRESENT.set(PRESENT.get() - 1);
        Ok(answer(present))
    }
}

/// Says how many requests the instance had when this one came.
fn answer(present: u32) -> Response {
    let field = ("present".to_owned(), present.to_string().into_bytes());
    let fields = Fields::from_list(&[field]).expect("they are valid");
    let (_, trailers) = wit_future::new(|| Ok(None));
    let (response, _) = Response::new(fields, None, trailers);
    response
}
