//! `GET /docs`: the description of this interface as a page. A script of its own
//! makes it of `/openapi.json`: to do so in Rust takes 40 KB more of the component.

use http::{HeaderMap, Response};
use maud::html;

use crate::message::page::Page;
use crate::message::problem::Problem;

const SCRIPT: &str = include_str!("docs/script.js");

/// `GET /docs`
pub(super) fn get(request: &HeaderMap) -> Result<Response<Vec<u8>>, Problem> {
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
