//! How a full leaf is split where the ids alone say who belongs to which half.

use super::descent::Reached;
use super::node::{Leaf, Link, Node};
use super::position::Position;
use super::tree::Tree;
use crate::directory::Error;
use crate::platform::Platform;
use crate::store::Store;
use crate::user::UserId;

impl<S: Store, P: Platform> Tree<'_, '_, S, P> {
    /// Splits a leaf of a list in the order of ids. Each id keeps its mark, so that no request needs
    /// to fail. Answers whether the write certainly took effect.
    pub(super) async fn split_by_id(&self, reached: Reached<S::Watch>) -> Result<bool, Error> {
        let node = reached.fetched.node();
        if reached.id == self.root {
            self.push_down(node).await?;
            return Ok(false);
        }
        let leaf = self.leaf(&reached)?;
        let mut ids: Vec<UserId> = Vec::new();
        for id in &leaf.ids {
            ids.insert(ids.partition_point(|other| other < id), *id);
        }
        let right = ids.split_off(ids.len() / 2);
        let Some(first) = right.first() else {
            return Ok(false);
        };
        let low = Position::by_id(*first);
        let half = |ids: Vec<UserId>| Leaf {
            low: None,
            moving: leaf
                .moving
                .iter()
                .copied()
                .filter(|id| ids.contains(id))
                .collect(),
            ids,
            high: None,
        };
        let (right, low) = half(right).new_from(low);
        let next = Link {
            low,
            node: self.add(Node::leaf(right, node.next.clone())).await?,
        };
        let left = Leaf {
            low: Some(reached.low.clone()),
            ..half(ids)
        };
        self.write(reached.loaded()?, Node::leaf(left, Some(next)))
            .await
    }
}
