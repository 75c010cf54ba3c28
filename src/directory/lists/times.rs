//! How a list in the order of times grows at its end, and forgets where users were.
//!
//! Each change gives a user a later position than before: so nearly all users are added to the last
//! leaf, by all requests at once. When it is full it gets a next leaf, for positions beyond all that
//! it was ever asked to cover. No id has to move, and so no record is read or written for that.
//! A user who comes late, as clocks differ, is added to a leaf that has a next one already: each has
//! room for as many again.

use super::descent::Reached;
use super::node::{Content, Leaf, Link, Node};
use super::position::Position;
use super::tree::Tree;
use crate::directory::Error;
use crate::platform::Platform;
use crate::store::Store;

/// How often it is tried to remove a user from where it was.
const ATTEMPTS: usize = 4;

impl<S: Store, P: Platform> Tree<'_, '_, S, P> {
    /// Whether a leaf has no room for another user, at that position.
    pub(super) fn is_full(&self, leaf: &Leaf, is_last: bool, position: &Position) -> bool {
        let room = self.directory.sizes.leaf;
        match self.list.is_by_time() && !self.is_beyond(leaf, is_last, position) {
            true => leaf.ids.len() >= 2 * room,
            false => leaf.ids.len() >= room,
        }
    }

    /// Whether a position is beyond all in the last leaf.
    pub(super) fn is_beyond(&self, leaf: &Leaf, is_last: bool, position: &Position) -> bool {
        self.list.is_by_time() && is_last && leaf.high.as_ref() < Some(position)
    }

    /// Adds users whose positions are beyond all in the last leaf, to a next leaf. Answers the
    /// positions for which that has no room; all of them if it was in vain.
    pub(super) async fn extend<'p>(
        &self,
        reached: Reached<S::Watch>,
        positions: &'p [Position],
        moving: bool,
    ) -> Result<&'p [Position], Error> {
        if reached.id == self.root {
            self.push_down(reached.fetched.node()).await?;
            return Ok(positions);
        }
        let content = reached.fetched.node().content.clone();
        let room = self.directory.sizes.leaf.min(positions.len());
        let (new, others) = positions.split_at(room);
        let mut leaf = Leaf::default();
        for position in new {
            if let Some(id) = position.user() {
                leaf.add(id, moving);
            }
        }
        leaf.high = new.last().cloned();
        let (leaf, low) = leaf.new_from(new.first().cloned().unwrap_or_default());
        let next = Some(Link {
            low,
            node: self.add(Node::leaf(leaf, None)).await?,
        });
        match self
            .write(reached.loaded()?, Node { next, content })
            .await?
        {
            true => Ok(others),
            false => Ok(positions),
        }
    }

    /// Removes a user from the leaf of its `old` position, unless that covers the `new` one, too.
    ///
    /// The user's record has the new position. So whatever marked the user in a leaf before that has
    /// been done or never will: a change that has read this record leads to a later position.
    pub async fn leave(&self, old: &Position, new: &Position) -> Result<(), Error> {
        let Some(id) = old.user() else {
            return Ok(());
        };
        for _ in 0..ATTEMPTS {
            let reached = self.find(old, true).await?;
            let mut leaf = self.leaf(&reached)?.clone();
            let next = reached.fetched.node().next.clone();
            let end = self.following(reached.fetched.node(), true).await?;
            if !leaf.ids.contains(&id) || end.is_none_or(|(_, _, end)| new < &end) {
                return Ok(());
            }
            leaf.remove(&[id]);
            let is_gone = leaf.ids.is_empty() && !reached.low.is_first();
            let content = match is_gone {
                true => Content::Gone,
                false => Content::Leaf(leaf),
            };
            if self
                .write(reached.loaded()?, Node { next, content })
                .await?
            {
                if is_gone {
                    // On the way there, the nodes above are corrected.
                    self.find(old, true).await?;
                }
                return Ok(());
            }
        }
        Err(Error::Contended)
    }
}
