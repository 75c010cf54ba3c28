//! The audit trail: one line of JSON for each request that would change a user,
//! whether it did or was refused. It says who did what to which user, and never
//! what the user is called.

use http::header::LOCATION;
use http::{Method, Response};
use serde::Serialize;

use super::Resource;
use super::trace::Trace;
use crate::platform::Platform;
use crate::user::UserId;

/// A line of the audit trail.
#[derive(Debug, Serialize)]
struct Entry<'a> {
    /// Always true: by it a line is told from what else is printed.
    audit: bool,
    /// RFC 3339, UTC.
    time: String,
    request: &'a str,
    principal: &'a str,
    action: &'static str,
    /// Absent where no user is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<UserId>,
    /// The status of the answer.
    outcome: u16,
}

/// What a request would change.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Change {
    action: &'static str,
    user: Option<UserId>,
}

impl Change {
    /// What a request with this method would change, if anything. What stands in
    /// the path and is no id is not kept: it may be anything, a name too.
    pub fn of(method: &Method, resource: &Resource) -> Option<Change> {
        let (action, user) = match (resource, method) {
            (Resource::Users, &Method::POST) => ("create", None),
            (Resource::User(id), &Method::PUT) => ("replace", id.parse().ok()),
            (Resource::User(id), &Method::PATCH) => ("patch", id.parse().ok()),
            (Resource::User(id), &Method::DELETE) => ("delete", id.parse().ok()),
            _ => return None,
        };
        Some(Change { action, user })
    }

    /// Writes what became of it.
    pub fn record(
        self,
        platform: &impl Platform,
        trace: &Trace,
        principal: &str,
        response: &Response<Vec<u8>>,
    ) {
        let entry = Entry {
            audit: true,
            time: platform.now().to_rfc3339(),
            request: trace.request_id(),
            principal,
            action: self.action,
            user: self.user.or_else(|| created(response)),
            outcome: response.status().as_u16(),
        };
        let line = serde_json::to_string(&entry).expect("an entry has string keys only");
        platform.audit(&line);
    }
}

/// The user that a response says was created.
fn created(response: &Response<Vec<u8>>) -> Option<UserId> {
    let location = response.headers().get(LOCATION)?.to_str().ok()?;
    location.strip_prefix("/users/")?.parse().ok()
}
