//! References to the ids of resources that the same request makes (RFC 7644, section 3.7.2).

use std::collections::BTreeMap;

use serde_json::Value;

use crate::message::problem::Problem;
use crate::scim::service::refusal::INVALID_VALUE;

/// What a reference begins with.
const REFERENCE: &str = "bulkId:";

/// The ids that were made, by their references.
pub type Ids = BTreeMap<String, String>;

/// Adds what a text refers to.
pub fn add_reference(text: &str, found: &mut Vec<String>) {
    let reference = text.strip_prefix(REFERENCE);
    found.extend(reference.map(str::to_owned));
}

/// Adds what a value has references to.
pub fn add_references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => add_reference(text, found),
        Value::Array(elements) => {
            elements
                .iter()
                .for_each(|element| add_references(element, found));
        }
        Value::Object(members) => {
            members
                .values()
                .for_each(|member| add_references(member, found));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The text with the id in place of a reference. Fails if there is none.
pub fn resolve(text: &str, made: &Ids) -> Result<Option<String>, Problem> {
    let Some(reference) = text.strip_prefix(REFERENCE) else {
        return Ok(None);
    };
    match made.get(reference) {
        Some(id) => Ok(Some(id.clone())),
        None => {
            let detail = format!("There is no resource with the bulkId {reference:?}.");
            Err(Problem::new(INVALID_VALUE, detail))
        }
    }
}

/// Puts ids in place of all references.
pub fn resolve_all(value: &mut Value, made: &Ids) -> Result<(), Problem> {
    match value {
        Value::String(text) => {
            if let Some(id) = resolve(text, made)? {
                *text = id;
            }
            Ok(())
        }
        Value::Array(elements) => {
            let mut elements = elements.iter_mut();
            elements.try_for_each(|element| resolve_all(element, made))
        }
        Value::Object(members) => {
            let mut members = members.values_mut();
            members.try_for_each(|member| resolve_all(member, made))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
    }
}
