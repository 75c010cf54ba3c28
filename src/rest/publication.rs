//! What is the same for every client: anyone may keep it for a while, and then
//! asks by its entity tag whether it is still right.

use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG};
use http::{HeaderMap, Response};
use sha2::{Digest, Sha256};

use super::precondition::{Preconditions, Read, entity_tag_of};
use super::problem::Problem;
use super::representation::set;
use super::users::not_modified;

/// How long nobody needs to ask again. A release may change what is published.
const CACHING: &str = "public, max-age=300";

/// Answers a request that has the headers `request` with what is published.
pub(super) fn publish(
    request: &HeaderMap,
    media_type: &str,
    body: Vec<u8>,
) -> Result<Response<Vec<u8>>, Problem> {
    let hash = Sha256::new().chain_update(media_type).chain_update(&body);
    let tag = entity_tag_of(hash);
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
