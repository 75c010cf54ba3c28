//! `GET /users` with `name`, `q`, `external_id`, `sort=name` or `sort=updated_at`: users whose names begin
//! with a text, users who have some words, users with one external id, and all users in the order of
//! their names or of their last changes.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;

use super::listing::{Listing, limit, next_page};
use crate::configuration::Configuration;
use crate::directory::{Directory, Error, Found, Gather, Order, Position, TimeSpan};
use crate::folded_name::NamePrefix;
use crate::message::problem::Problem;
use crate::message::query::Query;
use crate::message::trace::Trace;
use crate::platform::Platform;
use crate::service::omissions::{known_total, log_left_out};
use crate::store::Store;
use crate::user::{AttributePath, ExternalId};
use crate::words::Asked;

/// What is searched for.
pub(super) enum Wanted {
    /// The users whose names begin so.
    Name(NamePrefix),
    /// The users who have words that begin so.
    Words(Asked),
    ExternalId(ExternalId),
    /// The users who have these values in their attributes.
    Attributes(Vec<(AttributePath, String)>),
    /// All users in the order of their names.
    ByName(Order),
    /// Users in the order of their last changes. Those outside of the span are not walked over.
    ByUpdate(Order, TimeSpan),
}

impl Wanted {
    pub fn name(query: &Query) -> Result<Wanted, Problem> {
        let name = query.get("name").unwrap_or_default();
        let prefix = NamePrefix::try_from(name);
        let prefix = prefix.map_err(|rule| Problem::invalid_query(rule, "name"))?;
        Ok(Wanted::Name(prefix))
    }

    pub fn words(query: &Query) -> Result<Wanted, Problem> {
        asked(query).map(Wanted::Words)
    }

    pub fn external_id(query: &Query) -> Result<Wanted, Problem> {
        let id = query.get("external_id").unwrap_or_default().to_owned();
        let id = ExternalId::try_from(id);
        let id = id.map_err(|rule| Problem::invalid_query(&rule, "external_id"))?;
        Ok(Wanted::ExternalId(id))
    }

    /// Whether a position may be one of this search.
    fn has(&self, position: &Position) -> bool {
        match self {
            Wanted::Name(prefix) => position.is_within(prefix),
            Wanted::Words(_) | Wanted::ByName(_) => true,
            Wanted::ExternalId(_) | Wanted::Attributes(_) => position.is_of_ids(),
            Wanted::ByUpdate(..) => position.is_of_times(),
        }
    }
}

/// A page of a search.
pub(super) struct Search<'s, S, P> {
    pub directory: &'s Directory<'s, S, P>,
    pub configuration: &'s Configuration,
    pub trace: &'s Trace,
    pub query: &'s Query,
    /// What is listed, users or groups, and the method and path of the requests, for the log.
    pub what: &'static str,
    pub place: &'static str,
    /// The path of the next page.
    pub path: &'s str,
}

impl<S: Store, P: Platform> Search<'_, S, P> {
    /// Fills a listing with the users who are wanted.
    ///
    /// The total is known when all users are in one page, and are found by their values, and where the
    /// list is of everyone. Otherwise all users who match would have to be read.
    pub async fn list(&self, wanted: Wanted, listing: &mut Listing) -> Result<(), Problem> {
        let directory = self.directory;
        let find = async |from, listing: &mut dyn Gather| match &wanted {
            Wanted::Name(prefix) => directory.search(prefix, from, listing).await,
            Wanted::Words(asked) => directory.search_words(asked, from, listing).await,
            Wanted::ExternalId(id) => directory.find_by_external_id(id, from, listing).await,
            Wanted::Attributes(values) => directory.find_by_attributes(values, from, listing).await,
            Wanted::ByName(order) => directory.list_by_name(*order, from, listing).await,
            Wanted::ByUpdate(order, span) => {
                let found = directory.list_by_update(*order, *span, from, listing);
                found.await
            }
        };
        let has = |position: &Position| wanted.has(position);
        let is_whole = self.fill(listing, has, find).await?;
        match wanted {
            Wanted::ExternalId(_) | Wanted::Attributes(_) if is_whole => listing.note_complete(),
            Wanted::ByName(_) | Wanted::ByUpdate(..) if listing.is_of_everyone() => {
                let total = directory.count().await;
                let platform = directory.platform;
                listing.total = known_total(platform, self.trace, self.place, total)?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Fills a listing with what `find` gathers from the position of the parameter `after` on, if
    /// `belongs` says that it is of this search. Answers whether that is the first page and the last
    /// one.
    pub async fn fill<T>(
        &self,
        listing: &mut Listing,
        belongs: impl Fn(&Position) -> bool,
        find: impl AsyncFnOnce(Option<Position>, &mut dyn Gather<T>) -> Result<Found, Error>,
    ) -> Result<bool, Problem>
    where
        Listing: Gather<T>,
    {
        let from = cursor(self.query, belongs)?;
        let limit = limit(self.configuration, self.query)?;
        listing.limit = limit as usize;
        let is_first = from.is_none();
        let found = find(from, listing).await?;
        let platform = self.directory.platform;
        log_left_out(
            platform,
            self.trace,
            self.place,
            self.what,
            &found.unreadable,
        );
        let next = found.next.as_ref().map(write_cursor);
        let next = next.map(|next| next_page(self.path, self.query, limit, next));
        listing.next = next;
        Ok(is_first && found.next.is_none())
    }
}

/// The words that the parameter `q` asks for.
pub(super) fn asked(query: &Query) -> Result<Asked, Problem> {
    let asked = Asked::try_from(query.get("q").unwrap_or_default());
    asked.map_err(|rule| Problem::invalid_query(rule, "q"))
}

/// The parameter `after`, if `belongs` says that it is of this search.
fn cursor(query: &Query, belongs: impl Fn(&Position) -> bool) -> Result<Option<Position>, Problem> {
    let position = |cursor| {
        let position = read_cursor(cursor).filter(&belongs);
        let rule = "is not one that a link to a next page of this search has";
        position.ok_or_else(|| Problem::invalid_query(rule, "after"))
    };
    query.get("after").map(position).transpose()
}

/// A position as clients send it back: opaque to them, and without characters that have a meaning
/// in a URL.
fn write_cursor(position: &Position) -> String {
    BASE64.encode(serde_json::to_vec(position).expect("a position has no keys"))
}

fn read_cursor(cursor: &str) -> Option<Position> {
    serde_json::from_slice(&BASE64.decode(cursor).ok()?).ok()
}
