//! SCIM 2.0 over HTTP (RFC 7644): the resources of a component of its own.
//!
//! - [`readiness`]: whether the component can read its variable
//! - [`discovery`]: what the service offers: its configuration, types of resources and schemas
//! - [`asked`]: what a request asks for: by parameters, or by the body of a search
//! - [`users`], [`user`]: the users, and one by itself, who may be the caller
//! - [`groups`], [`group`], [`members`]: the groups, one by itself, and who is in it
//! - [`everything`]: a search for users and groups alike
//! - [`bulk`]: many changes in one request
//! - [`finding`], [`finding_groups`], [`window`]: the users and groups that a filter asks for
//! - [`mapping`], [`group_mapping`]: users and groups as SCIM resources, and back
//! - [`scene`], [`schemas`]: what every handler needs
//! - [`answer`], [`listing`], [`refusal`]: answers with resources, and with problems

mod answer;
mod asked;
mod bulk;
mod discovery;
mod everything;
mod finding;
mod finding_groups;
mod group;
mod group_mapping;
mod groups;
mod listing;
mod mapping;
mod members;
mod readiness;
mod refusal;
mod scene;
mod schemas;
mod user;
mod users;
mod window;

use http::Request;

use crate::message::body::Body;
use crate::message::problem::Problem;
use crate::message::trace::Trace;
use crate::platform::Platform;
use crate::service::Interface;
use crate::service::resource::{Answer, Resource};
use crate::store::Store;

/// The interface of this module.
pub struct Scim;

/// Where its resources are.
const BASE: &str = "/scim/v2";

impl Interface for Scim {
    const HEADERS: &'static str =
        "authorization, content-type, if-match, if-none-match, traceparent, x-request-id";

    type Form = ();

    fn form<B>(_: &Request<B>) {}

    fn tell(problem: Problem, (): (), _: &Trace) -> Answer<'static> {
        refusal::respond(&problem).into()
    }

    fn resources<S, P, B>() -> &'static [Resource<S, P, B>]
    where
        S: Store + 'static,
        P: Platform + 'static,
        B: Body + 'static,
    {
        const {
            &[
                users::resource(),
                users::search(),
                user::resource(),
                user::me(),
                groups::resource(),
                groups::search(),
                group::resource(),
                everything::search(),
                bulk::resource(),
                readiness::resource(),
                discovery::configuration(),
                discovery::resource_types(),
                discovery::resource_type(),
                discovery::schemas(),
                discovery::schema(),
            ]
        }
    }
}
