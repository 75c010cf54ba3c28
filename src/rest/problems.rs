//! `/problems` and `/problems/{slug}`: the types of problems, for people and programs.

use std::future::ready;

use http::{HeaderMap, Method, Response};
use maud::{Markup, html};
use serde::{Serialize, Serializer};

use crate::auth::Permission;
use crate::message::cacheable::publish;
use crate::message::page::{self, HTML, Page};
use crate::message::problem::Problem;
use crate::message::problem::types::{self, ProblemType};
use crate::message::response::JSON;
use crate::service::resource::{Operation, Resource, handled};

/// The media types of both resources. Programs that don't choose get the first.
const MEDIA_TYPES: &[&str] = &[JSON, HTML];

/// `/problems`
pub(super) const fn all<S, P, B>() -> Resource<S, P, B> {
    Resource {
        path: "/problems",
        is_counted: true,
        operations: &[Operation {
            method: Method::GET,
            permission: Permission::Public,
            change: None,
            accepts: &[],
            offers: MEDIA_TYPES,
            handler: |call| handled(ready(get_all(call.request.headers(), call.media_type))),
        }],
    }
}

/// `/problems/{slug}`
pub(super) const fn one<S, P, B>() -> Resource<S, P, B> {
    Resource {
        path: "/problems/{}",
        is_counted: true,
        operations: &[Operation {
            method: Method::GET,
            permission: Permission::Public,
            change: None,
            accepts: &[],
            offers: MEDIA_TYPES,
            handler: |call| {
                let headers = call.request.headers();
                handled(ready(get_one(headers, call.media_type, &call.segment)))
            },
        }],
    }
}

fn get_all(request: &HeaderMap, media_type: &str) -> Result<Response<Vec<u8>>, Problem> {
    match media_type {
        HTML => respond(request, "Problems", list()),
        _ => publish_json(request, types::ALL),
    }
}

fn get_one(
    request: &HeaderMap,
    media_type: &str,
    slug: &str,
) -> Result<Response<Vec<u8>>, Problem> {
    let kind = ProblemType::find(slug).ok_or_else(Problem::no_such_resource)?;
    match media_type {
        HTML => respond(request, kind.title, explanation(kind)),
        _ => publish_json(request, kind),
    }
}

fn respond(
    request: &HeaderMap,
    title: &'static str,
    content: Markup,
) -> Result<Response<Vec<u8>>, Problem> {
    let script = None;
    Page {
        title,
        content,
        script,
    }
    .respond(request)
}

/// Every type with its meaning.
fn list() -> Markup {
    html! {
        h1 { "Problems" }
        p { "Every refusal is one of these (RFC 9457). " a href="/docs" { "Documentation" } }
        dl {
            @for kind in types::ALL {
                dt { (kind.status.as_u16()) " " a href=(kind.url()) { (kind.title) } }
                dd { (kind.meaning) }
            }
        }
    }
}

fn explanation(kind: &ProblemType) -> Markup {
    html! {
        h1 { (kind.title) " " span.quiet { (kind.status.as_u16()) } }
        h2 { "What happened" }
        p { (kind.meaning) }
        h2 { "What to do" }
        p { (kind.remedy) }
        p.quiet {
            "The detail of the problem says what is particular to your request. Its instance ends "
            "with the id of the request, by which the operator finds it in the log."
        }
        p { a href="/problems" { "All problems" } ", " a href="/docs" { "documentation" } }
    }
}

fn publish_json(
    request: &HeaderMap,
    value: &(impl Serialize + ?Sized),
) -> Result<Response<Vec<u8>>, Problem> {
    let body = serde_json::to_vec(value).expect("types have string keys only");
    let mut response = publish(request, JSON, body)?;
    page::protect(&mut response, None);
    Ok(response)
}

impl Serialize for ProblemType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Document {
            r#type: String,
            title: &'static str,
            status: u16,
            meaning: &'static str,
            remedy: &'static str,
        }
        let document = Document {
            r#type: self.url(),
            title: self.title,
            status: self.status.as_u16(),
            meaning: self.meaning,
            remedy: self.remedy,
        };
        document.serialize(serializer)
    }
}
