//! What the service offers (RFC 7644, section 4): `/ServiceProviderConfig`, `/ResourceTypes`,
//! `/Schemas`. Everybody may read it, as clients do before they have a token.

use http::{Method, Response};
use serde_json::{Map, Value, json};

use super::answer::{self, MEDIA_TYPES};
use super::refusal::FILTERED;
use super::scene::Scene;
use super::{BASE, bulk, listing};
use crate::auth::Permission;
use crate::configuration::Configuration;
use crate::message::body::{Body, MAX_BYTES};
use crate::message::problem::{Problem, types};
use crate::platform::Platform;
use crate::service::resource::{Call, Operation, Resource, handled};
use crate::store::Store;

/// Declares resources that can only be read, and that everybody may read.
macro_rules! readable {
    ($($name:ident = $path:literal, $handler:ident;)*) => {$(
        pub(super) const fn $name<S: Store, P: Platform, B: Body>() -> Resource<S, P, B> {
            Resource {
                path: $path,
                is_counted: true,
                operations: &[Operation {
                    method: Method::GET,
                    permission: Permission::Public,
                    change: None,
                    accepts: &[],
                    offers: MEDIA_TYPES,
                    handler: |call| handled($handler(call)),
                }],
            }
        }
    )*};
}

readable! {
    configuration = "/scim/v2/ServiceProviderConfig", show_configuration;
    resource_types = "/scim/v2/ResourceTypes", list_types;
    resource_type = "/scim/v2/ResourceTypes/{}", show_type;
    schemas = "/scim/v2/Schemas", list_schemas;
    schema = "/scim/v2/Schemas/{}", show_schema;
}

async fn show_configuration<S: Store, P: Platform, B>(
    call: Box<Call<'_, S, P, B>>,
) -> Result<Response<Vec<u8>>, Problem> {
    let offered = |is_supported: bool| json!({ "supported": is_supported });
    Ok(answer::with(&json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
        "patch": offered(true),
        "bulk": {
            "supported": true,
            "maxOperations": bulk::MAX_OPERATIONS,
            "maxPayloadSize": MAX_BYTES,
        },
        "filter": { "supported": true, "maxResults": Configuration::MAX_PAGE_SIZE },
        "changePassword": offered(false),
        "sort": offered(true),
        "etag": offered(true),
        "pagination": {
            "cursor": true,
            "index": true,
            "defaultPaginationMethod": "index",
            "defaultPageSize": call.configuration.page_size,
            "maxPageSize": Configuration::MAX_PAGE_SIZE,
        },
        "authenticationSchemes": [{
            "type": "oauthbearertoken",
            "name": "Bearer token",
            "description": "A token of the operator, or a JWT of the issuer that the service trusts.",
            "specUri": "https://www.rfc-editor.org/info/rfc6750",
            "primary": true,
        }],
        "meta": {
            "resourceType": "ServiceProviderConfig",
            "location": format!("{BASE}/ServiceProviderConfig"),
        },
    })))
}

/// A resource that describes others, with its `meta`.
fn described(mut members: Map<String, Value>, kind: &str, folder: &str) -> Value {
    let id = members["id"].as_str().unwrap_or_default();
    let location = format!("{BASE}/{folder}/{id}");
    let meta = json!({ "resourceType": kind, "location": location });
    members.insert("meta".to_owned(), meta);
    Value::Object(members)
}

fn types<S, P>(scene: &Scene<'_, S, P>) -> Vec<Value> {
    let types = [&scene.schemas.user, &scene.schemas.group].into_iter();
    types
        .map(|one| described(one.to_json(), "ResourceType", "ResourceTypes"))
        .collect()
}

fn all_schemas<S, P>(scene: &Scene<'_, S, P>) -> Vec<Value> {
    let schemas = scene.schemas.all();
    schemas
        .map(|one| described(one.to_json(), "Schema", "Schemas"))
        .collect()
}

/// Answers with all. A filter is refused (RFC 7644, section 4).
fn list<B>(all: Vec<Value>, request: &http::Request<B>) -> Result<Response<Vec<u8>>, Problem> {
    let query = request.uri().query().unwrap_or_default();
    match query.split('&').any(|pair| pair.starts_with("filter=")) {
        true => {
            let detail = "What describes the service is not filtered.";
            Err(Problem::new(FILTERED, detail))
        }
        false => Ok(listing::all(all)),
    }
}

/// Answers with the one of that id.
fn one(all: Vec<Value>, id: &str) -> Result<Response<Vec<u8>>, Problem> {
    let is_it = |one: &&Value| {
        one["id"]
            .as_str()
            .is_some_and(|own| own.eq_ignore_ascii_case(id))
    };
    match all.iter().find(is_it) {
        Some(one) => Ok(answer::with(one)),
        None => Err(Problem::plain(types::NOT_FOUND)),
    }
}

async fn list_types<S: Store, P: Platform, B>(
    call: Box<Call<'_, S, P, B>>,
) -> Result<Response<Vec<u8>>, Problem> {
    let (scene, request) = Scene::of(*call)?;
    list(types(&scene), &request)
}

async fn show_type<S: Store, P: Platform, B>(
    call: Box<Call<'_, S, P, B>>,
) -> Result<Response<Vec<u8>>, Problem> {
    let (scene, _) = Scene::of(*call)?;
    one(types(&scene), &scene.segment)
}

async fn list_schemas<S: Store, P: Platform, B>(
    call: Box<Call<'_, S, P, B>>,
) -> Result<Response<Vec<u8>>, Problem> {
    let (scene, request) = Scene::of(*call)?;
    list(all_schemas(&scene), &request)
}

async fn show_schema<S: Store, P: Platform, B>(
    call: Box<Call<'_, S, P, B>>,
) -> Result<Response<Vec<u8>>, Problem> {
    let (scene, _) = Scene::of(*call)?;
    one(all_schemas(&scene), &scene.segment)
}
