//! `/readyz`: whether the configuration can be read and the store works.

use http::{Method, Response};
use serde_json::json;

use crate::auth::Permission;
use crate::configuration::Fault;
use crate::directory::Error;
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
    let directory = call.directory;
    let read = directory.created().await;
    read.map_err(|error| not_ready("The store does not answer as it should.", error))?;
    let written = directory.check_writes().await;
    written.map_err(|error| {
        let detail = "The store can't be written: its disk may be full, or be there to read only.";
        not_ready(detail, error)
    })?;
    Ok(private_json(&json!({ "status": "ok" })))
}

fn not_ready(detail: &str, error: Error) -> Problem {
    let problem = match &error {
        // No time mends that.
        Error::Unreadable(_) => {
            let detail =
                "The store holds a value that the service did not write. The log has its key.";
            Problem::new(types::STORE_UNAVAILABLE, detail)
        }
        _ => Problem::new(types::STORE_UNAVAILABLE, detail).retry_after(1),
    };
    problem.with_cause(error)
}
