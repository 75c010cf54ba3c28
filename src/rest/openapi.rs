//! `GET /openapi.json`: the description of this interface (OpenAPI 3.1). Its
//! parts are the files in `openapi/`: each path by itself, and what they share.
//! The tests hold every answer of the service against it.

mod minified;
#[cfg(test)]
mod tests;

use http::{HeaderMap, Response};

use super::problem::Problem;
use super::publication::publish;
use super::representation::JSON;

/// The media types of the description: what it is by registration, and what most clients take.
pub(super) const MEDIA_TYPES: &[&str] = &[JSON, "application/vnd.oai.openapi+json"];

/// Puts the object of the parts together, each of which is a member's value.
macro_rules! object {
    ($first_name:literal: $first:expr, $($name:literal: $part:expr,)*) => {
        concat!("{\"", $first_name, "\":", $first, $(",\"", $name, "\":", $part,)* "}")
    };
}

macro_rules! path {
    ($name:literal) => {
        include_str!(concat!("openapi/paths/", $name, ".json"))
    };
}

macro_rules! components {
    ($name:literal) => {
        include_str!(concat!("openapi/components/", $name, ".json"))
    };
}

const SOURCE: &str = object! {
    "openapi": "\"3.1.0\"",
    "info": include_str!("openapi/info.json"),
    "servers": r#"[{ "url": "/", "description": "Where this document is." }]"#,
    "security": r#"[{ "bearerAuth": [] }]"#,
    "tags": include_str!("openapi/tags.json"),
    "paths": object! {
        "/users": path!("users"),
        "/users/import": path!("import"),
        "/users/export": path!("export"),
        "/users/{id}": path!("user"),
        "/": path!("root"),
        "/healthz": path!("health"),
        "/readyz": path!("readiness"),
        "/openapi.json": path!("openapi"),
        "/docs": path!("docs"),
        "/problems": path!("problems"),
        "/problems/{slug}": path!("problem"),
        "/.well-known/api-catalog": path!("api-catalog"),
    },
    "components": object! {
        "securitySchemes": components!("security"),
        "schemas": components!("schemas"),
        "parameters": components!("parameters"),
        "headers": components!("headers"),
        "responses": components!("responses"),
        "examples": components!("examples"),
    },
};

// The text is walked twice, of which the compiler would warn at this length.
#[allow(long_running_const_eval)]
const LENGTH: usize = minified::length(SOURCE);

/// The description, as it is served.
#[allow(long_running_const_eval)]
pub static DESCRIPTION: [u8; LENGTH] = minified::minified(SOURCE);

/// `GET /openapi.json`
pub(super) fn get(request: &HeaderMap, media_type: &str) -> Result<Response<Vec<u8>>, Problem> {
    publish(request, media_type, DESCRIPTION.to_vec())
}
