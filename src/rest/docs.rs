//! `/docs`: the description of this interface as a page. A script in the page builds it from
//! `/openapi.json`: Rust code for that would take 40 KB more of the component.

use std::future::ready;

use http::{HeaderMap, Method, Response};
use maud::html;

use crate::auth::Permission;
use crate::message::page::{HTML, Page};
use crate::message::problem::Problem;
use crate::service::resource::{Operation, Resource, handled};

const SCRIPT: &str = include_str!("docs/script.js");

pub(super) const fn resource<S, P, B>() -> Resource<S, P, B> {
    Resource {
        path: "/docs",
        is_counted: true,
        operations: &[Operation {
            method: Method::GET,
            permission: Permission::Public,
            change: None,
            accepts: &[],
            offers: &[HTML],
            handler: |call| handled(ready(get(call.request.headers()))),
        }],
    }
}

fn get(request: &HeaderMap) -> Result<Response<Vec<u8>>, Problem> {
    let page = Page {
        title: "edge-users",
        content: html! {
            noscript {
                p {
                    "This page needs JavaScript to show "
                    a href="/openapi.json" { "the description of the interface" }
                    ". The types of " a href="/problems" { "problems" } " can be read without."
                }
            }
        },
        script: Some(SCRIPT),
    };
    page.respond(request)
}
