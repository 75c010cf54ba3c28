//! What is asked about groups: whose name is whose, and who is in which.

use std::fmt;

use serde_json::{Value, json};

/// How many names of groups there are to contend for.
pub const NAMES: usize = 3;

/// A request about groups. It names groups and users by their ids.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum GroupAsk {
    Create(usize),
    Delete(u64),
    /// By the name.
    Find(usize),
    /// Of a group and a user.
    Join(u64, u64),
    Leave(u64, u64),
    /// The users in a group.
    Members(u64),
    /// The groups that a user is in.
    Of(u64),
}

impl GroupAsk {
    pub fn kind(self) -> &'static str {
        match self {
            GroupAsk::Create(_) => "create group",
            GroupAsk::Delete(_) => "delete group",
            GroupAsk::Find(_) => "find group",
            GroupAsk::Join(..) => "join",
            GroupAsk::Leave(..) => "leave",
            GroupAsk::Members(_) => "members",
            GroupAsk::Of(_) => "groups of a user",
        }
    }

    /// The method and the path, with the content if there is any.
    pub fn request(self) -> (&'static str, String, Option<Value>) {
        // Some pages show all: there are never so many.
        let (method, path) = match self {
            GroupAsk::Create(_) => ("POST", "/groups".to_owned()),
            GroupAsk::Delete(group) => ("DELETE", format!("/groups/{group}")),
            GroupAsk::Find(name) => ("GET", format!("/groups?name=group%20{name}")),
            GroupAsk::Join(group, user) => ("PUT", format!("/groups/{group}/members/{user}")),
            GroupAsk::Leave(group, user) => ("DELETE", format!("/groups/{group}/members/{user}")),
            GroupAsk::Members(group) => ("GET", format!("/groups/{group}/members?limit=1000")),
            GroupAsk::Of(user) => ("GET", format!("/users/{user}/groups?limit=1000")),
        };
        let content = match self {
            GroupAsk::Create(name) => Some(json!({ "name": format!("group {name}") })),
            _ => None,
        };
        (method, path, content)
    }

    /// Whether it is meant to change anything.
    pub fn changes(self) -> bool {
        use GroupAsk::*;
        matches!(self, Create(_) | Delete(_) | Join(..) | Leave(..))
    }

    /// Whether it may be answered so, when the service works.
    pub fn may_get(self, status: u16) -> bool {
        match self {
            GroupAsk::Create(_) => matches!(status, 201 | 409),
            GroupAsk::Find(_) => status == 200,
            GroupAsk::Delete(_) | GroupAsk::Join(..) | GroupAsk::Leave(..) => {
                matches!(status, 204 | 404)
            }
            GroupAsk::Members(_) | GroupAsk::Of(_) => matches!(status, 200 | 404),
        }
    }
}

impl fmt::Display for GroupAsk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            GroupAsk::Create(name) | GroupAsk::Find(name) => write!(f, " g{name}"),
            GroupAsk::Delete(group) | GroupAsk::Members(group) => write!(f, " group {group}"),
            GroupAsk::Join(group, user) | GroupAsk::Leave(group, user) => {
                write!(f, " group {group} user {user}")
            }
            GroupAsk::Of(user) => write!(f, " user {user}"),
        }
    }
}
