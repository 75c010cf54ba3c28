//! `/users/{id}/groups`: the groups that a user is in.

use http::{Method, Response};

use super::super::listing::{Listing, limit, next_page};
use crate::auth::{Permission, Scope};
use crate::directory::Error;
use crate::message::body::Body;
use crate::message::precondition::Preconditions;
use crate::message::problem::Problem;
use crate::message::query::Query;
use crate::message::response::JSON;
use crate::platform::Platform;
use crate::service::omissions::log_unreadable_groups;
use crate::service::resource::{Call, Operation, Resource, handled};
use crate::store::Store;
use crate::user::UserId;

pub(super) const fn resource<S: Store, P: Platform, B: Body>() -> Resource<S, P, B> {
    Resource {
        path: "/users/{}/groups",
        is_counted: true,
        operations: &[Operation {
            method: Method::GET,
            permission: Permission::ScopeOrSelf(Scope::Read),
            change: None,
            accepts: &[],
            offers: &[JSON],
            handler: |call| handled(list(call)),
        }],
    }
}

async fn list<S: Store, P: Platform, B>(
    call: Box<Call<'_, S, P, B>>,
) -> Result<Response<Vec<u8>>, Problem> {
    let directory = call.directory;
    let query = Query::parse(call.request.uri().query(), &["limit", "after"])?;
    let preconditions = Preconditions::of(call.request.headers())?;
    let after = query.number("after", 0, u64::MAX)?;
    let limit = limit(call.configuration, &query)?;
    let id: UserId = call.segment.parse().map_err(|_| Error::NotFound)?;
    let groups = directory.groups_of(id).await?;
    call.caller.check_own(Scope::Read, &groups.user)?;
    let mut listing = Listing::whole();
    listing.limit = limit as usize;
    let page = directory.list_groups_of(&groups, after.unwrap_or(0), &mut listing);
    let page = page.await?;
    let path = format!("/users/{id}/groups");
    let place = "GET /users/{id}/groups";
    log_unreadable_groups(directory.platform, &call.trace, place, &page.unreadable);
    listing.next = page.next.map(|next| next_page(&path, &query, limit, next));
    if after.is_none() && page.next.is_none() {
        listing.note_complete();
    }
    listing.respond(&preconditions)
}
