//! Which of some lists is the shortest, where a search may walk any of them.

use super::node::{Content, NodeId};
use super::position::Position;
use super::tree::Tree;
use super::{Found, List};
use crate::directory::listed::Listed;
use crate::directory::page::Gather;
use crate::directory::{Directory, Error};
use crate::platform::Platform;
use crate::store::Store;

/// No list has so many levels of nodes.
const LEVELS: usize = 16;

/// A list that may be the shortest one.
struct Candidate<'t, 'd, S, P> {
    tree: Tree<'t, 'd, S, P>,
    /// The node to look at.
    node: NodeId,
    /// What its root has: ids, or nodes below.
    size: usize,
}

impl<'d, S: Store, P: Platform> Directory<'d, S, P> {
    /// Gathers the users of a list, in order, from a position on, until `gathered` is full. Of several
    /// lists in one order it is the shortest, and `gathered` is to take only users who are in all of
    /// them. There may be fewer users, or none, while there is a `next` position, as in a
    /// [search](Directory::search).
    pub(in crate::directory) async fn gather_shortest<L: Listed>(
        &self,
        lists: Vec<List>,
        from: Option<Position>,
        gathered: &mut dyn Gather<L::Item>,
    ) -> Result<Found, Error> {
        match self.shortest(lists).await? {
            Some(list) => {
                let from = from.unwrap_or_default();
                list.gather::<L>("", &from, gathered).await
            }
            None => Ok(Found::default()),
        }
    }

    /// The list that has the fewest users, as far as that is seen at little cost; `None` if one of the
    /// lists is empty for sure, or if there are none.
    ///
    /// The list with the fewest levels of nodes is the shortest, and of several that have as many, the one
    /// with the smallest root. One list costs one read. Where there are several, each costs as many more as
    /// the shortest one has levels: one, if that is of a single leaf.
    async fn shortest<'t>(&'t self, lists: Vec<List>) -> Result<Option<Tree<'t, 'd, S, P>>, Error> {
        let mut candidates: Vec<Candidate<'t, 'd, S, P>> = Vec::new();
        for list in lists {
            if candidates.iter().any(|known| known.tree.list == list) {
                continue;
            }
            // Before it has a tree, nobody has been in it.
            let Some(tree) = self.list_if_any(list).await? else {
                return Ok(None);
            };
            candidates.push(Candidate {
                node: tree.root,
                tree,
                size: 0,
            });
        }
        for level in 0..LEVELS {
            if candidates.len() < 2 {
                break;
            }
            let mut ends: Option<(usize, usize)> = None;
            for (index, candidate) in candidates.iter_mut().enumerate() {
                let node = candidate.tree.node(candidate.node).await?;
                let (size, below) = match &node.content {
                    Content::Inner(children) => (children.len(), children.first()),
                    Content::Leaf(_) | Content::Gone => (node.ids().len(), None),
                };
                if level == 0 {
                    candidate.size = size;
                }
                match below {
                    Some(child) => candidate.node = child.node,
                    None if ends.is_none_or(|(size, _)| candidate.size < size) => {
                        ends = Some((candidate.size, index));
                    }
                    None => {}
                }
            }
            if let Some((_, index)) = ends {
                candidates.swap(0, index);
                break;
            }
        }
        Ok(candidates.into_iter().next().map(|shortest| shortest.tree))
    }
}
