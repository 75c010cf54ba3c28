//! `/Groups`: lists of groups, and new groups; `/Groups/.search`: lists asked for by a body.

use http::header::LOCATION;
use http::{Method, Response, StatusCode};
use serde_json::Value;

use super::answer::MEDIA_TYPES;
use super::asked::{self, Asked};
use super::group_mapping::{location, profile_of};
use super::listing;
use super::scene::Scene;
use crate::auth::{Permission, Scope};
use crate::group::Group;
use crate::message::body::{self, Body};
use crate::message::problem::Problem;
use crate::message::response::set;
use crate::platform::Platform;
use crate::scim::members::{MemberChanges, read_group};
use crate::service::resource::{Call, Operation, Resource, handled};
use crate::store::Store;

pub(super) const fn resource<S: Store, P: Platform, B: Body>() -> Resource<S, P, B> {
    Resource {
        path: "/scim/v2/Groups",
        is_counted: true,
        operations: &[
            Operation {
                method: Method::GET,
                permission: Permission::Scope(Scope::Read),
                change: None,
                accepts: &[],
                offers: MEDIA_TYPES,
                handler: |call| handled(list(call)),
            },
            Operation {
                method: Method::POST,
                permission: Permission::Scope(Scope::Write),
                change: Some("create-group"),
                accepts: MEDIA_TYPES,
                offers: MEDIA_TYPES,
                handler: |call| handled(post(call)),
            },
        ],
    }
}

pub(super) const fn search<S: Store, P: Platform, B: Body>() -> Resource<S, P, B> {
    Resource {
        path: "/scim/v2/Groups/.search",
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

async fn list<S: Store, P: Platform, B>(
    call: Box<Call<'_, S, P, B>>,
) -> Result<Response<Vec<u8>>, Problem> {
    let (scene, request) = Scene::of(*call)?;
    let of = &scene.schemas.group;
    let asked = Asked::of_query(request.uri().query(), of)?;
    Ok(listing::page(&asked, scene.groups(&asked).await?, of))
}

async fn post_search<S: Store, P: Platform, B: Body>(
    call: Box<Call<'_, S, P, B>>,
) -> Result<Response<Vec<u8>>, Problem> {
    let (scene, request) = Scene::of(*call)?;
    let body = body::json(*request).await?;
    let of = &scene.schemas.group;
    let asked = Asked::of_body(&body, of, &[of])?;
    Ok(listing::page(&asked, scene.groups(&asked).await?, of))
}

async fn post<S: Store, P: Platform, B: Body>(
    call: Box<Call<'_, S, P, B>>,
) -> Result<Response<Vec<u8>>, Problem> {
    let (scene, request) = Scene::of(*call)?;
    let (shown, _) = asked::shown(request.uri().query(), &scene.schemas.group)?;
    let group = scene.create_group(body::json(*request).await?).await?;
    let mut response = scene.show_group(&group, &shown).await?;
    *response.status_mut() = StatusCode::CREATED;
    set(&mut response, LOCATION, location(group.id));
    Ok(response)
}

impl<S: Store, P: Platform> Scene<'_, S, P> {
    /// Makes a group of a resource, and then users its members. A repeat after a lost answer is told that
    /// the name is taken, and finds the group by it.
    pub async fn create_group(&self, body: Value) -> Result<Group, Problem> {
        let (resource, members) = read_group(body, &self.schemas.group)?;
        let profile = profile_of(resource, None)?;
        let changes = MemberChanges {
            added: members.unwrap_or_default(),
            ..MemberChanges::default()
        };
        self.check_members(&changes.added).await?;
        let group = self.directory.create_group(profile).await?;
        if let Some(change) = &self.change {
            change.group.set(Some(group.id));
        }
        self.change_members(&group, &changes).await?;
        Ok(group)
    }
}
