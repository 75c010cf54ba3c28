//! The body of a request, which is received before an instance gets the request.
//!
//! An instance can only wait for a body that is slow to come, and there are only so many
//! instances. So the host waits for it, which costs little: for all of a short body, and
//! for the first part of a long one. A body that is slow may be one whose client waits for
//! an answer to the part that it sent: a few slow bodies go to an instance as they are.
//!
//! A client has the client timeout for each part of a body. Only the time counts in which
//! the host or the instance waits for the client.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::{Buf as _, Bytes, BytesMut};
use http::{HeaderMap, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};
use wasmtime_wasi_http::Error;

use crate::serve::exchange::Exchange;
use crate::serve::refusal::Refusal;

/// How many bytes a part of a body has. The host waits for the first part, which is a whole
/// body for most services.
pub const PART: usize = 64 << 10;

/// After how long a body is slow.
const SLOW_AFTER: Duration = Duration::from_millis(100);

/// How many requests with slow bodies may have an instance.
const MAX_SLOW: usize = 64;

/// A request's body, whose first part is here.
pub struct Upload {
    exchange: Arc<Exchange>,
    /// Held while the rest of a slow body is awaited.
    _slow: Option<OwnedSemaphorePermit>,
    first: Bytes,
    rest: Option<Incoming>,
    trailers: Option<HeaderMap>,
    /// How many bytes it may have.
    max: u64,
    /// How many bytes more it may have.
    left: u64,
    wait: Wait,
}

/// How bodies are received, the same for all connections.
#[derive(Clone)]
pub struct Uploads {
    max: u64,
    client_timeout: Duration,
    slow: Arc<Semaphore>,
}

impl Uploads {
    /// Bodies have at most `max` bytes; their clients have `client_timeout` for each part.
    pub fn new(max: u64, client_timeout: Duration) -> Uploads {
        Uploads {
            max,
            client_timeout,
            slow: Arc::new(Semaphore::new(MAX_SLOW)),
        }
    }

    /// Waits for the first part of the body, or for a place among the slow ones if it is
    /// slow.
    pub async fn receive(
        &self,
        mut body: Incoming,
        exchange: &Arc<Exchange>,
    ) -> Result<Upload, Refusal> {
        let received = self.receive_first(&mut body, exchange).await;
        let (first, trailers, slow) = received.inspect_err(|_| exchange.leave_body())?;
        Ok(Upload {
            exchange: exchange.clone(),
            _slow: slow,
            max: self.max,
            left: self.max - first.len() as u64,
            first,
            rest: (!body.is_end_stream()).then_some(body),
            trailers,
            wait: Wait::new(self.client_timeout),
        })
    }

    async fn receive_first(
        &self,
        body: &mut Incoming,
        exchange: &Exchange,
    ) -> Result<(Bytes, Option<HeaderMap>, Option<OwnedSemaphorePermit>), Refusal> {
        if body.size_hint().lower() > self.max {
            return Err(self.too_large());
        }
        if body.is_end_stream() {
            return Ok(Default::default());
        }
        exchange.set_body_due(Some(Instant::now()));
        let received = timeout(self.client_timeout, self.first_part(body)).await;
        exchange.set_body_due(None);
        let received = received.unwrap_or_else(|_| Err(too_slow(self.client_timeout)))?;
        if received.0.len() as u64 > self.max {
            return Err(self.too_large());
        }
        Ok(received)
    }

    async fn first_part(
        &self,
        body: &mut Incoming,
    ) -> Result<(Bytes, Option<HeaderMap>, Option<OwnedSemaphorePermit>), Refusal> {
        // A copy: a body that comes byte by byte would keep a buffer for each of them.
        let mut first = BytesMut::new();
        let mut trailers = None;
        let mut slow = None;
        let mut until_slow = pin!(sleep(SLOW_AFTER));
        while first.len() < PART && !body.is_end_stream() {
            let is_slow = async {
                if !until_slow.is_elapsed() {
                    until_slow.as_mut().await;
                }
                self.slow.clone().acquire_owned().await
            };
            let frame = tokio::select! {
                biased;
                frame = body.frame() => frame,
                acquired = is_slow => {
                    slow = acquired.ok();
                    break;
                }
            };
            let Some(frame) = frame else {
                break;
            };
            match frame.map_err(|_| broken_off())?.into_data() {
                Ok(data) => first.extend_from_slice(data.chunk()),
                Err(frame) => trailers = frame.into_trailers().ok(),
            }
        }
        Ok((first.freeze(), trailers, slow))
    }

    fn too_large(&self) -> Refusal {
        too_large(self.max)
    }
}

fn broken_off() -> Refusal {
    let detail = "The body of the request broke off. Send all of it.";
    Refusal::new(StatusCode::BAD_REQUEST, detail)
}

fn too_large(max: u64) -> Refusal {
    let detail = format!("The body of a request has at most {max} bytes here.");
    Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
}

fn too_slow(client_timeout: Duration) -> Refusal {
    let detail =
        format!("Send the body of a request faster: {PART} bytes within {client_timeout:?}.");
    Refusal::new(StatusCode::REQUEST_TIMEOUT, detail)
}

impl Body for Upload {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if !self.first.is_empty() {
            let first = std::mem::take(&mut self.first);
            return Poll::Ready(Some(Ok(Frame::data(first))));
        }
        let this = &mut *self;
        let Some(rest) = &mut this.rest else {
            let trailers = this.trailers.take();
            return Poll::Ready(trailers.map(|trailers| Ok(Frame::trailers(trailers))));
        };
        let Poll::Ready(frame) = Pin::new(rest).poll_frame(context) else {
            let client_timeout = this.wait.client_timeout;
            let ended = ready!(this.wait.poll(&this.exchange, context));
            if let WaitEnd::TimeOver = ended {
                this.exchange.refuse_body(too_slow(client_timeout));
            }
            return Poll::Ready(Some(Err(Error::ConnectionReadTimeout)));
        };
        let length = match &frame {
            Some(Ok(frame)) => frame.data_ref().map_or(0, Bytes::len),
            _ => 0,
        };
        this.wait.end(&this.exchange, length);
        match this.left.checked_sub(length as u64) {
            Some(left) => {
                this.left = left;
                Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
            }
            None => {
                this.exchange.refuse_body(too_large(this.max));
                Poll::Ready(Some(Err(Error::HttpRequestBodySize(None))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        let rest = self.rest.as_ref().is_none_or(Body::is_end_stream);
        self.first.is_empty() && self.trailers.is_none() && rest
    }

    fn size_hint(&self) -> SizeHint {
        let first = self.first.len() as u64;
        let rest = self.rest.as_ref().map(Body::size_hint);
        let rest = rest.unwrap_or_else(|| SizeHint::with_exact(0));
        let mut sum = SizeHint::new();
        sum.set_lower(first + rest.lower());
        if let Some(upper) = rest.upper() {
            sum.set_upper(first + upper);
        }
        sum
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        self.exchange.set_body_due(None);
        if self.rest.as_ref().is_some_and(|rest| !rest.is_end_stream()) {
            self.exchange.leave_body();
        }
    }
}

/// Waiting for a client.
struct Wait {
    client_timeout: Duration,
    /// How long this part has been waited for, before the present wait.
    waited: Duration,
    /// How many bytes of this part have come.
    received: usize,
    now: Option<Waiting>,
}

struct Waiting {
    since: Instant,
    end: Pin<Box<dyn Future<Output = WaitEnd> + Send>>,
}

enum WaitEnd {
    TimeOver,
    GivenUp,
}

impl Wait {
    fn new(client_timeout: Duration) -> Self {
        Self {
            client_timeout,
            waited: Duration::ZERO,
            received: 0,
            now: None,
        }
    }

    /// Ready when nothing is to be waited for any longer.
    fn poll(&mut self, exchange: &Arc<Exchange>, context: &mut Context<'_>) -> Poll<WaitEnd> {
        let waiting = self.now.get_or_insert_with(|| {
            let since = Instant::now();
            exchange.set_body_due(since.checked_sub(self.waited).or(Some(since)));
            let left = self.client_timeout.saturating_sub(self.waited);
            let given_up = exchange.given_up().clone();
            let end = Box::pin(async move {
                match timeout(left, given_up.cancelled()).await {
                    Ok(()) => WaitEnd::GivenUp,
                    Err(_) => WaitEnd::TimeOver,
                }
            });
            Waiting { since, end }
        });
        waiting.end.as_mut().poll(context)
    }

    /// Notes that so many bytes have come.
    fn end(&mut self, exchange: &Exchange, length: usize) {
        if let Some(waiting) = self.now.take() {
            self.waited += waiting.since.elapsed();
            exchange.set_body_due(None);
        }
        self.received += length;
        if self.received >= PART {
            self.received = 0;
            self.waited = Duration::ZERO;
        }
    }
}
