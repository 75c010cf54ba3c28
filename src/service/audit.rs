//! The audit trail: lines of JSON about each request that would change something, whether it did
//! or was refused. They name the caller, the action and the ids of the user and the group, never their names.
//!
//! A request that is admitted leaves a line before it does anything, `begun`, and each request
//! leaves a line on its outcome, `ended`. Where an instance dies between the two, the first one
//! tells that the change may have been made.

use std::cell::Cell;
use std::rc::Rc;

use http::StatusCode;

use crate::group::GroupId;
use crate::json::{push_member, push_plain};
use crate::log;
use crate::platform::Platform;
use crate::timestamp::Timestamp;
use crate::user::UserId;

/// The actions by which a user comes into a group, and leaves it.
pub const ADD_MEMBER: &str = "add-member";
pub const REMOVE_MEMBER: &str = "remove-member";

/// The caller of a request without credentials.
const ANONYMOUS: &str = "anonymous";

/// A request that would change something.
#[derive(Clone, Debug)]
pub struct Change {
    pub action: &'static str,
    /// The id of the request.
    pub request: String,
    /// The name of the caller, if it is known.
    pub principal: Option<String>,
    /// The user that the request names, once that is known.
    pub user: Rc<Cell<Option<UserId>>>,
    /// The group that the request names or created.
    pub group: Rc<Cell<Option<GroupId>>>,
}

/// A line of the audit trail.
struct Entry<'a> {
    event: &'static str,
    request: &'a str,
    principal: &'a str,
    action: &'static str,
    /// Absent where no user is named.
    user: Option<UserId>,
    /// Absent where no group is named.
    group: Option<GroupId>,
    /// The status of the answer.
    outcome: Option<u16>,
    /// The end of an answer that was made while it was sent.
    end: Option<&'static str>,
}

impl Change {
    /// Written before the first store operation that may make the change.
    pub fn begin(&self, platform: &impl Platform) {
        self.write(platform, self.entry("begun"));
    }

    /// The answer has that status; the request created that user, if any.
    pub fn end(&self, platform: &impl Platform, created: Option<UserId>, outcome: StatusCode) {
        let entry = self.entry("ended");
        self.write(
            platform,
            Entry {
                user: self.user.get().or(created),
                outcome: Some(outcome.as_u16()),
                ..entry
            },
        );
    }

    /// The outcome for one user of many, which has an action of its own.
    pub fn end_one(
        &self,
        platform: &impl Platform,
        action: &'static str,
        user: Option<UserId>,
        outcome: StatusCode,
    ) {
        let entry = self.entry("ended");
        self.write(
            platform,
            Entry {
                action,
                user,
                outcome: Some(outcome.as_u16()),
                ..entry
            },
        );
    }

    /// The end of an answer that was made while it was sent.
    pub fn end_content(&self, platform: &impl Platform, end: &'static str) {
        let entry = self.entry("ended");
        self.write(
            platform,
            Entry {
                outcome: Some(StatusCode::OK.as_u16()),
                end: Some(end),
                ..entry
            },
        );
    }

    fn entry(&self, event: &'static str) -> Entry<'_> {
        Entry {
            event,
            request: &self.request,
            principal: self.principal.as_deref().unwrap_or(ANONYMOUS),
            action: self.action,
            user: self.user.get(),
            group: self.group.get(),
            outcome: None,
            end: None,
        }
    }

    fn write(&self, platform: &impl Platform, entry: Entry) {
        platform.audit(&log::json(entry.json(platform.now())));
    }
}

impl Entry<'_> {
    /// Only the caller's name may have something to escape.
    fn json(&self, time: Timestamp) -> String {
        let mut text = Vec::with_capacity(256);
        // Marks the lines of the audit trail among other output.
        text.extend_from_slice(b"{\"audit\":true");
        push_plain(&mut text, "\"time\":", &time.to_rfc3339());
        push_plain(&mut text, "\"event\":", self.event);
        push_plain(&mut text, "\"request\":", self.request);
        push_member(&mut text, "\"principal\":", &self.principal);
        push_plain(&mut text, "\"action\":", self.action);
        if let Some(user) = self.user {
            push_member(&mut text, "\"user\":", &user);
        }
        if let Some(group) = self.group {
            push_member(&mut text, "\"group\":", &group);
        }
        if let Some(outcome) = self.outcome {
            push_member(&mut text, "\"outcome\":", &outcome);
        }
        if let Some(end) = self.end {
            push_plain(&mut text, "\"end\":", end);
        }
        text.push(b'}');
        String::from_utf8(text).expect("texts were put together")
    }
}
