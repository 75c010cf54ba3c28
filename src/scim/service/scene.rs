//! What a handler needs of a request, beside its content.

use std::rc::Rc;

use http::Request;

use crate::configuration::Configuration;
use crate::directory::Directory;
use crate::message::precondition::Preconditions;
use crate::message::problem::Problem;
use crate::message::trace::Trace;
use crate::platform::Platform;
use crate::scim::Schemas;
use crate::service::audit::Change;
use crate::service::bulk::deadline;
use crate::service::caller::Caller;
use crate::service::quota::Client;
use crate::service::resource::Call;
use crate::store::Store;
use crate::timestamp::Timestamp;

/// What a handler needs of a request, beside its content: the same for each operation of many.
pub struct Scene<'a, S, P> {
    pub directory: &'a Directory<'a, S, P>,
    pub configuration: &'a Configuration,
    pub caller: Caller,
    pub client: Option<Client>,
    pub change: Option<Change>,
    pub trace: Rc<Trace>,
    pub schemas: Rc<Schemas>,
    /// What the request is, for the log.
    pub place: String,
    pub segment: String,
    deadline: Timestamp,
}

impl<'a, S: Store, P: Platform> Scene<'a, S, P> {
    /// The scene of a request, and the request.
    pub fn of<B>(call: Call<'a, S, P, B>) -> Result<(Self, Box<Request<B>>), Problem> {
        let scene = Scene {
            schemas: super::schemas::of(call.directory.platform)?,
            deadline: deadline(&call, None),
            directory: call.directory,
            configuration: call.configuration,
            place: format!("{} {}", call.request.method(), call.request.uri().path()),
            segment: call.segment,
            caller: call.caller,
            client: call.client,
            change: call.change,
            trace: call.trace,
        };
        Ok((scene, call.request))
    }

    /// Whether the operator's time limit is over.
    pub fn is_late(&self) -> bool {
        self.directory.platform.now() >= self.deadline
    }

    /// The preconditions of a change.
    pub fn preconditions<B>(&self, request: &Request<B>) -> Result<Preconditions, Problem> {
        let required = self.configuration.require_preconditions;
        Preconditions::of_change(request.headers(), required)
    }
}
