//! Requests from one component of the application to another, without a socket, which Spin calls
//! local service chaining.
//!
//! [`outbound`](super::outbound) recognises such a request. Who answers it is known once the
//! application is loaded.

use std::pin::Pin;
use std::sync::{Arc, OnceLock, Weak};

use http::{Request, Response};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody};

/// A request of one component to another.
pub struct Call {
    /// The id of the other component, as the URL has it.
    pub target: String,
    /// How deep the other component is: 1 if a client's request made the first one send this, and
    /// one more for each call between them.
    pub depth: usize,
    /// The request.
    pub request: Request<WasiBody>,
    /// How long the caller waits.
    pub options: RequestOptions,
}

/// The answer to a call.
pub type Answer = Pin<Box<dyn Future<Output = Result<Response<WasiBody>, Error>> + Send>>;

/// Answers calls.
pub trait Callee: Send + Sync {
    /// The answer of the component that the call is for. Fails if there is no such component, or
    /// if the caller's time is over.
    fn answer(self: Arc<Self>, call: Call) -> Answer;
}

/// The way from a component to the application that it is a part of.
#[derive(Debug, Default)]
pub struct Chaining(OnceLock<Weak<dyn Callee>>);

impl Chaining {
    /// From now on `callee` answers. It isn't kept alive by this, as it has the components.
    pub fn connect(&self, callee: &Arc<impl Callee + 'static>) {
        let callee: Weak<dyn Callee> = Arc::downgrade(callee) as _;
        self.0.set(callee).ok();
    }

    /// Has the call answered.
    pub fn send(&self, call: Call) -> Answer {
        match self.0.get().and_then(Weak::upgrade) {
            Some(callee) => callee.answer(call),
            None => Box::pin(async { Err(Error::DestinationUnavailable) }),
        }
    }
}
