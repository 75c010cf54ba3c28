//! Requests by SCIM, beside those by REST for the same users and groups: what stands on the wire, and
//! meetings of the two.

use serde_json::{Value, json};

use crate::backend::Backend;
use crate::explore::explore;
use crate::meetings::Meeting;
use crate::names::{TURNS, explore_all, small, user};
use crate::request::{
    Action, Ask,
    Condition::{Always, AsSeen},
    GroupAsk, Seen, Told,
    Who::Id,
};
use crate::sabotage::Sabotage;
use crate::scenario::Scenario;
use crate::upserts::{BOUNDS, explore_meetings};
use Action::{Create, Delete, Group, Patch, Put};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// The members of a user, and what SCIM calls them, but for the email.
const NAMES: [(&str, &str); 4] = [
    ("name", "displayName"),
    ("username", "userName"),
    ("external_id", "externalId"),
    ("active", "active"),
];

/// The method and the target of a request for a user.
pub fn target(ask: &Ask) -> (&'static str, String) {
    let (method, path) = ask.target();
    let path = path.replacen("/users", "/scim/v2/Users", 1);
    // The groups of a user are not read together with it.
    let query = match method {
        "GET" => "?excludedAttributes=groups",
        _ => "",
    };
    (method, path + query)
}

/// The content of a request for a user.
pub fn content(ask: &Ask) -> Option<Value> {
    match ask {
        Ask::Create(profile) | Ask::Put(_, profile, _) => Some(resource(profile)),
        Ask::Patch(_, patch, _) => Some(operations(patch)),
        Ask::Get(_) | Ask::Delete(..) => None,
        _ => unreachable!("programs ask by REST for {ask}"),
    }
}

/// A profile as a resource.
fn resource(profile: &Value) -> Value {
    let mut resource = json!({ "schemas": [USER] });
    for (name, attribute) in NAMES {
        if let Some(value) = profile.get(name) {
            resource[attribute] = value.clone();
        }
    }
    if let Some(email) = profile.get("email") {
        resource["emails"] = emails(email);
    }
    resource
}

fn emails(email: &Value) -> Value {
    json!([{ "value": email, "primary": true }])
}

/// A merge patch as a list of operations.
fn operations(patch: &Value) -> Value {
    let members = patch.as_object().expect("a patch").iter();
    let operations = members.map(|(member, value)| {
        let path = NAMES.iter().find(|(name, _)| name == member);
        let path = path.map_or("emails", |(_, attribute)| attribute);
        match (value, path) {
            (Value::Null, path) => json!({ "op": "remove", "path": path }),
            (value, "emails") => json!({ "op": "replace", "path": path, "value": emails(value) }),
            (value, path) => json!({ "op": "replace", "path": path, "value": value }),
        }
    });
    list(operations)
}

/// Users who come into a group, and who leave it.
pub fn member_changes(users: &[(u64, bool)]) -> Value {
    list(users.iter().map(|(user, comes)| match comes {
        true => json!({ "op": "add", "path": "members", "value": members(&[*user]) }),
        false => json!({ "op": "remove", "path": format!("members[value eq \"{user}\"]") }),
    }))
}

/// Users who are to be all members of a group.
pub fn all_members(users: &[u64]) -> Value {
    let operation = json!({ "op": "replace", "path": "members", "value": members(users) });
    list([operation].into_iter())
}

fn members(users: &[u64]) -> Vec<Value> {
    let members = users.iter().map(u64::to_string);
    members.map(|id| json!({ "value": id })).collect()
}

fn list(operations: impl Iterator<Item = Value>) -> Value {
    json!({ "schemas": [PATCH], "Operations": Vec::from_iter(operations) })
}

/// Reads an answer with a user.
pub fn told(status: u16, resource: &Value, tag: Option<String>) -> Result<Told, String> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let wrong = || format!("not a user, or not by its tag: {tag:?} {resource}");
    let meta = &resource["meta"];
    if text(&meta["version"]) != tag {
        return Err(wrong());
    }
    let id = resource["id"].as_str().and_then(|id| id.parse().ok());
    let user = Seen {
        id: id.ok_or_else(wrong)?,
        name: text(&resource["displayName"]).ok_or_else(wrong)?,
        email: text(&resource["emails"][0]["value"]),
        username: text(&resource["userName"]),
        external_id: text(&resource["externalId"]),
        attributes: None,
        has_attributes: false,
        active: resource["active"].as_bool().ok_or_else(wrong)?,
        created_at: text(&meta["created"]).ok_or_else(wrong)?,
        updated_at: text(&meta["lastModified"]).ok_or_else(wrong)?,
        tag,
    };
    Ok(Told::User(status, user))
}

fn by_scim(action: Action) -> Action {
    Action::Scim(action.into())
}

fn patch(patch: Value) -> Action {
    Patch(Id(1), patch, Always)
}

/// Two clients of whom one changes a user by SCIM, each by one request.
pub fn meetings() -> Vec<Meeting> {
    let switch_off = || by_scim(patch(json!({ "active": false })));
    let ada = || json!({ "name": "Ada", "username": "u" });
    let meetings = [
        (
            "patch by SCIM/patch of other members",
            switch_off(),
            patch(json!({ "name": "B", "attributes": { "k": 1 } })),
        ),
        (
            "patch by SCIM/patch by SCIM of other members",
            switch_off(),
            by_scim(patch(json!({ "email": "x@example.com" }))),
        ),
        (
            "patch by SCIM of a version that was seen/patch",
            by_scim(Patch(Id(1), json!({ "active": false }), AsSeen)),
            patch(json!({ "name": "B" })),
        ),
        (
            "put by SCIM/patch of the attributes",
            by_scim(Put(Id(1), json!({ "name": "B", "username": "u" }), Always)),
            patch(json!({ "attributes": { "k": 1 } })),
        ),
        (
            "patch by SCIM/patch that takes away the username",
            switch_off(),
            patch(json!({ "username": null })),
        ),
        (
            "patch by SCIM to a username/create by SCIM with it",
            by_scim(patch(json!({ "username": "v" }))),
            by_scim(Create(json!({ "name": "B", "username": "v" }))),
        ),
        (
            "patch by SCIM/delete by SCIM",
            switch_off(),
            by_scim(Delete(Id(1), Always)),
        ),
        (
            "delete by SCIM of a version that was seen/patch",
            by_scim(Delete(Id(1), AsSeen)),
            patch(json!({ "name": "B" })),
        ),
    ];
    let meetings = meetings.into_iter();
    let meetings = meetings
        .map(|(name, one, other)| (name, vec![Create(ada())], vec![vec![one], vec![other]]));
    meetings.collect()
}

/// The same for the members of a group.
fn group_meetings() -> Vec<Meeting> {
    let group = || {
        let users = ["A", "B", "C"].map(user);
        let group = [GroupAsk::Create("g"), GroupAsk::Join(1, 1)].map(Group);
        users.into_iter().chain(group).collect()
    };
    let change = || GroupAsk::Change(1, vec![(1, false), (2, true), (3, true)]);
    let all = || GroupAsk::Set(1, vec![2]);
    let meetings = [
        (
            "change of members/change of members",
            change(),
            Group(GroupAsk::Change(1, vec![(2, false), (1, true)])),
        ),
        (
            "change of members/join",
            change(),
            Group(GroupAsk::Join(1, 1)),
        ),
        (
            "change of members/delete of one of them",
            change(),
            Delete(Id(3), Always),
        ),
        (
            "change of members/delete of the group",
            change(),
            Group(GroupAsk::Remove(1)),
        ),
        (
            "change of members/members",
            change(),
            Group(GroupAsk::Members(1)),
        ),
        ("all members/join", all(), Group(GroupAsk::Join(1, 3))),
        ("all members/leave", all(), Group(GroupAsk::Leave(1, 1))),
        (
            "all members/delete of the member",
            all(),
            Delete(Id(1), Always),
        ),
        (
            "all members/delete of the group",
            all(),
            Group(GroupAsk::Remove(1)),
        ),
    ];
    let meetings = meetings.into_iter();
    let meetings =
        meetings.map(|(name, one, other)| (name, group(), vec![vec![Group(one)], vec![other]]));
    meetings.collect()
}

/// The scenarios of these, with small leaves.
pub fn group_scenarios(backend: Backend) -> impl Iterator<Item = Scenario> {
    let meetings = group_meetings().into_iter();
    meetings.map(move |meeting| small(meeting, backend, None))
}

#[test]
fn changes_by_scim_are_neither_lost_nor_mixed_beside_others() {
    explore_meetings(meetings);
}

#[test]
fn members_whom_scim_changes_come_and_go_one_by_one() {
    for backend in Backend::ALL {
        explore_all(group_scenarios(backend), TURNS);
    }
}

/// The same sabotages as of REST's changes: so the requests of SCIM are judged.
#[test]
fn a_change_that_is_lost_beside_one_by_scim_is_noticed() {
    for backend in Backend::ALL {
        for sabotage in [Sabotage::RecordSet, Sabotage::RecordUnverified] {
            let mut meetings = meetings().into_iter();
            let is_noticed = |meeting| {
                let scenario = Scenario::of(meeting, backend, Some(sabotage));
                explore(&scenario, BOUNDS).is_err()
            };
            assert!(meetings.any(is_noticed), "{sabotage:?} {backend:?}");
        }
    }
}
