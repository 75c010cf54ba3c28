//! Users in the order of their names, and those whose names begin with a text: the list of all users
//! in that order.
//!
//! Creates leave it alone. Whoever reads it first [`merge`]s new users into it, so that it has every user
//! whose create ended before the request began.

mod merge;

use super::lists::{Found, List, Position, Tree};
use super::page::Gather;
use super::{Directory, Error, Order};
use crate::folded_name::NamePrefix;
use crate::platform::Platform;
use crate::store::Store;
use crate::user::{Name, UserId};
pub(super) use merge::Catalogue;

impl<'d, S: Store, P: Platform> Directory<'d, S, P> {
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
        let names = self.names().await?;
        if !names.merge(created).await? {
            let next = Some(from);
            return Ok(Found {
                next,
                ..Found::default()
            });
        }
        match order {
            Order::Ascending => names.gather(prefix, &from, gathered).await,
            Order::Descending => names.gather_backwards(from, gathered).await,
        }
    }

    /// Merges new users if the id just created is one after which that is due.
    pub async fn merge_names(&self, created: UserId) {
        if created.get().is_multiple_of(self.sizes.merge_every) {
            // If this fails, the next search does it.
            let _ = self.merge_new().await;
        }
    }

    async fn merge_new(&self) -> Result<(), Error> {
        let created = self.created().await?;
        self.names().await?.merge(created).await?;
        Ok(())
    }

    /// Lets searches find a user by the name that it is about to get. The caller has already
    /// loaded the record.
    pub(super) async fn index_name(&self, id: UserId, name: &Name) -> Result<(), Error> {
        let names = self.names().await?;
        names.insert(&[Position::by_name(name, id)], true).await
    }

    /// Removes from the list the bound that a user gave by a former name.
    pub(super) async fn release_name(&self, id: UserId, name: &Name) -> Result<(), Error> {
        let names = self.names().await?;
        names.release(&Position::by_name(name, id)).await
    }

    /// The list of names, which this makes if it is missing.
    async fn names(&self) -> Result<Tree<'_, 'd, S, P>, Error> {
        self.list_or_new(List::Names, Catalogue::plant).await
    }
}
