//! `/readyz`: whether the configuration can be read and the store works.

use http::{Method, Response};
use serde_json::json;

use crate::auth::Permission;
use crate::configuration::Fault;
use crate::message::problem::{Problem, types};
use crate::message::response::private_json;
use crate::platform::Platform;
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

/// The request is for everybody, so the answer reveals nothing of the users, not even their number.
async fn get<S: Store, P: Platform, B>(
    call: Call<'_, S, P, B>,
) -> Result<Response<Vec<u8>>, Problem> {
    let faults = &call.configuration.faults;
    if !faults.is_empty() {
        let faults: Vec<_> = faults.iter().map(Fault::to_string).collect();
        let detail = format!("The configuration can't be read: {}.", faults.join("; "));
        return Err(Problem::new(types::MISCONFIGURED, detail));
    }
    call.directory.created().await.map_err(|error| {
        let detail = "The store does not answer as it should.";
        let problem = Problem::new(types::STORE_UNAVAILABLE, detail);
        problem.retry_after(1).with_cause(error)
    })?;
    Ok(private_json(&json!({ "status": "ok" })))
}
