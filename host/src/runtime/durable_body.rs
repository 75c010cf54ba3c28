//! The body that an instance writes, each part held until it is durable what the part rests on.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use wasmtime_wasi_http::{Error, WasiBody};

use crate::store::{Basis, NotDurable};

/// The body of a response to a client, or of a request to another host. Where the disk fails, it
/// breaks off.
pub struct DurableBody {
    body: WasiBody,
    basis: Arc<Basis>,
    held: Option<Held>,
}

/// A part that waits, or the end.
struct Held {
    frame: Option<Result<Frame<Bytes>, Error>>,
    durable: Pin<Box<dyn Future<Output = Result<(), NotDurable>> + Send>>,
}

impl DurableBody {
    /// A body that an instance of this basis writes.
    pub fn new(body: WasiBody, basis: Arc<Basis>) -> Self {
        Self {
            body,
            basis,
            held: None,
        }
    }
}

impl Body for DurableBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = &mut *self;
        if this.held.is_none() {
            let frame = ready!(Pin::new(&mut this.body).poll_frame(context));
            if this.basis.is_durable() {
                return Poll::Ready(frame);
            }
            let basis = this.basis.clone();
            let durable = Box::pin(async move { basis.durable().await });
            this.held = Some(Held { frame, durable });
        }
        let held = this.held.as_mut().expect("it has just been put there");
        let durable = ready!(held.durable.as_mut().poll(context));
        let frame = held.frame.take();
        this.held = None;
        Poll::Ready(match durable {
            Ok(()) => frame,
            Err(NotDurable) => Some(Err(Error::HttpResponseIncomplete)),
        })
    }

    fn is_end_stream(&self) -> bool {
        self.held.is_none() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        match self.held {
            None => self.body.size_hint(),
            Some(_) => SizeHint::default(),
        }
    }
}
