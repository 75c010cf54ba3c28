//! `/Users/{id}`: a user; `/Me`: the user who is the caller (RFC 7644, section 3.11).

use http::{Method, Response};
use serde_json::{Value, json};

use super::answer::{self, MEDIA_TYPES};
use super::asked;
use super::group_mapping;
use super::mapping::{self, Resource as Attributes, profile_of};
use super::scene::Scene;
use crate::auth::{Permission, Scope};
use crate::directory::{Error, Gather};
use crate::group::Group;
use crate::message::body::{self, Body};
use crate::message::precondition::{Preconditions, Read};
use crate::message::problem::Problem;
use crate::message::response::{no_content, not_modified};
use crate::platform::Platform;
use crate::scim::schema::USER;
use crate::scim::{Patch, Projection, resource};
use crate::service::conditional::Conditional;
use crate::service::omissions::log_unreadable_groups;
use crate::service::resource::{Call, Operation, Resource, handled};
use crate::store::Store;
use crate::user::{User, UserId};

pub(super) const fn resource<S: Store, P: Platform, B: Body>() -> Resource<S, P, B> {
    Resource {
        path: "/scim/v2/Users/{}",
        is_counted: true,
        operations: &[
            Operation {
                method: Method::GET,
                permission: Permission::ScopeOrSelf(Scope::Read),
                change: None,
                accepts: &[],
                offers: MEDIA_TYPES,
                handler: |call| handled(get(call)),
            },
            Operation {
                method: Method::PUT,
                permission: Permission::ScopeOrSelf(Scope::Write),
                change: Some("replace"),
                accepts: MEDIA_TYPES,
                offers: MEDIA_TYPES,
                handler: |call| handled(change(call)),
            },
            Operation {
                method: Method::PATCH,
                permission: Permission::ScopeOrSelf(Scope::Write),
                change: Some("patch"),
                accepts: MEDIA_TYPES,
                offers: MEDIA_TYPES,
                handler: |call| handled(change(call)),
            },
            Operation {
                method: Method::DELETE,
                permission: Permission::Scope(Scope::Write),
                change: Some("delete"),
                accepts: &[],
                // A delete answers without content.
                offers: &[],
                handler: |call| handled(delete(call)),
            },
        ],
    }
}

pub(super) const fn me<S: Store, P: Platform, B: Body>() -> Resource<S, P, B> {
    Resource {
        path: "/scim/v2/Me",
        is_counted: true,
        operations: &[
            Operation {
                method: Method::GET,
                permission: Permission::ByContent,
                change: None,
                accepts: &[],
                offers: MEDIA_TYPES,
                handler: |call| handled(get(call)),
            },
            Operation {
                method: Method::PUT,
                permission: Permission::ByContent,
                change: Some("replace"),
                accepts: MEDIA_TYPES,
                offers: MEDIA_TYPES,
                handler: |call| handled(change(call)),
            },
            Operation {
                method: Method::PATCH,
                permission: Permission::ByContent,
                change: Some("patch"),
                accepts: MEDIA_TYPES,
                offers: MEDIA_TYPES,
                handler: |call| handled(change(call)),
            },
        ],
    }
}

/// The id of the user that a request is about: the one in the path, or the caller's own. A text that can't
/// be an id gets the answer of an id without a user.
fn id<S: Store, P: Platform, B>(
    call: &Call<'_, S, P, B>,
    scope: Scope,
) -> Result<Result<UserId, Problem>, Problem> {
    if !call.segment.is_empty() {
        return Ok(call.segment.parse().map_err(|_| Error::NotFound.into()));
    }
    let own = call.caller.own();
    call.admit(Permission::ScopeOrSelf(scope), own)?;
    Ok(own.ok_or_else(|| Error::NotFound.into()))
}

async fn get<S: Store, P: Platform, B>(
    call: Box<Call<'_, S, P, B>>,
) -> Result<Response<Vec<u8>>, Problem> {
    let id = id(&call, Scope::Read)?;
    let (scene, request) = Scene::of(*call)?;
    let (shown, _) = asked::shown(request.uri().query(), &scene.schemas.user)?;
    let preconditions = Preconditions::of(request.headers())?;
    let user = scene.directory.get(id?).await?;
    scene.caller.check_own(Scope::Read, &user)?;
    let tag = user.version.entity_tag();
    let groups = USER.attribute("groups");
    let with_groups = groups.is_some_and(|groups| shown.has(groups));
    match preconditions.check_read(&tag)? {
        // Who is in a group makes no version of the user: no tag tells that the groups are the same.
        Read::NotModified(tag) if !with_groups => return Ok(not_modified(tag)),
        Read::NotModified(_) | Read::Answer => {}
    }
    let mut resource = mapping::resource_of(&user);
    if with_groups {
        scene.add_groups(user.id, &mut resource).await?;
    }
    Ok(show(&scene, resource, &shown, &tag))
}

/// What a change is to make of a user.
enum Wanted {
    Whole(Attributes),
    Patch(Patch),
}

async fn change<S: Store, P: Platform, B: Body>(
    call: Box<Call<'_, S, P, B>>,
) -> Result<Response<Vec<u8>>, Problem> {
    let id = id(&call, Scope::Write)?;
    let (scene, request) = Scene::of(*call)?;
    let (shown, _) = asked::shown(request.uri().query(), &scene.schemas.user)?;
    let preconditions = scene.preconditions(&request)?;
    let is_patch = request.method() == Method::PATCH;
    let body = body::json(*request);
    let user = scene.change_user(id, is_patch, preconditions, body).await?;
    let resource = mapping::resource_of(&user);
    Ok(show(&scene, resource, &shown, &user.version.entity_tag()))
}

async fn delete<S: Store, P: Platform, B>(
    call: Box<Call<'_, S, P, B>>,
) -> Result<Response<Vec<u8>>, Problem> {
    let id = id(&call, Scope::Write)?;
    let (scene, request) = Scene::of(*call)?;
    scene
        .delete_user(id, scene.preconditions(&request)?)
        .await?;
    Ok(no_content())
}

/// Answers with a user, or with the part of it that is asked for.
pub(super) fn show<S, P>(
    scene: &Scene<'_, S, P>,
    mut resource: Attributes,
    shown: &Projection,
    tag: &str,
) -> Response<Vec<u8>> {
    shown.apply(&mut resource, &scene.schemas.user);
    answer::tagged(answer::with(&Value::Object(resource)), tag)
}

/// Takes the groups of a user.
#[derive(Default)]
struct Groups(Vec<Value>);

impl Gather<Group> for Groups {
    fn push(&mut self, group: Group) -> bool {
        self.0.push(json!({
            "value": group.id.to_string(),
            "$ref": group_mapping::location(group.id),
            "display": group.profile.name.as_str(),
            "type": "direct",
        }));
        true
    }

    fn is_full(&self) -> bool {
        false
    }
}

impl<S: Store, P: Platform> Scene<'_, S, P> {
    /// Changes a user who meets the preconditions by a body, if the caller may do that; answers the new
    /// version.
    pub async fn change_user(
        &self,
        id: Result<UserId, Problem>,
        is_patch: bool,
        preconditions: Preconditions,
        body: impl Future<Output = Result<Value, Problem>>,
    ) -> Result<User, Problem> {
        let of = &self.schemas.user;
        let read = async {
            let body = body.await?;
            Ok(match is_patch {
                true => Wanted::Patch(Patch::read(body, of)?),
                false => {
                    let mut whole = resource::read(body, of)?;
                    // As a new user is switched on, unless the client says that it is not.
                    whole.entry("active").or_insert(true.into());
                    Wanted::Whole(whole)
                }
            })
        };
        let (id, wanted) = Conditional::read(preconditions, id, read).await?;
        let change = |user: &User| {
            self.caller.check_own(Scope::Write, user)?;
            let resource = match wanted.content(user.version)? {
                Wanted::Whole(resource) => resource.clone(),
                Wanted::Patch(patch) => patch.apply(&mapping::resource_of(user), of)?,
            };
            let profile = profile_of(resource, Some(user))?;
            self.caller.check_own_change(&user.profile, &profile)?;
            Ok(profile)
        };
        let updated = self.directory.update(id, &change).await;
        updated.map_err(|problem| wanted.of_missing(problem))
    }

    /// Deletes a user who meets the preconditions.
    pub async fn delete_user(
        &self,
        id: Result<UserId, Problem>,
        preconditions: Preconditions,
    ) -> Result<(), Problem> {
        let id = id.map_err(|problem| preconditions.of_missing(problem))?;
        let check = |user: &User| preconditions.check_change(&user.version.entity_tag());
        let deleted = self.directory.delete(id, &check).await;
        deleted.map_err(|problem| preconditions.of_missing(problem))
    }

    /// Adds the groups that a user is in.
    async fn add_groups(&self, id: UserId, resource: &mut Attributes) -> Result<(), Problem> {
        let of = self.directory.groups_of(id).await?;
        let mut groups = Groups::default();
        let mut after = 0;
        loop {
            let page = self
                .directory
                .list_groups_of(&of, after, &mut groups)
                .await?;
            let platform = self.directory.platform;
            log_unreadable_groups(platform, &self.trace, &self.place, &page.unreadable);
            match page.next {
                Some(next) => after = next.get(),
                None => break,
            }
        }
        if !groups.0.is_empty() {
            resource.insert("groups".to_owned(), groups.0.into());
        }
        Ok(())
    }
}
