//! The nodes of a list: a B-link tree (Lehman and Yao, 1981) whose leaves come and go.
//!
//! Every node leads to the next node of its level. So a split takes effect with one swap: that
//! of the node that gives its upper half to a new node, which was written before. A leaf's own
//! content is true: its ids, its bound, and that it is gone. Its bound rises when the user who
//! gives it goes, and never falls; the node before then covers the range below it.
//!
//! What one node says of another node is a hint, which may be old or missing. A request on its
//! way down compares each hint with the node itself, corrects the hint by one swap, and begins
//! again. So a crash at any step keeps no user from being found, and the next request on this way
//! finishes the work.
//!
//! A crash may leave a node for ever to which no node leads. So a new node contains no part of a
//! name.

use super::List;
use super::node::{Leaf, Low, Node, NodeId};
use super::position::Position;
use crate::directory::versioned::{self, Loaded, Written};
use crate::directory::{Directory, Error, pointer};
use crate::platform::Platform;
use crate::store::Store;

/// A list in a store.
pub(in crate::directory) struct Tree<'t, 'd, S, P> {
    pub directory: &'t Directory<'d, S, P>,
    pub list: List,
    /// The node at the top, which keeps its key for good.
    pub root: NodeId,
}

impl<S: Store, P: Platform> Tree<'_, '_, S, P> {
    /// Writes the first node.
    pub(in crate::directory) async fn plant(&self) -> Result<(), Error> {
        let leaf = Leaf {
            low: Some(Position::default()),
            ids: Vec::new(),
            moving: Vec::new(),
            high: None,
        };
        let node = Node::leaf(leaf, None);
        self.write_first(self.root, node).await
    }

    /// The key of a node.
    pub(super) fn key(&self, node: NodeId) -> String {
        format!("{}/{:x}", self.list.folder(), node.0)
    }

    /// A node as it is.
    pub(super) async fn node(&self, id: NodeId) -> Result<Node, Error> {
        let node: Node = versioned::get_existing(self.directory.store, &self.key(id)).await?;
        match node.is_whole() {
            true => Ok(node),
            false => Err(Error::Unreadable(self.key(id))),
        }
    }

    /// A node, read in order to replace it.
    pub(super) async fn load(&self, id: NodeId) -> Result<Loaded<S::Watch, Node>, Error> {
        let loaded = Loaded::<_, Node>::read(self.directory.store, self.key(id)).await?;
        loaded
            .filter(|loaded| loaded.value.is_whole())
            .ok_or_else(|| Error::Unreadable(self.key(id)))
    }

    /// Replaces a node; answers whether the write certainly took effect.
    pub(super) async fn write(
        &self,
        loaded: Loaded<S::Watch, Node>,
        node: Node,
    ) -> Result<bool, Error> {
        let directory = self.directory;
        let written = loaded.write(directory.store, directory.draw(), node);
        Ok(matches!(written.await?, Written::Done(_)))
    }

    /// Writes a new node, which must contain no part of a name: the write that leads to it may fail.
    pub(super) async fn add(&self, node: Node) -> Result<NodeId, Error> {
        let id = NodeId(pointer::draw(self.directory.platform));
        self.write_first(id, node).await?;
        Ok(id)
    }

    async fn write_first(&self, id: NodeId, node: Node) -> Result<(), Error> {
        let directory = self.directory;
        versioned::create(directory.store, &self.key(id), directory.draw(), node).await
    }

    /// The leaf after this one, if there is one, and where it begins. With `now` no read is late.
    pub(super) async fn following(
        &self,
        leaf: &Node,
        mut now: bool,
    ) -> Result<Option<(NodeId, Node, Position)>, Error> {
        let mut next = leaf.next.clone();
        while let Some(link) = next {
            let node = match now {
                true => self.load(link.node).await?.value,
                false => self.node(link.node).await?,
            };
            next = match (node.low(), &link.low) {
                (Low::At(low), _) => return Ok(Some((link.node, node, low))),
                (Low::Unknown, Some(low)) => return Ok(Some((link.node, node, low.clone()))),
                // The link was corrected after the node was: this read was late.
                (Low::Unknown, None) if !now => {
                    now = true;
                    Some(link)
                }
                (Low::Unknown, None) => return Err(Error::Unreadable(self.key(link.node))),
                (Low::Gone, _) => node.next,
            };
        }
        Ok(None)
    }
}
