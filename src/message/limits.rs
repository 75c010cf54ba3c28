//! The most bytes of a request's target and header fields.

use http::Request;

use super::problem::Problem;

/// The most bytes of the target of a request, its path and query.
pub const MAX_TARGET_BYTES: usize = 8 * 1024;

/// The most bytes of all header fields, names and values. The host adds some of
/// its own, two of which repeat the target.
pub const MAX_HEADER_BYTES: usize = 32 * 1024;

/// An answer with several users gets no further one once it has so many bytes.
pub const MAX_PAGE_BYTES: usize = 1 << 20;

/// Fails if the target or the header fields are too long.
pub fn check<B>(request: &Request<B>) -> Result<(), Problem> {
    let target = request.uri().path_and_query();
    if target.is_some_and(|target| target.as_str().len() > MAX_TARGET_BYTES) {
        return Err(Problem::target_too_long(MAX_TARGET_BYTES));
    }
    let fields = request.headers().iter();
    let bytes: usize = fields
        .map(|(name, value)| name.as_str().len() + value.len())
        .sum();
    match bytes > MAX_HEADER_BYTES {
        true => Err(Problem::header_too_large(MAX_HEADER_BYTES)),
        false => Ok(()),
    }
}
