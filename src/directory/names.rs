//! Finding users by how their names begin: an index of names.
//!
//! The index is a [`tree`] whose leaves list ids and no names. A request that reads a
//! [`leaf`] reads the records of its users, and only the records decide.
//!
//! *Invariant: the leaf that covers a user's name has the user's id, from the
//! moment at which the user is merged.* It rests on this:
//!
//! - *Merging*: a request reads the user's record, then its leaf, and writes the id there if it is
//!   missing. If the name changed meanwhile, the next point holds.
//! - A *rename* reads the record, writes the id into the leaf of the new name, marked
//!   `moving`, and then swaps the record. It writes the leaf even if the id is there, so that
//!   a request that is about to remove the id fails.
//! - *Removing* an id from a leaf, or leaving it to one half in a split, is decided by its record,
//!   which is read after the leaf and before the leaf's swap, by `current`, as `get` may be late.
//!   A rename that writes the leaf in between makes that swap fail. A rename that wrote the leaf
//!   before, and has not swapped the record yet, has left the mark `moving`: then the record is
//!   written once more, unchanged, which makes the rename fail.
//! - A final record never comes to life: its id may be removed at any time.
//!
//! Creates leave the index alone; see [`merge`]. So do deletes, except for users who give
//! the bound of a leaf. An id whose record can't be read at its merge, or when its leaf is
//! rewritten, is not in the index until the user is renamed.

mod descent;
mod inner;
mod leaf;
mod merge;
mod node;
mod position;
mod tree;

pub use position::Position;

use super::page::{Gather, MISSES};
use super::{Directory, Error, pointer};
use crate::folded_name::NamePrefix;
use crate::platform::Platform;
use crate::store::Store;
use crate::user::{Name, User, UserId};
pub(super) use merge::Catalogue;
pub(super) use node::Node;
use node::NodeId;
use tree::Tree;

/// The key of the number that names the root of the tree; 0 before there is an index.
const POINTER: &str = "names";

/// What is known of a search, besides the users that were gathered.
#[derive(Debug, Default)]
pub struct Found {
    /// The position at which the search goes on; `None` if it has ended.
    pub next: Option<Position>,
    /// Ids that were left out, as their records can't be read.
    pub unreadable: Vec<UserId>,
}

impl<S: Store, P: Platform> Directory<'_, S, P> {
    /// Gathers the users whose names begin with `prefix`, in the order of their positions, from
    /// one on, until `gathered` is full.
    ///
    /// There may be fewer users than that, or none, while there is a `next` position: the work of one request is
    /// bounded, see [`Sizes`](super::Sizes) and [`MISSES`].
    pub async fn search(
        &self,
        prefix: &NamePrefix,
        from: Option<Position>,
        gathered: &mut dyn Gather,
    ) -> Result<Found, Error> {
        let from = from.unwrap_or_else(|| Position::first(prefix));
        let mut found = Found::default();
        let created = self.created().await?;
        if created == 0 {
            return Ok(found);
        }
        let tree = self.names().await?;
        if !tree.merge(created).await? {
            found.next = Some(from);
            return Ok(found);
        }
        let mut misses = 0;
        let mut last = None;
        let reached = tree.find(&from, false).await?;
        let (mut id, mut low) = (reached.id, reached.low.clone());
        let mut node = reached.fetched.into_node();
        // Beyond the prefix, the next leaf does not matter.
        let mut is_last = reached
            .end
            .is_none_or(|end| !end.is_within(prefix) && end > from);
        loop {
            let next = match is_last {
                true => None,
                false => tree.following(&node, false).await?,
            };
            let end = next.as_ref().map(|(_, _, low)| low);
            let here = self.users_of(&tree, id, &node, &mut found.unreadable);
            let mut here = here.await?;
            here.retain(|(position, _)| *position >= low && end.is_none_or(|end| position < end));
            // Each leaf that is read counts, too.
            misses += node.ids().len() + 1;
            if !low.is_first() && !here.iter().any(|(position, _)| low.starts(position)) {
                // A request that died has left this bound; see `leaf`.
                let _ = tree.tidy(&low).await;
            }
            for (position, user) in here {
                if position < from || !position.is_within(prefix) {
                    continue;
                }
                if gathered.is_full() {
                    found.next = last.map(Position::next);
                    return Ok(found);
                }
                misses -= 1;
                last = Some(position);
                gathered.push(user);
            }
            match next {
                Some((_, _, next)) if next.is_within(prefix) && misses >= MISSES => {
                    found.next = Some(next);
                    return Ok(found);
                }
                Some(next) if next.2.is_within(prefix) => {
                    (id, node, low) = next;
                    is_last = node.next.is_none();
                }
                _ => return Ok(found),
            }
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
        let tree = self.names().await?;
        tree.insert(&[Position::of(name, id)], true).await
    }

    /// Removes from the index the bound that a user gave by a former name.
    pub(super) async fn release_name(&self, id: UserId, name: &Name) -> Result<(), Error> {
        self.names().await?.release(&Position::of(name, id)).await
    }

    /// The index, which this makes if it is missing.
    async fn names(&self) -> Result<Tree<'_, '_, S, P>, Error> {
        let plant = async |number| {
            let root = NodeId(number);
            Tree::plant(self, root).await?;
            Catalogue::plant(self, root).await
        };
        let number = pointer::find_or_make(self.store, self.platform, POINTER, plant).await?;
        Ok(Tree {
            directory: self,
            root: NodeId(number),
        })
    }

    /// The users that a leaf lists, in the order of their positions, former ones included.
    async fn users_of(
        &self,
        tree: &Tree<'_, '_, S, P>,
        id: NodeId,
        node: &Node,
        unreadable: &mut Vec<UserId>,
    ) -> Result<Vec<(Position, User)>, Error> {
        // Each is put in its place: to sort takes 5 KB of the component for each type that is sorted.
        let mut users: Vec<(Position, User)> = Vec::new();
        let mut gone = Vec::new();
        let ids = node.ids();
        for user in ids {
            match self.record(*user).await {
                Ok(Some(record)) if record.is_final() => gone.push(*user),
                Ok(record) => {
                    if let Some(user) = record.and_then(|record| record.into_user(*user)) {
                        let position = Position::of(&user.profile.name, user.id);
                        let place = users.partition_point(|(other, _)| *other < position);
                        users.insert(place, (position, user));
                    }
                }
                Err(Error::Unreadable(_)) => unreadable.push(*user),
                Err(error) => return Err(error),
            }
        }
        // Otherwise every search would read their records.
        if gone.len() * 2 > ids.len() {
            let _ = tree.forget(id, &gone).await;
        }
        Ok(users)
    }
}
