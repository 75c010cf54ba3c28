//! `/.well-known/api-catalog`: links to the descriptions of the service (RFC 9727), which `/` has
//! as well.

use std::future::ready;

use http::header::LINK;
use http::{HeaderMap, Method, Response};
use serde_json::{Map, Value, json};

use crate::auth::Permission;
use crate::message::cacheable::publish;
use crate::message::problem::Problem;
use crate::message::response::{JSON, set};
use crate::service::resource::{Operation, Resource, handled};

/// The media type of a set of links (RFC 9264, section 4.2).
const MEDIA_TYPE: &str = "application/linkset+json";

/// The media type with the profile that makes it a catalog (RFC 9727, section 4).
const CONTENT_TYPE: &str =
    "application/linkset+json; profile=\"https://www.rfc-editor.org/info/rfc9727\"";

const PATH: &str = "/.well-known/api-catalog";

/// The descriptions of the service: relation (RFC 8631), path and media type.
pub(super) const DESCRIPTIONS: [(&str, &str, &str); 4] = [
    ("service-desc", "/openapi.json", JSON),
    ("service-doc", "/docs", "text/html"),
    ("status", "/readyz", JSON),
    ("api-catalog", PATH, MEDIA_TYPE),
];

pub(super) const fn resource<S, P, B>() -> Resource<S, P, B> {
    Resource {
        path: PATH,
        is_counted: true,
        operations: &[Operation {
            method: Method::GET,
            permission: Permission::Public,
            change: None,
            accepts: &[],
            offers: &[MEDIA_TYPE],
            handler: |call| handled(ready(get(call.request.headers()))),
        }],
    }
}

/// The links in the header are for HEAD (RFC 9727, section 2).
fn get(request: &HeaderMap) -> Result<Response<Vec<u8>>, Problem> {
    let mut described = Map::from_iter([("anchor".to_owned(), json!("/"))]);
    for (relation, path, media_type) in DESCRIPTIONS {
        if path != PATH {
            let target = json!([{ "href": path, "type": media_type }]);
            described.insert(relation.to_owned(), target);
        }
    }
    let interfaces = json!({ "anchor": PATH, "item": [{ "href": "/" }] });
    let linkset = json!({ "linkset": [interfaces, Value::Object(described)] });
    let mut response = publish(request, CONTENT_TYPE, linkset.to_string().into_bytes())?;
    let links = format!("<{PATH}>; rel=\"api-catalog\", </>; rel=\"item\"");
    set(&mut response, LINK, links);
    Ok(response)
}

/// The links of `/` (RFC 8288).
pub(super) fn links() -> String {
    let links = DESCRIPTIONS.map(|(relation, path, media_type)| {
        format!("<{path}>; rel=\"{relation}\"; type=\"{media_type}\"")
    });
    links.join(", ")
}
