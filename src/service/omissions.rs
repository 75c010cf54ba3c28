//! The parts that an answer about several users lacks. Lines in the log tell the operator.

use crate::directory::Error;
use crate::message::trace::Trace;
use crate::platform::Platform;
use crate::user::UserId;

/// Reports users that are left out. `place` is the method and path of the request, or its path.
pub fn log_unreadable(platform: &impl Platform, trace: &Trace, place: &str, ids: &[UserId]) {
    for id in ids {
        platform.log_error(&format!(
            "{trace} {place}: user {id} is left out, as its record can't be read"
        ));
    }
}

/// The number of all users, or nothing and a report if a value that it is counted by can't be read.
/// Fails if it is not known for another reason.
pub fn known_total(
    platform: &impl Platform,
    trace: &Trace,
    place: &str,
    total: Result<u64, Error>,
) -> Result<Option<u64>, Error> {
    match total {
        Err(error @ Error::Unreadable(_)) => {
            let line = format!("{trace} {place}: the number of users is left out: {error}");
            platform.log_error(&line);
            Ok(None)
        }
        total => total.map(Some),
    }
}
