//! The way of a request to an instance.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use http::{Request, Response};
use tokio::time::timeout;
use wasmtime::component::InstancePre;
use wasmtime_wasi_http::handler::{InstantiationError, ProxyHandler};
use wasmtime_wasi_http::{WasiBody, p2, p3};

use crate::runtime::component::Component;
use crate::runtime::instance::{Admission, InstanceState};
use crate::runtime::pool::Pool;
use crate::runtime::worker::Workers;

/// How long a worker may take to say why it failed, once its request has failed.
const MAX_REPORT_DELAY: Duration = Duration::from_millis(100);

/// How long an instance lives, and how much it is given to do.
#[derive(Clone, Copy, Debug)]
pub struct Reuse {
    /// Requests in all.
    pub max_requests: usize,
    /// Requests at the same time; a WASI 0.2 component takes one.
    pub max_concurrent_requests: usize,
    /// How long to wait for the next one.
    pub idle_timeout: Duration,
    /// How long one may take until its response begins, and then each time until the
    /// next part of the response.
    pub request_timeout: Duration,
}

/// Has instances of a component answer requests.
#[derive(Clone)]
pub enum Handler {
    /// Of WASI 0.2: one request at a time, in the request's own task.
    Sequential(Arc<Pool>),
    /// Of WASI 0.3: several requests at a time, in a task for each instance.
    Concurrent(ProxyHandler<Workers>),
}

/// Why there is no response.
pub enum Failure {
    /// No instance could be made.
    NeverBegan(wasmtime::Error),
    /// The guest failed, or answered with an error.
    Failed(wasmtime::Error),
}

impl Handler {
    /// Of a component that is linked and ready to be instantiated.
    pub fn new(
        pre: InstancePre<InstanceState>,
        component: Arc<Component>,
        reuse: Reuse,
    ) -> anyhow::Result<Self> {
        if let Ok(pre) = p3::bindings::ServicePre::new(pre.clone()) {
            let workers = Workers::new(pre, component, reuse);
            return Ok(Self::Concurrent(ProxyHandler::new(workers)));
        }
        let pre = p2::bindings::ProxyPre::new(pre)
            .map_err(anyhow::Error::from)
            .context("it exports no HTTP handler of WASI 0.2 or 0.3")?;
        Ok(Self::Sequential(Pool::new(pre, component, reuse)))
    }

    /// The component.
    pub fn component(&self) -> &Arc<Component> {
        match self {
            Self::Sequential(pool) => pool.component(),
            Self::Concurrent(handler) => handler.state().component(),
        }
    }

    /// How long a request may take.
    pub fn request_timeout(&self) -> Duration {
        match self {
            Self::Sequential(pool) => pool.request_timeout(),
            Self::Concurrent(handler) => handler.state().request_timeout(),
        }
    }

    /// Has an instance answer. A failure of the instance is reported when this returns, an
    /// error that it answers with is not.
    ///
    /// If this is dropped before the response begins, the guest still goes on to its end.
    pub async fn handle(
        &self,
        admission: Admission,
        request: Request<WasiBody>,
    ) -> Result<Response<WasiBody>, Failure> {
        let handler = match self {
            Self::Sequential(pool) => return pool.handle(admission, request).await,
            Self::Concurrent(handler) => handler,
        };
        let in_flight = admission.request.clone();
        let error = match handler.handle(admission, request).await {
            Ok(response) => return Ok(response),
            Err(error) => error,
        };
        if error.is::<InstantiationError<Admission>>() {
            return Err(Failure::NeverBegan(error));
        }
        // A worker that is given up for the time can't say so to the one that waits for it,
        // but the time tells. A worker that traps lets go of its request first and then says
        // why, so it is given a moment to. By the error alone it can't be told from one whose
        // guest just returned without a response, which says nothing. The answer waits, so
        // that a host that stops now doesn't take the report along.
        if !in_flight.timed_out(self.request_timeout()) {
            timeout(MAX_REPORT_DELAY, in_flight.reported()).await.ok();
        }
        Err(Failure::Failed(error))
    }
}
