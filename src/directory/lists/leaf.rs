//! The leaves of a list: users are added and removed, and give the bounds between leaves.
//!
//! In a list in the order of names, a leaf's bound is the start of a name. No part of a name may outlive its
//! user. So the leaf always has a user whose name begins with the bound, and whose record says that
//! it gives a bound. A delete or rename of that user then comes here: another user of the leaf whose
//! name begins so gives the bound from now on. If there is none, the bound rises to the start of the
//! name of the leaf's first user. A leaf without users goes.

use super::descent::Reached;
use super::node::{Content, Leaf, Link, Node, NodeId};
use super::position::Position;
use super::tree::Tree;
use crate::directory::listed::Listed;
use crate::directory::record::{Record, State};
use crate::directory::versioned::{Loaded, Written};
use crate::directory::{ATTEMPTS, Error};
use crate::platform::Platform;
use crate::store::Store;
use crate::user::UserId;

/// How often a write of a leaf is tried. Renames to similar names compete for it, and all changes for the
/// last one by time.
const LEAF_ATTEMPTS: usize = 256;

/// A user of a leaf.
struct Member {
    position: Position,
    /// Whether its record says that it gives a bound.
    gives_bound: bool,
}

impl<S: Store, P: Platform> Tree<'_, '_, S, P> {
    /// Adds users to the leaves that cover their positions, which must ascend. With `moving` the
    /// users are about to get these positions: then leaves are written even if they list the users
    /// already.
    pub async fn insert<L: Listed>(
        &self,
        mut positions: &[Position],
        moving: bool,
    ) -> Result<(), Error> {
        let mut attempts = 0;
        while let Some(first) = positions.first() {
            if attempts == LEAF_ATTEMPTS {
                return Err(Error::Contended);
            }
            attempts += 1;
            let reached = self.find(first, true).await?;
            let mut leaf = self.leaf(&reached)?.clone();
            let is_last = reached.fetched.node().next.is_none();
            let before = positions;
            let mut written = false;
            while let [position, rest @ ..] = positions
                && reached.covers(position)
                && let Some(id) = position.user()
            {
                let known = leaf.ids.contains(&id);
                if !known && self.is_full(&leaf, is_last, position) {
                    break;
                }
                if moving || !known {
                    leaf.add(id, moving);
                    if self.list.is_by_time() {
                        leaf.high = leaf.high.max(Some(position.clone()));
                    }
                    written = true;
                }
                positions = rest;
            }
            if positions.len() == before.len() {
                if self.is_beyond(&leaf, is_last, first) {
                    positions = self.extend(reached, positions, moving).await?;
                } else if self.list.splits_by_id() {
                    self.split_by_id(reached).await?;
                } else {
                    self.rewrite::<L>(reached).await?;
                }
            } else if written && !self.replace(reached, leaf).await? {
                positions = before;
            } else {
                attempts = 0;
            }
        }
        Ok(())
    }

    /// Removes users from a leaf. Their records must be final.
    pub(super) async fn forget(&self, leaf: NodeId, gone: &[UserId]) -> Result<(), Error> {
        let loaded = self.load(leaf).await?;
        let mut node = loaded.value.clone();
        if let Content::Leaf(leaf) = &mut node.content {
            leaf.remove(gone);
            self.write(loaded, node).await?;
        }
        Ok(())
    }

    /// Removes the bound that a user gave by its name at a position, after the user was deleted or
    /// renamed; unless other users give the same bound. It writes the leaf in any case, so that a
    /// split fails which still takes its bound from that user.
    pub async fn release<L: Listed>(&self, old: &Position) -> Result<(), Error> {
        for _ in 0..LEAF_ATTEMPTS {
            let reached = self.find(old, true).await?;
            let is_start = reached.low.starts(old) && !reached.low.is_first();
            let written = if is_start && !self.pass_on_bound::<L>(&reached).await? {
                self.rewrite::<L>(reached).await?
            } else {
                let same = self.leaf(&reached)?.clone();
                self.replace(reached, same).await?
            };
            if written {
                // On the way there, the nodes above are corrected.
                self.find(old, true).await?;
                return Ok(());
            }
        }
        Err(Error::Contended)
    }

    /// Rewrites the leaf that covers a position with the users that it has now.
    pub(super) async fn tidy<L: Listed>(&self, position: &Position) -> Result<(), Error> {
        let reached = self.find(position, true).await?;
        if self.rewrite::<L>(reached).await? {
            self.find(position, true).await?;
        }
        Ok(())
    }

    /// Lets another user of a leaf give its bound, if the leaf has one whose name begins so.
    async fn pass_on_bound<L: Listed>(&self, reached: &Reached<S::Watch>) -> Result<bool, Error> {
        let mut ids = self.leaf(reached)?.ids.clone();
        // Users are often deleted in the order of their names: so not always the next user.
        let first = self.random(ids.len().max(1));
        ids.rotate_left(first);
        for id in ids {
            if let Some(member) = self.member::<L>(id, false).await?
                && reached.covers(&member.position)
                && reached.low.starts(&member.position)
                && self.mark::<L>(&member.position).await?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Rewrites a leaf with the users that it covers, as two leaves if it is rather full. Its bound
    /// is then the start of a user's name; without users it goes. Answers whether the write
    /// certainly took effect.
    async fn rewrite<L: Listed>(&self, reached: Reached<S::Watch>) -> Result<bool, Error> {
        let node = reached.fetched.node();
        let users = self.users::<L>(&reached).await?;
        if users.is_empty() && !reached.low.is_first() {
            let next = node.next.clone();
            let content = Content::Gone;
            return self.write(reached.loaded()?, Node { next, content }).await;
        }
        let is_full = users.len() > self.directory.sizes.leaf * 3 / 4;
        if is_full && reached.id == self.root {
            self.push_down(node).await?;
            return Ok(false);
        }
        let (at, bound) = match is_full {
            true => part(&users),
            false => (users.len(), None),
        };
        let (left, right) = users.split_at(at);
        let high = self.leaf(&reached)?.high.clone();
        let mut leaf = leaf_of(left, high.clone());
        let mut next = node.next.clone();
        leaf.low = match left.first() {
            Some(first) if !reached.low.is_first() => {
                Some(match reached.low.starts(&first.position) {
                    true => reached.low.clone(),
                    false => Position::between(&reached.low, &first.position),
                })
            }
            _ => Some(reached.low.clone()),
        };
        let bounds = [(leaf.low.as_ref(), left), (bound.as_ref(), right)];
        for (low, users) in bounds.into_iter().filter(|(_, users)| !users.is_empty()) {
            if let Some(low) = low.filter(|low| !low.is_nameless())
                && !self.mark_one::<L>(low, users).await?
            {
                return Ok(false);
            }
        }
        if let Some(bound) = bound {
            let (right, low) = leaf_of(right, high).new_from(bound);
            next = Some(Link {
                low,
                node: self.add(Node::leaf(right, next)).await?,
            });
        }
        self.write(reached.loaded()?, Node::leaf(leaf, next)).await
    }

    /// The users that a leaf covers, in the order of their positions. None of them leaves its range
    /// without a write of the leaf.
    async fn users<L: Listed>(&self, reached: &Reached<S::Watch>) -> Result<Vec<Member>, Error> {
        let end = self.following(reached.fetched.node(), true).await?;
        let leaf = self.leaf(reached)?;
        let mut users = Vec::new();
        for id in &leaf.ids {
            let Some(user) = self.member::<L>(*id, leaf.moving.contains(id)).await? else {
                continue;
            };
            let end = end.as_ref().map(|(_, _, end)| end);
            if user.position >= reached.low && end.is_none_or(|end| user.position < *end) {
                let place = users.partition_point(|other: &Member| other.position < user.position);
                users.insert(place, user);
            }
        }
        Ok(users)
    }

    /// A user by its record; `None` if the user is not in the list, or its record can't be read. The
    /// record of a `moving` user is written, to count that its mark is removed: a request that wrote the
    /// leaf before we read it has loaded the record even earlier, and fails by this write.
    async fn member<L: Listed>(&self, id: UserId, moving: bool) -> Result<Option<Member>, Error> {
        let store = self.directory.store;
        let mut loaded = match Loaded::<_, Record<L>>::read(store, L::key(id)).await {
            Ok(Some(loaded)) => loaded,
            Ok(None) | Err(Error::Unreadable(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        for _ in 0..ATTEMPTS {
            if loaded.value.is_final() {
                return Ok(None);
            }
            let member = self.member_of::<L>(id, &loaded.value);
            if !moving {
                return Ok(member);
            }
            let mut counted = loaded.value.clone();
            if let State::Live(live) = &mut counted.state {
                live.count_unmarked();
            }
            loaded = match loaded.write(store, self.directory.draw(), counted).await? {
                Written::Done(_) => return Ok(member),
                Written::Overtaken(now) | Written::Unknown(now) => now,
            };
        }
        Err(Error::Contended)
    }

    /// Marks the record of one of the users whose names begin with the bound `low`: it gives this
    /// bound. Answers whether there is such a user.
    async fn mark_one<L: Listed>(&self, low: &Position, users: &[Member]) -> Result<bool, Error> {
        let named = users.iter().filter(|user| low.starts(&user.position));
        let named: Vec<_> = named.collect();
        if named.iter().any(|user| user.gives_bound) {
            return Ok(true);
        }
        let chosen = named.get(self.random(named.len().max(1)));
        match chosen {
            Some(user) => self.mark::<L>(&user.position).await,
            None => Ok(false),
        }
    }

    /// Marks the record of the user at a position: it gives a bound. Answers whether the user is
    /// at this position.
    async fn mark<L: Listed>(&self, position: &Position) -> Result<bool, Error> {
        let Some(id) = position.user() else {
            return Ok(false);
        };
        let mut loaded = self.directory.load_of::<L>(id).await?;
        for _ in 0..ATTEMPTS {
            let Some(member) = self.member_of::<L>(id, &loaded.value) else {
                return Ok(false);
            };
            if member.position != *position || member.gives_bound {
                return Ok(member.position == *position);
            }
            let mut marked = loaded.value.clone();
            if let State::Live(live) = &mut marked.state {
                live.set_gives_bound(&self.list, true);
            }
            let write = self.directory.draw();
            match loaded.write(self.directory.store, write, marked).await? {
                Written::Done(_) => return Ok(true),
                Written::Overtaken(now) | Written::Unknown(now) => loaded = now,
            }
        }
        Err(Error::Contended)
    }

    /// Replaces a leaf; answers whether the write certainly took effect.
    async fn replace(&self, reached: Reached<S::Watch>, leaf: Leaf) -> Result<bool, Error> {
        let node = Node::leaf(leaf, reached.fetched.node().next.clone());
        self.write(reached.loaded()?, node).await
    }

    /// The user of a record, if it is in the list.
    fn member_of<L: Listed>(&self, id: UserId, record: &Record<L>) -> Option<Member> {
        let State::Live(live) = &record.state else {
            return None;
        };
        let position = live.position(&self.list, id)?;
        Some(Member {
            gives_bound: !position.is_nameless() && live.gives_bound(&self.list),
            position,
        })
    }

    /// A random number below `count`.
    fn random(&self, count: usize) -> usize {
        (self.directory.platform.random() % count as u64) as usize
    }
}

/// A leaf of these users, without its bound.
fn leaf_of(users: &[Member], high: Option<Position>) -> Leaf {
    Leaf {
        low: None,
        ids: users
            .iter()
            .filter_map(|user| user.position.user())
            .collect(),
        moving: Vec::new(),
        high,
    }
}

/// The place at which two users or more are split, and the bound there: near the middle, where
/// the bound contains the least of a name.
fn part(users: &[Member]) -> (usize, Option<Position>) {
    let middle = users.len() / 2;
    let slack = users.len() / 6;
    let places = (middle - slack).max(1)..=middle + slack;
    let bound = |at: usize| Position::between(&users[at - 1].position, &users[at].position);
    let parts = places.map(|at| (at, bound(at)));
    let least = parts.min_by_key(|(at, low)| (low.len(), at.abs_diff(middle)));
    let (at, bound) = least.expect("the middle is one of the places");
    (at, Some(bound))
}
