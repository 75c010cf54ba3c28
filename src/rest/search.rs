//! `GET /users?name=…`: users whose names begin with a text.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::listing::{Listing, PLACE, fields_again, limit};
use crate::configuration::Configuration;
use crate::directory::{Directory, Position};
use crate::folded_name::NamePrefix;
use crate::message::problem::Problem;
use crate::message::query::Query;
use crate::message::trace::Trace;
use crate::platform::Platform;
use crate::service::omissions::log_unreadable;
use crate::store::Store;

/// The users whose names begin with the parameter `name`. There is no
/// `X-Total-Count`: to count them, all users who match would have to be read.
pub(super) async fn by_name<S: Store, P: Platform>(
    directory: &Directory<'_, S, P>,
    configuration: &Configuration,
    trace: &Trace,
    query: &Query,
    listing: &mut Listing,
) -> Result<(), Problem> {
    let name = query.get("name").unwrap_or_default();
    let prefix = NamePrefix::try_from(name).map_err(|rule| Problem::invalid_query(rule, "name"))?;
    let from = query.get("after").map(|cursor| {
        let position = read_cursor(cursor).filter(|position| position.is_within(&prefix));
        let rule = "is not one that a link to a next page of this search has";
        position.ok_or_else(|| Problem::invalid_query(rule, "after"))
    });
    let limit = limit(configuration, query)?;
    listing.limit = limit as usize;
    let found = directory
        .search(&prefix, from.transpose()?, listing)
        .await?;
    log_unreadable(directory.platform, trace, PLACE, &found.unreadable);
    let name = utf8_percent_encode(name, NON_ALPHANUMERIC);
    let fields = fields_again(query);
    listing.next = found.next.map(|next| {
        let after = write_cursor(&next);
        format!("/users?name={name}&limit={limit}{fields}&after={after}")
    });
    Ok(())
}

/// A position as clients send it back: opaque to them, and without characters that have a meaning
/// in a URL.
fn write_cursor(position: &Position) -> String {
    BASE64.encode(serde_json::to_vec(position).expect("a position has no keys"))
}

fn read_cursor(cursor: &str) -> Option<Position> {
    serde_json::from_slice(&BASE64.decode(cursor).ok()?).ok()
}
