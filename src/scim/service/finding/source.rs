//! Where users come from: the indexes, and the directory itself.

use crate::directory::{Order, Position};
use crate::folded_name::NamePrefix;
use crate::message::problem::Problem;
use crate::scim::filter::{Comparison, Operator};
use crate::scim::service::asked::{Asked, read_cursor, write_cursor};
use crate::scim::service::refusal::INVALID_CURSOR;
use crate::timestamp::Timestamp;
use crate::user::{ExternalId, User};

/// Where the users come from, all of those that a filter may match.
pub enum Source {
    /// From an index that has one user at most.
    One(Option<Box<User>>),
    ExternalId(ExternalId),
    /// Whose names begin so.
    Names(NamePrefix),
    ByName(Order),
    /// Those who were changed after some time, or all, in the order of their last changes.
    ByUpdate(Order, Option<Timestamp>),
    ById(Order),
}

/// Where a list goes on.
pub enum Place {
    After(u64),
    At(Position),
}

/// The list that has all users who can meet a condition.
pub fn by_list(condition: &Comparison) -> Option<Source> {
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

/// The list of those who were changed since the time that a condition has.
pub fn by_update(condition: &Comparison, asked: &Asked) -> Option<Source> {
    if !condition.path.is("meta.lastModified") {
        return None;
    }
    let Timestamp(time) = Timestamp::from_rfc3339(condition.value.as_str()?)?;
    let after = match condition.operator {
        Operator::Gt => time,
        // Not at the time before it, to the millisecond, which is that of every change.
        Operator::Ge => time.checked_sub(1)?,
        _ => return None,
    };
    let order = match is_by_update(asked) {
        true => direction(asked),
        false => Order::Ascending,
    };
    Some(Source::ByUpdate(order, Some(Timestamp(after))))
}

/// Whether the order that is asked for is that of the last changes.
pub fn is_by_update(asked: &Asked) -> bool {
    let sort = asked.sort;
    sort.is_some_and(|(path, _)| path.is("meta.lastModified"))
}

fn direction(asked: &Asked) -> Order {
    match asked.sort {
        Some((_, true)) => Order::Descending,
        _ => Order::Ascending,
    }
}

/// The source that has all users in the order that is asked for, if there is one.
pub fn order_of(asked: &Asked) -> Option<Source> {
    let order = direction(asked);
    let Some((path, _)) = asked.sort else {
        return Some(Source::ById(order));
    };
    if path.is("id") || path.is("meta.created") {
        Some(Source::ById(order))
    } else if path.is("displayName") {
        Some(Source::ByName(order))
    } else if is_by_update(asked) {
        Some(Source::ByUpdate(order, None))
    } else {
        None
    }
}

impl Source {
    /// Where a page begins, by the cursor of the page before.
    pub fn read_cursor(&self, cursor: Option<&str>) -> Result<Option<Place>, Problem> {
        let place = match self {
            Source::ById(_) => read_cursor(cursor)?.map(Place::After),
            _ => read_cursor(cursor)?.map(Place::At),
        };
        let is_of_source = |place: &Place| match (self, place) {
            (Source::One(_), _) => false,
            (Source::ExternalId(_), Place::At(position)) => position.is_of_ids(),
            (Source::Names(prefix), Place::At(position)) => position.is_within(prefix),
            (Source::ByUpdate(..), Place::At(position)) => position.is_of_times(),
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
    pub fn write(self) -> String {
        match self {
            Place::After(id) => write_cursor(&id),
            Place::At(position) => write_cursor(&position),
        }
    }
}
