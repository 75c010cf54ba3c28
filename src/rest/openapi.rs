//! `/openapi.json`: the description of this interface (OpenAPI 3.1). The files in `openapi/` are
//! its parts: one for each path, and the shared components. `build/description.rs` joins and
//! compresses them, to 15 KB of 119. The tests check every answer of the service against it.

#[cfg(test)]
mod tests;

use std::future::ready;
use std::sync::LazyLock;

use http::header::CONTENT_ENCODING;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};

use crate::auth::Permission;
use crate::message::cacheable::{publish_version, tag_of};
use crate::message::compression::{admits_gzip, decompressed};
use crate::message::problem::Problem;
use crate::message::response::JSON;
use crate::service::resource::{Operation, Resource, handled};

static COMPRESSED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/openapi.json.gz"));

/// The description for clients that do not take gzip.
pub static DESCRIPTION: LazyLock<Vec<u8>> = LazyLock::new(|| decompressed(COMPRESSED));

pub(super) const fn resource<S, P, B>() -> Resource<S, P, B> {
    Resource {
        path: "/openapi.json",
        is_counted: true,
        operations: &[Operation {
            method: Method::GET,
            permission: Permission::Public,
            change: None,
            accepts: &[],
            // The type that most clients accept, and the registered one.
            offers: &[JSON, "application/vnd.oai.openapi+json"],
            handler: |call| handled(ready(get(call.request.headers(), call.media_type))),
        }],
    }
}

fn get(request: &HeaderMap, media_type: &str) -> Result<Response<Vec<u8>>, Problem> {
    let gzip = admits_gzip(request);
    let body = match gzip {
        true => COMPRESSED.to_vec(),
        false => DESCRIPTION.clone(),
    };
    let tag = tag_of(media_type, COMPRESSED);
    let mut response = publish_version(request, media_type, tag, body)?;
    if gzip && response.status() == StatusCode::OK {
        let gzip = HeaderValue::from_static("gzip");
        response.headers_mut().insert(CONTENT_ENCODING, gzip);
    }
    Ok(response)
}
