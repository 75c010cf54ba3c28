//! The floor of what reads a user: like the fixed floor, after one read of the
//! record that the path names. The record is looked at no further.

#![cfg(target_family = "wasm")]

use std::cell::OnceCell;

use spin_sdk::http::{Fields, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam};
use spin_sdk::http_component;
use spin_sdk::wit::wasi::keyvalue::store::{self, Bucket};

/// As long as the user whom the benchmark reads.
const BODY: &[u8] = br#"{"id":500,"name":"User 0000500","email":"user0000500@example.com","created_at":"2026-01-01T00:00:00.000Z","updated_at":"2026-01-01T00:00:00.000Z"}"#;

thread_local! {
    /// The store, opened once an instance, as edge-users does.
    static BUCKET: OnceCell<Bucket> = const { OnceCell::new() };
}

#[http_component]
fn handle(request: IncomingRequest, out: ResponseOutparam) {
    let path = request.path_with_query().unwrap_or_default();
    let key = path.replacen("/users/", "user/", 1);
    let record = BUCKET.with(|bucket| {
        let bucket = bucket.get_or_init(|| store::open("default").expect("it is granted"));
        bucket.get(&key).expect("the store answers")
    });
    let status = if record.is_some() { 200 } else { 404 };
    let length = BODY.len().to_string().into_bytes();
    let headers = Fields::from_list(&[
        (
            "content-type".to_owned(),
            b"application/json".as_slice().into(),
        ),
        ("content-length".to_owned(), length),
    ]);
    let response = OutgoingResponse::new(headers.expect("the headers are valid"));
    response.set_status_code(status).expect("it is a status");
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
