//! The audit trail: one line of JSON for each request that would change a user,
//! whether it did or was refused. It says who did what to which user, and never
//! what the user is called.

use http::header::LOCATION;
use http::{Method, Response, StatusCode};
use serde::Serialize;

use super::Resource;
use super::access::Caller;
use crate::message::trace::Trace;
use crate::platform::Platform;
use crate::user::UserId;

/// Who asks, where nothing tells.
const ANONYMOUS: &str = "anonymous";

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
    pub fn record<C>(
        self,
        platform: &impl Platform,
        trace: &Trace,
        caller: &Caller,
        response: &Response<C>,
    ) {
        let entry = Entry {
            user: self.user.or_else(|| created(response)),
            ..Entry::new(
                self.action,
                platform,
                trace,
                caller.name(),
                response.status(),
            )
        };
        entry.write(platform);
    }
}

/// Writes what became of a line of an import.
pub(super) fn record_line(
    platform: &impl Platform,
    trace: &Trace,
    principal: Option<&str>,
    user: Option<UserId>,
    outcome: StatusCode,
) {
    let entry = Entry::new("import-line", platform, trace, principal, outcome);
    Entry { user, ..entry }.write(platform);
}

impl<'a> Entry<'a> {
    fn new(
        action: &'static str,
        platform: &impl Platform,
        trace: &'a Trace,
        principal: Option<&'a str>,
        outcome: StatusCode,
    ) -> Entry<'a> {
        Entry {
            audit: true,
            time: platform.now().to_rfc3339(),
            request: trace.request_id(),
            principal: principal.unwrap_or(ANONYMOUS),
            action,
            user: None,
            outcome: outcome.as_u16(),
        }
    }

    fn write(&self, platform: &impl Platform) {
        let line = serde_json::to_string(self).expect("an entry has string keys only");
        platform.audit(&line);
    }
}

/// The user that a response says was created.
fn created<C>(response: &Response<C>) -> Option<UserId> {
    let location = response.headers().get(LOCATION)?.to_str().ok()?;
    location.strip_prefix("/users/")?.parse().ok()
}
