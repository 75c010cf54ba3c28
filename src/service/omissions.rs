//! The parts that an answer about several users or groups lacks. Lines in the log tell the operator.

use std::fmt::Display;

use crate::directory::Error;
use crate::group::GroupId;
use crate::message::trace::Trace;
use crate::platform::Platform;
use crate::user::UserId;

/// Reports users that are left out. `place` is the method and path of the request, or its path.
pub fn log_unreadable(platform: &impl Platform, trace: &Trace, place: &str, ids: &[UserId]) {
    log_left_out(platform, trace, place, "user", ids);
}

/// Reports groups that are left out, likewise.
pub fn log_unreadable_groups(
    platform: &impl Platform,
    trace: &Trace,
    place: &str,
    ids: &[GroupId],
) {
    log_left_out(platform, trace, place, "group", ids);
}

/// Reports what is left out; `what` is a user or a group.
pub fn log_left_out(
    platform: &impl Platform,
    trace: &Trace,
    place: &str,
    what: &str,
    ids: &[impl Display],
) {
    for id in ids {
        platform.log_error(&format!(
            "{trace} {place}: {what} {id} is left out, as its record can't be read"
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
