//! `/Groups/{id}`: a group.

use http::{Method, Response};
use serde_json::Value;

use super::answer::{self, MEDIA_TYPES};
use super::asked;
use super::group_mapping::{profile_of, resource_of};
use super::mapping::Resource as Attributes;
use super::members::MAX_READ;
use super::scene::Scene;
use crate::auth::{Permission, Scope};
use crate::directory;
use crate::group::{Group, GroupId};
use crate::message::body::{self, Body};
use crate::message::precondition::{Preconditions, Read};
use crate::message::problem::Problem;
use crate::message::response::{no_content, not_modified};
use crate::platform::Platform;
use crate::scim::members::{Ids, MemberChanges, patch_group, read_group};
use crate::scim::schema::GROUP;
use crate::scim::{Error, Patch, Projection, ResourceType};
use crate::service::conditional::Conditional;
use crate::service::resource::{Call, Operation, Resource, handled};
use crate::store::Store;

pub(super) const fn resource<S: Store, P: Platform, B: Body>() -> Resource<S, P, B> {
    Resource {
        path: "/scim/v2/Groups/{}",
        is_counted: true,
        operations: &[
            Operation {
                method: Method::GET,
                permission: Permission::Scope(Scope::Read),
                change: None,
                accepts: &[],
                offers: MEDIA_TYPES,
                handler: |call| handled(get(call)),
            },
            Operation {
                method: Method::PUT,
                permission: Permission::Scope(Scope::Write),
                change: Some("replace-group"),
                accepts: MEDIA_TYPES,
                offers: MEDIA_TYPES,
                handler: |call| handled(change(call)),
            },
            Operation {
                method: Method::PATCH,
                permission: Permission::Scope(Scope::Write),
                change: Some("patch-group"),
                accepts: MEDIA_TYPES,
                offers: MEDIA_TYPES,
                handler: |call| handled(change(call)),
            },
            Operation {
                method: Method::DELETE,
                permission: Permission::Scope(Scope::Write),
                change: Some("delete-group"),
                accepts: &[],
                // A delete answers without content.
                offers: &[],
                handler: |call| handled(delete(call)),
            },
        ],
    }
}

/// The id in the path. A text that can't be an id gets the answer of an id without a group.
fn id<S, P>(scene: &Scene<'_, S, P>) -> Result<GroupId, Problem> {
    scene
        .segment
        .parse()
        .map_err(|_| directory::Error::NoGroup.into())
}

/// The members are no part of a group's version: where they are shown, no tag tells that they are the same.
async fn get<S: Store, P: Platform, B>(
    call: Box<Call<'_, S, P, B>>,
) -> Result<Response<Vec<u8>>, Problem> {
    let (scene, request) = Scene::of(*call)?;
    let (shown, _) = asked::shown(request.uri().query(), &scene.schemas.group)?;
    let preconditions = Preconditions::of(request.headers())?;
    let group = scene.directory.group(id(&scene)?).await?;
    match preconditions.check_read(&group.version.entity_tag())? {
        Read::NotModified(tag) if !shows_members(&shown) => Ok(not_modified(tag)),
        Read::NotModified(_) | Read::Answer => scene.show_group(&group, &shown).await,
    }
}

/// A patch answers without content, unless the client asks for attributes (RFC 7644, section 3.5.2): a
/// group may have very many members.
async fn change<S: Store, P: Platform, B: Body>(
    call: Box<Call<'_, S, P, B>>,
) -> Result<Response<Vec<u8>>, Problem> {
    let (scene, request) = Scene::of(*call)?;
    let (shown, is_asked) = asked::shown(request.uri().query(), &scene.schemas.group)?;
    let preconditions = scene.preconditions(&request)?;
    let is_patch = request.method() == Method::PATCH;
    let body = body::json(*request);
    let id = id(&scene);
    let group = scene
        .change_group(id, is_patch, preconditions, body)
        .await?;
    match is_patch && !is_asked {
        true => Ok(no_content()),
        false => scene.show_group(&group, &shown).await,
    }
}

async fn delete<S: Store, P: Platform, B>(
    call: Box<Call<'_, S, P, B>>,
) -> Result<Response<Vec<u8>>, Problem> {
    let (scene, request) = Scene::of(*call)?;
    scene
        .delete_group(id(&scene), scene.preconditions(&request)?)
        .await?;
    Ok(no_content())
}

/// Whether an answer has the members of a group.
pub fn shows_members(shown: &Projection) -> bool {
    GROUP
        .attribute("members")
        .is_some_and(|members| shown.has(members))
}

/// Gives a group its members. One without members does not have the attribute.
pub fn put_members(resource: &mut Attributes, members: Vec<Value>) {
    match members.is_empty() {
        true => resource.remove("members"),
        false => resource.insert("members".to_owned(), members.into()),
    };
}

/// What a change is to make of a group.
enum Wanted {
    /// Members stay if the body says nothing of them.
    Whole(Attributes, Option<Ids>),
    Patch(Patch),
}

impl Wanted {
    /// What it makes of a group, and of its members.
    fn apply(
        &self,
        group: &Group,
        of: &ResourceType,
    ) -> Result<(Attributes, MemberChanges), Error> {
        match self {
            Wanted::Patch(patch) => patch_group(patch, &resource_of(group), of),
            Wanted::Whole(resource, members) => {
                let members = members.as_ref().map(|added| MemberChanges {
                    removes_all: true,
                    added: added.clone(),
                    removed: Ids::new(),
                });
                Ok((resource.clone(), members.unwrap_or_default()))
            }
        }
    }
}

impl<S: Store, P: Platform> Scene<'_, S, P> {
    /// Answers with a group. Its members are read if they are asked for.
    pub async fn show_group(
        &self,
        group: &Group,
        shown: &Projection,
    ) -> Result<Response<Vec<u8>>, Problem> {
        let mut resource = resource_of(group);
        if shows_members(shown) {
            put_members(&mut resource, self.members(group, MAX_READ).await?);
        }
        shown.apply(&mut resource, &self.schemas.group);
        Ok(answer::tagged(
            answer::with(&Value::Object(resource)),
            &group.version.entity_tag(),
        ))
    }

    /// Changes a group that meets the preconditions by a body, and then its members, if that says something
    /// of them; answers the new version.
    pub async fn change_group(
        &self,
        id: Result<GroupId, Problem>,
        is_patch: bool,
        preconditions: Preconditions,
        body: impl Future<Output = Result<Value, Problem>>,
    ) -> Result<Group, Problem> {
        let of = &self.schemas.group;
        let read = async {
            let body = body.await?;
            Ok(match is_patch {
                true => Wanted::Patch(Patch::read(body, of)?),
                false => {
                    let (resource, members) = read_group(body, of)?;
                    Wanted::Whole(resource, members)
                }
            })
        };
        let (id, wanted) = Conditional::read(preconditions, id, read).await?;
        let group = self.directory.group(id).await;
        let group = group.map_err(|error| wanted.of_missing(error.into()))?;
        let (_, members) = wanted.content(group.version)?.apply(&group, of)?;
        self.check_members(&members.added).await?;
        let change = |group: &Group| {
            let (resource, _) = wanted.content(group.version)?.apply(group, of)?;
            profile_of(resource, Some(group))
        };
        let updated = self.directory.update_group(id, change).await;
        let updated = updated.map_err(|problem: Problem| wanted.of_missing(problem))?;
        self.change_members(&updated, &members).await?;
        Ok(updated)
    }

    /// Deletes a group that meets the preconditions.
    pub async fn delete_group(
        &self,
        id: Result<GroupId, Problem>,
        preconditions: Preconditions,
    ) -> Result<(), Problem> {
        let id = id.map_err(|problem| preconditions.of_missing(problem))?;
        let check = |group: &Group| preconditions.check_change(&group.version.entity_tag());
        let deleted = self.directory.delete_group(id, check).await;
        deleted.map_err(|problem| preconditions.of_missing(problem))
    }
}
