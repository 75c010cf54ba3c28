//! `/healthz`: the component runs.

use std::future::ready;

use http::Method;

use crate::auth::Permission;
use crate::message::response::private_json_text;
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
            handler: |_| {
                let text = br#"{"status":"ok"}"#;
                handled(ready(Ok(private_json_text(text.to_vec()))))
            },
        }],
    }
}
