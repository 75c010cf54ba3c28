//! `/Users`: lists of users, and new users; `/Users/.search`: lists asked for by a body.

use http::header::LOCATION;
use http::{Method, Response, StatusCode};
use serde_json::Value;

use super::answer::MEDIA_TYPES;
use super::asked::{self, Asked};
use super::listing;
use super::mapping::{self, location, profile_of};
use super::scene::Scene;
use super::user::show;
use crate::auth::{Permission, Scope};
use crate::directory::Created;
use crate::message::body::{self, Body};
use crate::message::problem::Problem;
use crate::message::response::set;
use crate::platform::Platform;
use crate::scim::resource;
use crate::service::resource::{Answer, Call, Operation, Resource, handled};
use crate::store::Store;
use crate::user::User;

pub(super) const fn resource<S: Store, P: Platform, B: Body>() -> Resource<S, P, B> {
    Resource {
        path: "/scim/v2/Users",
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
                change: Some("create"),
                accepts: MEDIA_TYPES,
                offers: MEDIA_TYPES,
                handler: |call| handled(post(call)),
            },
        ],
    }
}

pub(super) const fn search<S: Store, P: Platform, B: Body>() -> Resource<S, P, B> {
    Resource {
        path: "/scim/v2/Users/.search",
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
    let of = &scene.schemas.user;
    let asked = Asked::of_query(request.uri().query(), of)?;
    Ok(listing::page(&asked, scene.users(&asked).await?, of))
}

async fn post_search<S: Store, P: Platform, B: Body>(
    call: Box<Call<'_, S, P, B>>,
) -> Result<Response<Vec<u8>>, Problem> {
    let (scene, request) = Scene::of(*call)?;
    let body = body::json(*request).await?;
    let of = &scene.schemas.user;
    let asked = Asked::of_body(&body, of, &[of])?;
    Ok(listing::page(&asked, scene.users(&asked).await?, of))
}

async fn post<'a, S: Store, P: Platform, B: Body>(
    call: Box<Call<'a, S, P, B>>,
) -> Result<Answer<'a>, Problem> {
    let (scene, request) = Scene::of(*call)?;
    let (shown, _) = asked::shown(request.uri().query(), &scene.schemas.user)?;
    let user = scene.create_user(body::json(*request).await?).await?;
    let resource = mapping::resource_of(&user);
    let mut response = show(&scene, resource, &shown, &user.version.entity_tag());
    *response.status_mut() = StatusCode::CREATED;
    set(&mut response, LOCATION, location(user.id));
    Ok(Answer {
        created: Some(user.id),
        ..response.into()
    })
}

impl<S: Store, P: Platform> Scene<'_, S, P> {
    /// Makes a user of a resource. A repeat after a lost answer is told that the username is taken, and
    /// finds the user by it.
    pub async fn create_user(&self, body: Value) -> Result<User, Problem> {
        let resource = resource::read(body, &self.schemas.user)?;
        let profile = profile_of(resource, None)?;
        let Created { user, .. } = self.directory.create(profile, None).await?;
        Ok(user)
    }
}
