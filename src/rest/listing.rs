//! Several users in one answer: a page, or the users who were asked for.

use std::fmt::Display;

use http::header::{ETAG, LINK};
use http::{HeaderName, Response};
use sha2::{Digest, Sha256};

use super::representation::{Fields, Representation};
use crate::configuration::Configuration;
use crate::directory::Gather;
use crate::message::limits::MAX_PAGE_BYTES;
use crate::message::precondition::{Preconditions, Read, entity_tag_of};
use crate::message::problem::Problem;
use crate::message::query::Query;
use crate::message::response::{not_modified, private_json_text, set};
use crate::user::{Filter, User, Version};

/// The method and path of the requests for listings, for the log.
pub(super) const PLACE: &str = "GET /users";

const TOTAL_COUNT: HeaderName = HeaderName::from_static("x-total-count");

/// Users, or groups, each represented as soon as it is read: in memory a user may take a hundred times as
/// much as its representation.
pub(super) struct Listing {
    fields: Fields,
    filter: Filter,
    /// The most users.
    pub limit: usize,
    /// How many users there are in all.
    pub total: Option<u64>,
    /// The path of the next page, if there is one.
    pub next: Option<String>,
    count: usize,
    /// A JSON array that is not closed yet.
    text: Vec<u8>,
    /// The hash of the versions of all users. The entity tag is not made from the text, which is many
    /// times as long.
    versions: Sha256,
}

impl Listing {
    pub fn new(fields: Fields, filter: Filter) -> Listing {
        Listing {
            fields,
            filter,
            limit: usize::MAX,
            total: None,
            next: None,
            count: 0,
            text: vec![b'['],
            versions: Sha256::new_with_prefix(env!("CARGO_PKG_VERSION")),
        }
    }

    /// A listing of all that is pushed, represented whole.
    pub fn whole() -> Listing {
        Listing::new(Fields::ALL, Filter::default())
    }

    /// Whether nobody is left out who is in the list.
    pub fn is_of_everyone(&self) -> bool {
        self.filter.is_empty()
    }

    /// Notes that these are all users that were asked for.
    pub fn note_complete(&mut self) {
        self.total = Some(self.count as u64);
    }

    /// Adds what `push` represents, at that version.
    pub fn add(&mut self, version: Version, push: impl FnOnce(&mut Vec<u8>)) {
        if self.count > 0 {
            self.text.push(b',');
        }
        push(&mut self.text);
        self.versions.update(version.0.to_le_bytes());
        self.count += 1;
    }

    /// Whether it takes no more.
    pub fn is_full(&self) -> bool {
        self.count >= self.limit || self.text.len() >= MAX_PAGE_BYTES
    }

    pub fn respond(mut self, preconditions: &Preconditions) -> Result<Response<Vec<u8>>, Problem> {
        let mut hash = self.versions;
        hash.update(self.total.unwrap_or(u64::MAX).to_le_bytes());
        hash.update(self.next.as_deref().unwrap_or_default());
        let tag = entity_tag_of(hash);
        let mut response = match preconditions.check_read(&tag)? {
            Read::NotModified(tag) => not_modified(tag),
            Read::Answer => {
                self.text.push(b']');
                let mut response = private_json_text(self.text);
                set(&mut response, ETAG, tag);
                response
            }
        };
        if let Some(total) = self.total {
            set(&mut response, TOTAL_COUNT, total);
        }
        if let Some(next) = &self.next {
            set(&mut response, LINK, format!("<{next}>; rel=\"next\""));
        }
        Ok(response)
    }
}

impl Gather for Listing {
    fn push(&mut self, user: User) -> bool {
        let (user, fields) = (&user, self.fields);
        if !self.filter.matches(user) {
            return false;
        }
        self.add(user.version, |text| {
            Representation { user, fields }.push(text);
        });
        true
    }

    fn is_full(&self) -> bool {
        self.is_full()
    }
}

/// The page of `path` that begins after that place, for users as this request asks for them.
pub(super) fn next_page(path: &str, query: &Query, limit: u64, after: impl Display) -> String {
    let again = query.again(&["limit", "after"]);
    format!("{path}?limit={limit}{again}&after={after}")
}

/// The most users of a page, by the query or by the configuration.
pub(super) fn limit(configuration: &Configuration, query: &Query) -> Result<u64, Problem> {
    let limit = query.number("limit", 1, Configuration::MAX_PAGE_SIZE)?;
    Ok(limit.unwrap_or(configuration.page_size))
}
