//! Content that is the same for every client. Caches may keep it for a while, and then ask by its
//! entity tag whether it has changed.

use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG};
use http::{HeaderMap, Response};
use sha2::{Digest, Sha256};

use super::precondition::{Preconditions, Read, entity_tag_of};
use super::problem::Problem;
use super::response::{not_modified, set};

/// How long caches need not ask again. A release may change the content.
const CACHING: &str = "public, max-age=300";

/// Answers a request with these headers, 304 if the client has the content already.
pub fn publish(
    request: &HeaderMap,
    media_type: &str,
    body: Vec<u8>,
) -> Result<Response<Vec<u8>>, Problem> {
    let tag = tag_of(media_type, &body);
    publish_version(request, media_type, tag, body)
}

/// The entity tag of content with that media type.
pub fn tag_of(media_type: &str, content: &[u8]) -> String {
    entity_tag_of(Sha256::new().chain_update(media_type).chain_update(content))
}

/// The same for a body that has this entity tag.
pub fn publish_version(
    request: &HeaderMap,
    media_type: &str,
    tag: String,
    body: Vec<u8>,
) -> Result<Response<Vec<u8>>, Problem> {
    let mut response = match Preconditions::of(request)?.check_read(&tag)? {
        Read::NotModified(tag) => not_modified(tag),
        Read::Answer => {
            let mut response = Response::new(body);
            set(&mut response, CONTENT_TYPE, media_type);
            set(&mut response, ETAG, tag);
            response
        }
    };
    set(&mut response, CACHE_CONTROL, CACHING);
    Ok(response)
}
