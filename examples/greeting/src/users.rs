//! The user service, as a client in the same application sees it.

use serde::Deserialize;
use spin_sdk::http::{Fields, IncomingResponse};
use spin_sdk::wit::wasi::http0_2_0::outgoing_handler;
use spin_sdk::wit::wasi::http0_2_0::types::{OutgoingRequest, Scheme};
use wasi::clocks::monotonic_clock;
use wasi::io::poll::{Pollable, poll};
use wasi::io::streams::StreamError;

/// The user service in the same application. The host sends it the request without a socket, as
/// `spin.toml` names the component in `allowed_outbound_hosts`.
const HOST: &str = "edge-users.spin.internal";

/// How long the user service may take, in nanoseconds: 2 s. Spin by itself sets no limit.
const TIME_LIMIT: u64 = 2_000_000_000;

/// The most bytes of an answer.
const MAX_BYTES: usize = 64 << 10;

/// Fields of the client that go on to the user service: by these its log and its traces name the
/// same request (W3C Trace Context).
const PASSED_ON: [&str; 3] = ["traceparent", "tracestate", "x-request-id"];

/// Why there is no name.
pub enum Failure {
    /// There is no user with this id.
    NoSuchUser,
    /// The token is missing, unknown or expired.
    Refused,
    /// The user service asks to come again later, after so many seconds.
    Busy { retry_after: String },
    /// It took longer than the limit.
    TooSlow,
    /// Anything else.
    Broken(String),
}

#[derive(Deserialize)]
struct User {
    name: String,
}

/// The name of a user. `fields` are those of the client's request.
pub fn name_of(id: &str, fields: &Fields) -> Result<String, Failure> {
    let deadline = monotonic_clock::subscribe_duration(TIME_LIMIT);
    let request = request(id, fields).map_err(broken)?;
    let sent = outgoing_handler::handle(request, None).map_err(broken)?;
    wait(&sent.subscribe(), &deadline)?;
    let answer = sent.get().and_then(Result::ok);
    let answer = answer.ok_or_else(|| broken("there is no answer"))?;
    let answer = answer.map_err(broken)?;
    match answer.status() {
        200 => {
            let body = read(&answer, &deadline)?;
            let user: User = serde_json::from_slice(&body).map_err(broken)?;
            Ok(user.name)
        }
        404 => Err(Failure::NoSuchUser),
        401 | 403 => Err(Failure::Refused),
        429 | 503 => Err(Failure::Busy {
            retry_after: field(&answer.headers(), "retry-after").unwrap_or("1".to_owned()),
        }),
        504 => Err(Failure::TooSlow),
        status => Err(broken(format!("its status is {status}"))),
    }
}

fn broken(reason: impl ToString) -> Failure {
    Failure::Broken(reason.to_string())
}

fn request(id: &str, client: &Fields) -> Result<OutgoingRequest, &'static str> {
    let token =
        spin_sdk::variables::get("token").map_err(|_| "the variable token is unreadable")?;
    let mut fields = vec![("accept".to_owned(), b"application/json".to_vec())];
    if !token.is_empty() {
        let value = format!("Bearer {token}").into_bytes();
        fields.push(("authorization".to_owned(), value));
    }
    for name in PASSED_ON {
        let values = client.get(name).into_iter();
        fields.extend(values.map(|value| (name.to_owned(), value)));
    }
    let fields = Fields::from_list(&fields).map_err(|_| "the token is not a token")?;
    let request = OutgoingRequest::new(fields);
    let path = format!("/users/{id}?fields=name");
    request
        .set_scheme(Some(&Scheme::Http))
        .and_then(|()| request.set_authority(Some(HOST)))
        .and_then(|()| request.set_path_with_query(Some(&path)))
        .map_err(|()| "the host refuses the URL")?;
    Ok(request)
}

fn field(fields: &Fields, name: &str) -> Option<String> {
    let value = fields.get(name).into_iter().next()?;
    String::from_utf8(value).ok()
}

/// Waits until `event`. Fails if `deadline` is before that.
fn wait(event: &Pollable, deadline: &Pollable) -> Result<(), Failure> {
    poll(&[event, deadline]);
    match event.ready() {
        true => Ok(()),
        false => Err(Failure::TooSlow),
    }
}

fn read(answer: &IncomingResponse, deadline: &Pollable) -> Result<Vec<u8>, Failure> {
    let body = answer.consume().map_err(|()| broken("it has no body"))?;
    let stream = body.stream().map_err(|()| broken("it has no body"))?;
    let mut bytes = Vec::new();
    loop {
        wait(&stream.subscribe(), deadline)?;
        match stream.read(MAX_BYTES as u64) {
            Ok(more) => bytes.extend(more),
            Err(StreamError::Closed) => return Ok(bytes),
            Err(StreamError::LastOperationFailed(error)) => {
                return Err(broken(error.to_debug_string()));
            }
        }
        if bytes.len() > MAX_BYTES {
            return Err(broken(format!("it has more than {MAX_BYTES} bytes")));
        }
    }
}
