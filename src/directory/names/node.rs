//! A node of the index of names, as the store keeps it.

use serde::{Deserialize, Serialize};

use super::position::Position;
use crate::user::UserId;

/// Names a node: the random number in its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct NodeId(pub i64);

impl NodeId {
    /// The key of the node.
    pub fn key(self) -> String {
        format!("names/{:x}", self.0)
    }
}

/// A node covers the positions from `low` on, up to where the next node begins.
/// It may lose its upper half to a new next one, and nothing else.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Node {
    pub low: Position,
    /// Where the next node of the same level begins, and which it is.
    pub next: Option<(Position, NodeId)>,
    pub content: Content,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Content {
    /// Users.
    Leaf(Leaf),
    /// Nodes of the level below, each with the position from which on to look
    /// there, ascending. Some of those that begin in the node's range may be
    /// missing: they are found by the nodes before them.
    Inner(Vec<(Position, NodeId)>),
}

/// Ids of users. Among them are all whose names lie in the node's range, and are
/// in the index; whose names do, their records tell.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Leaf {
    pub ids: Vec<UserId>,
    /// Those who may be about to get a name in this range: their records may be
    /// written after they were read, without another write of the node.
    pub moving: Vec<UserId>,
}

impl Node {
    /// Whether a position is in the node's range.
    pub fn covers(&self, position: &Position) -> bool {
        *position >= self.low && self.ends_after(position)
    }

    /// Whether the node's range goes on after a position.
    pub fn ends_after(&self, position: &Position) -> bool {
        self.next.as_ref().is_none_or(|(end, _)| position < end)
    }

    /// The leaf, if it is one.
    pub fn leaf(&self) -> Option<&Leaf> {
        match &self.content {
            Content::Leaf(leaf) => Some(leaf),
            Content::Inner(_) => None,
        }
    }

    /// The node below in which to look for a position; `None` if this is a leaf.
    pub fn child(&self, position: &Position) -> Option<NodeId> {
        let Content::Inner(children) = &self.content else {
            return None;
        };
        let mut below = children.iter().rev();
        let child = below.find(|(low, _)| low <= position).or(children.first());
        child.map(|(_, child)| *child)
    }
}

impl Leaf {
    /// A leaf of the users of these positions.
    pub fn of(positions: &[Position]) -> Leaf {
        Leaf {
            ids: positions.iter().filter_map(Position::user).collect(),
            moving: Vec::new(),
        }
    }

    /// Adds a user; `moving` says whether it is about to get a name in this range.
    pub fn add(&mut self, id: UserId, moving: bool) {
        if !self.ids.contains(&id) {
            self.ids.push(id);
        }
        if moving && !self.moving.contains(&id) {
            self.moving.push(id);
        }
    }
}
