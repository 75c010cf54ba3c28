//! What is the same for every client: anyone may keep it for a while, and then
//! asks by its entity tag whether it is still right.

use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG};
use http::{HeaderMap, Response};
use sha2::{Digest, Sha256};

use super::precondition::{Preconditions, Read, entity_tag_of};
use super::problem::Problem;
use super::response::{not_modified, set};

/// How long nobody needs to ask again. A release may change what is published.
const CACHING: &str = "public, max-age=300";

/// Answers a request that has the headers `request` with what is published.
pub fn publish(
    request: &HeaderMap,
    media_type: &str,
    body: Vec<u8>,
) -> Result<Response<Vec<u8>>, Problem> {
    let tag = tag_of(media_type, &body);
    publish_version(request, media_type, tag, body)
}

/// The entity tag of what is published as that media type.
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
