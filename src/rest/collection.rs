//! `/users`: a page of users, users by email, username, id, name or words; and new users.

use http::header::LOCATION;
use http::{Method, Response, StatusCode};

use super::listing::{Listing, PLACE, limit, next_page};
use super::narrowing::{self, ANYWHERE};
use super::representation::Fields;
use super::search::{Search, Wanted};
use super::user::{represent, with_tag};
use crate::auth::{Permission, Scope};
use crate::directory::{Created, Directory, Gather as _, Idempotency, MAX_IDS, Order, TimeSpan};
use crate::message::body::{self, Body};
use crate::message::idempotency_key;
use crate::message::precondition::Preconditions;
use crate::message::problem::Problem;
use crate::message::query::Query;
use crate::message::response::{JSON, set};
use crate::message::trace::Trace;
use crate::platform::Platform;
use crate::service::omissions::{known_total, log_unreadable};
use crate::service::resource::{Answer, Call, Operation, Resource, handled};
use crate::store::Store;
use crate::user::{Email, Profile, UserId, Username};

/// Parameters that choose users, and those that go with some of them.
const FINDERS: &[&str] = &["email", "username", "external_id", "id", "name", "q"];
pub(super) const PAGING: &[&str] = &["limit", "after"];

pub(super) const fn resource<S: Store, P: Platform, B: Body>() -> Resource<S, P, B> {
    Resource {
        path: "/users",
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
                change: Some("create"),
                accepts: &[JSON],
                offers: &[JSON],
                handler: |call| handled(create(call)),
            },
        ],
    }
}

/// With an `Idempotency-Key`, a repeat within 24 hours gets the first answer again
/// if that was 201 and the body is the same JSON value. Failures are not remembered: they changed
/// nothing, or may be repeated.
async fn create<'a, S: Store, P: Platform, B: Body>(
    call: Box<Call<'a, S, P, B>>,
) -> Result<Answer<'a>, Problem> {
    Query::parse(call.request.uri().query(), &[])?;
    let key = idempotency_key::key(call.request.headers())?;
    let payload = body::json(*call.request).await?;
    let idempotency = key.map(|key| Idempotency::new(call.caller.name(), &key, &payload));
    let profile = Profile::from_json(payload).map_err(Problem::invalid_user)?;
    let created = call.directory.create(profile, idempotency.as_ref()).await?;
    let Created { user, replayed } = created;
    let mut response = with_tag(represent(&user, Fields::ALL), user.version.entity_tag());
    *response.status_mut() = StatusCode::CREATED;
    if replayed {
        set(&mut response, idempotency_key::REPLAYED, true);
    }
    set(&mut response, LOCATION, format!("/users/{}", user.id));
    Ok(Answer {
        created: Some(user.id),
        ..response.into()
    })
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
    let known = [ANYWHERE, PAGING, FINDERS, &["sort"]].concat();
    let query = Query::parse(request.uri().query(), &known)?;
    let preconditions = Preconditions::of(request.headers())?;
    let fields = Fields::of(&query)?;
    let filter = narrowing::filter(configuration, &query)?;
    let (attributes, updated_after) = (filter.attributes.clone(), filter.updated_after);
    let mut listing = Listing::new(fields, filter);
    let search = Search {
        directory,
        configuration,
        trace: &trace,
        query: &query,
        what: "user",
        place: PLACE,
        path: "/users",
    };
    let wanted = if query.get("email").is_some() {
        query.alone("email", &[ANYWHERE])?;
        by_email(directory, &query, &mut listing).await?;
        None
    } else if query.get("username").is_some() {
        query.alone("username", &[ANYWHERE])?;
        by_username(directory, &query, &mut listing).await?;
        None
    } else if query.get("external_id").is_some() {
        query.alone("external_id", &[ANYWHERE, PAGING])?;
        Some(Wanted::external_id(&query)?)
    } else if query.get("id").is_some() {
        query.alone("id", &[ANYWHERE])?;
        by_ids(directory, &trace, &query, &mut listing).await?;
        None
    } else if query.get("name").is_some() {
        query.alone("name", &[ANYWHERE, PAGING])?;
        Some(Wanted::name(&query)?)
    } else if query.get("q").is_some() {
        query.alone("q", &[ANYWHERE, PAGING])?;
        Some(Wanted::words(&query)?)
    } else {
        match query.get("sort") {
            None if !attributes.is_empty() => Some(Wanted::Attributes(attributes)),
            sort => match sorted(sort.unwrap_or("id"))? {
                ("id", order) => {
                    page(&search, order, &mut listing).await?;
                    None
                }
                ("name", order) => Some(Wanted::ByName(order)),
                (_, order) => {
                    let span = TimeSpan {
                        after: updated_after,
                        until: None,
                    };
                    Some(Wanted::ByUpdate(order, span))
                }
            },
        }
    };
    if let Some(wanted) = wanted {
        search.list(wanted, &mut listing).await?;
    }
    listing.respond(&preconditions)
}

async fn by_email<S: Store, P: Platform>(
    directory: &Directory<'_, S, P>,
    query: &Query,
    listing: &mut Listing,
) -> Result<(), Problem> {
    let email = |value: Option<&str>| Email::try_from(value.unwrap_or_default().to_owned());
    // A plus is common in addresses, and a space stands in quotes alone: where it would make
    // no address, the client has meant the plus.
    let email = email(query.get("email"))
        .or_else(|_| email(query.get_with_plus("email")))
        .map_err(|rule| Problem::invalid_query(&rule, "email"))?;
    if let Some(user) = directory.find_by_email(&email).await? {
        listing.push(user);
    }
    listing.note_complete();
    Ok(())
}

async fn by_username<S: Store, P: Platform>(
    directory: &Directory<'_, S, P>,
    query: &Query,
    listing: &mut Listing,
) -> Result<(), Problem> {
    // A username has no space, so that a plus stands for itself, as in "+442079460018".
    let username = query.get_with_plus("username").unwrap_or_default();
    let username = Username::try_from(username.to_owned())
        .map_err(|rule| Problem::invalid_query(&rule, "username"))?;
    if let Some(user) = directory.find_by_username(&username).await? {
        listing.push(user);
    }
    listing.note_complete();
    Ok(())
}

async fn by_ids<S: Store, P: Platform>(
    directory: &Directory<'_, S, P>,
    trace: &Trace,
    query: &Query,
    listing: &mut Listing,
) -> Result<(), Problem> {
    let list = query.get("id").unwrap_or_default().split(',');
    let ids: Result<Vec<UserId>, _> = list.map(str::parse).collect();
    let ids = ids.ok().filter(|ids| ids.len() <= MAX_IDS);
    let ids = ids.ok_or_else(|| {
        let rule = format!("must be 1 to {MAX_IDS} ids of users, separated by commas");
        Problem::invalid_query(&rule, "id")
    })?;
    let unreadable = directory.get_some(&ids, listing).await?;
    log_unreadable(directory.platform, trace, PLACE, &unreadable);
    listing.note_complete();
    Ok(())
}

/// The member that the parameter `sort` names, and the order.
fn sorted(sort: &str) -> Result<(&str, Order), Problem> {
    let (member, order) = match sort.strip_prefix('-') {
        Some(member) => (member, Order::Descending),
        None => (sort, Order::Ascending),
    };
    match member {
        "id" | "name" | "updated_at" => Ok((member, order)),
        _ => {
            let rule = "must be id, name or updated_at, or one of these after a minus sign";
            Err(Problem::invalid_query(rule, "sort"))
        }
    }
}

async fn page<S: Store, P: Platform>(
    search: &Search<'_, S, P>,
    order: Order,
    listing: &mut Listing,
) -> Result<(), Problem> {
    let Search {
        directory,
        configuration,
        trace,
        query,
        ..
    } = *search;
    let after = query.number("after", 0, u64::MAX)?;
    let limit = limit(configuration, query)?;
    listing.limit = limit as usize;
    let page = directory.list(after, order, listing).await?;
    log_unreadable(directory.platform, trace, PLACE, &page.unreadable);
    listing.next = page
        .next
        .map(|next| next_page("/users", query, limit, next));
    let total = known_total(directory.platform, trace, PLACE, page.total)?;
    listing.total = total.filter(|_| listing.is_of_everyone());
    Ok(())
}
