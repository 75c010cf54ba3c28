//! The content of a response (RFC 9110, section 6.4): there at once, or made while it is sent.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use http::HeaderMap;

/// How long the service waits for one event while another may need attention: the client takes
/// bytes, bytes arrive, or time is up.
pub const TURN: Duration = Duration::from_millis(50);

/// The content of a response.
pub enum Content<'a> {
    Whole(Vec<u8>),
    /// Content with fields after it (RFC 9110, section 6.5). They are boxed, as every answer would
    /// pay for the room that they take.
    WithTrailers(Vec<u8>, Box<HeaderMap>),
    Parts(Box<dyn Parts + 'a>),
}

/// Content that is made while it is sent.
pub trait Parts {
    /// Makes the next part. `unsent` is how many bytes of the earlier ones the client has not
    /// taken yet.
    fn next(&mut self, unsent: usize) -> Pin<Box<dyn Future<Output = Part> + '_>>;

    /// The fields after the content, once all of it is made; `None` if there are none.
    fn trailers(&mut self) -> Option<HeaderMap> {
        None
    }
}

/// A part of content that is made while it is sent.
pub enum Part {
    /// The next bytes; none if there are none for the moment.
    Bytes(Vec<u8>),
    /// Nothing now: ask again when the client has taken some bytes, or after [`TURN`].
    Later,
    /// Ask again after that time.
    Pause(Duration),
    End,
}

impl Content<'_> {
    /// Makes the next part, see [`Parts::next`].
    pub async fn next(&mut self, unsent: usize) -> Part {
        match self {
            Content::Whole(bytes) | Content::WithTrailers(bytes, _) => match bytes.is_empty() {
                true => Part::End,
                false => Part::Bytes(std::mem::take(bytes)),
            },
            Content::Parts(parts) => parts.next(unsent).await,
        }
    }

    /// The fields after the content, once all of it is made.
    pub fn trailers(&mut self) -> Option<HeaderMap> {
        match self {
            Content::Whole(_) => None,
            Content::WithTrailers(_, trailers) => Some(std::mem::take(&mut **trailers)),
            Content::Parts(parts) => parts.trailers(),
        }
    }

    /// All of it, if it is there already.
    pub fn as_whole(&self) -> Option<&[u8]> {
        match self {
            Content::Whole(bytes) | Content::WithTrailers(bytes, _) => Some(bytes),
            Content::Parts(_) => None,
        }
    }

    /// All of it, if it is there.
    pub fn whole(self) -> Option<Vec<u8>> {
        match self {
            Content::Whole(bytes) | Content::WithTrailers(bytes, _) => Some(bytes),
            Content::Parts(_) => None,
        }
    }
}
