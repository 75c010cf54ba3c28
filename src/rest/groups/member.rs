//! `/groups/{id}/members/{user}`: a user in a group.

use http::{Method, Response};

use super::group::id;
use crate::auth::{Permission, Scope};
use crate::directory::{Error, Membership};
use crate::message::problem::Problem;
use crate::message::query::Query;
use crate::message::response::no_content;
use crate::platform::Platform;
use crate::service::audit::{ADD_MEMBER, REMOVE_MEMBER};
use crate::service::resource::{Call, Operation, Resource, handled};
use crate::store::Store;

pub(super) const fn resource<S: Store, P: Platform, B>() -> Resource<S, P, B> {
    Resource {
        path: "/groups/{}/members/{}",
        is_counted: true,
        operations: &[
            Operation {
                method: Method::PUT,
                permission: Permission::Scope(Scope::Write),
                change: Some(ADD_MEMBER),
                accepts: &[],
                offers: &[],
                handler: |call| handled(set(call, Membership::Member)),
            },
            Operation {
                method: Method::DELETE,
                permission: Permission::Scope(Scope::Write),
                change: Some(REMOVE_MEMBER),
                accepts: &[],
                offers: &[],
                handler: |call| handled(set(call, Membership::NoMember)),
            },
        ],
    }
}

/// Both can be repeated: a user who is a member already, or is none, gets the same answer.
async fn set<S: Store, P: Platform, B>(
    call: Box<Call<'_, S, P, B>>,
    membership: Membership,
) -> Result<Response<Vec<u8>>, Problem> {
    Query::parse(call.request.uri().query(), &[])?;
    let group = call.directory.group(id(&call)?).await?;
    let user = call.second_segment.parse().map_err(|_| Error::NotFound)?;
    let directory = call.directory;
    directory.set_membership(&group, user, membership).await?;
    Ok(no_content())
}
