//! The users that a filter asks for: from an index if there is one, or else by reading them.
//!
//! - [`source`]: where they come from

mod source;

use serde_json::Value;

use super::asked::{Asked, write_cursor};
use super::mapping::Resource as Attributes;
use super::refusal::{INVALID_FILTER, TOO_MANY};
use super::scene::Scene;
use super::window::{MAX_READ, Window};
use crate::directory::{Error, Gather, Order};
use crate::message::problem::{Problem, types};
use crate::platform::Platform;
use crate::scim::filter::{Comparison, Operator};
use crate::scim::{Projection, ResourceType};
use crate::service::omissions::{known_total, log_unreadable};
use crate::store::Store;
use crate::user::{Email, User, UserId, Username};
pub use source::{Place, direction};
use source::{Source, by_list, by_update, is_by_update, order_of};

/// The most steps over users or groups who are not in a list, each of some hundreds.
pub const MAX_TURNS: usize = 8;

/// What a list has.
pub struct Page<T> {
    pub rows: Vec<(T, Attributes)>,
    pub total: u64,
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// Of a list that has nothing.
    pub fn empty() -> Page<T> {
        Page {
            rows: Vec::new(),
            total: 0,
            next_cursor: None,
        }
    }
}

/// What an answer has of resources.
pub fn shown<T>(rows: Vec<(T, Attributes)>, shown: &Projection, of: &ResourceType) -> Vec<Value> {
    let rows = rows.into_iter().map(|(_, mut resource)| {
        shown.apply(&mut resource, of);
        Value::Object(resource)
    });
    rows.collect()
}

impl<S: Store, P: Platform> Scene<'_, S, P> {
    /// The users of a list.
    pub async fn users(&self, asked: &Asked) -> Result<Page<User>, Problem> {
        let filter = asked.filter.as_ref();
        if filter.is_some_and(|filter| filter.mentions("groups")) {
            let detail = "The groups of users are not compared. Ask for groups by members, or for the \
                attribute groups of one user.";
            return Err(Problem::new(INVALID_FILTER, detail));
        }
        let by_index = self.by_index(asked).await?;
        let is_whole = match (&by_index, &asked.filter) {
            (None, Some(_)) => true,
            (None, None) => order_of(asked).is_none(),
            (Some(Source::ByUpdate(..)), _) => asked.sort.is_some() && !is_by_update(asked),
            (Some(_), _) => asked.sort.is_some(),
        };
        let source = by_index.or_else(|| order_of(asked).filter(|_| asked.filter.is_none()));
        let source = source.unwrap_or(Source::ById(Order::Ascending));
        let mut window = Window::new(asked, self.configuration, is_whole);
        let total = match asked.filter {
            None => self.total().await?,
            Some(_) => None,
        };
        if let (Some(total), 0) = (total, window.count()) {
            return Ok(Page {
                total,
                ..Page::empty()
            });
        }
        let mut place = match is_whole {
            true => {
                window.skip_to(asked)?;
                None
            }
            false => source.read_cursor(asked.cursor.as_deref())?,
        };
        if let (Source::ById(Order::Ascending), None, None) = (&source, &asked.filter, &place)
            && !is_whole
            && window.skip > 0
        {
            let (after, skipped) = self.directory.step_over(window.skip).await?;
            window.skip -= skipped;
            place = Some(Place::After(after));
        }
        let mut turns = 0;
        let next = loop {
            match self.gather(&source, place, &mut window).await? {
                None => break None,
                Some(next) if window.is_full() || turns == MAX_TURNS => break Some(next),
                Some(next) => place = Some(next),
            }
            turns += 1;
        };
        let has_cursor = asked.cursor.is_some();
        if next.is_some() && (is_whole || window.matched() <= window.skip) {
            match source {
                Source::Names(_) | Source::ByName(_) | Source::ByUpdate(..)
                    if !window.is_exhausted() =>
                {
                    return Err(Problem::plain(types::INDEXING).retry_after(1));
                }
                // A page without anybody leads on.
                _ if has_cursor && !is_whole => {}
                _ => return Err(too_many(asked, is_whole)),
            }
        }
        let (matched, skipped) = (window.matched(), window.skip);
        let rows = window.into_rows(asked);
        let behind = skipped.saturating_add(rows.len() as u64);
        let rest = (!rows.is_empty() && behind < matched).then_some(behind);
        let seen = asked.start - 1 + rows.len() as u64;
        let total = match (total, &next) {
            (Some(total), _) => total,
            (None, None) => matched,
            // Not all are counted: one more, at least.
            (None, Some(_)) => seen + 1,
        };
        Ok(Page {
            rows,
            total,
            next_cursor: match is_whole {
                true => rest
                    .filter(|_| has_cursor)
                    .map(|behind| write_cursor(&behind)),
                false => next.filter(|_| has_cursor).map(Place::write),
            },
        })
    }

    /// The index that has all users whom the filter may match.
    async fn by_index(&self, asked: &Asked) -> Result<Option<Source>, Problem> {
        let filter = asked.filter.as_ref();
        let conditions = filter.map(|filter| filter.conjuncts()).unwrap_or_default();
        for condition in &conditions {
            if let Some(one) = self.by_unique(condition).await? {
                return Ok(Some(one));
            }
        }
        let by_list = conditions.iter().find_map(by_list);
        // More users were changed since some time than have one name.
        Ok(by_list.or_else(|| by_update(&conditions, asked)))
    }

    /// The user who alone can meet a condition.
    async fn by_unique(&self, condition: &Comparison) -> Result<Option<Source>, Problem> {
        let directory = self.directory;
        let (Operator::Eq, Some(value)) = (condition.operator, condition.value.as_str()) else {
            return Ok(None);
        };
        let path = condition.path;
        // A value that breaks the rule is nobody's.
        let user = if path.is("id") {
            match value.parse::<UserId>() {
                Ok(id) => match directory.get(id).await {
                    Err(Error::NotFound) => None,
                    user => Some(user?),
                },
                Err(_) => None,
            }
        } else if path.is("userName") {
            match Username::try_from(value.to_owned()) {
                Ok(username) => directory.find_by_username(&username).await?,
                Err(_) => None,
            }
        } else if path.is("emails.value") {
            match Email::try_from(value.to_owned()) {
                Ok(email) => directory.find_by_email(&email).await?,
                Err(_) => None,
            }
        } else {
            return Ok(None);
        };
        Ok(Some(Source::One(user.map(Box::new))))
    }

    /// The number of all users, if it is known.
    async fn total(&self) -> Result<Option<u64>, Problem> {
        let total = self.directory.count().await;
        let platform = self.directory.platform;
        Ok(known_total(platform, &self.trace, &self.place, total)?)
    }

    /// Gathers users from a source. Answers where it goes on, if it has not ended.
    async fn gather(
        &self,
        source: &Source,
        from: Option<Place>,
        window: &mut Window<'_, User>,
    ) -> Result<Option<Place>, Problem> {
        let directory = self.directory;
        let (after, at) = match from {
            None => (None, None),
            Some(Place::After(after)) => (Some(after), None),
            Some(Place::At(position)) => (None, Some(position)),
        };
        let found = match source {
            Source::One(user) => {
                if let Some(user) = user {
                    window.push((**user).clone());
                }
                return Ok(None);
            }
            Source::ById(order) => {
                let page = directory.list(after, *order, window).await?;
                self.log_unreadable(&page.unreadable);
                return Ok(page.next.map(|next| Place::After(next.get())));
            }
            Source::ExternalId(id) => directory.find_by_external_id(id, at, window).await?,
            Source::Names(prefix) => directory.search(prefix, at, window).await?,
            Source::ByName(order) => directory.list_by_name(*order, at, window).await?,
            Source::ByUpdate(order, span) => {
                let found = directory.list_by_update(*order, *span, at, window);
                found.await?
            }
        };
        self.log_unreadable(&found.unreadable);
        Ok(found.next.map(Place::At))
    }

    fn log_unreadable(&self, ids: &[UserId]) {
        log_unreadable(self.directory.platform, &self.trace, &self.place, ids);
    }
}

/// The list has more than is read at once.
fn too_many(asked: &Asked, is_whole: bool) -> Problem {
    let detail = match &asked.filter {
        _ if !is_whole && asked.start > 1 => {
            "The startIndex is more than the service counts of this list. Page with the parameter cursor."
                .to_owned()
        }
        None => format!(
            "Users are sorted by id, displayName, meta.created or meta.lastModified, or if there are at most \
             {MAX_READ}."
        ),
        Some(_) => format!(
            "This filter would read more than {MAX_READ} users. Compare userName, externalId, id or \
             emails.value by eq, displayName by eq or sw, or meta.lastModified by eq, gt, ge, lt or le, alone \
             or in an and."
        ),
    };
    Problem::new(TOO_MANY, detail)
}
