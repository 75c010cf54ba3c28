//! `/groups`: a page of groups, a group by its name, groups by words; and new groups.

use http::header::LOCATION;
use http::{Method, Response, StatusCode};

use super::super::collection::PAGING;
use super::super::listing::{Listing, limit, next_page};
use super::super::search::{Search, asked};
use super::group::represent;
use crate::auth::{Permission, Scope};
use crate::directory::{Gather, Order};
use crate::group::{Group, GroupName, GroupProfile};
use crate::message::body::{self, Body};
use crate::message::precondition::Preconditions;
use crate::message::problem::Problem;
use crate::message::query::Query;
use crate::message::response::{JSON, set};
use crate::platform::Platform;
use crate::service::omissions::log_unreadable_groups;
use crate::service::resource::{Call, Operation, Resource, handled};
use crate::store::Store;

const PATH: &str = "/groups";

/// The method and path of the requests for listings, for the log.
const PLACE: &str = "GET /groups";

pub(super) const fn resource<S: Store, P: Platform, B: Body>() -> Resource<S, P, B> {
    Resource {
        path: PATH,
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
                change: Some("create-group"),
                accepts: &[JSON],
                offers: &[JSON],
                handler: |call| handled(create(call)),
            },
        ],
    }
}

/// There are no idempotency keys here: the name makes a group once, and a repeat is told that it is
/// taken.
async fn create<S: Store, P: Platform, B: Body>(
    call: Box<Call<'_, S, P, B>>,
) -> Result<Response<Vec<u8>>, Problem> {
    Query::parse(call.request.uri().query(), &[])?;
    let payload = body::json(*call.request).await?;
    let profile = GroupProfile::from_json(payload).map_err(Problem::invalid_group)?;
    let group = call.directory.create_group(profile).await?;
    if let Some(change) = &call.change {
        change.group.set(Some(group.id));
    }
    let mut response = represent(&group);
    *response.status_mut() = StatusCode::CREATED;
    set(&mut response, LOCATION, format!("/groups/{}", group.id));
    Ok(response)
}

async fn list<S: Store, P: Platform, B>(
    call: Box<Call<'_, S, P, B>>,
) -> Result<Response<Vec<u8>>, Problem> {
    let Call {
        directory,
        configuration,
        request,
        trace,
        ..
    } = *call;
    let query = Query::parse(
        request.uri().query(),
        &[PAGING, &["name", "q", "sort"]].concat(),
    )?;
    let preconditions = Preconditions::of(request.headers())?;
    let mut listing = Listing::whole();
    let search = Search {
        directory,
        configuration,
        trace: &trace,
        query: &query,
        what: "group",
        place: PLACE,
        path: PATH,
    };
    if let Some(name) = query.get("name") {
        query.alone("name", &[])?;
        let name = GroupName::try_from(name.to_owned())
            .map_err(|rule| Problem::invalid_query(&rule, "name"))?;
        if let Some(group) = directory.find_group(&name).await? {
            listing.push(group);
        }
        listing.note_complete();
    } else if query.get("q").is_some() {
        query.alone("q", &[PAGING])?;
        let asked = asked(&query)?;
        let find = async |from, listing: &mut dyn Gather<Group>| {
            directory.search_groups(&asked, from, listing).await
        };
        search.fill(&mut listing, |_| true, find).await?;
    } else if let Some(sort) = query.get("sort") {
        let order = order(sort)?;
        let find = async |from, listing: &mut dyn Gather<Group>| {
            directory
                .list_groups_by_name(None, order, from, listing)
                .await
        };
        search.fill(&mut listing, |_| true, find).await?;
    } else {
        let after = query.number("after", 0, u64::MAX)?.unwrap_or(0);
        let limit = limit(configuration, &query)?;
        listing.limit = limit as usize;
        let page = directory.list_groups(after, &mut listing).await?;
        log_unreadable_groups(directory.platform, &trace, PLACE, &page.unreadable);
        listing.next = page.next.map(|next| next_page(PATH, &query, limit, next));
    }
    listing.respond(&preconditions)
}

/// The order of names that the parameter `sort` asks for.
fn order(sort: &str) -> Result<Order, Problem> {
    match sort {
        "name" => Ok(Order::Ascending),
        "-name" => Ok(Order::Descending),
        _ => Err(Problem::invalid_query("must be name or -name", "sort")),
    }
}
