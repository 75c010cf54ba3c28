//! The floor: the smallest component that answers a body of the size of one user.
//! What it takes is the platform's share of every request.

#![cfg(target_family = "wasm")]

use spin_sdk::http::{Fields, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam};
use spin_sdk::http_component;

/// As long as the user whom the benchmark reads.
const BODY: &[u8] = br#"{"id":500,"name":"User 0000500","email":"user0000500@example.com","created_at":"2026-01-01T00:00:00.000Z","updated_at":"2026-01-01T00:00:00.000Z"}"#;

#[http_component]
fn handle(_: IncomingRequest, out: ResponseOutparam) {
    let length = BODY.len().to_string().into_bytes();
    let headers = Fields::from_list(&[
        (
            "content-type".to_owned(),
            b"application/json".as_slice().into(),
        ),
        ("content-length".to_owned(), length),
    ]);
    let response = OutgoingResponse::new(headers.expect("the headers are valid"));
    let body = response.body().expect("it has one body");
    let stream = body.write().expect("it has one stream");
    stream
        .check_write()
        .and_then(|_| stream.write(BODY))
        .expect("it has room");
    drop(stream);
    OutgoingBody::finish(body, None).expect("the length is right");
    out.set(response);
}
