//! `/groups/{id}/members`: the users in a group, and many changes of them at once.

use http::{Method, Response};
use serde_json::{Map, Value};

use super::super::listing::Listing;
use super::super::narrowing::{self, ANYWHERE};
use super::super::representation::Fields;
use super::super::search::Search;
use super::group::id;
use crate::auth::{Permission, Scope};
use crate::directory::{Gather, Membership, Position};
use crate::message::body::{self, Body};
use crate::message::precondition::Preconditions;
use crate::message::problem::Problem;
use crate::message::query::Query;
use crate::message::response::JSON;
use crate::platform::Platform;
use crate::service::audit::{ADD_MEMBER, REMOVE_MEMBER};
use crate::service::bulk::batch::Batch;
use crate::service::resource::{Call, Operation, Resource, handled};
use crate::store::Store;
use crate::user::{Rule, UserId, Violation, object};

/// The most changes of one request.
const MAX_CHANGES: usize = 1000;

pub(super) const fn resource<S: Store, P: Platform, B: Body>() -> Resource<S, P, B> {
    Resource {
        path: "/groups/{}/members",
        is_counted: true,
        operations: &[
            Operation {
                method: Method::GET,
                permission: Permission::Scope(Scope::Read),
                change: None,
                accepts: &[],
                offers: &[JSON],
                handler: |call| handled(list(call)),
            },
            Operation {
                method: Method::POST,
                permission: Permission::Scope(Scope::Write),
                change: Some("change-members"),
                accepts: &[JSON],
                offers: &[JSON],
                handler: |call| handled(change(call)),
            },
        ],
    }
}

/// There is no `X-Total-Count`: to count the users, all their records would have to be read.
async fn list<S: Store, P: Platform, B>(
    call: Box<Call<'_, S, P, B>>,
) -> Result<Response<Vec<u8>>, Problem> {
    let directory = call.directory;
    let known = [ANYWHERE, &["limit", "after"]].concat();
    let query = Query::parse(call.request.uri().query(), &known)?;
    let preconditions = Preconditions::of(call.request.headers())?;
    let filter = narrowing::filter(call.configuration, &query)?;
    let mut listing = Listing::new(Fields::of(&query)?, filter);
    let id = id(&call);
    let search = Search {
        directory,
        configuration: call.configuration,
        trace: &call.trace,
        query: &query,
        what: "user",
        place: "GET /groups/{id}/members",
        path: &format!("/groups/{}/members", call.segment),
    };
    let find = async |from, listing: &mut dyn Gather| {
        let group = directory.group(id?).await?;
        directory.members(&group, from, listing).await
    };
    search.fill(&mut listing, Position::is_of_ids, find).await?;
    listing.respond(&preconditions)
}

/// The changes that a client asks for, in order.
struct Changes(Vec<(UserId, Membership)>);

impl Changes {
    fn from_json(value: Value) -> Result<Changes, Vec<Violation>> {
        let mut members = object(value)?;
        let add = ids(&mut members, "add");
        let remove = ids(&mut members, "remove");
        let mut violations = Vec::new();
        for (member, error) in [
            ("add", add.as_ref().err()),
            ("remove", remove.as_ref().err()),
        ] {
            violations.extend(error.map(|rule| Violation::new(member, rule.clone())));
        }
        for member in members.keys().take(Violation::MAX - violations.len()) {
            let rule = match member.as_str() {
                "groups" => "is refused: a group has no groups in it",
                _ => "is not known: there are add or remove",
            };
            violations.push(Violation::new(member, rule));
        }
        let (Ok(add), Ok(remove), true) = (add, remove, violations.is_empty()) else {
            return Err(violations);
        };
        let add = add.into_iter().map(|user| (user, Membership::Member));
        let remove = remove.into_iter().map(|user| (user, Membership::NoMember));
        let changes: Vec<_> = add.chain(remove).collect();
        match changes.len() {
            1..=MAX_CHANGES => Ok(Changes(changes)),
            _ => {
                let rule = "must have 1 to 1000 ids in add and remove together";
                Err(vec![Violation::of_all(rule)])
            }
        }
    }
}

/// Takes a member that lists ids of users.
fn ids(members: &mut Map<String, Value>, name: &str) -> Result<Vec<UserId>, Rule> {
    let values = match members.remove(name) {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(values)) => values,
        Some(_) => return Err("must be an array of ids of users".into()),
    };
    let id = |value: Value| UserId::try_from(value.as_u64()?).ok();
    let ids: Option<Vec<_>> = values.into_iter().map(id).collect();
    ids.ok_or("must have ids of users only: a group has no groups in it".into())
}

/// Makes one change after the other, those of `add` first. Each is made or not by itself: its outcome
/// tells. To send all of them again does no harm.
async fn change<S: Store, P: Platform, B: Body>(
    call: Box<Call<'_, S, P, B>>,
) -> Result<Response<Vec<u8>>, Problem> {
    Query::parse(call.request.uri().query(), &[])?;
    let (directory, id) = (call.directory, id(&call));
    let (batch, request) = Batch::new(*call);
    let payload = body::json(request).await?;
    let group = directory.group(id?).await?;
    let Changes(changes) = Changes::from_json(payload).map_err(Problem::invalid_group)?;
    let action = |membership: &Membership| match membership {
        Membership::Member => ADD_MEMBER,
        Membership::NoMember => REMOVE_MEMBER,
    };
    let change = async |user, membership: &Membership| {
        let changed = directory.set_membership(&group, user, *membership).await;
        changed.map(|_| ()).map_err(Problem::from)
    };
    let done = batch.run(changes, action, change).await;
    Ok(batch.answer(done, "user", None))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn changes_are_of_users_in_the_order_of_add_and_remove() {
        let Ok(Changes(changes)) = Changes::from_json(json!({ "remove": [1], "add": [3, 2] }))
        else {
            panic!("these are changes");
        };
        let users = changes
            .iter()
            .map(|(user, membership)| (user.get(), *membership));
        let expected = [
            (3, Membership::Member),
            (2, Membership::Member),
            (1, Membership::NoMember),
        ];
        assert!(users.eq(expected));
    }

    #[test]
    fn what_is_no_change_of_users_is_refused_by_the_rule() {
        for (body, pointer, rule) in [
            (json!([]), "", "JSON object"),
            (json!({}), "", "1 to 1000"),
            (
                json!({ "add": (1..=1001).collect::<Vec<_>>() }),
                "",
                "1 to 1000",
            ),
            (json!({ "add": 7 }), "/add", "array"),
            (json!({ "add": ["7"] }), "/add", "ids of users"),
            (
                json!({ "add": [{ "group": 7 }] }),
                "/add",
                "no groups in it",
            ),
            (json!({ "remove": [0] }), "/remove", "ids of users"),
            (
                json!({ "add": [1], "groups": [7] }),
                "/groups",
                "no groups in it",
            ),
            (json!({ "set": [1] }), "/set", "add or remove"),
        ] {
            let violations = Changes::from_json(body.clone()).err().expect("violations");
            assert_eq!(violations[0].pointer, pointer, "{body}");
            assert!(violations[0].detail.contains(rule), "{violations:?}");
        }
    }
}
