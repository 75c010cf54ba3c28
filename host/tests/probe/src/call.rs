//! A request to somebody else, as the request at hand says it.

use spin_sdk::http::{IncomingRequest, OutgoingBody};
use spin_sdk::wit::wasi::http0_2_0::outgoing_handler;
use spin_sdk::wit::wasi::http0_2_0::types::{Fields, OutgoingRequest, RequestOptions, Scheme};
use wasi::io::streams::StreamError;

use crate::response::{Answer, body_of};

/// `call/SCHEME/AUTHORITY/PATH`, with the same method, query, body and fields; fields
/// `wait-first-byte` and `wait-between-bytes` are the milliseconds to wait.
pub fn answer(request: &IncomingRequest) -> Answer {
    let target = request.path_with_query().unwrap_or_default();
    let target = target.strip_prefix("/call/").expect("it is the path");
    let mut parts = target.splitn(3, '/');
    let mut next = || parts.next().unwrap_or_default();
    let scheme = match next() {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        other => Scheme::Other(other.to_owned()),
    };
    let (authority, path) = (next(), format!("/{}", next()));
    let given = request.headers();
    let fields = Fields::from_list(&given.entries()).expect("they are valid");
    let outgoing = OutgoingRequest::new(fields);
    outgoing.set_method(&request.method()).expect("it is valid");
    outgoing.set_scheme(Some(&scheme)).expect("it is valid");
    outgoing
        .set_authority(Some(authority))
        .expect("it is valid");
    outgoing
        .set_path_with_query(Some(&path))
        .expect("it is valid");
    let wait = |name: &str| {
        let value = given.get(name).into_iter().next()?;
        let milliseconds: u64 = String::from_utf8(value).ok()?.parse().ok()?;
        Some(milliseconds * 1_000_000)
    };
    let options = RequestOptions::new();
    let set = options
        .set_first_byte_timeout(wait("wait-first-byte"))
        .and_then(|()| options.set_between_bytes_timeout(wait("wait-between-bytes")));
    set.expect("the host has them");
    let body = outgoing.body().expect("it has one body");
    let sent = match outgoing_handler::handle(outgoing, Some(options)) {
        Ok(sent) => sent,
        Err(error) => return Answer::debug(error).with_status(502),
    };
    let stream = body.write().expect("it has one stream");
    for part in body_of(request).chunks(4096) {
        // The other side need not read all.
        if stream.blocking_write_and_flush(part).is_err() {
            break;
        }
    }
    drop(stream);
    OutgoingBody::finish(body, None).ok();
    sent.subscribe().block();
    let response = match sent.get().expect("it is there").expect("it is asked once") {
        Ok(response) => response,
        Err(error) => return Answer::debug(error).with_status(502),
    };
    let status = response.status();
    let body = response.consume().expect("it has one body");
    let stream = body.stream().expect("it has one stream");
    let mut bytes = Vec::new();
    loop {
        match stream.blocking_read(64 * 1024) {
            Ok(part) => bytes.extend(part),
            Err(StreamError::Closed) => return Answer::bytes(bytes).with_status(status),
            Err(error) => {
                let read = bytes.len();
                return Answer::text(format!("{read} bytes, then {error:?}")).with_status(502);
            }
        }
    }
}
