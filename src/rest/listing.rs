//! Several users in one answer: a page, or the users who were asked for.

use http::header::{ETAG, LINK};
use http::{HeaderName, Response};
use sha2::{Digest, Sha256};

use super::representation::{Fields, Representation};
use crate::configuration::Configuration;
use crate::directory::Directory;
use crate::message::precondition::{Preconditions, Read, entity_tag_of};
use crate::message::problem::Problem;
use crate::message::query::Query;
use crate::message::response::{not_modified, private_json, set};
use crate::platform::Platform;
use crate::user::{User, UserId};

const TOTAL_COUNT: HeaderName = HeaderName::from_static("x-total-count");

/// Users, with the facts for the headers of the answer.
pub(super) struct Listing {
    pub users: Vec<User>,
    pub total: Option<u64>,
    pub next: Option<String>,
}

impl Listing {
    /// All users that were asked for.
    pub fn complete(users: Vec<User>) -> Listing {
        Listing {
            total: Some(users.len() as u64),
            users,
            next: None,
        }
    }

    pub fn respond(
        &self,
        fields: Fields,
        preconditions: &Preconditions,
    ) -> Result<Response<Vec<u8>>, Problem> {
        let tag = self.entity_tag();
        let represented = |user| Representation { user, fields };
        let mut response = match preconditions.check_read(&tag)? {
            Read::NotModified(tag) => not_modified(tag),
            Read::Answer => {
                let users: Vec<_> = self.users.iter().map(represented).collect();
                let mut response = private_json(&users);
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

    /// Hashes the versions of all users and the facts in the headers, not the body, which is many
    /// times as long.
    fn entity_tag(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(env!("CARGO_PKG_VERSION"));
        for user in &self.users {
            hash.update(user.version.0.to_le_bytes());
        }
        hash.update(self.total.unwrap_or(u64::MAX).to_le_bytes());
        hash.update(self.next.as_deref().unwrap_or_default());
        entity_tag_of(hash)
    }
}

/// The parameter `fields` of this request, for the link to the next page.
pub(super) fn fields_again(query: &Query) -> String {
    let fields = query.get("fields");
    fields.map_or(String::new(), |fields| format!("&fields={fields}"))
}

/// The most users of a page, by the query or by the configuration.
pub(super) fn limit(configuration: &Configuration, query: &Query) -> Result<u64, Problem> {
    let limit = query.number("limit", 1, Configuration::MAX_PAGE_SIZE)?;
    Ok(limit.unwrap_or(configuration.page_size))
}

pub(super) fn log_unreadable<S, P: Platform>(directory: &Directory<'_, S, P>, ids: &[UserId]) {
    for id in ids {
        let line = format!("GET /users: user {id} is left out, for its record can't be read");
        directory.platform.log_error(&line);
    }
}
