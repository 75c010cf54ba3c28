//! What a request asks for: by the parameters of its URL, or by the body of a search (RFC 7644,
//! sections 3.4.2, 3.4.3 and 3.9; RFC 9865).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::refusal::{INVALID_CURSOR, INVALID_SYNTAX, INVALID_VALUE};
use crate::message::problem::Problem;
use crate::message::query::Query;
use crate::scim::filter::Comparison;
use crate::scim::path::AttributePath;
use crate::scim::{Filter, Projection, ResourceType, order};

/// The parameters. Others are ignored, as RFC 7644, section 3.4.2, wishes.
const KNOWN: &[&str] = &[
    "attributes",
    "excludedAttributes",
    "filter",
    "sortBy",
    "sortOrder",
    "startIndex",
    "count",
    "cursor",
];

/// The schema of a search in a body.
const SEARCH: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";

/// A list that a client asks for.
pub struct Asked {
    pub shown: Projection,
    pub filter: Option<Filter>,
    /// By which attribute, and whether in descending order.
    pub sort: Option<(AttributePath, bool)>,
    /// The number of the first resource, from 1 on.
    pub start: u64,
    pub count: Option<u64>,
    /// A page begins there; empty for the first one. `None` if the client doesn't page so.
    pub cursor: Option<String>,
}

/// The parameters of a query that are known.
fn known(query: Option<&str>) -> Result<Query, Problem> {
    let is_known = |pair: &&str| {
        let name = pair.split('=').next().unwrap_or_default();
        KNOWN.contains(&name)
    };
    let pairs = query.unwrap_or_default().split('&').filter(is_known);
    Query::parse(Some(&pairs.collect::<Vec<_>>().join("&")), KNOWN)
}

/// The attributes that the parameters of a URL ask for, and whether they ask for any.
pub fn shown(query: Option<&str>, of: &ResourceType) -> Result<(Projection, bool), Problem> {
    let query = known(query)?;
    let (attributes, excluded) = (query.get("attributes"), query.get("excludedAttributes"));
    let is_asked = attributes.is_some() || excluded.is_some();
    Ok((Projection::read(attributes, excluded, of)?, is_asked))
}

impl Asked {
    /// Reads the parameters of a URL.
    pub fn of_query(query: Option<&str>, of: &ResourceType) -> Result<Asked, Problem> {
        let query = known(query)?;
        let get = |name: &str| Ok(query.get(name).map(str::to_owned));
        let mut asked = Asked::read(get, of, &[of])?;
        // A plus stands for a space, as forms and most libraries write it. Where it would make no
        // username and no email, the client has meant the plus.
        let has_space = |condition: Comparison| {
            let is_spaceless = ["userName", "emails.value"];
            let is_spaceless = is_spaceless.iter().any(|path| condition.path.is(path));
            is_spaceless
                && condition
                    .value
                    .as_str()
                    .is_some_and(|text| text.contains(' '))
        };
        if let Some(filter) = &asked.filter
            && filter.conjuncts().into_iter().any(has_space)
        {
            let text = query.get_with_plus("filter").map(with_plus_in_quotes);
            asked.filter = text.map(|text| Filter::read(&text, &[of])).transpose()?;
        }
        Ok(asked)
    }

    /// Reads the body of a search.
    ///
    /// Filter and order may be of other types, too.
    pub fn of_body(
        body: &Value,
        of: &ResourceType,
        types: &[&ResourceType],
    ) -> Result<Asked, Problem> {
        let schemas = body["schemas"].as_array();
        if !schemas.is_some_and(|schemas| schemas.contains(&SEARCH.into())) {
            let detail = format!("The body must be an object whose schemas are [{SEARCH:?}].");
            return Err(Problem::new(INVALID_SYNTAX, detail));
        }
        let get = |name: &str| {
            let text = |value: &Value| value.as_str().map(str::to_owned);
            match &body[name] {
                Value::Null => Ok(None),
                Value::String(text) => Ok(Some(text.clone())),
                Value::Number(number) => Ok(Some(number.to_string())),
                Value::Array(names) => {
                    let names: Option<Vec<_>> = names.iter().map(text).collect();
                    let names = names.ok_or_else(|| invalid(name, "must have strings only"))?;
                    Ok(Some(names.join(",")))
                }
                _ => Err(invalid(name, "has a value of another type")),
            }
        };
        Asked::read(get, of, types)
    }

    fn read(
        get: impl Fn(&str) -> Result<Option<String>, Problem>,
        of: &ResourceType,
        types: &[&ResourceType],
    ) -> Result<Asked, Problem> {
        let number = |name: &str| {
            let text = get(name)?;
            let number = text.map(|text| text.trim().parse::<i64>());
            let number = number.transpose();
            number.map_err(|_| invalid(name, "must be a whole number"))
        };
        let filter = get("filter")?.filter(|text| !text.trim().is_empty());
        let filter = filter.map(|text| Filter::read(&text, types)).transpose()?;
        let is_descending = match get("sortOrder")?.as_deref() {
            None => false,
            Some(order) if order.eq_ignore_ascii_case("ascending") => false,
            Some(order) if order.eq_ignore_ascii_case("descending") => true,
            Some(_) => return Err(invalid("sortOrder", "must be ascending or descending")),
        };
        let sort = get("sortBy")?.map(|path| order::read(&path, types));
        // Less than the least counts as the least (RFC 7644, section 3.4.2.4).
        let start = number("startIndex")?.unwrap_or(1).max(1);
        let count = number("count")?.map(|count| count.max(0));
        let cursor = get("cursor")?;
        if cursor.is_some() && start > 1 {
            return Err(invalid("startIndex", "does not go with cursor"));
        }
        Ok(Asked {
            shown: Projection::read(
                get("attributes")?.as_deref(),
                get("excludedAttributes")?.as_deref(),
                of,
            )?,
            filter,
            sort: sort.transpose()?.map(|path| (path, is_descending)),
            start: start as u64,
            count: count.map(|count| count as u64),
            cursor,
        })
    }
}

fn invalid(name: &str, rule: &str) -> Problem {
    Problem::new(INVALID_VALUE, format!("The parameter {name} {rule}."))
}

/// A text where each plus between quotes stands for itself, and others for a space.
fn with_plus_in_quotes(text: &str) -> String {
    let (mut is_quoted, mut is_escaped) = (false, false);
    let decode = |c: char| {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            '+' if !is_quoted => return ' ',
            _ => {}
        }
        c
    };
    text.chars().map(decode).collect()
}

/// The place at which a page begins, of the cursor that the page before had; `None` for the first page.
pub fn read_cursor<T: DeserializeOwned>(cursor: Option<&str>) -> Result<Option<T>, Problem> {
    let cursor = cursor.filter(|cursor| !cursor.is_empty());
    let place = cursor.map(|cursor| serde_json::from_slice(&BASE64.decode(cursor).ok()?).ok());
    match place {
        None => Ok(None),
        Some(Some(place)) => Ok(Some(place)),
        Some(None) => Err(Problem::plain(INVALID_CURSOR)),
    }
}

/// A place as clients send it back: opaque to them, and without characters that have a meaning in a URL.
pub fn write_cursor(place: &impl Serialize) -> String {
    BASE64.encode(serde_json::to_vec(place).expect("a place has no keys"))
}
