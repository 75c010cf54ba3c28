//! A node of the index of names, as the store keeps it.

use serde::{Deserialize, Serialize};

use super::position::Position;
use crate::user::UserId;

/// Names a node: the random number in its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeId(pub i64);

impl NodeId {
    /// The key of the node.
    pub fn key(self) -> String {
        format!("names/{:x}", self.0)
    }
}

/// A node covers the positions from its [`low`](Node::low) on, up to where the next
/// node of the same level begins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// The next node of the same level. It has its `low` here for as long as it is a
    /// new leaf that does not have it itself.
    pub next: Option<Link>,
    pub content: Content,
}

/// What one node says of another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Link {
    /// Where the other one begins, or began: that may rise and never falls. `None` if
    /// the other one has to be asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low: Option<Position>,
    pub node: NodeId,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Content {
    /// Users.
    Leaf(Leaf),
    /// Nodes of the level below, at least one, in the order of their positions. Some
    /// may be missing: the links from one to the next lead to them.
    Inner(Vec<Link>),
    /// Nothing, for ever: the node before covers what this one did.
    Gone,
}

/// Ids of users. Among them are all whose names lie in the node's range, and are
/// in the index. Others may be among them: the users' records tell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Leaf {
    /// Where the node begins: this is what holds, whatever links say. `None` if it is
    /// new, see [`Node::next`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low: Option<Position>,
    pub ids: Vec<UserId>,
    /// Users that may be about to get a name in this range: their records may be
    /// written after they were read, without another write of the node.
    pub moving: Vec<UserId>,
}

/// Where a node begins.
#[derive(Clone, Debug, PartialEq)]
pub enum Low {
    At(Position),
    /// Another node tells.
    Unknown,
    Gone,
}

impl Node {
    /// A node of the lowest level.
    pub fn leaf(leaf: Leaf, next: Option<Link>) -> Node {
        let content = Content::Leaf(leaf);
        Node { next, content }
    }

    /// A node of a level above, with these children. Without any it is gone.
    pub fn above(mut children: Vec<Link>, next: Option<Link>) -> Node {
        children.sort_unstable_by(|one, other| one.low.cmp(&other.low));
        let content = match children.is_empty() {
            true => Content::Gone,
            false => Content::Inner(children),
        };
        Node { next, content }
    }

    /// Whether it can be a node that this service wrote.
    pub fn is_whole(&self) -> bool {
        !matches!(&self.content, Content::Inner(children) if children.is_empty())
    }

    /// The users of a leaf.
    pub fn ids(&self) -> &[UserId] {
        match &self.content {
            Content::Leaf(leaf) => &leaf.ids,
            Content::Inner(_) | Content::Gone => &[],
        }
    }

    /// Where the node begins.
    pub fn low(&self) -> Low {
        let low = match &self.content {
            Content::Leaf(leaf) => leaf.low.as_ref(),
            Content::Inner(children) => children.first().and_then(|child| child.low.as_ref()),
            Content::Gone => return Low::Gone,
        };
        low.cloned().map_or(Low::Unknown, Low::At)
    }
}

impl Link {
    /// A link to a node that has to be asked where it begins.
    pub fn to(node: NodeId) -> Link {
        Link { low: None, node }
    }
}

impl Leaf {
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
