//! A time limit that moves.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use tokio::time::{Sleep, sleep_until};

/// Keeps the time for what an instance does, from request to request.
///
/// A timer that fires early does no harm, it is just set again, while setting it costs a
/// lock. So it isn't set back when the limit moves, only when it would fire too late or has
/// fired too early.
#[derive(Debug, Default)]
pub struct Deadline(Option<Pin<Box<Sleep>>>);

impl Deadline {
    /// Ready when it is `at`, or later. There may be no such time.
    pub fn poll(&mut self, at: Option<Instant>, context: &mut Context<'_>) -> Poll<()> {
        let Some(at) = at.map(tokio::time::Instant::from) else {
            return Poll::Pending;
        };
        let sleep = self.0.get_or_insert_with(|| Box::pin(sleep_until(at)));
        if sleep.deadline() > at {
            sleep.as_mut().reset(at);
        }
        loop {
            ready!(sleep.as_mut().poll(context));
            if tokio::time::Instant::now() >= at {
                return Poll::Ready(());
            }
            sleep.as_mut().reset(at);
        }
    }
}
