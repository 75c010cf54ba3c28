//! Groups of users: the resources of a component of its own.
//!
//! - [`collection`], [`group`]: the groups, and one by itself
//! - [`members`], [`member`]: the users in a group, and one of them
//! - [`of_user`]: the groups that a user is in
//! - [`import`], [`export`]: many groups with their users, line by line; [`reference`]: a user in a line
//! - [`representation`]: a group as clients see it

mod collection;
mod export;
mod group;
mod import;
mod member;
mod members;
mod of_user;
mod reference;
mod representation;

use http::Request;

use super::Rest;
use crate::message::body::Body;
use crate::message::problem::Problem;
use crate::message::trace::Trace;
use crate::platform::Platform;
use crate::service::Interface;
use crate::service::resource::{Answer, Resource};
use crate::store::Store;

/// The interface of this module.
pub struct Groups;

impl Interface for Groups {
    const HEADERS: &'static str = Rest::HEADERS;

    type Form = ();

    fn form<B>(_: &Request<B>) {}

    fn tell(problem: Problem, (): (), trace: &Trace) -> Answer<'static> {
        Rest::tell(problem, (), trace)
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
                group::resource(),
                members::resource(),
                member::resource(),
                of_user::resource(),
            ]
        }
    }
}
