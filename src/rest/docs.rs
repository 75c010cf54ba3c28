//! `GET /docs`: the description of this interface as a page.

mod operation;
mod schema;

use http::{HeaderMap, Response};
use maud::{Markup, html};
use serde_json::Value;

use super::openapi::DESCRIPTION;
use super::page::{self, phrase, prose};
use super::problem::{self, Problem};

/// `GET /docs`
pub(super) fn get(request: &HeaderMap) -> Result<Response<Vec<u8>>, Problem> {
    let document = serde_json::from_slice(&DESCRIPTION).expect("the description is JSON");
    let content = Description(&document).page();
    page::respond(request, "edge-users", &content)
}

/// An OpenAPI document.
#[derive(Clone, Copy)]
struct Description<'a>(&'a Value);

/// An operation, by its path and its method in lower case.
struct Operation<'a> {
    path: &'a str,
    method: &'static str,
    /// The path item and the operation object.
    item: &'a Value,
    object: &'a Value,
}

/// The methods that have an entry; HEAD and OPTIONS are alike everywhere.
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

impl<'a> Description<'a> {
    fn page(self) -> Markup {
        let info = &self.0["info"];
        html! {
            header {
                h1 { (text(&info["title"])) " " span.quiet { (text(&info["version"])) } }
                (prose(text(&info["description"])))
                p {
                    "Every path has OPTIONS, and HEAD where it has GET. For programs: "
                    a href="/openapi.json" { "openapi.json" } "."
                }
            }
            nav aria-label="Operations" {
                @for tag in list(&self.0["tags"]) {
                    h2 { (text(&tag["name"])) }
                    p { (text(&tag["description"])) }
                    ul {
                        @for operation in self.tagged(tag) {
                            li {
                                a href={ "#" (text(&operation.object["operationId"])) } {
                                    (operation.name())
                                }
                                " " span.quiet { (text(&operation.object["summary"])) }
                            }
                        }
                    }
                }
                p {
                    a href="#schemas" { "Schemas" } ", " a href="#headers" { "headers" } ", "
                    a href="#problems" { "problems" }
                }
            }
            main {
                @for tag in list(&self.0["tags"]) {
                    h2 { (text(&tag["name"])) }
                    @for operation in self.tagged(tag) { (self.operation(&operation)) }
                }
                h2 #schemas { "Schemas" }
                @for (name, schema) in members(&self.0["components"]["schemas"]) {
                    section #{ "schemas-" (name) } {
                        h3 { (name) }
                        (self.schema(schema))
                    }
                }
                h2 #headers { "Headers" }
                dl {
                    @for (name, header) in members(&self.0["components"]["headers"]) {
                        dt #{ "headers-" (name) } { (name) }
                        dd {
                            (phrase(text(&header["description"]))) " "
                            @if let Some(example) = header.get("example") { code { (plain(example)) } }
                        }
                    }
                }
                h2 #problems { "Problems" }
                (problem::page::list())
            }
        }
    }

    fn tagged(self, tag: &Value) -> impl Iterator<Item = Operation<'a>> {
        let paths = members(&self.0["paths"]);
        let operations = paths.flat_map(|(path, item)| {
            METHODS.iter().filter_map(move |method| {
                Some(Operation {
                    path,
                    method,
                    item,
                    object: item.get(method)?,
                })
            })
        });
        let name = tag["name"].clone();
        operations.filter(move |operation| list(&operation.object["tags"]).any(|tag| *tag == name))
    }

    /// What a reference leads to, or the value itself (OpenAPI 3.1, section 4.8.23).
    fn resolve(self, value: &'a Value) -> &'a Value {
        let reference = value.get("$ref").and_then(Value::as_str);
        let target = reference.and_then(|reference| self.0.pointer(reference.strip_prefix('#')?));
        target.unwrap_or(value)
    }
}

/// The name of the component that a value is a reference to.
fn component(value: &Value) -> Option<&str> {
    let reference = value.get("$ref")?.as_str()?;
    let path = reference.strip_prefix("#/components/")?;
    path.split('/').nth(1)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn members(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let members = value.as_object().into_iter().flatten();
    members.map(|(name, value)| (name.as_str(), value))
}

/// A value as it stands in a header or in a query.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

fn example(value: &Value) -> Markup {
    html! { pre { (format!("{value:#}")) } }
}
