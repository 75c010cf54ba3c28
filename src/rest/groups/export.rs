//! `/groups/export`: every group with its users, in one line or in several.

use http::{Method, Response};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::super::export::push_closing;
use super::reference::References;
use super::representation::push_members;
use crate::auth::{Permission, Scope};
use crate::directory::{GroupPlace, Position, Roster};
use crate::group::{Group, GroupId};
use crate::message::content::Content;
use crate::message::ndjson::{self, NDJSON};
use crate::message::problem::Problem;
use crate::message::query::Query;
use crate::message::trace::Trace;
use crate::platform::Platform;
use crate::service::bulk::End;
use crate::service::bulk::export::{Export, Form};
use crate::service::resource::{Call, Operation, Resource, handled};
use crate::store::Store;

pub(super) const fn resource<S: Store, P: Platform, B>() -> Resource<S, P, B> {
    Resource {
        path: "/groups/export",
        is_counted: true,
        operations: &[Operation {
            method: Method::GET,
            permission: Permission::Scope(Scope::Read),
            change: None,
            accepts: &[],
            offers: &[NDJSON],
            handler: |call| handled(export(call)),
        }],
    }
}

async fn export<'a, S: Store, P: Platform, B>(
    call: Box<Call<'a, S, P, B>>,
) -> Result<Response<Content<'a>>, Problem> {
    let query = Query::parse(call.request.uri().query(), &["after"])?;
    let place = match query.get("after") {
        None => GroupPlace::default(),
        Some(text) => read_place(text).ok_or_else(|| {
            let rule = "must be the id of a group, or what a line or a link of an export has";
            Problem::invalid_query(rule, "after")
        })?,
    };
    let walk = call.directory.walk_groups(place).await?;
    Ok(ndjson::response(Export::new(&call, Groups, walk, None)))
}

/// `7`: behind the group 7. `8-12345`: in the group 8, from the user 12345 on.
fn write_place(place: &GroupPlace) -> String {
    match &place.from {
        None => place.group.to_string(),
        Some(from) => format!("{}-{}", place.group, from.number()),
    }
}

fn read_place(text: &str) -> Option<GroupPlace> {
    if text == "0" {
        return Some(GroupPlace::default());
    }
    let (group, from) = match text.split_once('-') {
        None => (text, None),
        Some((group, user)) => (group, Some(Position::by_id(user.parse().ok()?))),
    };
    let group = group.parse::<GroupId>().ok()?.get();
    Some(GroupPlace { group, from })
}

/// The lines of an export.
struct Groups;

/// A group, and some of its users.
struct Line<'a> {
    group: &'a Group,
    members: &'a References,
    /// Where the other users are, if there are others.
    after: Option<String>,
}

impl Serialize for Line<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        push_members(&mut map, self.group)?;
        map.serialize_entry("members", self.members)?;
        if let Some(after) = &self.after {
            map.serialize_entry("after", after)?;
        }
        map.end()
    }
}

impl Form for Groups {
    type Item = Roster<References>;
    type Place = GroupPlace;

    /// A group counts where it begins.
    fn push(&mut self, bytes: &mut Vec<u8>, roster: Roster<References>) -> bool {
        let (group, members) = (&roster.group, &roster.users);
        // A group without users has a line, and one whose other users are gone no other.
        if roster.is_begin || !members.is_empty() {
            let after = roster.next.map(|from| {
                let (group, from) = (group.id.get(), Some(from));
                write_place(&GroupPlace { group, from })
            });
            let line = Line {
                group,
                members,
                after,
            };
            ndjson::push(bytes, &line);
        }
        roster.is_begin
    }

    fn push_end(
        &mut self,
        bytes: &mut Vec<u8>,
        end: End,
        groups: u64,
        passed: GroupPlace,
        trace: &Trace,
    ) {
        let next = format!("/groups/export?after={}", write_place(&passed));
        push_closing(bytes, &end, ("groups", groups), &next, trace);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_is_written() {
        for text in ["0", "7", "8-12345", "17179869183-1"] {
            let place = read_place(text).expect(text);
            assert_eq!(write_place(&place), text);
        }
        for text in [
            "",
            "-",
            "8-",
            "-5",
            "0-5",
            "08",
            "8-05",
            "8-5-1",
            "+8",
            "17179869184",
            "x",
        ] {
            assert_eq!(read_place(text), None, "{text}");
        }
    }
}
