//! The users that a filter asks for: from an index if there is one, or else by reading them.

use super::asked::{Asked, read_cursor, write_cursor};
use super::refusal::{INVALID_CURSOR, TOO_MANY};
use super::scene::Scene;
use super::window::{MAX_READ, Window};
use crate::directory::{Error, Gather, Order, Position};
use crate::folded_name::NamePrefix;
use crate::message::problem::{Problem, types};
use crate::platform::Platform;
use crate::scim::filter::{Comparison, Operator};
use crate::service::omissions::{known_total, log_unreadable};
use crate::store::Store;
use crate::user::{Email, ExternalId, User, UserId, Username};

/// The most steps over users who are not in a list, each of some hundreds.
const MAX_TURNS: usize = 8;

/// Where the users come from, all of those that a filter may match.
enum Source {
    /// From an index that has one user at most.
    One(Option<Box<User>>),
    ExternalId(ExternalId),
    /// Whose names begin so.
    Names(NamePrefix),
    ByName(Order),
    ById(Order),
}

/// What a list has.
pub struct Page<T> {
    pub rows: Vec<(T, super::mapping::Resource)>,
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

/// Where a list goes on.
enum Place {
    After(u64),
    At(Position),
}

impl<S: Store, P: Platform> Scene<'_, S, P> {
    /// The users of a list.
    pub async fn users(&self, asked: &Asked) -> Result<Page<User>, Problem> {
        let by_index = self.by_index(asked).await?;
        let is_whole = match (&by_index, &asked.filter) {
            (None, Some(_)) => true,
            (None, None) => order_of(asked).is_none(),
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
        if next.is_some() && (is_whole || window.matched() <= window.skip) {
            return Err(match source {
                Source::Names(_) | Source::ByName(_) if !window.is_exhausted() => {
                    Problem::plain(types::INDEXING).retry_after(1)
                }
                _ => too_many(asked),
            });
        }
        let (matched, after) = (window.matched(), window.after());
        let has_cursor = asked.cursor.is_some();
        let rows = window.into_rows(asked);
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
                true => after
                    .filter(|_| has_cursor)
                    .map(|after| write_cursor(&after)),
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
        Ok(conditions.iter().find_map(by_list))
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
        };
        self.log_unreadable(&found.unreadable);
        Ok(found.next.map(Place::At))
    }

    fn log_unreadable(&self, ids: &[UserId]) {
        log_unreadable(self.directory.platform, &self.trace, &self.place, ids);
    }
}

/// The list that has all users who can meet a condition.
fn by_list(condition: &Comparison) -> Option<Source> {
    let value = condition.value.as_str()?;
    let path = condition.path;
    match condition.operator {
        Operator::Eq if path.is("externalId") => {
            let id = ExternalId::try_from(value.to_owned());
            Some(id.map_or(Source::One(None), Source::ExternalId))
        }
        Operator::Eq | Operator::Sw if path.is("displayName") => {
            NamePrefix::try_from(value).ok().map(Source::Names)
        }
        _ => None,
    }
}

/// The source that has all users in the order that is asked for, if there is one.
fn order_of(asked: &Asked) -> Option<Source> {
    let Some((path, is_descending)) = asked.sort else {
        return Some(Source::ById(Order::Ascending));
    };
    let order = match is_descending {
        true => Order::Descending,
        false => Order::Ascending,
    };
    if path.is("id") || path.is("meta.created") {
        Some(Source::ById(order))
    } else if path.is("displayName") {
        Some(Source::ByName(order))
    } else {
        None
    }
}

/// The list has more than is read at once.
fn too_many(asked: &Asked) -> Problem {
    let detail = match (&asked.filter, asked.sort) {
        (None, None) => format!(
            "The service counts no further than that. Page with the parameter cursor, or by less than \
             {MAX_READ} users."
        ),
        (None, Some(_)) => format!(
            "Users are sorted by id, meta.created or displayName, or if there are at most {MAX_READ}."
        ),
        (Some(_), _) => format!(
            "This filter would read more than {MAX_READ} users. Compare userName, externalId, id or \
             emails.value by eq, or displayName by eq or sw, alone or in an and."
        ),
    };
    Problem::new(TOO_MANY, detail)
}

impl Source {
    /// Where a page begins, by the cursor of the page before.
    fn read_cursor(&self, cursor: Option<&str>) -> Result<Option<Place>, Problem> {
        let place = match self {
            Source::ById(_) => read_cursor(cursor)?.map(Place::After),
            _ => read_cursor(cursor)?.map(Place::At),
        };
        let is_of_source = |place: &Place| match (self, place) {
            (Source::One(_), _) => false,
            (Source::ExternalId(_), Place::At(position)) => position.is_of_ids(),
            (Source::Names(prefix), Place::At(position)) => position.is_within(prefix),
            (Source::ById(_) | Source::ByName(_), _) => true,
            (_, Place::After(_)) => false,
        };
        match place.as_ref().is_none_or(is_of_source) {
            true => Ok(place),
            false => Err(Problem::plain(INVALID_CURSOR)),
        }
    }
}

impl Place {
    /// As clients send it back: opaque to them.
    fn write(self) -> String {
        match self {
            Place::After(id) => write_cursor(&id),
            Place::At(position) => write_cursor(&position),
        }
    }
}
