//! `/`: the paths of the service.

use std::future::ready;

use http::header::{CACHE_CONTROL, LINK};
use http::{Method, Response};
use serde_json::{Map, json};

use super::catalog;
use crate::auth::Permission;
use crate::message::response::{JSON, json, set};
use crate::service::resource::{Operation, Resource, handled};

pub(super) const fn resource<S, P, B>() -> Resource<S, P, B> {
    Resource {
        path: "/",
        is_counted: true,
        operations: &[Operation {
            method: Method::GET,
            permission: Permission::Public,
            change: None,
            accepts: &[],
            offers: &[JSON],
            handler: |_| handled(ready(Ok(get()))),
        }],
    }
}

fn get() -> Response<Vec<u8>> {
    let mut links = Map::new();
    for (name, path) in [
        ("users", "/users"),
        ("groups", "/groups"),
        ("problems", "/problems"),
        ("health", "/healthz"),
    ] {
        links.insert(name.to_owned(), path.into());
    }
    for (relation, path, _) in catalog::DESCRIPTIONS {
        links.insert(relation.to_owned(), path.into());
    }
    let mut response = json(&json!({
        "service": "edge-users",
        "version": env!("CARGO_PKG_VERSION"),
        "links": links,
    }));
    set(&mut response, CACHE_CONTROL, "public, max-age=300");
    set(&mut response, LINK, catalog::links());
    response
}
