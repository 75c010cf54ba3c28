//! The nodes of the index: a B-link tree (Lehman and Yao, 1981).
//!
//! Every node leads to the next one of its level, so that a split takes effect
//! with one swap, that of the node which loses its upper half to a node that was
//! written before. The level above need not know: who comes to the left half
//! and finds that the position is no longer there goes on to the right one, and
//! tells the node above. So a crash at any point leaves a tree that is right.
//! Nodes are never removed, and a node that is not the root stays what it is,
//! leaf or inner, and where it begins.
//!
//! The root keeps its key. It is split by writing both halves anew.

use super::node::{Content, Leaf, Node, NodeId};
use super::position::Position;
use crate::directory::record::{self, Record, State};
use crate::directory::versioned::{self, Loaded as LoadedRecord, Written};
use crate::directory::{ATTEMPTS, Directory, Error, pointer};
use crate::platform::Platform;
use crate::store::Store;
use crate::user::UserId;

/// How often a write of a leaf is tried. Renames to like names share it.
const LEAF_ATTEMPTS: usize = 64;

/// The index of names in a store.
pub(super) struct Tree<'t, 'd, S, P> {
    pub directory: &'t Directory<'d, S, P>,
    pub root: NodeId,
}

/// A node, read in order to replace it.
struct Loaded<W> {
    id: NodeId,
    node: versioned::Loaded<W, Node>,
}

impl<S: Store, P: Platform> Tree<'_, '_, S, P> {
    /// Writes the first node of a tree.
    pub async fn plant(directory: &Directory<'_, S, P>, root: NodeId) -> Result<(), Error> {
        let node = Node {
            low: Position::default(),
            next: None,
            content: Content::Leaf(Leaf::default()),
        };
        versioned::create(directory.store, &root.key(), directory.draw(), node).await
    }

    /// A node as it is.
    pub async fn node(&self, id: NodeId) -> Result<Node, Error> {
        let node = versioned::get(self.directory.store, &id.key()).await?;
        node.ok_or_else(|| Error::Unreadable(id.key()))
    }

    /// The leaf that covers a position.
    pub async fn leaf(&self, position: &Position) -> Result<(NodeId, Node), Error> {
        let mut id = self.root;
        let mut untold = false;
        loop {
            let node = self.node(id).await?;
            if let Some((_, next)) = node.next.as_ref().filter(|_| !node.covers(position)) {
                untold = id != self.root;
                id = *next;
            } else if let Some(child) = node.child(position) {
                id = child;
            } else {
                if untold {
                    // Who comes next finds the leaf as well if this fails.
                    let _ = self.load_leaf(position).await;
                }
                return Ok((id, node));
            }
        }
    }

    /// Sees to it that users are in the leaves that cover their positions, which
    /// must ascend. Leaves are written even if the users are there, if they are
    /// `moving`: about to get the names of these positions.
    pub async fn insert(&self, mut positions: &[Position], moving: bool) -> Result<(), Error> {
        let mut attempts = 0;
        while let Some(first) = positions.first() {
            if attempts == LEAF_ATTEMPTS {
                return Err(Error::Contended);
            }
            attempts += 1;
            let loaded = self.load_leaf(first).await?;
            let mut node = loaded.node.value.clone();
            let before = positions;
            let mut written = false;
            let Content::Leaf(leaf) = &mut node.content else {
                continue;
            };
            while let [position, rest @ ..] = positions
                && loaded.node.value.covers(position)
                && let Some(id) = position.user()
            {
                let known = leaf.ids.contains(&id);
                if !known && leaf.ids.len() >= self.directory.sizes.leaf {
                    break;
                }
                if moving || !known {
                    leaf.add(id, moving);
                    written = true;
                }
                positions = rest;
            }
            if positions.len() == before.len() {
                self.make_room(loaded).await?;
            } else if written && !self.write(loaded, node).await? {
                positions = before;
            } else {
                attempts = 0;
            }
        }
        Ok(())
    }

    /// Takes users out of a leaf whose records are final.
    pub async fn forget(&self, leaf: NodeId, gone: &[UserId]) -> Result<(), Error> {
        let loaded = self.load_for_update(leaf).await?;
        let mut node = loaded.node.value.clone();
        if let Content::Leaf(leaf) = &mut node.content {
            leaf.ids.retain(|id| !gone.contains(id));
            leaf.moving.retain(|id| !gone.contains(id));
            self.write(loaded, node).await?;
        }
        Ok(())
    }

    async fn load_for_update(&self, id: NodeId) -> Result<Loaded<S::Watch>, Error> {
        let node = versioned::Loaded::read(self.directory.store, id.key()).await?;
        let node = node.ok_or_else(|| Error::Unreadable(id.key()))?;
        Ok(Loaded { id, node })
    }

    /// Reads the leaf that covers a position in order to replace it, and tells
    /// the nodes above of those they don't know.
    async fn load_leaf(&self, position: &Position) -> Result<Loaded<S::Watch>, Error> {
        let mut above: Option<Loaded<S::Watch>> = None;
        let mut id = self.root;
        loop {
            let loaded = self.load_for_update(id).await?;
            let node = &loaded.node.value;
            if let Some((low, next)) = node.next.as_ref().filter(|_| !node.covers(position)) {
                if let Some(above) = above.take() {
                    // What is done here does not depend on it.
                    let _ = self.tell(above, low, *next).await;
                }
                id = *next;
            } else if let Some(child) = node.child(position) {
                id = child;
                above = Some(loaded);
            } else {
                return Ok(loaded);
            }
        }
    }

    /// Tells a node of one of the level below that begins in its range.
    async fn tell(
        &self,
        above: Loaded<S::Watch>,
        low: &Position,
        below: NodeId,
    ) -> Result<(), Error> {
        let mut node = above.node.value.clone();
        let Content::Inner(children) = &mut node.content else {
            return Ok(());
        };
        let Err(place) = children.binary_search_by(|(known, _)| known.cmp(low)) else {
            return Ok(());
        };
        children.insert(place, (low.clone(), below));
        if children.len() <= self.directory.sizes.inner {
            self.write(above, node).await?;
            return Ok(());
        }
        let right = children.split_off(children.len() / 2);
        let left = std::mem::take(children);
        let low = right[0].0.clone();
        self.split(above, low, Content::Inner(left), Content::Inner(right))
            .await
    }

    /// Makes room in a leaf: takes out who does not belong there any more, and
    /// splits it if that is too little. It may be that others write it meanwhile.
    async fn make_room(&self, loaded: Loaded<S::Watch>) -> Result<(), Error> {
        let node = loaded.node.value.clone();
        let leaf = node.leaf().cloned().unwrap_or_default();
        let mut positions = Vec::new();
        for id in leaf.ids {
            let moving = leaf.moving.contains(&id);
            let position = self.position(id, moving).await?;
            positions.extend(position.filter(|position| node.covers(position)));
        }
        positions.sort_unstable();
        if positions.len() <= self.directory.sizes.leaf * 3 / 4 {
            let content = Content::Leaf(Leaf::of(&positions));
            self.write(loaded, Node { content, ..node }).await?;
            return Ok(());
        }
        let (at, low) = part(&positions);
        let (left, right) = positions.split_at(at);
        let (left, right) = (Leaf::of(left), Leaf::of(right));
        self.split(loaded, low, Content::Leaf(left), Content::Leaf(right))
            .await
    }

    /// The position of a user, which stays unless a leaf is written after it was
    /// asked for; `None` if there is no such user any more, or it can't be read.
    async fn position(&self, id: UserId, moving: bool) -> Result<Option<Position>, Error> {
        let store = self.directory.store;
        if !moving {
            return self.directory.position(id).await;
        }
        let mut record = match LoadedRecord::<_, Record>::read(store, record::key(id)).await {
            Ok(Some(record)) => record,
            Ok(None) | Err(Error::Unreadable(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        for _ in 0..ATTEMPTS {
            let State::Live(live) = &record.value.state else {
                return Ok(None);
            };
            let position = Position::of(&live.profile.name, id);
            // A rename that wrote the leaf before it was read has read the record before that,
            // and fails at any write since then.
            let same: Record = record.value.clone();
            record = match record.write(store, self.directory.draw(), same).await? {
                Written::Done(_) => return Ok(Some(position)),
                Written::Overtaken(now) | Written::Unknown(now) => now,
            };
        }
        Err(Error::Contended)
    }

    /// Splits a node, if nobody else writes it meanwhile.
    async fn split(
        &self,
        loaded: Loaded<S::Watch>,
        low: Position,
        left: Content,
        right: Content,
    ) -> Result<(), Error> {
        let whole = loaded.node.value.clone();
        let right = Node {
            low: low.clone(),
            next: whole.next,
            content: right,
        };
        let next = (low, self.add(right).await?);
        let mut replacement = Node {
            low: whole.low.clone(),
            next: Some(next.clone()),
            content: left,
        };
        if loaded.id == self.root {
            let left = (whole.low.clone(), self.add(replacement).await?);
            replacement = Node {
                low: whole.low,
                next: None,
                content: Content::Inner(vec![left, next]),
            };
        }
        self.write(loaded, replacement).await?;
        Ok(())
    }

    /// Writes a new node. If it comes to nothing that somebody leads to it, it stays unused.
    async fn add(&self, node: Node) -> Result<NodeId, Error> {
        let id = NodeId(pointer::draw(self.directory.platform));
        versioned::create(self.directory.store, &id.key(), self.directory.draw(), node).await?;
        Ok(id)
    }

    /// Replaces a node; answers whether that was done for certain.
    async fn write(&self, loaded: Loaded<S::Watch>, node: Node) -> Result<bool, Error> {
        let directory = self.directory;
        let written = loaded.node.write(directory.store, directory.draw(), node);
        Ok(matches!(written.await?, Written::Done(_)))
    }
}

/// Where to part two users or more: not far from the middle, where the least is
/// said of a name.
fn part(positions: &[Position]) -> (usize, Position) {
    let middle = positions.len() / 2;
    let slack = positions.len() / 6;
    let places = (middle - slack).max(1)..=middle + slack;
    let parts = places.map(|at| (at, Position::between(&positions[at - 1], &positions[at])));
    let least = parts.min_by_key(|(at, low)| (low.len(), at.abs_diff(middle)));
    least.expect("the middle is one of the places")
}
