//! Responses: from the types of the crate `http` to WASI's types.

use std::cell::RefCell;

use http::response::Parts;
use http::{HeaderMap, Response, StatusCode};
use spin_sdk::http::{Headers, OutgoingBody, OutgoingResponse, ResponseOutparam};
use spin_sdk::wit::wasi::http0_2_0::types::HeaderError;
use wasi::io::streams::{OutputStream, StreamError};

use super::error_code::reason;
use super::{pause, wait};
use crate::message::content::{Content, Part, TURN};

/// Sends the response with its `Server-Timing`, or fails with the reason, for the log. A whole body is
/// written before the response is handed over, as far as the host takes it: the host then sends head
/// and body in one packet. In two packets, the second waits for the client's delayed acknowledgement, about 40 ms,
/// on a host that does not set `TCP_NODELAY`.
pub async fn write(
    response: Box<Response<Content<'_>>>,
    timing: &str,
    response_out: ResponseOutparam,
) -> Result<(), String> {
    let (head, mut content): (Parts, _) = response.into_parts();
    let whole = content.as_whole();
    let whole = whole.filter(|_| !matches!(head.status.as_u16(), 204 | 304));
    let length = whole.map(|body| body.len().to_string());
    let length = length.iter().map(|length| ("content-length", &**length));
    let added = [("server-timing", timing)].into_iter().chain(length);
    let headers = fields(&head.headers, added);
    let headers = headers.map_err(|error| error.to_string())?;
    let response = OutgoingResponse::new(headers);
    // It is 200 unless it is set.
    if head.status != StatusCode::OK {
        response
            .set_status_code(head.status.as_u16())
            .map_err(|()| format!("status {} is refused", head.status))?;
    }
    if let Content::Whole(body) = &content
        && body.is_empty()
    {
        // Without a body a response ends with its head.
        response_out.set(response);
        return Ok(());
    }
    let outgoing = response.body().map_err(|()| "there is no body")?;
    let stream = outgoing.write().map_err(|()| "there is no body")?;
    if let Some(body) = content.as_whole() {
        let rest = write_now(&stream, body).map_err(|error| error.to_string())?;
        if rest.is_empty() {
            drop(stream);
            finish(outgoing, content)?;
            response_out.set(response);
            return Ok(());
        }
        response_out.set(response);
        write_all(&stream, rest).map_err(client_has_gone)?;
    } else {
        response_out.set(response);
        let sent = write_parts(&stream, &mut content).await;
        sent.map_err(client_has_gone)?;
    }
    drop(stream);
    finish(outgoing, content)
}

thread_local! {
    /// The names and values of the last fields. The next response of the instance uses their memory
    /// again, and an instance that answers one request only frees none of it.
    static FIELDS: RefCell<Vec<(String, Vec<u8>)>> = const { RefCell::new(Vec::new()) };
}

/// The fields, and others that are added.
fn fields<'a>(
    headers: &HeaderMap,
    added: impl IntoIterator<Item = (&'static str, &'a str)>,
) -> Result<Headers, HeaderError> {
    FIELDS.with_borrow_mut(|fields| {
        let mut count = 0;
        fields.reserve(headers.len() + 2);
        let mut push = |name: &str, value: &[u8]| {
            match fields.get_mut(count) {
                None => fields.push((name.to_owned(), value.to_vec())),
                Some(last) => {
                    name.clone_into(&mut last.0);
                    value.clone_into(&mut last.1);
                }
            }
            count += 1;
        };
        for (name, value) in headers {
            push(name.as_str(), value.as_bytes());
        }
        for (name, value) in added {
            push(name, value.as_bytes());
        }
        Headers::from_list(&fields[..count])
    })
}

/// Ends a body, with the trailers of its content.
fn finish(body: OutgoingBody, mut content: Content<'_>) -> Result<(), String> {
    let trailers = content.trailers();
    let trailers = trailers.map(|trailers| fields(&trailers, []));
    let trailers = trailers.transpose().map_err(|error| error.to_string())?;
    OutgoingBody::finish(body, trailers).map_err(reason)
}

fn client_has_gone(error: StreamError) -> String {
    format!("the client has gone: {error}")
}

/// Sends content while it is made.
async fn write_parts(stream: &OutputStream, content: &mut Content<'_>) -> Result<(), StreamError> {
    let mut unsent = Vec::new();
    loop {
        let rest = write_now(stream, &unsent)?.len();
        unsent.drain(..unsent.len() - rest);
        match content.next(unsent.len()).await {
            Part::Bytes(bytes) => unsent.extend(bytes),
            Part::Later => wait(&stream.subscribe(), TURN),
            Part::Pause(time) => pause(time),
            Part::End => return write_all(stream, &unsent),
        }
    }
}

/// Writes as much as the host takes without waiting; answers the rest.
fn write_now<'a>(stream: &OutputStream, bytes: &'a [u8]) -> Result<&'a [u8], StreamError> {
    let now = (stream.check_write()? as usize).min(bytes.len());
    let (first, rest) = bytes.split_at(now);
    if !first.is_empty() {
        stream.write(first)?;
    }
    Ok(rest)
}

fn write_all(stream: &OutputStream, mut bytes: &[u8]) -> Result<(), StreamError> {
    while !bytes.is_empty() {
        stream.subscribe().block();
        bytes = write_now(stream, bytes)?;
    }
    stream.blocking_flush()
}
