//! REST: the resources of the service and their representations.
//!
//! - [`collection`], [`user`]: the users, and one by itself
//! - [`listing`], [`search`]: several users in one answer, and the search by name
//! - [`narrowing`]: the parameters that narrow lists
//! - [`representation`], [`patch`]: a user as clients see it, and how they change it
//! - [`import`], [`export`]: many users, line by line; [`bulk_delete`]: the end of many
//! - [`groups`]: groups of users
//! - [`root`], [`health`], [`readiness`], [`catalog`]: the service itself
//! - [`openapi`], [`docs`], [`problems`]: the description of the interface, for programs and people

mod bulk_delete;
mod catalog;
mod collection;
mod docs;
mod export;
pub mod groups;
mod health;
mod import;
mod listing;
mod narrowing;
mod openapi;
mod patch;
mod problems;
mod readiness;
mod representation;
mod root;
mod search;
mod user;

use http::Request;

use crate::message::body::Body;
use crate::message::problem::Problem;
use crate::message::trace::Trace;
use crate::platform::Platform;
use crate::service::Interface;
use crate::service::resource::{Answer, Resource};
use crate::store::Store;
pub use openapi::DESCRIPTION;

/// The interface of this module.
pub struct Rest;

impl Interface for Rest {
    const HEADERS: &'static str = "authorization, content-type, idempotency-key, if-match, \
        if-none-match, traceparent, x-request-id";

    type Form = ();

    fn form<B>(_: &Request<B>) {}

    /// As a problem document (RFC 9457).
    fn tell(problem: Problem, (): (), trace: &Trace) -> Answer<'static> {
        problem.into_response(trace).into()
    }

    fn resources<S, P, B>() -> &'static [Resource<S, P, B>]
    where
        S: Store + 'static,
        P: Platform + 'static,
        B: Body + 'static,
    {
        const {
            &[
                collection::resource(),
                import::resource(),
                export::resource(),
                bulk_delete::resource(),
                user::resource(),
                root::resource(),
                health::resource(),
                readiness::resource(),
                openapi::resource(),
                docs::resource(),
                problems::all(),
                problems::one(),
                catalog::resource(),
            ]
        }
    }
}
