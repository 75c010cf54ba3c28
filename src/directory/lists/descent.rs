//! The way from the root to the leaf that covers a position.

use super::inner::Above;
use super::node::{Content, Leaf, Link, Low, Node, NodeId};
use super::position::Position;
use super::tree::Tree;
use crate::directory::Error;
use crate::directory::versioned::Loaded;
use crate::platform::Platform;
use crate::store::Store;

/// How often a request begins again at the root, at most.
const DESCENTS: usize = 64;

/// The end of the way down.
#[derive(Clone, Copy)]
enum Goal<'p> {
    /// The leaf that covers this position.
    At(&'p Position),
    /// The leaf that covers the positions just before this one, which is not the first.
    Before(&'p Position),
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
    /// It covers all positions up to here, perhaps more; `None` if it is the last leaf.
    pub end: Option<Position>,
}

impl Goal<'_> {
    /// Whether it is in a node that begins at `low`, or in one after it.
    fn is_from(self, low: &Position) -> bool {
        match self {
            Goal::At(position) => low <= position,
            Goal::Before(position) => low < position,
        }
    }
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
    /// The leaf that was reached.
    pub(super) fn leaf<'r, W>(&self, reached: &'r Reached<W>) -> Result<&'r Leaf, Error> {
        match &reached.fetched.node().content {
            Content::Leaf(leaf) => Ok(leaf),
            _ => Err(Error::Unreadable(self.key(reached.id))),
        }
    }

    /// The leaf that covers a position; `replace` says whether it is to be replaced.
    pub(super) async fn find(
        &self,
        position: &Position,
        replace: bool,
    ) -> Result<Reached<S::Watch>, Error> {
        self.reach(Goal::At(position), replace).await
    }

    /// The leaf that covers the positions just before one, which must not be the first.
    pub(super) async fn find_before(
        &self,
        position: &Position,
    ) -> Result<Reached<S::Watch>, Error> {
        self.reach(Goal::Before(position), false).await
    }

    async fn reach(&self, goal: Goal<'_>, replace: bool) -> Result<Reached<S::Watch>, Error> {
        for _ in 0..DESCENTS {
            if let Some(reached) = self.descend(goal, replace).await? {
                return Ok(reached);
            }
        }
        Err(Error::Contended)
    }

    /// Goes down to a leaf; `None` if a hint had to be corrected on the way.
    async fn descend(
        &self,
        goal: Goal<'_>,
        replace: bool,
    ) -> Result<Option<Reached<S::Watch>>, Error> {
        let mut above: Option<Above> = None;
        let mut id = self.root;
        loop {
            let mut fetched = match replace {
                true => Fetched::Loaded(self.load(id).await?),
                false => Fetched::Read(self.node(id).await?),
            };
            let corrected = |low: &Low| above.as_ref()?.corrected(id, low);
            let low = fetched.node().low();
            if !replace && (low == Low::Unknown || corrected(&low).is_some()) {
                // What was read late must not undo a correction.
                fetched = Fetched::Read(self.load(id).await?.value);
            }
            let node = fetched.node();
            let low = node.low();
            if let (Some(above), Some(corrected)) = (&above, corrected(&low)) {
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
                    let end = self.look_right(goal, (id, node), next, above.as_ref());
                    let Some(end) = end.await? else {
                        return Ok(None);
                    };
                    Some(end)
                }
            };
            let Content::Inner(children) = &node.content else {
                let Low::At(low) = low else {
                    return Err(Error::Unreadable(self.key(id)));
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
                .rposition(|child| child.low.as_ref().is_some_and(|low| goal.is_from(low)));
            let index = index.ok_or_else(|| Error::Unreadable(self.key(id)))?;
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

    /// Looks at the next node, which the node above does not know to be the next. Answers its
    /// bound, if that is beyond the goal and no hint had to be corrected.
    async fn look_right(
        &self,
        goal: Goal<'_>,
        (id, node): (NodeId, &Node),
        next: &Link,
        above: Option<&Above>,
    ) -> Result<Option<Position>, Error> {
        let right = self.load(next.node).await?.value;
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
                let above = above.ok_or_else(|| Error::Unreadable(self.key(id)))?;
                if !goal.is_from(&low)
                    && above
                        .right()
                        .is_none_or(|right| right.low < Some(low.clone()))
                {
                    // Another node of the level above may know it.
                    return Ok(Some(low));
                }
                let node = next.node;
                let low = Some(low);
                self.tell(above, Link { low, node }).await?;
            }
        }
        Ok(None)
    }
}
