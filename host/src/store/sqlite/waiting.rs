//! Writes that wait to be carried out, and their answers.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::oneshot;

use super::operation::{Outcome, Write};
use crate::store::{Basis, StoreError};

/// A write that waits.
#[derive(Debug)]
pub(super) struct Waiting {
    pub store: Arc<str>,
    pub write: Write,
    /// What it rests on.
    pub basis: Arc<Basis>,
    pub since: Instant,
    pub answer: oneshot::Sender<Result<Written, StoreError>>,
}

/// A write that was carried out, and is seen by all readers.
#[derive(Clone, Debug)]
pub(super) struct Written {
    /// An error is that of this write alone.
    pub outcome: Result<Outcome, StoreError>,
    /// The moment at which the write, or what it found, is durable.
    pub moment: u64,
}
