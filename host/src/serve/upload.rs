//! The body of a request, which is taken in before an instance gets the request.
//!
//! An instance can only wait for a body that is slow to come, and there are only
//! so many instances. So the host waits for it, which costs next to nothing: for
//! all of a short body, and for the first part of a long one. A body that is slow
//! may be one whose client waits for an answer to what it sent: a few of those go
//! to an instance as they are.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf as _, Bytes, BytesMut};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::sleep;
use wasmtime_wasi_http::Error;

/// How much of a body is waited for. That is all of what most services take.
const FIRST_PART: usize = 64 << 10;

/// After how long a body is slow.
const PATIENCE: Duration = Duration::from_millis(100);

/// How many requests with slow bodies may have an instance.
const MAX_SLOW: usize = 64;

/// A request's body, whose first part is here.
pub struct Upload {
    /// Held while the rest of a slow body is awaited.
    _slow: Option<OwnedSemaphorePermit>,
    first: Bytes,
    rest: Option<Incoming>,
    trailers: Option<HeaderMap>,
    /// How many bytes more it may have.
    left: u64,
}

/// How bodies are taken in, the same for all connections.
#[derive(Clone)]
pub struct Uploads {
    max: u64,
    slow: Arc<Semaphore>,
}

impl Uploads {
    /// Bodies have at most `max` bytes.
    pub fn new(max: u64) -> Uploads {
        let slow = Arc::new(Semaphore::new(MAX_SLOW));
        Uploads { max, slow }
    }

    /// Waits for the first part of the request's body, or for a place among the slow
    /// ones if it is slow. Fails with the status to answer if it breaks off, or has
    /// too many bytes as far as can be told.
    pub async fn receive(&self, request: Request<Incoming>) -> Result<Request<Upload>, StatusCode> {
        let (head, mut body) = request.into_parts();
        if body.size_hint().lower() > self.max {
            return Err(StatusCode::PAYLOAD_TOO_LARGE);
        }
        // A copy: a body that comes byte by byte would keep a buffer for each of them.
        let mut first = BytesMut::new();
        let mut trailers = None;
        let mut place = None;
        let mut patience = pin!(sleep(PATIENCE));
        while first.len() < FIRST_PART && !body.is_end_stream() {
            let is_slow = async {
                if !patience.is_elapsed() {
                    patience.as_mut().await;
                }
                self.slow.clone().acquire_owned().await
            };
            let frame = tokio::select! {
                biased;
                frame = body.frame() => frame,
                acquired = is_slow => {
                    place = acquired.ok();
                    break;
                }
            };
            let Some(frame) = frame else {
                break;
            };
            match frame.map_err(|_| StatusCode::BAD_REQUEST)?.into_data() {
                Ok(data) => first.extend_from_slice(data.chunk()),
                Err(frame) => trailers = frame.into_trailers().ok(),
            }
        }
        let left = self.max.checked_sub(first.len() as u64);
        let upload = Upload {
            _slow: place,
            first: first.freeze(),
            rest: (!body.is_end_stream()).then_some(body),
            trailers,
            left: left.ok_or(StatusCode::PAYLOAD_TOO_LARGE)?,
        };
        Ok(Request::from_parts(head, upload))
    }
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
        let Some(rest) = &mut self.rest else {
            let trailers = self.trailers.take();
            return Poll::Ready(trailers.map(|trailers| Ok(Frame::trailers(trailers))));
        };
        let frame = ready!(Pin::new(rest).poll_frame(context));
        let length = match &frame {
            Some(Ok(frame)) => frame.data_ref().map_or(0, Bytes::len) as u64,
            _ => 0,
        };
        match self.left.checked_sub(length) {
            Some(left) => {
                self.left = left;
                Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
            }
            None => Poll::Ready(Some(Err(Error::HttpRequestBodySize(None)))),
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
