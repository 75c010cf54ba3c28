//! `GET /users` with `name`, `q`, `external_id` or `sort=name`: users whose names begin with a text,
//! users who have some words, users with one external id, and all users in the order of their names.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;

use super::listing::{Listing, PLACE, limit, next_page};
use crate::configuration::Configuration;
use crate::directory::{Directory, Found, Order, Position};
use crate::folded_name::NamePrefix;
use crate::message::problem::Problem;
use crate::message::query::Query;
use crate::message::trace::Trace;
use crate::platform::Platform;
use crate::service::omissions::{known_total, log_unreadable};
use crate::store::Store;
use crate::user::{AttributePath, ExternalId};
use crate::words::Asked;

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
    let from = cursor(query, |position| position.is_within(&prefix))?;
    let limit = limit(configuration, query)?;
    listing.limit = limit as usize;
    let found = directory.search(&prefix, from, listing).await?;
    log_unreadable(directory.platform, trace, PLACE, &found.unreadable);
    listing.next = next("/users", query, limit, &found);
    Ok(())
}

/// The users who have words that begin as those of the parameter `q`.
pub(super) async fn by_words<S: Store, P: Platform>(
    directory: &Directory<'_, S, P>,
    configuration: &Configuration,
    trace: &Trace,
    query: &Query,
    listing: &mut Listing,
) -> Result<(), Problem> {
    let asked = Asked::try_from(query.get("q").unwrap_or_default())
        .map_err(|rule| Problem::invalid_query(rule, "q"))?;
    let from = cursor(query, |_| true)?;
    let limit = limit(configuration, query)?;
    listing.limit = limit as usize;
    let found = directory.search_words(&asked, from, listing).await?;
    log_unreadable(directory.platform, trace, PLACE, &found.unreadable);
    listing.next = next("/users", query, limit, &found);
    Ok(())
}

/// All users in the order of their names, or in the reverse of that order.
pub(super) async fn sorted<S: Store, P: Platform>(
    directory: &Directory<'_, S, P>,
    configuration: &Configuration,
    trace: &Trace,
    query: &Query,
    order: Order,
    listing: &mut Listing,
) -> Result<(), Problem> {
    let from = cursor(query, |_| true)?;
    let limit = limit(configuration, query)?;
    listing.limit = limit as usize;
    let found = directory.list_by_name(order, from, listing).await?;
    log_unreadable(directory.platform, trace, PLACE, &found.unreadable);
    listing.next = next("/users", query, limit, &found);
    if listing.is_of_everyone() {
        let total = directory.count().await;
        listing.total = known_total(directory.platform, trace, PLACE, total)?;
    }
    Ok(())
}

/// The users whose external id is the parameter `external_id`. The total is known when they are all
/// in one page.
pub(super) async fn by_external_id<S: Store, P: Platform>(
    directory: &Directory<'_, S, P>,
    configuration: &Configuration,
    trace: &Trace,
    query: &Query,
    listing: &mut Listing,
) -> Result<(), Problem> {
    let external_id = query.get("external_id").unwrap_or_default().to_owned();
    let external_id = ExternalId::try_from(external_id)
        .map_err(|rule| Problem::invalid_query(&rule, "external_id"))?;
    let from = cursor(query, Position::is_nameless)?;
    let limit = limit(configuration, query)?;
    listing.limit = limit as usize;
    let is_first = from.is_none();
    let found = directory
        .find_by_external_id(&external_id, from, listing)
        .await?;
    log_unreadable(directory.platform, trace, PLACE, &found.unreadable);
    listing.next = next("/users", query, limit, &found);
    if is_first && found.next.is_none() {
        listing.note_complete();
    }
    Ok(())
}

/// The users who have a value in their attributes, and the other values that narrow the list. The total
/// is known when they are all in one page.
pub(super) async fn by_attribute<S: Store, P: Platform>(
    directory: &Directory<'_, S, P>,
    configuration: &Configuration,
    trace: &Trace,
    query: &Query,
    (path, value): (&AttributePath, &str),
    listing: &mut Listing,
) -> Result<(), Problem> {
    let from = cursor(query, Position::is_nameless)?;
    let limit = limit(configuration, query)?;
    listing.limit = limit as usize;
    let is_first = from.is_none();
    let found = directory
        .find_by_attribute(path, value, from, listing)
        .await?;
    log_unreadable(directory.platform, trace, PLACE, &found.unreadable);
    listing.next = next("/users", query, limit, &found);
    if is_first && found.next.is_none() {
        listing.note_complete();
    }
    Ok(())
}

/// The parameter `after`, if `belongs` says that it is of this search.
pub(super) fn cursor(
    query: &Query,
    belongs: impl Fn(&Position) -> bool,
) -> Result<Option<Position>, Problem> {
    let position = |cursor| {
        let position = read_cursor(cursor).filter(&belongs);
        let rule = "is not one that a link to a next page of this search has";
        position.ok_or_else(|| Problem::invalid_query(rule, "after"))
    };
    query.get("after").map(position).transpose()
}

/// The next page of a search, which has that path.
pub(super) fn next(path: &str, query: &Query, limit: u64, found: &Found) -> Option<String> {
    let after = write_cursor(found.next.as_ref()?);
    Some(next_page(path, query, limit, after))
}

/// A position as clients send it back: opaque to them, and without characters that have a meaning
/// in a URL.
fn write_cursor(position: &Position) -> String {
    BASE64.encode(serde_json::to_vec(position).expect("a position has no keys"))
}

fn read_cursor(cursor: &str) -> Option<Position> {
    serde_json::from_slice(&BASE64.decode(cursor).ok()?).ok()
}
