//! The streams of HTTP/2: each has a task of its own, and can be ended alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hyper::rt::Executor;
use tokio_util::sync::CancellationToken;

tokio::task_local! {
    static CURRENT: Stream;
}

/// A stream of HTTP/2.
#[derive(Clone, Debug)]
pub struct Stream {
    /// Cancelled to end the stream. Its client then gets an RST_STREAM, unless all of the
    /// response is on its way.
    pub given_up: CancellationToken,
    is_over: Arc<AtomicBool>,
}

impl Stream {
    /// The stream that the running task is for. With HTTP/1.1 there is none.
    pub fn current() -> Option<Self> {
        CURRENT.try_with(Clone::clone).ok()
    }

    /// Whether its task has ended. The connection alone may still have to send what the
    /// task left behind.
    pub fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }
}

/// Runs the tasks of streams.
#[derive(Clone, Copy, Debug)]
pub struct Streams;

impl<F> Executor<F> for Streams
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, task: F) {
        let stream = Stream {
            given_up: CancellationToken::new(),
            is_over: Arc::new(AtomicBool::new(false)),
        };
        tokio::spawn(CURRENT.scope(stream.clone(), async move {
            stream.given_up.run_until_cancelled(task).await;
            stream.is_over.store(true, Ordering::Relaxed);
        }));
    }
}
