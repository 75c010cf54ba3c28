//! `GET /users` with `name`, `q`, `external_id` or `sort=name`: users whose names begin with a text,
//! users who have some words, users with one external id, and all users in the order of their names.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;

use super::listing::{Listing, limit, next_page};
use crate::configuration::Configuration;
use crate::directory::{Directory, Error, Found, Gather, Order, Position};
use crate::folded_name::NamePrefix;
use crate::message::problem::Problem;
use crate::message::query::Query;
use crate::message::trace::Trace;
use crate::platform::Platform;
use crate::service::omissions::{known_total, log_unreadable};
use crate::store::Store;
use crate::user::{AttributePath, ExternalId};
use crate::words::Asked;

/// A page of a search.
pub(super) struct Search<'s, S, P> {
    pub directory: &'s Directory<'s, S, P>,
    pub configuration: &'s Configuration,
    pub trace: &'s Trace,
    pub query: &'s Query,
    /// The method and path of the requests, for the log.
    pub place: &'static str,
    /// The path of the next page.
    pub path: &'s str,
}

impl<S: Store, P: Platform> Search<'_, S, P> {
    /// The users whose names begin with the parameter `name`. There is no
    /// `X-Total-Count`: to count them, all users who match would have to be read.
    pub async fn by_name(&self, listing: &mut Listing) -> Result<(), Problem> {
        let name = self.query.get("name").unwrap_or_default();
        let prefix =
            NamePrefix::try_from(name).map_err(|rule| Problem::invalid_query(rule, "name"))?;
        let belongs = |position: &Position| position.is_within(&prefix);
        let find = async |from, listing: &mut dyn Gather| {
            self.directory.search(&prefix, from, listing).await
        };
        self.fill(listing, belongs, find).await?;
        Ok(())
    }

    /// The users who have words that begin as those of the parameter `q`.
    pub async fn by_words(&self, listing: &mut Listing) -> Result<(), Problem> {
        let asked = Asked::try_from(self.query.get("q").unwrap_or_default())
            .map_err(|rule| Problem::invalid_query(rule, "q"))?;
        let find = async |from, listing: &mut dyn Gather| {
            let found = self.directory.search_words(&asked, from, listing);
            found.await
        };
        self.fill(listing, |_| true, find).await?;
        Ok(())
    }

    /// All users in the order of their names, or in the reverse of that order.
    pub async fn sorted(&self, order: Order, listing: &mut Listing) -> Result<(), Problem> {
        let find = async |from, listing: &mut dyn Gather| {
            self.directory.list_by_name(order, from, listing).await
        };
        self.fill(listing, |_| true, find).await?;
        if listing.is_of_everyone() {
            let total = self.directory.count().await;
            let platform = self.directory.platform;
            listing.total = known_total(platform, self.trace, self.place, total)?;
        }
        Ok(())
    }

    /// The users whose external id is the parameter `external_id`.
    pub async fn by_external_id(&self, listing: &mut Listing) -> Result<(), Problem> {
        let external_id = self.query.get("external_id").unwrap_or_default().to_owned();
        let external_id = ExternalId::try_from(external_id)
            .map_err(|rule| Problem::invalid_query(&rule, "external_id"))?;
        let find = async |from, listing: &mut dyn Gather| {
            let found = self
                .directory
                .find_by_external_id(&external_id, from, listing);
            found.await
        };
        self.fill_by_id(listing, find).await
    }

    /// The users who have a value in their attributes, and the other values that narrow the list.
    pub async fn by_attribute(
        &self,
        (path, value): (&AttributePath, &str),
        listing: &mut Listing,
    ) -> Result<(), Problem> {
        let find = async |from, listing: &mut dyn Gather| {
            let found = self.directory.find_by_attribute(path, value, from, listing);
            found.await
        };
        self.fill_by_id(listing, find).await
    }

    /// Fills a listing in the order of ids. The total is known when all users are in one page.
    async fn fill_by_id(
        &self,
        listing: &mut Listing,
        find: impl AsyncFnOnce(Option<Position>, &mut dyn Gather) -> Result<Found, Error>,
    ) -> Result<(), Problem> {
        let is_whole = self.fill(listing, Position::is_nameless, find).await?;
        if is_whole {
            listing.note_complete();
        }
        Ok(())
    }

    /// Fills a listing with what `find` gathers from the position of the parameter `after` on, if
    /// `belongs` says that it is of this search. Answers whether that is the first page and the last
    /// one.
    pub async fn fill(
        &self,
        listing: &mut Listing,
        belongs: impl Fn(&Position) -> bool,
        find: impl AsyncFnOnce(Option<Position>, &mut dyn Gather) -> Result<Found, Error>,
    ) -> Result<bool, Problem> {
        let from = cursor(self.query, belongs)?;
        let limit = limit(self.configuration, self.query)?;
        listing.limit = limit as usize;
        let is_first = from.is_none();
        let found = find(from, listing).await?;
        let platform = self.directory.platform;
        log_unreadable(platform, self.trace, self.place, &found.unreadable);
        let next = found.next.as_ref().map(write_cursor);
        let next = next.map(|next| next_page(self.path, self.query, limit, next));
        listing.next = next;
        Ok(is_first && found.next.is_none())
    }
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
