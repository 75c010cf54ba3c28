//! What the service says of itself.

use http::header::{CACHE_CONTROL, CONTENT_TYPE, LINK};
use http::{HeaderValue, Response};
use serde_json::{Map, Value, json};

use super::catalog;
use crate::directory::Directory;
use crate::message::problem::Problem;
use crate::message::response::{self, set};
use crate::platform::Platform;
use crate::store::Store;

/// `GET /`
pub(super) fn root() -> Response<Vec<u8>> {
    let mut links = Map::new();
    for (name, path) in [
        ("users", "/users"),
        ("problems", "/problems"),
        ("health", "/healthz"),
    ] {
        links.insert(name.to_owned(), path.into());
    }
    for (relation, path, _) in catalog::DESCRIPTIONS {
        links.insert(relation.to_owned(), path.into());
    }
    let mut response = document(
        "public, max-age=300",
        json!({
            "service": "edge-users",
            "version": env!("CARGO_PKG_VERSION"),
            "links": links,
        }),
    );
    set(&mut response, LINK, catalog::links());
    response
}

/// `GET /healthz`: the component runs.
pub(super) fn health() -> Response<Vec<u8>> {
    document("no-store", json!({ "status": "ok" }))
}

/// `GET /readyz`: the store answers, and holds what it should.
pub(super) async fn readiness<S: Store, P: Platform>(
    directory: &Directory<'_, S, P>,
) -> Result<Response<Vec<u8>>, Problem> {
    let created = directory.created().await.map_err(Problem::not_ready)?;
    Ok(document(
        "no-store",
        json!({ "status": "ok", "users_created": created }),
    ))
}

fn document(caching: &'static str, value: Value) -> Response<Vec<u8>> {
    let mut response = Response::new(value.to_string().into_bytes());
    let json = HeaderValue::from_static(response::JSON);
    response.headers_mut().insert(CONTENT_TYPE, json);
    let caching = HeaderValue::from_static(caching);
    response.headers_mut().insert(CACHE_CONTROL, caching);
    response
}
