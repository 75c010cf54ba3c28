//! The nodes of the index: a B-link tree (Lehman and Yao, 1981) whose leaves come and go.
//!
//! Every node leads to the next one of its level, so that a split takes effect with one
//! swap, that of the node which loses its upper half to a node that was written before.
//! What a leaf says of itself holds: its ids, where it begins, and that it is gone. Where
//! it begins rises, when the user goes from whose name that was taken, and never falls;
//! the node before then covers what lies below.
//!
//! What one node says of another is a hint, which may be old or missing. Whoever goes
//! down the tree compares each hint with the node itself, corrects it by one swap, and
//! begins again. So nothing that a crash leaves undone keeps a user from being found, and
//! the next request that comes by does it.
//!
//! A node to which nothing leads says nothing of names: a crash may leave one for ever.

use super::node::{Content, Leaf, Link, Low, Node, NodeId};
use super::position::Position;
use crate::directory::versioned::{self, Loaded, Written};
use crate::directory::{Directory, Error, pointer};
use crate::platform::Platform;
use crate::store::Store;

/// How often a request begins again at the root, at most.
const DESCENTS: usize = 64;

/// The index of names in a store.
pub(super) struct Tree<'t, 'd, S, P> {
    pub directory: &'t Directory<'d, S, P>,
    /// The root keeps its key for good.
    pub root: NodeId,
}

/// A node that was read, perhaps in order to replace it.
pub(super) enum Fetched<W> {
    Read(Node),
    Loaded(Loaded<W, Node>),
}

/// The leaf that covers a position.
pub(super) struct Reached<W> {
    pub id: NodeId,
    pub fetched: Fetched<W>,
    pub low: Position,
    /// It covers all positions up to here, and maybe more; `None` if it is the last leaf.
    pub end: Option<Position>,
}

/// A node on the way down, and which of its children comes next on it.
struct Above {
    id: NodeId,
    children: Vec<Link>,
    next: Option<Link>,
    index: usize,
}

impl<W> Fetched<W> {
    pub fn node(&self) -> &Node {
        match self {
            Fetched::Read(node) => node,
            Fetched::Loaded(loaded) => &loaded.value,
        }
    }

    pub fn into_node(self) -> Node {
        match self {
            Fetched::Read(node) => node,
            Fetched::Loaded(loaded) => loaded.value,
        }
    }
}

impl<W> Reached<W> {
    /// The leaf itself.
    pub fn leaf(&self) -> Result<&Leaf, Error> {
        match &self.fetched.node().content {
            Content::Leaf(leaf) => Ok(leaf),
            _ => Err(Error::Unreadable(self.id.key())),
        }
    }

    /// The leaf, to be replaced.
    pub fn loaded(self) -> Result<Loaded<W, Node>, Error> {
        match self.fetched {
            Fetched::Loaded(loaded) => Ok(loaded),
            Fetched::Read(_) => Err(Error::Contended),
        }
    }

    /// Whether the leaf certainly covers a position.
    pub fn covers(&self, position: &Position) -> bool {
        *position >= self.low && self.end.as_ref().is_none_or(|end| position < end)
    }
}

impl<S: Store, P: Platform> Tree<'_, '_, S, P> {
    /// Writes the first node of a tree.
    pub async fn plant(directory: &Directory<'_, S, P>, root: NodeId) -> Result<(), Error> {
        let leaf = Leaf {
            low: Some(Position::default()),
            ids: Vec::new(),
            moving: Vec::new(),
        };
        let node = Node::leaf(leaf, None);
        versioned::create(directory.store, &root.key(), directory.draw(), node).await
    }

    /// A node as it is.
    pub async fn node(&self, id: NodeId) -> Result<Node, Error> {
        let node = versioned::get(self.directory.store, &id.key()).await?;
        node.filter(Node::is_whole)
            .ok_or_else(|| Error::Unreadable(id.key()))
    }

    /// A node, read in order to replace it.
    pub async fn load(&self, id: NodeId) -> Result<Loaded<S::Watch, Node>, Error> {
        let loaded = Loaded::<_, Node>::read(self.directory.store, id.key()).await?;
        loaded
            .filter(|loaded| loaded.value.is_whole())
            .ok_or_else(|| Error::Unreadable(id.key()))
    }

    /// Replaces a node; answers whether that was done for certain.
    pub async fn write(&self, loaded: Loaded<S::Watch, Node>, node: Node) -> Result<bool, Error> {
        let directory = self.directory;
        let written = loaded.write(directory.store, directory.draw(), node);
        Ok(matches!(written.await?, Written::Done(_)))
    }

    /// Writes a new node, which must say nothing of names: it may come to nothing that another
    /// one leads to it.
    pub async fn add(&self, node: Node) -> Result<NodeId, Error> {
        let id = NodeId(pointer::draw(self.directory.platform));
        versioned::create(self.directory.store, &id.key(), self.directory.draw(), node).await?;
        Ok(id)
    }

    /// The leaf that covers a position; `replace` says whether it is to be replaced.
    pub async fn find(
        &self,
        position: &Position,
        replace: bool,
    ) -> Result<Reached<S::Watch>, Error> {
        for _ in 0..DESCENTS {
            if let Some(reached) = self.descend(position, replace).await? {
                return Ok(reached);
            }
        }
        Err(Error::Contended)
    }

    /// The leaf after this one, if there is one, and where it begins.
    pub async fn following(&self, leaf: &Node) -> Result<Option<(NodeId, Node, Position)>, Error> {
        let mut next = leaf.next.clone();
        while let Some(link) = next {
            let node = self.node(link.node).await?;
            match (node.low(), link.low) {
                (Low::At(low), _) | (Low::Unknown, Some(low)) => {
                    return Ok(Some((link.node, node, low)));
                }
                (Low::Unknown, None) => return Err(Error::Unreadable(link.node.key())),
                (Low::Gone, _) => next = node.next,
            }
        }
        Ok(None)
    }

    /// Goes down to the leaf that covers a position; `None` if what one node says of another had to
    /// be corrected on the way.
    async fn descend(
        &self,
        position: &Position,
        replace: bool,
    ) -> Result<Option<Reached<S::Watch>>, Error> {
        let mut above: Option<Above> = None;
        let mut id = self.root;
        loop {
            let fetched = match replace {
                true => Fetched::Loaded(self.load(id).await?),
                false => Fetched::Read(self.node(id).await?),
            };
            let node = fetched.node();
            let low = node.low();
            if let Some(above) = &above
                && let Some(corrected) = above.corrected(id, &low)
            {
                self.correct(above.id, &above.node(), corrected).await?;
                return Ok(None);
            }
            let known = above.as_ref().and_then(Above::right);
            let end = match (&node.next, known) {
                (None, _) => None,
                (Some(next), Some(known)) if next.low.is_none() && next.node == known.node => {
                    known.low.clone()
                }
                (Some(next), _) => {
                    let end = self.look_right(position, (id, node), next, above.as_ref());
                    let Some(end) = end.await? else {
                        return Ok(None);
                    };
                    Some(end)
                }
            };
            let Content::Inner(children) = &node.content else {
                let Low::At(low) = low else {
                    return Err(Error::Unreadable(id.key()));
                };
                return Ok(Some(Reached {
                    id,
                    fetched,
                    low,
                    end,
                }));
            };
            if children.iter().any(|child| child.low.is_none()) {
                self.ask_children(id).await?;
                return Ok(None);
            }
            // The first child begins where the node does.
            let index = children
                .iter()
                .rposition(|child| child.low.as_ref() <= Some(position));
            let index = index.ok_or_else(|| Error::Unreadable(id.key()))?;
            let child = children[index].node;
            above = Some(Above {
                id,
                children: children.clone(),
                next: node.next.clone(),
                index,
            });
            id = child;
        }
    }

    /// Looks at the next node, of which the node above does not know that it is the next. Answers
    /// where it begins, if that is after the position and there was nothing to correct.
    async fn look_right(
        &self,
        position: &Position,
        (id, node): (NodeId, &Node),
        next: &Link,
        above: Option<&Above>,
    ) -> Result<Option<Position>, Error> {
        let right = self.node(next.node).await?;
        let linked = |next| Node {
            next,
            content: node.content.clone(),
        };
        match (right.low(), &right.content, &next.low) {
            (Low::Unknown, Content::Leaf(leaf), Some(_)) => {
                let leaf = Leaf {
                    low: next.low.clone(),
                    ..leaf.clone()
                };
                let known = Node::leaf(leaf, right.next.clone());
                self.correct(next.node, &right, known).await?;
            }
            (Low::Unknown, _, _) => self.ask_children(next.node).await?,
            (Low::Gone, _, _) => self.correct(id, node, linked(right.next)).await?,
            (Low::At(_), _, Some(_)) => {
                let next = Some(Link::to(next.node));
                self.correct(id, node, linked(next)).await?;
            }
            (Low::At(low), _, None) => {
                let above = above.ok_or_else(|| Error::Unreadable(id.key()))?;
                if low > *position
                    && above
                        .right()
                        .is_none_or(|right| right.low < Some(low.clone()))
                {
                    // It may be for another node of the level above to know it.
                    return Ok(Some(low));
                }
                let node = next.node;
                let low = Some(low);
                self.tell(above, Link { low, node }).await?;
            }
        }
        Ok(None)
    }

    /// Replaces a node by what corrects it, if it still is as it was seen.
    async fn correct(&self, id: NodeId, seen: &Node, corrected: Node) -> Result<(), Error> {
        let loaded = self.load(id).await?;
        if loaded.value == *seen {
            self.write(loaded, corrected).await?;
        }
        Ok(())
    }

    /// Tells a node of a child that it does not know.
    async fn tell(&self, above: &Above, child: Link) -> Result<(), Error> {
        let mut children = above.children.clone();
        children.retain(|known| known.node != child.node);
        if children.len() >= self.directory.sizes.inner {
            return self.split_inner(above).await;
        }
        children.push(child);
        self.correct(above.id, &above.node(), above.with(children))
            .await
    }

    /// Splits a node that is not a leaf, if nobody else writes it meanwhile. Its right half has to
    /// ask its children where they begin.
    async fn split_inner(&self, node: &Above) -> Result<(), Error> {
        if node.id == self.root {
            return self.push_down(&node.node()).await;
        }
        let (left, right) = node.children.split_at(node.children.len() / 2);
        let right = Node {
            next: node.next.clone(),
            content: Content::Inner(right.iter().map(|child| Link::to(child.node)).collect()),
        };
        let replacement = Node {
            next: Some(Link::to(self.add(right).await?)),
            content: Content::Inner(left.to_vec()),
        };
        self.correct(node.id, &node.node(), replacement).await
    }

    /// Gives what the root has to a new node, its only child, if nobody else writes it meanwhile.
    pub async fn push_down(&self, root: &Node) -> Result<(), Error> {
        let mut below = root.clone();
        if let Content::Inner(children) = &mut below.content {
            children.iter_mut().for_each(|child| child.low = None);
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

    /// Lets a node know where those of its children begin of which it does not know that.
    async fn ask_children(&self, mut id: NodeId) -> Result<(), Error> {
        'node: loop {
            let loaded = self.load(id).await?;
            let Content::Inner(children) = &loaded.value.content else {
                return Ok(());
            };
            let mut known = Vec::new();
            for child in children {
                let low = match &child.low {
                    Some(low) => Low::At(low.clone()),
                    None => self.node(child.node).await?.low(),
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
    fn node(&self) -> Node {
        Node {
            next: self.next.clone(),
            content: Content::Inner(self.children.clone()),
        }
    }

    fn with(&self, children: Vec<Link>) -> Node {
        Node::above(children, self.next.clone())
    }

    /// The child after the one on the way.
    fn right(&self) -> Option<&Link> {
        self.children.get(self.index + 1)
    }

    /// The node as it has to be if its child on the way begins there; `None` if that is what it
    /// says.
    fn corrected(&self, child: NodeId, low: &Low) -> Option<Node> {
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
