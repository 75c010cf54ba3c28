//! `/scim/readyz`: whether the component can read its own variable. Whether the service can do its work,
//! `/readyz` tells.

use http::{Method, Response};

use super::schemas;
use crate::auth::Permission;
use crate::message::body::Body;
use crate::message::problem::Problem;
use crate::message::response::no_content;
use crate::platform::Platform;
use crate::service::resource::{Call, Operation, Resource, handled};
use crate::store::Store;

pub(super) const fn resource<S: Store, P: Platform, B: Body>() -> Resource<S, P, B> {
    Resource {
        path: "/scim/readyz",
        is_counted: false,
        operations: &[Operation {
            method: Method::GET,
            permission: Permission::Public,
            change: None,
            accepts: &[],
            offers: &[],
            handler: |call| handled(ready(call)),
        }],
    }
}

/// The host reads the answer, and expects a problem document (RFC 9457).
async fn ready<S: Store, P: Platform, B>(
    call: Box<Call<'_, S, P, B>>,
) -> Result<Response<Vec<u8>>, Problem> {
    Ok(match schemas::of(call.directory.platform) {
        Ok(_) => no_content(),
        Err(problem) => problem.into_response(&call.trace),
    })
}
