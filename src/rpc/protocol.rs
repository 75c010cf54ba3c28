//! Which of the protocols a request speaks, by its method and media type.

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request};

/// How a call is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Protocol {
    pub framing: Framing,
    pub codec: Codec,
}

/// How messages, and how a call ends, are put into a request and its response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// Connect: a message is the body.
    Unary,
    /// Connect: the message is in the query of a GET.
    Query,
    /// Connect: messages in frames, the last of which tells how the call ended.
    Stream,
    /// gRPC: messages in frames, and trailers.
    Grpc,
    /// gRPC-Web: messages in frames, and trailers in the last of them.
    Web,
    /// The same in Base64.
    WebText,
}

/// How a message is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    Proto,
    Json,
}

/// The media types of all framings but `Query`, before what names the codec.
const FRAMINGS: [(&str, Framing); 5] = [
    ("application/connect+", Framing::Stream),
    ("application/grpc-web-text", Framing::WebText),
    ("application/grpc-web", Framing::Web),
    ("application/grpc", Framing::Grpc),
    ("application/", Framing::Unary),
];

impl Protocol {
    /// The protocol of a request; `None` if it is none of those known here.
    pub fn of<B>(request: &Request<B>) -> Option<Protocol> {
        if matches!(*request.method(), Method::GET | Method::HEAD) {
            let query = request.uri().query()?;
            let encoding = |pair: &str| Some(pair.strip_prefix("encoding=")?.to_owned());
            let codec = Codec::named(&query.split('&').find_map(encoding)?)?;
            let framing = Framing::Query;
            return Some(Protocol { framing, codec });
        }
        let value = request.headers().get(CONTENT_TYPE)?.to_str().ok()?;
        let media_type = value.split(';').next().unwrap_or_default().trim();
        let media_type = media_type.to_ascii_lowercase();
        let (framing, codec) = FRAMINGS.into_iter().find_map(|(prefix, framing)| {
            let rest = media_type.strip_prefix(prefix)?;
            Some((framing, rest))
        })?;
        let codec = match framing {
            Framing::Unary | Framing::Stream => Codec::named(codec)?,
            // Protobuf, unless it is said.
            _ if codec.is_empty() => Codec::Proto,
            _ => Codec::named(codec.strip_prefix('+')?)?,
        };
        Some(Protocol { framing, codec })
    }

    /// The media type of the answer.
    pub fn media_type(self) -> HeaderValue {
        let json = self.codec == Codec::Json;
        HeaderValue::from_static(match self.framing {
            Framing::Unary | Framing::Query if json => "application/json",
            Framing::Unary | Framing::Query => "application/proto",
            Framing::Stream if json => "application/connect+json",
            Framing::Stream => "application/connect+proto",
            Framing::Grpc if json => "application/grpc+json",
            Framing::Grpc => "application/grpc+proto",
            Framing::Web if json => "application/grpc-web+json",
            Framing::Web => "application/grpc-web+proto",
            Framing::WebText if json => "application/grpc-web-text+json",
            Framing::WebText => "application/grpc-web-text+proto",
        })
    }

    /// Whether it can carry a call with one message each way.
    pub fn is_for_unary(self) -> bool {
        self.framing != Framing::Stream
    }

    /// Whether it can carry a call with many messages.
    pub fn is_for_streams(self) -> bool {
        !matches!(self.framing, Framing::Unary | Framing::Query)
    }

    /// Whether each message is in a frame.
    pub fn has_frames(self) -> bool {
        self.is_for_streams()
    }

    /// The headers that say how messages in frames are compressed, and how they may be.
    pub fn compression_headers(self) -> (HeaderName, HeaderName) {
        let (encoding, accepted) = match self.framing {
            Framing::Unary | Framing::Query => ("content-encoding", "accept-encoding"),
            Framing::Stream => ("connect-content-encoding", "connect-accept-encoding"),
            _ => ("grpc-encoding", "grpc-accept-encoding"),
        };
        (
            HeaderName::from_static(encoding),
            HeaderName::from_static(accepted),
        )
    }
}

impl Codec {
    fn named(name: &str) -> Option<Codec> {
        match name {
            "proto" => Some(Codec::Proto),
            "json" => Some(Codec::Json),
            _ => None,
        }
    }
}

/// A header as text, if it is there and is text.
pub fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}
