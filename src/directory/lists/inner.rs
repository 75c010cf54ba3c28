//! The nodes above the leaves: how their hints are corrected, and how they are split.

use super::node::{Content, Link, Low, Node, NodeId};
use super::position::Position;
use super::tree::Tree;
use crate::directory::Error;
use crate::platform::Platform;
use crate::store::Store;

/// A node on the way down, and which of its children comes next on it.
pub(super) struct Above {
    pub id: NodeId,
    pub children: Vec<Link>,
    pub next: Option<Link>,
    pub index: usize,
}

impl<S: Store, P: Platform> Tree<'_, '_, S, P> {
    /// Replaces a node by a corrected one, if it still is as it was read.
    pub(super) async fn correct(
        &self,
        id: NodeId,
        seen: &Node,
        corrected: Node,
    ) -> Result<(), Error> {
        let loaded = self.load(id).await?;
        if loaded.value == *seen {
            self.write(loaded, corrected).await?;
        }
        Ok(())
    }

    /// Tells a node of a child that it does not know.
    pub(super) async fn tell(&self, above: &Above, child: Link) -> Result<(), Error> {
        let mut children = above.children.clone();
        children.retain(|known| known.node != child.node);
        if children.len() >= self.directory.sizes.inner {
            return self.split_inner(above).await;
        }
        children.push(child);
        self.correct(above.id, &above.node(), above.with(children))
            .await
    }

    /// Splits a node that is not a leaf, unless another request writes it meanwhile. The right half
    /// doesn't know those bounds of its children yet that contain a part of a name.
    async fn split_inner(&self, node: &Above) -> Result<(), Error> {
        if node.id == self.root {
            return self.push_down(&node.node()).await;
        }
        let (left, right) = node.children.split_at(node.children.len() / 2);
        let right = Node {
            next: node.next.clone(),
            content: Content::Inner(right.iter().map(Link::without_name).collect()),
        };
        let replacement = Node {
            next: Some(Link::to(self.add(right).await?)),
            content: Content::Inner(left.to_vec()),
        };
        self.correct(node.id, &node.node(), replacement).await
    }

    /// Moves the root's content to a new node, its only child, unless another request writes it
    /// meanwhile.
    pub(super) async fn push_down(&self, root: &Node) -> Result<(), Error> {
        let mut below = root.clone();
        if let Content::Inner(children) = &mut below.content {
            *children = children.iter().map(Link::without_name).collect();
        }
        let child = Link {
            low: Some(Position::default()),
            node: self.add(below).await?,
        };
        let replacement = Node {
            next: None,
            content: Content::Inner(vec![child]),
        };
        self.correct(self.root, root, replacement).await
    }

    /// Fills in the bounds of a node's children that the node doesn't know.
    pub(super) async fn ask_children(&self, mut id: NodeId) -> Result<(), Error> {
        'node: loop {
            let loaded = self.load(id).await?;
            let Content::Inner(children) = &loaded.value.content else {
                return Ok(());
            };
            let mut known = Vec::new();
            for child in children {
                let low = match &child.low {
                    Some(low) => Low::At(low.clone()),
                    None => self.load(child.node).await?.value.low(),
                };
                match low {
                    Low::At(low) => known.push(Link {
                        low: Some(low),
                        node: child.node,
                    }),
                    Low::Unknown => {
                        id = child.node;
                        continue 'node;
                    }
                    Low::Gone => {}
                }
            }
            let node = Node::above(known, loaded.value.next.clone());
            self.write(loaded, node).await?;
            return Ok(());
        }
    }
}

impl Above {
    pub fn node(&self) -> Node {
        Node {
            next: self.next.clone(),
            content: Content::Inner(self.children.clone()),
        }
    }

    fn with(&self, children: Vec<Link>) -> Node {
        Node::above(children, self.next.clone())
    }

    /// The child after the one on the way.
    pub fn right(&self) -> Option<&Link> {
        self.children.get(self.index + 1)
    }

    /// The corrected node, for a child on the way whose bound is `low`; `None` if the node is right
    /// already.
    pub fn corrected(&self, child: NodeId, low: &Low) -> Option<Node> {
        let mut children = self.children.clone();
        match low {
            Low::At(low) if self.children[self.index].low.as_ref() != Some(low) => {
                children[self.index] = Link {
                    low: Some(low.clone()),
                    node: child,
                };
            }
            Low::Gone => {
                children.remove(self.index);
            }
            Low::At(_) | Low::Unknown => return None,
        }
        Some(self.with(children))
    }
}
