//! Procedure calls: the users by gRPC, gRPC-Web and Connect, as `proto/` has them.
//!
//! - [`protocol`], [`metadata`]: what a request speaks, and what its headers say
//! - [`frame`]: messages in frames
//! - [`code`], [`status`]: problems as these protocols tell them
//! - [`unary`], [`stream`]: calls with one message each way, and with many
//! - [`users`], [`list`], [`export`], [`import`]: the procedures
//! - [`user`]: users as messages
//! - [`health`], [`reflection`]: what the service says of itself

mod code;
mod export;
mod frame;
mod health;
mod import;
mod list;
mod metadata;
mod protocol;
mod reflection;
mod status;
mod stream;
mod unary;
mod user;
mod users;

use http::Request;

use crate::message::body::Body;
use crate::message::problem::{Problem, types};
use crate::message::trace::Trace;
use crate::platform::Platform;
use crate::service::Interface;
use crate::service::resource::{Answer, Resource};
use crate::store::Store;
use protocol::Protocol;

/// The interface of this module.
pub struct Rpc;

impl Interface for Rpc {
    const HEADERS: &'static str = "authorization, content-type, connect-protocol-version, \
        connect-timeout-ms, grpc-timeout, traceparent, x-grpc-web, x-request-id, x-user-agent";

    type Form = Option<Protocol>;

    fn form<B>(request: &Request<B>) -> Option<Protocol> {
        Protocol::of(request)
    }

    /// As the protocol has it. A request that is none of a procedure gets a problem document.
    fn tell(problem: Problem, protocol: Option<Protocol>, trace: &Trace) -> Answer<'static> {
        let is_http = [types::UNSUPPORTED_MEDIA_TYPE, types::METHOD_NOT_ALLOWED];
        let is_http = is_http.into_iter().any(|kind| problem.is(kind));
        match protocol.filter(|_| !is_http) {
            None => problem.into_response(trace).into(),
            Some(protocol) if problem.is(types::NOT_FOUND) => {
                status::failure(protocol, &Problem::plain(code::UNIMPLEMENTED)).into()
            }
            Some(protocol) => status::failure(protocol, &problem).into(),
        }
    }

    fn resources<S, P, B>() -> &'static [Resource<S, P, B>]
    where
        S: Store + 'static,
        P: Platform + 'static,
        B: Body + 'static,
    {
        const {
            &[
                users::get(),
                users::list(),
                users::batch_get(),
                users::create(),
                users::update(),
                users::delete(),
                export::resource(),
                import::resource(),
                health::check(),
                health::list(),
                health::watch(),
                reflection::v1(),
                reflection::v1alpha(),
            ]
        }
    }
}
