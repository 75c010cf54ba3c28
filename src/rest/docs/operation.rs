//! An operation: what it takes, and what it answers.

use maud::{Markup, html};
use serde_json::Value;

use super::{Description, Operation, component, example, list, members, plain, text};
use crate::rest::page::{phrase, prose};

impl Operation<'_> {
    pub(super) fn name(&self) -> Markup {
        html! { code { span.method { (self.method.to_uppercase()) } " " (self.path) } }
    }
}

impl<'a> Description<'a> {
    pub(super) fn operation(self, operation: &Operation<'a>) -> Markup {
        let object = operation.object;
        let parameters = list(&object["parameters"]).chain(list(&operation.item["parameters"]));
        let mut parameters: Vec<_> = parameters.map(|each| self.resolve(each)).collect();
        parameters.sort_by_key(|parameter| {
            let place = text(&parameter["in"]);
            ["path", "query", "header"]
                .iter()
                .position(|known| *known == place)
        });
        html! {
            article #(text(&object["operationId"])) {
                h3 { (operation.name()) }
                p { (text(&object["summary"])) "." }
                (prose(text(&object["description"])))
                h4 { "Parameters" }
                dl { @for parameter in &parameters { (self.parameter(parameter)) } }
                @if let Some(body) = object.get("requestBody") {
                    h4 { "Body" }
                    (self.content(&body["content"]))
                }
                h4 { "Answers" }
                dl {
                    @for (status, response) in members(&object["responses"]) {
                        (self.response(status, self.resolve(response)))
                    }
                }
            }
        }
    }

    fn parameter(self, parameter: &'a Value) -> Markup {
        html! {
            dt { code { (text(&parameter["name"])) } " " span.quiet { (text(&parameter["in"])) } }
            dd {
                p { (phrase(text(&parameter["description"]))) }
                p.quiet {
                    (self.type_of(&parameter["schema"]))
                    @if let Some(example) = parameter.get("example") {
                        ", for example " code { (plain(example)) }
                    }
                }
            }
        }
    }

    fn content(self, content: &'a Value) -> Markup {
        html! {
            @for (media_type, content) in members(content) {
                p { code { (media_type) } ": " (self.type_of(&content["schema"])) }
                @if let Some(value) = content.get("example") {
                    details { summary { "Example" } (example(value)) }
                }
            }
        }
    }

    fn response(self, status: &str, response: &'a Value) -> Markup {
        let problems = members(&response["content"]).flat_map(|(_, content)| {
            members(&content["examples"]).filter_map(|(_, reference)| component(reference))
        });
        let problems: Vec<_> = problems.collect();
        html! {
            dt { (status) }
            dd {
                p { (phrase(text(&response["description"]))) }
                @if problems.is_empty() {
                    (self.content(&response["content"]))
                } @else {
                    p {
                        @for slug in &problems { a href={ "/problems/" (slug) } { (slug) } " " }
                    }
                }
                p.quiet {
                    "Headers: "
                    @for (name, _) in members(&response["headers"]) {
                        a href={ "#headers-" (name) } { (name) } " "
                    }
                }
            }
        }
    }
}
