//! Where users come from: the indexes, and the directory itself.

use crate::directory::{Order, Position, TimeSpan};
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
    /// Those who were changed in some span of time, in the order of their last changes.
    ByUpdate(Order, TimeSpan),
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

/// The list of those who were changed in the span of time that conditions leave, if there is one. It may
/// have some more, as clients may compare parts of a millisecond.
///
/// A span with an end is read from there, if no order is asked for: the list knows its start.
pub fn by_update(conditions: &[Comparison], asked: &Asked) -> Option<Source> {
    let mut span = TimeSpan::default();
    for condition in conditions {
        if condition.path.is("meta.lastModified")
            && let Some(time) = condition.value.as_str().and_then(Timestamp::from_rfc3339)
        {
            narrow(&mut span, condition.operator, time);
        }
    }
    let order = match (is_by_update(asked), span.until) {
        (true, _) => direction(asked),
        (false, None) => Order::Ascending,
        (false, Some(_)) => Order::Descending,
    };
    (span.after.is_some() || span.until.is_some()).then_some(Source::ByUpdate(order, span))
}

/// Leaves of a span what a comparison with a time may be true for.
fn narrow(span: &mut TimeSpan, operator: Operator, time: Timestamp) {
    // To the millisecond, which is that of every change.
    let before = time.0.checked_sub(1).map(Timestamp);
    let (after, until) = match operator {
        Operator::Gt => (Some(time), None),
        Operator::Ge => (before, None),
        Operator::Eq => (before, Some(time)),
        Operator::Lt | Operator::Le => (None, Some(time)),
        _ => return,
    };
    span.after = span.after.max(after);
    span.until = match (span.until, until) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    };
}

/// Whether the order that is asked for is that of the last changes.
pub fn is_by_update(asked: &Asked) -> bool {
    let sort = asked.sort;
    sort.is_some_and(|(path, _)| path.is("meta.lastModified"))
}

/// The direction of the order that is asked for.
pub fn direction(asked: &Asked) -> Order {
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
        Some(Source::ByUpdate(order, TimeSpan::default()))
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
