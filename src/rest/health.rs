//! `/healthz`: the component runs.

use std::future::ready;

use http::Method;
use serde_json::json;

use crate::auth::Permission;
use crate::message::response::private_json;
use crate::service::resource::{Operation, Resource, handled};

pub(super) const fn resource<S, P, B>() -> Resource<S, P, B> {
    Resource {
        path: "/healthz",
        is_counted: false,
        operations: &[Operation {
            method: Method::GET,
            permission: Permission::Public,
            change: None,
            accepts: &[],
            // A probe often has no Accept header.
            offers: &[],
            handler: |_| handled(ready(Ok(private_json(&json!({ "status": "ok" }))))),
        }],
    }
}
