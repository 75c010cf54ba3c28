//! `active`, `created_after` and `updated_after`: the parameters that narrow any list of users.

use crate::message::problem::Problem;
use crate::message::query::Query;
use crate::timestamp::Timestamp;
use crate::user::Filter;

/// The parameters that go with every list of users.
pub(super) const ANYWHERE: &[&str] = &["fields", "active", "created_after", "updated_after"];

/// The filter that a query asks for.
pub(super) fn filter(query: &Query) -> Result<Filter, Problem> {
    let active = match query.get("active") {
        None => None,
        Some("true") => Some(true),
        Some("false") => Some(false),
        Some(_) => return Err(Problem::invalid_query("must be true or false", "active")),
    };
    Ok(Filter {
        active,
        created_after: time(query, "created_after")?,
        updated_after: time(query, "updated_after")?,
    })
}

fn time(query: &Query, parameter: &str) -> Result<Option<Timestamp>, Problem> {
    let time = |text| {
        let rule = "must be a time as RFC 3339 writes it, as in 2026-11-22T21:53:40.125Z";
        Timestamp::from_rfc3339(text).ok_or_else(|| Problem::invalid_query(rule, parameter))
    };
    // The plus of an offset, as in +01:00, stands for itself.
    query.get_with_plus(parameter).map(time).transpose()
}
