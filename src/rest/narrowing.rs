//! `active`, `created_after`, `updated_after` and `attributes.…`: the parameters that narrow any list of
//! users.

use crate::configuration::Configuration;
use crate::message::problem::Problem;
use crate::message::query::Query;
use crate::timestamp::Timestamp;
use crate::user::{AttributePath, Filter};

/// The parameters that go with every list of users.
pub(super) const ANYWHERE: &[&str] = &[
    "fields",
    "active",
    "created_after",
    "updated_after",
    ATTRIBUTES,
];

/// What the parameters begin with that name a member of the attributes.
const ATTRIBUTES: &str = "attributes.";

/// The filter that a query asks for.
pub(super) fn filter(configuration: &Configuration, query: &Query) -> Result<Filter, Problem> {
    Ok(Filter {
        active: query.flag("active")?,
        created_after: time(query, "created_after")?,
        updated_after: time(query, "updated_after")?,
        attributes: attributes(configuration, query)?,
    })
}

fn attributes(
    configuration: &Configuration,
    query: &Query,
) -> Result<Vec<(AttributePath, String)>, Problem> {
    let mut wanted = Vec::new();
    for (path, value) in query.all(ATTRIBUTES) {
        let mut indexed = configuration.indexed_attributes.0.iter();
        let Some(path) = indexed.find(|indexed| indexed.as_str() == path) else {
            let rule = "names no member that users can be asked by: the operator names these in the \
                variable indexed_attributes";
            return Err(Problem::invalid_query(rule, &[ATTRIBUTES, path].concat()));
        };
        wanted.push((path.clone(), value.to_owned()));
    }
    Ok(wanted)
}

fn time(query: &Query, parameter: &str) -> Result<Option<Timestamp>, Problem> {
    let time = |text| {
        let rule = "must be a time as RFC 3339 writes it, as in 2026-11-22T21:53:40.125Z";
        Timestamp::from_rfc3339(text).ok_or_else(|| Problem::invalid_query(rule, parameter))
    };
    // The plus of an offset, as in +01:00, stands for itself.
    query.get_with_plus(parameter).map(time).transpose()
}
