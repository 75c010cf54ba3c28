//! `/Bulk`: many changes in one request (RFC 7644, section 3.7). Each is made or not by itself.
//!
//! - [`step`]: the operations, as they are read and as their outcomes are told
//! - [`reference`]: references to resources that the same request makes

mod reference;
mod step;

use std::collections::BTreeSet;

use http::{HeaderMap, Method, Response, StatusCode};
use serde_json::{Value, json};

use super::answer::{self, MEDIA_TYPES};
use super::refusal::{INVALID_SYNTAX, INVALID_VALUE, TIME_LIMIT, UNRESOLVED, told};
use super::scene::Scene;
use crate::auth::{Permission, Scope};
use crate::directory::Error;
use crate::message::body::{self, Body};
use crate::message::precondition::Preconditions;
use crate::message::problem::{Problem, types};
use crate::platform::Platform;
use crate::service::resource::{Call, Operation, Resource, handled};
use crate::store::Store;
use crate::user::UserId;
use reference::{Ids, resolve, resolve_all};
use step::{Folder, Made, Step, read};

/// The most operations of one request.
pub const MAX_OPERATIONS: usize = 1000;

const REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
const RESPONSE: &str = "urn:ietf:params:scim:api:messages:2.0:BulkResponse";

pub(super) const fn resource<S: Store, P: Platform, B: Body>() -> Resource<S, P, B> {
    Resource {
        path: "/scim/v2/Bulk",
        is_counted: true,
        operations: &[Operation {
            method: Method::POST,
            permission: Permission::Scope(Scope::Write),
            change: Some("bulk"),
            accepts: MEDIA_TYPES,
            offers: MEDIA_TYPES,
            handler: |call| handled(post(call)),
        }],
    }
}

async fn post<S: Store, P: Platform, B: Body>(
    call: Box<Call<'_, S, P, B>>,
) -> Result<Response<Vec<u8>>, Problem> {
    let (scene, request) = Scene::of(*call)?;
    let body = body::json(*request).await?;
    let max_errors = max_errors(&body)?;
    let steps = read(body)?;
    let results = scene.run(&steps, max_errors).await;
    let results = results.into_iter().zip(&steps);
    let results = results.filter_map(|(result, step)| Some(step.told(result?)));
    Ok(answer::with(&json!({
        "schemas": [RESPONSE],
        "Operations": Vec::from_iter(results),
    })))
}

/// After how many errors the rest is left undone.
fn max_errors(body: &Value) -> Result<usize, Problem> {
    match &body["failOnErrors"] {
        Value::Null => Ok(usize::MAX),
        number => match number.as_u64() {
            // With 0 nothing would be done.
            Some(number) => Ok((number as usize).max(1)),
            None => Err(invalid("failOnErrors must be a whole number.")),
        },
    }
}

fn invalid(detail: &str) -> Problem {
    Problem::new(INVALID_SYNTAX, detail)
}

impl<S: Store, P: Platform> Scene<'_, S, P> {
    /// Performs the operations, in order; one that refers to a resource which a later one makes after
    /// that. The results are those of the operations in their order, `None` for what was left undone.
    async fn run(&self, steps: &[Step], max_errors: usize) -> Vec<Option<Result<Made, Problem>>> {
        let mut results = Vec::from_iter(steps.iter().map(|_| None));
        let mut made = Ids::new();
        // What others may have to wait for.
        let mut open: BTreeSet<String> = BTreeSet::new();
        open.extend(steps.iter().filter_map(|step| step.bulk_id.clone()));
        let mut errors = 0;
        loop {
            let mut is_stuck = true;
            for (number, step) in steps.iter().enumerate() {
                if errors >= max_errors {
                    return results;
                }
                let mut references = step.references.iter();
                if results[number].is_some() || references.any(|one| open.contains(one)) {
                    continue;
                }
                is_stuck = false;
                let result = self.perform(step, &made).await;
                if let Some(bulk_id) = &step.bulk_id {
                    open.remove(bulk_id);
                    if let Ok(result) = &result {
                        made.insert(bulk_id.clone(), result.id.clone());
                    }
                }
                errors += usize::from(result.is_err());
                results[number] = Some(result);
            }
            if is_stuck {
                break;
            }
        }
        let stuck = results.iter_mut().filter(|result| result.is_none());
        for result in stuck.take(max_errors - errors) {
            *result = Some(Err(Problem::plain(UNRESOLVED)));
        }
        results
    }

    /// Performs an operation, and tells the audit trail.
    async fn perform(&self, step: &Step, made: &Ids) -> Result<Made, Problem> {
        let result = self.try_to_perform(step, made).await;
        let status = match &result {
            Ok(made) => made.status,
            Err(problem) => told(problem).status,
        };
        let id = match &result {
            Ok(made) => &made.id,
            Err(_) => &step.id,
        };
        if let Some(trail) = &self.change {
            let platform = self.directory.platform;
            let user = id.parse::<UserId>().ok();
            if step.folder == Folder::Groups {
                trail.group.set(user.map(Into::into));
            }
            let user = user.filter(|_| step.folder == Folder::Users);
            trail.end_one(platform, step.action(), user, status);
            trail.group.set(None);
        }
        if let Some(cause) = result.as_ref().err().and_then(Problem::cause) {
            let (trace, place) = (&self.trace, &self.place);
            self.directory
                .platform
                .log_error(&format!("{trace} {place}: {cause}"));
        }
        result
    }

    async fn try_to_perform(&self, step: &Step, made: &Ids) -> Result<Made, Problem> {
        if self.is_late() {
            return Err(Problem::plain(TIME_LIMIT));
        }
        if let Some(client) = &self.client
            && let Some(quota) = client.count(self.directory).await
        {
            quota.check()?;
        }
        let id = resolve(&step.id, made)?.unwrap_or_else(|| step.id.clone());
        let mut data = step.data.clone();
        resolve_all(&mut data, made)?;
        let preconditions = match &step.version {
            Some(version) => Preconditions::if_match(version).ok_or_else(|| {
                Problem::new(
                    INVALID_VALUE,
                    "The version must be one as meta.version has it.",
                )
            })?,
            None if step.method != Method::POST && self.configuration.require_preconditions => {
                return Err(Problem::plain(types::PRECONDITION_REQUIRED));
            }
            None => Preconditions::of(&HeaderMap::new())?,
        };
        let is_patch = step.method == Method::PATCH;
        let (status, id, version) = match (step.folder, step.method.as_str()) {
            (Folder::Users, "POST") => {
                let user = self.create_user(data).await?;
                let indexed = &self.configuration.indexed_attributes.0;
                self.directory.merge_after(user.id, indexed).await;
                (StatusCode::CREATED, user.id.to_string(), Some(user.version))
            }
            (Folder::Groups, "POST") => {
                let group = self.create_group(data).await?;
                (
                    StatusCode::CREATED,
                    group.id.to_string(),
                    Some(group.version),
                )
            }
            (Folder::Users, method) => {
                let user = id.parse().map_err(|_| Error::NotFound.into());
                match method {
                    "DELETE" => {
                        self.delete_user(user, preconditions).await?;
                        (StatusCode::NO_CONTENT, id, None)
                    }
                    _ => {
                        let data = async { Ok(data) };
                        let user = self
                            .change_user(user, is_patch, preconditions, data)
                            .await?;
                        (StatusCode::OK, id, Some(user.version))
                    }
                }
            }
            (Folder::Groups, method) => {
                let group = id.parse().map_err(|_| Error::NoGroup.into());
                match method {
                    "DELETE" => {
                        self.delete_group(group, preconditions).await?;
                        (StatusCode::NO_CONTENT, id, None)
                    }
                    _ => {
                        let data = async { Ok(data) };
                        let group = self
                            .change_group(group, is_patch, preconditions, data)
                            .await?;
                        (StatusCode::OK, id, Some(group.version))
                    }
                }
            }
        };
        Ok(Made {
            status,
            id,
            version: version.map(|version| version.entity_tag()),
        })
    }
}
