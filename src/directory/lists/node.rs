//! A node of a list, as the store keeps it.

use serde::{Deserialize, Serialize};

use super::position::Position;
use crate::user::UserId;

/// Names a node of a list: the random number in its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeId(pub i64);

/// A node covers the positions from its [`low`](Node::low) on, up to where the next
/// node of the same level begins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// The next node of the same level. It has its `low` here for as long as it is a
    /// new leaf that does not have it itself, as that contains a part of a name.
    pub next: Option<Link>,
    pub content: Content,
}

/// A link from one node to another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Link {
    /// The bound of the other node, or an earlier one: it may rise and never falls. `None` if only
    /// the other node knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low: Option<Position>,
    pub node: NodeId,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Content {
    /// Users.
    Leaf(Leaf),
    /// Nodes of the level below, at least one, in order. Some may be missing: the links from one
    /// node to the next lead to them.
    Inner(Vec<Link>),
    /// Nothing, for ever: the node before covers its range.
    Gone,
}

/// Ids of users. All users of the list whose positions lie in the node's range are among them.
/// There may be others: only the users' records decide.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Leaf {
    /// The bound of the node. This is true, whatever links say. `None` if the node is new, see
    /// [`Node::next`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low: Option<Position>,
    pub ids: Vec<UserId>,
    /// Users that may be about to get a position in this range: their records may be written later,
    /// without another write of the node.
    pub moving: Vec<UserId>,
    /// In a list in the order of times: no user was added for a position beyond this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub high: Option<Position>,
}

/// The bound of a node: the position at which it begins.
#[derive(Clone, Debug, PartialEq)]
pub enum Low {
    At(Position),
    /// The node is new: only the link to it has the bound.
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
    pub fn above(children: Vec<Link>, next: Option<Link>) -> Node {
        let mut sorted: Vec<Link> = Vec::new();
        for child in children {
            let place = sorted.partition_point(|other| other.low <= child.low);
            sorted.insert(place, child);
        }
        let content = match sorted.is_empty() {
            true => Content::Gone,
            false => Content::Inner(sorted),
        };
        Node { next, content }
    }

    /// Whether this service can have written such a node.
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

    /// The bound of the node.
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
    /// A link to a node whose bound only the node itself knows.
    pub fn to(node: NodeId) -> Link {
        Link { low: None, node }
    }

    /// This link, without the bound if that contains a part of a name.
    pub fn without_name(&self) -> Link {
        Link {
            low: self.low.clone().filter(Position::is_nameless),
            node: self.node,
        }
    }
}

impl Leaf {
    /// Adds a user; `moving` says whether it is about to get a position in this range.
    pub fn add(&mut self, id: UserId, moving: bool) {
        if !self.ids.contains(&id) {
            self.ids.push(id);
        }
        if moving && !self.moving.contains(&id) {
            self.moving.push(id);
        }
    }

    /// The same leaf, as a new one that begins at `low`. Also the bound that the link to it has: the link
    /// says in its place where it begins if that contains a part of a name.
    pub fn new_from(mut self, low: Position) -> (Leaf, Option<Position>) {
        let (own, linked) = match low.is_nameless() {
            true => (Some(low), None),
            false => (None, Some(low)),
        };
        self.low = own;
        (self, linked)
    }

    /// Removes users, and their marks.
    pub fn remove(&mut self, gone: &[UserId]) {
        self.ids.retain(|id| !gone.contains(id));
        self.moving.retain(|id| !gone.contains(id));
    }
}
