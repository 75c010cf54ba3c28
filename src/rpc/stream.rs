//! Answers with many messages, and how they end.

use edge_users_proto::Message;
use http::HeaderMap;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::code::{self, DEADLINE_EXCEEDED, RESULTS_UNREAD, TIME_LIMIT, TOO_MANY_FAILURES};
use super::frame::Frames;
use super::metadata::Metadata;
use super::protocol::{Codec, Framing, Protocol};
use super::status::{self, Status, push_end, trailers};
use super::unary::{decode, decode_binary, encode, only_one, push_message};
use crate::message::body::Body;
use crate::message::content::{Content, Parts};
use crate::message::problem::{Problem, types};
use crate::platform::Platform;
use crate::service::bulk::End;
use crate::service::resource::{Answer, Call};
use crate::timestamp::Timestamp;

/// The media types by which a call with many messages is sent.
const MEDIA_TYPES: [&str; 5] = [
    "application/connect+json",
    "application/connect+proto",
    "application/grpc",
    "application/grpc-web",
    "application/grpc-web-text",
];

/// What is answered, message by message.
pub struct Stream {
    protocol: Protocol,
    metadata: Metadata,
    failure: Option<Status>,
}

impl Stream {
    /// The answer to a call that came just now.
    pub fn of<S, P: Platform, B>(call: &Call<'_, S, P, B>) -> Result<Stream, Problem> {
        let protocol = Protocol::of(&call.request).filter(|protocol| protocol.is_for_streams());
        let protocol = protocol.ok_or_else(|| Problem::unsupported_media_type(&MEDIA_TYPES))?;
        let now = call.directory.platform.now();
        let metadata = Metadata::of(call.request.headers(), protocol, now)?;
        metadata.check_deadline(now)?;
        Ok(Stream {
            protocol,
            metadata,
            failure: None,
        })
    }

    /// When the client gives up; `None` if it has all the time.
    pub fn deadline(&self) -> Option<Timestamp> {
        self.metadata.deadline
    }

    /// What reads the frames of the request.
    pub fn frames(&self) -> Frames {
        Frames::new(self.protocol.framing)
    }

    /// Reads the message of a call that has one.
    pub async fn read<M: Message + Default + DeserializeOwned>(
        &self,
        body: impl Body,
    ) -> Result<M, Problem> {
        let message = only_one(body, self.frames(), self.metadata).await?;
        decode(self.protocol.codec, &message)
    }

    /// Reads the next message, if all of it has arrived.
    pub fn next<M: Message + Default + DeserializeOwned>(
        &self,
        frames: &mut Frames,
    ) -> Result<Option<M>, Problem> {
        let Some(frame) = frames.next()? else {
            return Ok(None);
        };
        let message = self.metadata.unpack(frame)?;
        decode(self.protocol.codec, &message).map(Some)
    }

    /// Adds a message.
    pub fn push(&self, bytes: &mut Vec<u8>, message: &(impl Message + Serialize)) {
        let message = encode(self.protocol.codec, message);
        push_message(bytes, self.protocol.framing, self.metadata, &message);
    }

    /// Adds a message in protobuf's binary form.
    pub fn push_binary(&self, bytes: &mut Vec<u8>, message: &impl Message) {
        let message = message.encode_to_vec();
        push_message(bytes, self.protocol.framing, self.metadata, &message);
    }

    /// Adds what says how the call ended.
    pub fn push_end(&mut self, bytes: &mut Vec<u8>, ended: Result<(), Problem>) {
        self.failure = ended.err().map(|problem| Status::of(&problem));
        push_end(bytes, self.protocol.framing, self.failure.as_ref());
    }

    /// What follows the messages, in gRPC.
    pub fn trailers(&self) -> Option<HeaderMap> {
        self.is_full_duplex()
            .then(|| trailers(self.failure.as_ref()))
    }

    /// Whether clients read while they send.
    pub fn is_full_duplex(&self) -> bool {
        self.protocol.framing == Framing::Grpc
    }

    /// The problem that an end is, if it is not that all is done.
    pub fn outcome(&self, end: End) -> Result<(), Problem> {
        Err(match end {
            End::Complete => return Ok(()),
            End::IncompleteBody => Problem::incomplete_body(),
            End::TimeLimit(now) => match self.metadata.check_deadline(now) {
                Ok(()) => Problem::plain(TIME_LIMIT),
                Err(_) => Problem::plain(DEADLINE_EXCEEDED),
            },
            End::Failures => Problem::plain(TOO_MANY_FAILURES).retry_after(1),
            End::ResultsUnread => Problem::plain(RESULTS_UNREAD),
            End::RateLimit(reset) => Problem::plain(types::TOO_MANY_REQUESTS).retry_after(reset),
            End::Problem(problem) => problem,
        })
    }

    /// The response whose messages `parts` makes.
    pub fn respond<'a, T: Parts + 'a>(self, parts: impl FnOnce(Stream) -> T) -> Answer<'a> {
        let (protocol, metadata) = (self.protocol, self.metadata);
        let content = Content::Parts(Box::new(parts(self)));
        let mut response = status::response(protocol, content);
        metadata.apply(protocol, response.headers_mut());
        response.into()
    }

    /// Reads the next message, which is in protobuf's binary form alone.
    pub fn next_binary<M: Message + Default>(
        &self,
        frames: &mut Frames,
    ) -> Result<Option<M>, Problem> {
        let Some(frame) = frames.next()? else {
            return Ok(None);
        };
        if self.protocol.codec == Codec::Json {
            return Err(code::malformed("These messages have no form in JSON."));
        }
        decode_binary(&self.metadata.unpack(frame)?).map(Some)
    }
}
