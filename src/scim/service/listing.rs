//! Several resources in one answer (RFC 7644, section 3.4.2).

use http::Response;
use serde_json::{Value, json};

use super::answer;
use super::asked::Asked;
use super::finding::{Page, shown};
use crate::scim::ResourceType;

/// The schema of answers with several resources.
const LIST: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";

/// Answers with a page of users or of groups.
pub fn page<T>(asked: &Asked, page: Page<T>, of: &ResourceType) -> Response<Vec<u8>> {
    let resources = shown(page.rows, &asked.shown, of);
    respond(asked, page.total, page.next_cursor, resources)
}

/// Answers with these resources, of `total`.
pub fn respond(
    asked: &Asked,
    total: u64,
    next_cursor: Option<String>,
    resources: Vec<Value>,
) -> Response<Vec<u8>> {
    let mut list = json!({
        "schemas": [LIST],
        "totalResults": total,
        "itemsPerPage": resources.len(),
    });
    if asked.cursor.is_none() {
        list["startIndex"] = asked.start.into();
    }
    if let Some(cursor) = next_cursor {
        list["nextCursor"] = cursor.into();
    }
    list["Resources"] = resources.into();
    answer::with(&list)
}

/// Answers with all of a few resources, whatever a client asks for.
pub fn all(resources: Vec<Value>) -> Response<Vec<u8>> {
    let list = json!({
        "schemas": [LIST],
        "totalResults": resources.len(),
        "itemsPerPage": resources.len(),
        "startIndex": 1,
        "Resources": resources,
    });
    answer::with(&list)
}
