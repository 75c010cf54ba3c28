//! `/.search`: users and groups alike (RFC 7644, section 3.4.3). Users come first.

use http::{Method, Response};

use super::answer::MEDIA_TYPES;
use super::asked::Asked;
use super::finding::shown;
use super::listing;
use super::refusal::INVALID_CURSOR;
use super::scene::Scene;
use crate::auth::{Permission, Scope};
use crate::configuration::Configuration;
use crate::message::body::{self, Body};
use crate::message::problem::Problem;
use crate::platform::Platform;
use crate::service::resource::{Call, Operation, Resource, handled};
use crate::store::Store;

pub(super) const fn search<S: Store, P: Platform, B: Body>() -> Resource<S, P, B> {
    Resource {
        path: "/scim/v2/.search",
        is_counted: true,
        operations: &[Operation {
            method: Method::POST,
            permission: Permission::Scope(Scope::Read),
            change: None,
            accepts: MEDIA_TYPES,
            offers: MEDIA_TYPES,
            handler: |call| handled(post_search(call)),
        }],
    }
}

async fn post_search<S: Store, P: Platform, B: Body>(
    call: Box<Call<'_, S, P, B>>,
) -> Result<Response<Vec<u8>>, Problem> {
    let (scene, request) = Scene::of(*call)?;
    let body = body::json(*request).await?;
    let (user, group) = (&scene.schemas.user, &scene.schemas.group);
    let asked = Asked::of_body(&body, user, &[user, group])?;
    if asked.cursor.is_some() {
        let detail = "A search for users and groups alike has no cursor: page with startIndex.";
        return Err(Problem::new(INVALID_CURSOR, detail));
    }
    let count = asked.count.unwrap_or(scene.configuration.page_size);
    let count = count.min(Configuration::MAX_PAGE_SIZE);
    let users = scene.users(&asked).await?;
    let mut found = shown(users.rows, &asked.shown, user);
    // A page of users may end before it is full: groups come after the last one.
    let is_end = asked.start - 1 + found.len() as u64 >= users.total;
    let of_groups = Asked {
        start: asked.start.saturating_sub(users.total).max(1),
        count: Some(match is_end {
            true => count - found.len() as u64,
            false => 0,
        }),
        ..Asked::of_body(&body, group, &[user, group])?
    };
    let groups = scene.groups(&of_groups).await?;
    found.extend(shown(groups.rows, &of_groups.shown, group));
    let total = users.total + groups.total;
    Ok(listing::respond(&asked, total, None, found))
}
