//! The kinds of requests that are measured.

use clap::ValueEnum;

/// One kind of request, or a mix of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Work {
    /// A user by id.
    Get,
    /// A user by id, by a procedure call: Connect, in JSON.
    GetConnect,
    /// A user by id over HTTP/2.
    GetHttp2,
    /// A user by id, by a procedure call: gRPC.
    GetGrpc,
    /// A user that isn't there: 404.
    GetMissing,
    /// A user by id that the client has already: 304.
    GetNotModified,
    /// A user by email.
    GetByEmail,
    /// 50 users.
    Page,
    /// 5 users, as many as searches find.
    ShortPage,
    /// The 5 users who have a word in their names.
    FindByWord,
    /// The 5 users who have a value in their attributes.
    FindByAttribute,
    /// 50 members of a group.
    Members,
    /// A user into a group.
    AddMember,
    /// A new user with an email.
    Create,
    /// Other attributes for a user, with the entity tag of its last version in If-Match.
    Update,
    /// Another name for a user, by which it is found from then on, in the same way.
    Rename,
    /// The end of a user.
    Delete,
    /// Nine users by id, and other attributes for one.
    Mix,
    /// Whether the component runs: no store.
    Health,
}

impl Work {
    /// As tables name it.
    pub fn name(self) -> &'static str {
        match self {
            Work::Get => "get by id",
            Work::GetConnect => "get by id, Connect",
            Work::GetHttp2 => "get by id, HTTP/2",
            Work::GetGrpc => "get by id, gRPC",
            Work::GetMissing => "get by id, 404",
            Work::GetNotModified => "get by id, 304",
            Work::GetByEmail => "get by email",
            Work::Page => "page of 50",
            Work::ShortPage => "page of 5",
            Work::FindByWord => "find 5 by word",
            Work::FindByAttribute => "find 5 by attribute",
            Work::Members => "list 50 members of a group",
            Work::AddMember => "add a member to a group",
            Work::Create => "create",
            Work::Update => "update, If-Match",
            Work::Rename => "update of the name, If-Match",
            Work::Delete => "delete",
            Work::Mix => "mix, 90 % get, 10 % update",
            Work::Health => "/healthz",
        }
    }

    /// Its name in `wrk/requests.lua`. `None` if it is done over HTTP/2, by h2load: wrk has
    /// HTTP/1.1 only.
    pub fn script_name(self) -> Option<&'static str> {
        Some(match self {
            Work::GetHttp2 | Work::GetGrpc => return None,
            Work::Get => "get",
            Work::GetConnect => "get-connect",
            Work::GetMissing => "get-missing",
            Work::GetNotModified => "get-not-modified",
            Work::GetByEmail => "get-by-email",
            Work::Page => "page",
            Work::ShortPage => "short-page",
            Work::FindByWord => "find-by-word",
            Work::FindByAttribute => "find-by-attribute",
            Work::Members => "members",
            Work::AddMember => "add-member",
            Work::Create => "create",
            Work::Update => "update",
            Work::Rename => "rename",
            Work::Delete => "delete",
            Work::Mix => "mix",
            Work::Health => "health",
        })
    }

    /// Whether the load generator has to know the entity tags of some users.
    pub fn needs_tags(self) -> bool {
        matches!(self, Work::GetNotModified | Work::Update | Work::Rename)
    }

    /// Whether each answer has a status of 400 or more, and is right so.
    pub fn is_refused(self) -> bool {
        self == Work::GetMissing
    }

    /// Whether an answer may be 503: all deletes write to one ledger, and those that
    /// meet too often there are to be sent again.
    pub fn may_be_refused(self) -> bool {
        self == Work::Delete
    }

    /// Whether it needs users that no other request is for.
    pub fn consumes_users(self) -> bool {
        self == Work::Delete
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    #[test]
    fn the_script_knows_each_work_of_wrk() {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("wrk/requests.lua");
        let script = fs::read_to_string(script).expect("the script is there");
        for work in Work::value_variants() {
            if let Some(name) = work.script_name() {
                let made = ["ahead", "each"].map(|when| format!("{when}[\"{name}\"] = function"));
                assert!(made.iter().any(|made| script.contains(made)), "{name}");
            }
        }
    }
}
