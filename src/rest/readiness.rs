//! `/readyz`: whether the configuration can be read and the store works.

use http::{Method, Response};
use serde_json::json;

use crate::auth::Permission;
use crate::message::problem::Problem;
use crate::message::response::private_json;
use crate::platform::Platform;
use crate::service::readiness;
use crate::service::resource::{Call, Operation, Resource, handled};
use crate::store::Store;

pub(super) const fn resource<S: Store, P: Platform, B>() -> Resource<S, P, B> {
    Resource {
        path: "/readyz",
        is_counted: false,
        operations: &[Operation {
            method: Method::GET,
            permission: Permission::Public,
            change: None,
            accepts: &[],
            // A probe often has no Accept header.
            offers: &[],
            handler: |call| handled(get(call)),
        }],
    }
}

/// Everybody may ask, so the answer reveals nothing of the users, not even their number.
async fn get<S: Store, P: Platform, B>(
    call: Box<Call<'_, S, P, B>>,
) -> Result<Response<Vec<u8>>, Problem> {
    readiness::check(call.directory, call.configuration).await?;
    Ok(private_json(&json!({ "status": "ok" })))
}
