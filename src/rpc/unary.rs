//! Calls with one message each way.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use edge_users_proto::{Message, json as proto_json};
use http::Method;
use percent_encoding::percent_decode_str;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::code::{self, MESSAGE_COUNT};
use super::frame::{self, Frame, Frames};
use super::metadata::{self, Metadata};
use super::protocol::{Codec, Framing, Protocol};
use super::status::{self, push_end, trailers};
use crate::json;
use crate::message::body::{self, Body, Broken};
use crate::message::content::Content;
use crate::message::problem::{Problem, types};
use crate::platform::Platform;
use crate::service::resource::{Answer, Call};
use crate::user::UserId;

/// The media types by which a call with one message each way is sent.
pub const MEDIA_TYPES: [&str; 5] = [
    "application/json",
    "application/proto",
    "application/grpc",
    "application/grpc-web",
    "application/grpc-web-text",
];

/// What is answered, and the user that the call created.
pub struct Reply<M> {
    pub answer: Answered<M>,
    pub created: Option<UserId>,
}

/// The message that is answered.
pub enum Answered<M> {
    Message(M),
    /// As the codec of the call writes it.
    Encoded(Vec<u8>),
}

impl<M> From<M> for Reply<M> {
    fn from(message: M) -> Reply<M> {
        let created = None;
        let answer = Answered::Message(message);
        Reply { answer, created }
    }
}

/// Reads the message of a call, has `run` answer it, and sends what that answers.
pub async fn unary<'a, S, P, B, Q, A>(
    call: Box<Call<'a, S, P, B>>,
    run: impl AsyncFnOnce(Call<'a, S, P, ()>, Q) -> Result<Reply<A>, Problem>,
) -> Result<Answer<'a>, Problem>
where
    P: Platform,
    B: Body,
    Q: Message + Default + DeserializeOwned,
    A: Message + Serialize,
{
    let protocol = Protocol::of(&call.request).filter(|protocol| protocol.is_for_unary());
    let protocol = protocol.ok_or_else(|| match *call.request.method() {
        Method::GET | Method::HEAD => {
            let detail = "The query has neither encoding=json nor encoding=proto.";
            Problem::new(types::UNSUPPORTED_MEDIA_TYPE, detail)
        }
        _ => Problem::unsupported_media_type(&MEDIA_TYPES),
    })?;
    let platform = call.directory.platform;
    let (call, body) = call.take_body();
    let metadata = Metadata::of(call.request.headers(), protocol, platform.now())?;
    let message = match protocol.framing {
        Framing::Query => from_query(call.request.uri().query().unwrap_or_default())?,
        Framing::Unary => metadata.unpack_body(body::whole(body).await?)?,
        framing => only_one(body, Frames::new(framing), metadata).await?,
    };
    metadata.check_deadline(platform.now())?;
    let reply = run(call, decode(protocol.codec, &message)?).await?;
    let message = match reply.answer {
        Answered::Message(message) => encode(protocol.codec, &message),
        Answered::Encoded(message) => message,
    };
    Ok(Answer {
        created: reply.created,
        ..respond(protocol, metadata, message)
    })
}

/// The message in the query of a GET.
fn from_query(query: &str) -> Result<Vec<u8>, Problem> {
    let (mut message, mut is_base64, mut is_compressed) = (None, false, false);
    for pair in query.split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = value.replace('+', " ");
        let value: Vec<u8> = percent_decode_str(&value).collect();
        match name {
            "message" => message = Some(value),
            "base64" => is_base64 = value == b"1",
            "compression" => {
                is_compressed = metadata::is_gzip(std::str::from_utf8(&value).unwrap_or("?"))?;
            }
            "connect" if value != b"v1" => return Err(code::invalid("connect", "must be v1")),
            _ => {}
        }
    }
    let mut message = message.ok_or_else(|| code::malformed("The query has no message."))?;
    if is_base64 {
        let text = message.trim_ascii_end();
        let text = text
            .strip_suffix(b"==")
            .or(text.strip_suffix(b"="))
            .unwrap_or(text);
        let decoded = URL_SAFE_NO_PAD.decode(text);
        message = decoded.map_err(|_| code::malformed("The message is not Base64 for URLs."))?;
    }
    match is_compressed && !message.is_empty() {
        true => metadata::decompress(&message),
        false => Ok(message),
    }
}

/// The message of a body that has one frame.
pub async fn only_one<B: Body>(
    mut body: B,
    mut frames: Frames,
    metadata: Metadata,
) -> Result<Vec<u8>, Problem> {
    let message = read_one(&mut body, &mut frames).await;
    if message.is_err() {
        body::ignore(body).await;
    }
    metadata.unpack(message?)
}

async fn read_one<B: Body>(body: &mut B, frames: &mut Frames) -> Result<Frame, Problem> {
    let mut first = None;
    while let Some(bytes) = body.next().await {
        frames.push(&bytes.map_err(|Broken| Problem::incomplete_body())?)?;
        while let Some(frame) = frames.next()? {
            if first.replace(frame).is_some() {
                return Err(Problem::plain(MESSAGE_COUNT));
            }
        }
    }
    frames.finish()?;
    first.ok_or_else(|| Problem::plain(MESSAGE_COUNT))
}

/// Reads a message. Fields that are unknown are left out in protobuf's binary form, as it has
/// to be, and refused in JSON.
pub fn decode<M: Message + Default + DeserializeOwned>(
    codec: Codec,
    message: &[u8],
) -> Result<M, Problem> {
    match codec {
        Codec::Proto => decode_binary(message),
        Codec::Json => proto_json::read(json::parse(message)?).map_err(|why| malformed(&why)),
    }
}

/// Reads a message in protobuf's binary form.
pub fn decode_binary<M: Message + Default>(message: &[u8]) -> Result<M, Problem> {
    M::decode(message).map_err(|error| malformed(&error.to_string()))
}

fn malformed(why: &str) -> Problem {
    code::malformed(&format!("The message can't be read: {why}."))
}

/// Writes a message.
pub fn encode<M: Message + Serialize>(codec: Codec, message: &M) -> Vec<u8> {
    match codec {
        Codec::Proto => message.encode_to_vec(),
        Codec::Json => serde_json::to_vec(message).expect("messages have string keys only"),
    }
}

/// The response with that message.
fn respond(protocol: Protocol, metadata: Metadata, message: Vec<u8>) -> Answer<'static> {
    let mut bytes = Vec::new();
    let framing = protocol.framing;
    if protocol.has_frames() {
        push_message(&mut bytes, framing, metadata, &message);
    } else {
        bytes = message;
    }
    push_end(&mut bytes, framing, None);
    let content = match framing {
        Framing::Grpc => Content::WithTrailers(bytes, trailers(None).into()),
        _ => Content::Whole(bytes),
    };
    let mut response = status::response(protocol, content);
    metadata.apply(protocol, response.headers_mut());
    response.into()
}

/// Adds a message in its frame.
pub fn push_message(bytes: &mut Vec<u8>, framing: Framing, metadata: Metadata, message: &[u8]) {
    match metadata.pack(message) {
        Some(packed) => frame::push(bytes, framing, frame::COMPRESSED, &packed),
        None => frame::push(bytes, framing, 0, message),
    }
}
