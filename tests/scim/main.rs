//! SCIM 2.0 as identity providers speak it (RFC 7643, RFC 7644).
//!
//! - `users`, `groups`: the resources, and the form of what is answered
//! - `clients`: requests as known clients send them, where they differ from the RFCs
//! - `entra`, `okta`: the sequences of requests that the documentation of these shows
//! - `lists`: filters, order and pages, and what they cost
//! - `bulk`: many changes in one request
//! - `access`: who may do what, and what is kept of it
//! - `mapping`: SCIM beside the other interfaces

mod access;
mod bulk;
mod clients;
mod entra;
mod groups;
mod lists;
mod mapping;
mod okta;
#[path = "../support/mod.rs"]
mod support;
mod users;

use serde_json::{Value, json};
use support::{Answer, Send, Service, new_word, service};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";

/// Sends a request to a service, below `/scim/v2`. An answer with content has the media type of SCIM, and
/// an error is one of SCIM.
fn ask(service: &Service, method: &str, path: &str, body: Option<Value>) -> Answer {
    let mut request = service.request(method, &format!("/scim/v2{path}"));
    if let Some(body) = body {
        let request_body = body.to_string();
        request = request.body(request_body);
        request = request.header("content-type", "application/scim+json");
    }
    let answer = request.answer_of_call();
    if !answer.body.is_empty() {
        let media_type = answer.header("content-type");
        assert_eq!(media_type, Some("application/scim+json; charset=utf-8"));
    }
    if answer.status >= 400 {
        let error = answer.json();
        assert_eq!(error["schemas"], json!([ERROR]), "{error}");
        assert_eq!(error["status"], answer.status.to_string(), "{error}");
        assert!(error["detail"].is_string(), "{error}");
    }
    answer
}

fn get(path: &str) -> Answer {
    ask(service(), "GET", path, None)
}

fn post(path: &str, body: Value) -> Answer {
    ask(service(), "POST", path, Some(body))
}

fn put(path: &str, body: Value) -> Answer {
    ask(service(), "PUT", path, Some(body))
}

fn delete(path: &str) -> Answer {
    ask(service(), "DELETE", path, None)
}

/// Sends a patch with these operations.
fn patch(path: &str, operations: Value) -> Answer {
    let body = json!({ "schemas": [PATCH], "Operations": operations });
    ask(service(), "PATCH", path, Some(body))
}

/// What an answer has, which must be of that status.
fn expect(answer: Answer, status: u16) -> Value {
    assert_eq!(answer.status, status, "{}", answer.body);
    match answer.body.is_empty() {
        true => Value::Null,
        false => answer.json(),
    }
}

/// Fails unless the answer is an error of that status and type.
fn refused(answer: Answer, status: u16, scim_type: &str) -> String {
    let error = expect(answer, status);
    assert_eq!(error["scimType"], scim_type, "{error}");
    error["detail"].as_str().expect("a detail").to_owned()
}

/// A user with a name that no other test uses, and these attributes.
fn new_user(attributes: Value) -> Value {
    let mut user = json!({ "schemas": [USER], "userName": format!("{}@example.org", new_word()) });
    for (name, value) in attributes.as_object().expect("an object") {
        user[name] = value.clone();
    }
    expect(post("/Users", user), 201)
}

/// A group with a name that no other test uses, and these members.
fn new_group(members: &[&Value]) -> Value {
    let members: Vec<_> = members
        .iter()
        .map(|user| json!({ "value": user["id"] }))
        .collect();
    let name = format!("Group {}", new_word());
    let group = json!({ "schemas": [GROUP], "displayName": name, "members": members });
    expect(post("/Groups", group), 201)
}

/// The path of a resource.
fn at(folder: &str, resource: &Value) -> String {
    format!("/{folder}/{}", resource["id"].as_str().expect("an id"))
}

/// The path of a list by a filter.
fn filtered(folder: &str, filter: &str) -> String {
    format!("/{folder}?filter={}", support::encoded(filter))
}

/// The resources that a list has.
fn listed(answer: Answer) -> Vec<Value> {
    let list = expect(answer, 200);
    let resources = list["Resources"].as_array().expect("a list").clone();
    assert_eq!(list["itemsPerPage"], resources.len(), "{list}");
    resources
}

/// The ids of resources.
fn ids(resources: &[Value]) -> Vec<&str> {
    let ids = resources.iter().map(|one| one["id"].as_str());
    ids.map(|id| id.expect("an id")).collect()
}

/// The ids of a group's members.
fn members(group: &Value) -> Vec<String> {
    let group = expect(get(&at("Groups", group)), 200);
    let members = group["members"].as_array().into_iter().flatten();
    let ids = members.map(|member| member["value"].as_str().expect("an id"));
    ids.map(str::to_owned).collect()
}
