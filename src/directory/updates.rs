//! Users in the order of their last changes, or of their creation if there was no change: what changed
//! since some time.
//!
//! It is the list of an [index](super::index), which the first search makes. A record tells whether its
//! user is in the list: so before there is the index, changes cost nothing more. A change leads the
//! list to where the user will be, and forgets where the user was once the record is written.
//!
//! A user's time never falls, see [`update`](super::update). That memberships change, it does not tell.

use super::index::Rule;
use super::lists::{Found, List, Position};
use super::page::Gather;
use super::record::Live;
use super::{Directory, Error, Order};
use crate::platform::Platform;
use crate::store::Store;
use crate::timestamp::Timestamp;
use crate::user::UserId;

/// A span of time, with its end and without its start. Without either it goes on for ever.
#[derive(Clone, Copy, Debug, Default)]
pub struct TimeSpan {
    pub after: Option<Timestamp>,
    pub until: Option<Timestamp>,
}

impl<S: Store, P: Platform> Directory<'_, S, P> {
    /// Gathers the users who were changed last in a span of time, in the order of their last changes or
    /// in the reverse of that order, until `gathered` is full. `from` is the `next` position of the page
    /// before. Forwards, it may gather users who come after the span: the last leaf is read whole.
    ///
    /// There may be fewer users, or none, while there is a `next` position, as in a
    /// [search](Directory::search). [`Error::Indexing`] while the index is being made, as in a
    /// [search by words](Directory::search_words).
    pub async fn list_by_update(
        &self,
        order: Order,
        span: TimeSpan,
        from: Option<Position>,
        gathered: &mut dyn Gather,
    ) -> Result<Found, Error> {
        let Some(index) = self.merge_everybody::<Live>(Rule::Updates).await? else {
            return Ok(Found::default());
        };
        let list = index.list(List::Updates).await?;
        let first = span.after.map(Position::after_time).unwrap_or_default();
        let end = span.until.map_or_else(Position::end, Position::after_time);
        match order {
            Order::Ascending => {
                let from = from.map_or(first.clone(), |from| from.max(first));
                let mut found = list.gather::<Live>("", &from, gathered).await?;
                found.next = found.next.filter(|next| *next < end);
                Ok(found)
            }
            Order::Descending => {
                let end = from.unwrap_or(end);
                list.gather_backwards::<Live>(end, &first, gathered).await
            }
        }
    }

    /// Lets the list forget where a user was before a change that has been made. If this fails, a search
    /// that finds few users there does it.
    pub(super) async fn leave_update(&self, id: UserId, before: Timestamp, after: &Live) {
        if after.in_updates
            && before != after.updated_at
            && let Ok(Some(list)) = self.list_if_any(List::Updates).await
        {
            let [old, new] = [before, after.updated_at].map(|time| Position::by_time(time, id));
            let _ = list.leave(&old, &new).await;
        }
    }
}
