//! The bodies of responses.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body, Frame, SizeHint};
use wasmtime_wasi_http::{Error, WasiBody};

use crate::runtime::durable_body::DurableBody;
use crate::runtime::in_flight::InFlight;
use crate::serve::exchange::Exchange;

/// The body of a response, from the host itself or from a component.
pub enum ResponseBody {
    /// All of it is here.
    Host(Full<Bytes>),
    /// An instance writes it, in answer to this request.
    Guest(DurableBody, Arc<InFlight>),
}

impl ResponseBody {
    /// These bytes.
    pub fn host(bytes: impl Into<Bytes>) -> Self {
        Self::Host(Full::new(bytes.into()))
    }

    /// The body that an instance writes.
    pub fn guest(body: WasiBody, request: Arc<InFlight>) -> Self {
        Self::Guest(DurableBody::new(body, request.basis()), request)
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        match self.get_mut() {
            Self::Host(bytes) => Pin::new(bytes)
                .poll_frame(context)
                .map_err(|never: std::convert::Infallible| match never {}),
            Self::Guest(body, request) => {
                let frame = ready!(Pin::new(body).poll_frame(context));
                // The body of an instance that is gone just ends. The client must not
                // take the part that it has for the whole.
                if frame.is_none() && request.has_failed() {
                    return Poll::Ready(Some(Err(Error::HttpResponseIncomplete)));
                }
                request.advance();
                Poll::Ready(frame)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Host(bytes) => bytes.is_end_stream(),
            Self::Guest(body, _) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Host(bytes) => bytes.size_hint(),
            Self::Guest(body, _) => body.size_hint(),
        }
    }
}

/// The body of a response while the transport takes it.
pub struct AnswerBody {
    body: ResponseBody,
    exchange: Arc<Exchange>,
}

impl AnswerBody {
    /// The last part of `exchange`.
    pub fn new(body: ResponseBody, exchange: Arc<Exchange>) -> Self {
        exchange.set_asked(false);
        Self { body, exchange }
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        self.exchange.set_asked(frame.is_pending());
        if let (Poll::Ready(Some(Err(_))), Some(observation)) =
            (&frame, self.exchange.observation())
        {
            observation.broke_off();
        }
        frame.map_ok(|frame| frame.map_data(|bytes| self.exchange.hand_over(bytes)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
