//! A schema: its members and rules.

use maud::{Markup, html};
use serde_json::Value;

use super::{Description, component, example, list, members, plain, text};
use crate::rest::page::{phrase, prose};

/// The keywords that are rules for a value by itself, as they are told.
const RULES: [(&str, &str); 9] = [
    ("const", "always"),
    ("enum", "one of"),
    ("default", "by default"),
    ("format", "as"),
    ("minimum", "at least"),
    ("maximum", "at most"),
    ("minLength", "characters at least"),
    ("maxLength", "characters at most"),
    ("maxItems", "items at most"),
];

impl<'a> Description<'a> {
    pub(super) fn schema(self, schema: &'a Value) -> Markup {
        let required: Vec<_> = list(&schema["required"]).map(text).collect();
        html! {
            (prose(text(&schema["description"])))
            p.quiet { (self.type_of(schema)) }
            dl {
                @for (name, member) in members(&schema["properties"]) {
                    dt {
                        code { (name) }
                        @if required.contains(&name) { " " span.quiet { "always there" } }
                    }
                    dd {
                        p { (phrase(text(&member["description"]))) }
                        p.quiet { (self.type_of(member)) }
                    }
                }
            }
            @for value in list(&schema["examples"]) { (example(value)) }
        }
    }

    /// The type in a phrase.
    pub(super) fn type_of(self, schema: &'a Value) -> Markup {
        if let Some(name) = component(schema) {
            return html! { a href={ "#schemas-" (name) } { (name) } };
        }
        let choices = list(&schema["anyOf"]).chain(list(&schema["oneOf"]));
        html! {
            (plain(&schema["type"]).replace("null", "").replace(',', " or null "))
            @for (number, choice) in choices.enumerate() {
                @if number > 0 { " or " }
                (self.type_of(choice))
            }
            @if let Some(items) = schema.get("items") { " of " (self.type_of(items)) }
            @for (keyword, words) in RULES {
                @if let Some(value) = schema.get(keyword) { ", " (words) " " code { (plain(value)) } }
            }
        }
    }
}
