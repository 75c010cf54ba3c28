//! Users in the order of their names, and those whose names begin with a text: the list of all users
//! in that order.
//!
//! It is the list of an [index](super::index). Whoever reads it first merges new users into it, so that
//! it has every user whose create ended before the request began.

use super::index::Rule;
use super::lists::{Found, List, Position};
use super::page::Gather;
use super::record::Live;
use super::{Directory, Error, Order};
use crate::folded_name::NamePrefix;
use crate::platform::Platform;
use crate::store::Store;

impl<S: Store, P: Platform> Directory<'_, S, P> {
    /// Gathers the users whose names begin with `prefix`, in the order of their positions, from
    /// one on, until `gathered` is full.
    ///
    /// There may be fewer users than that, or none, while there is a `next` position: the work of one
    /// request is bounded, see [`Sizes`](super::Sizes) and [`MISSES`](super::page::MISSES).
    pub async fn search(
        &self,
        prefix: &NamePrefix,
        from: Option<Position>,
        gathered: &mut dyn Gather,
    ) -> Result<Found, Error> {
        let from = from.unwrap_or_else(|| Position::first(prefix));
        let prefix = prefix.as_str();
        self.in_names(prefix, Order::Ascending, from, gathered)
            .await
    }

    /// Gathers all users in the order of their names, or in the reverse of that order, until `gathered`
    /// is full. `from` is the `next` position of the page before. There may be fewer users, or none,
    /// while there is another, as in a [search](Directory::search).
    pub async fn list_by_name(
        &self,
        order: Order,
        from: Option<Position>,
        gathered: &mut dyn Gather,
    ) -> Result<Found, Error> {
        let from = from.unwrap_or_else(|| match order {
            Order::Ascending => Position::default(),
            Order::Descending => Position::end(),
        });
        self.in_names("", order, from, gathered).await
    }

    async fn in_names(
        &self,
        prefix: &str,
        order: Order,
        from: Position,
        gathered: &mut dyn Gather,
    ) -> Result<Found, Error> {
        let created = self.created().await?;
        if created == 0 {
            return Ok(Found::default());
        }
        let names = self.index(Rule::Names).await?;
        if names.merge::<Live>(created).await? < created {
            let next = Some(from);
            return Ok(Found {
                next,
                ..Found::default()
            });
        }
        let names = names.list(List::Names).await?;
        match order {
            Order::Ascending => names.gather::<Live>(prefix, &from, gathered).await,
            Order::Descending => {
                let first = Position::default();
                names.gather_backwards::<Live>(from, &first, gathered).await
            }
        }
    }
}
