//! The content of a response (RFC 9110, section 6.4): there at once, or made while it is sent.

use std::time::Duration;

use super::export::Export;
use super::import::Import;
use crate::message::body::Body;
use crate::platform::Platform;
use crate::store::Store;

/// How long the service looks one way while it may have to do something the other way: send what
/// it made, read what arrives, or see that time is up.
pub const GLANCE: Duration = Duration::from_millis(50);

/// What a response carries.
pub enum Content<'a, S, P, B> {
    Whole(Vec<u8>),
    Import(Box<Import<'a, S, P, B>>),
    Export(Box<Export<'a, S, P>>),
}

/// A part of content that is made while it is sent.
pub enum Part {
    /// The next bytes; none if there are none for the moment.
    Bytes(Vec<u8>),
    /// Ask again when the client has taken some of what there is, or after [`GLANCE`].
    Later,
    End,
}

impl<S: Store, P: Platform, B: Body> Content<'_, S, P, B> {
    /// Makes the next part. `unsent` is how many bytes of the earlier ones the client has not
    /// taken yet.
    pub async fn next(&mut self, unsent: usize) -> Part {
        match self {
            Content::Whole(bytes) if bytes.is_empty() => Part::End,
            Content::Whole(bytes) => Part::Bytes(std::mem::take(bytes)),
            Content::Import(import) => import.next(unsent).await,
            Content::Export(export) => export.next(unsent).await,
        }
    }

    /// All of it, if it is there.
    pub fn whole(self) -> Option<Vec<u8>> {
        match self {
            Content::Whole(bytes) => Some(bytes),
            Content::Import(_) | Content::Export(_) => None,
        }
    }
}
