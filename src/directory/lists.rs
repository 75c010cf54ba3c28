//! Lists of users, by what their records say: all users in the order of their names or of their last
//! changes, the users with one external id, the users with a word that begins in one way, and the users
//! in one group. Groups with a word that begins in one way are listed likewise, by what their records
//! say: what is said of users here holds for them, see [`Listed`].
//!
//! A list is a [`tree`] whose leaves list ids and nothing of the users. A request that reads a
//! [`leaf`] reads the records of its users, and only the records decide who is in the list, and
//! where.
//!
//! *Invariant: the leaf that covers a user's position has the user's id, from the moment at which
//! the user is in the list.* It rests on this:
//!
//! - A request that changes a record, so that its user gets a position, reads the record, writes the
//!   id into the leaf of that position, marked `moving`, and then swaps the record. It writes the
//!   leaf even if the id is there, so that a request that is about to remove the id fails.
//! - *Removing* an id from a leaf, or leaving it to one half in a split, is decided by its record,
//!   which is read after the leaf and before the leaf's swap, by `current`, as `get` may be late.
//!   A change that writes the leaf in between makes that swap fail. A change that wrote the leaf
//!   before, and has not swapped the record yet, has left the mark `moving`: then the record is
//!   written once more, which makes the change fail, and counts that a mark was removed. A change
//!   that begins again writes only leaves that it has not written since that was counted last, see [`Led`].
//! - A final record never comes to life: its id may be removed at any time.
//!
//! Creates leave the lists of an [index](super::index) alone: users get into them by merging. Deletes
//! leave lists alone, except for users who give the bound of a leaf. An id whose record can't be
//! read when its leaf is rewritten is not in the list until the user is changed so that it gets a
//! position.

mod backwards;
mod descent;
mod inner;
mod leaf;
mod node;
mod places;
mod position;
mod shortest;
mod split;
mod times;
mod tree;

pub use position::Position;

use sha2::{Digest, Sha256};

use super::listed::Listed;
use super::page::{Gather, MISSES};
use super::record::{Live, State};
use super::{Directory, Error, hashed_key, pointer};
use crate::group::GroupId;
use crate::platform::Platform;
use crate::store::Store;
use crate::user::{AttributePath, ExternalId, UserId};
pub(super) use node::{Node, NodeId};
pub(super) use places::{Led, Places};
pub(super) use tree::Tree;

/// A list of users.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum List {
    /// All users, in the order of their names.
    Names,
    /// All users, in the order of their last changes.
    Updates,
    /// The users with this external id, in the order of their ids.
    ExternalId(ExternalId),
    /// The users with a word that begins so, in the order of their names.
    Word(String),
    /// The users with this value at a path of their attributes, in the order of their ids.
    Attribute(AttributePath, String),
    /// The users in this group, in the order of their ids.
    Group(GroupId),
    /// The groups with a word that begins so, in the order of their names.
    GroupWord(String),
}

impl List {
    /// The key of the number that names the root of the tree; 0 before there is one.
    fn pointer(&self) -> String {
        match self {
            List::Names => "names".to_owned(),
            List::Updates => "updates".to_owned(),
            List::ExternalId(id) => hashed_key("external-id", id.as_str()),
            List::Word(prefix) => hashed_key("word", prefix),
            // No path has a line feed: the variable that names it is split there.
            List::Attribute(path, value) => {
                hashed_key("attribute", &[path.as_str(), "\n", value].concat())
            }
            List::Group(id) => ["group-members/", &id.to_string()].concat(),
            List::GroupWord(prefix) => hashed_key("group-word", prefix),
        }
    }

    /// What the keys of all nodes begin with.
    fn folder(&self) -> &'static str {
        match self {
            List::Names => "names",
            List::Updates => "updates",
            List::ExternalId(_) => "external-ids",
            List::Word(_) => "words",
            List::Attribute(..) => "attributes",
            List::Group(_) => "members",
            List::GroupWord(_) => "group-words",
        }
    }

    /// Whether a full leaf is split by its ids alone, which reads no record. Who is not in the list
    /// stays in the leaf then, until a reader finds few users there who are.
    fn splits_by_id(&self) -> bool {
        matches!(self, List::Group(_))
    }

    /// Whether users get later positions by each change, and never earlier ones. Then most are added
    /// at the end, and a user may be removed from where it was.
    fn is_by_time(&self) -> bool {
        matches!(self, List::Updates)
    }

    /// By which a user's record names the list, if its nodes begin with starts of names. Two lists
    /// may have the same: that costs time alone. The list of names has none.
    pub(super) fn tag(&self) -> Option<u32> {
        let (List::Word(prefix) | List::GroupWord(prefix)) = self else {
            return None;
        };
        let digest = Sha256::digest(prefix);
        digest.first_chunk().map(|first| u32::from_be_bytes(*first))
    }
}

/// What is known of a search, besides the users that were gathered.
#[derive(Debug, Default)]
pub struct Found {
    /// The position at which the search goes on; `None` if it has ended.
    pub next: Option<Position>,
    /// Ids that were left out, as their records can't be read.
    pub unreadable: Vec<UserId>,
}

impl<'d, S: Store, P: Platform> Directory<'d, S, P> {
    /// A list; `None` before there is one.
    pub(super) async fn list_if_any<'t>(
        &'t self,
        list: List,
    ) -> Result<Option<Tree<'t, 'd, S, P>>, Error> {
        let root = pointer::find(self.store, &list.pointer()).await?;
        Ok(root.map(|root| self.tree(list, root)))
    }

    /// Lets a list in the order of ids lead to a user who is about to be in it. The caller has already
    /// loaded the record.
    pub(super) async fn lead_to(&self, list: List, id: UserId) -> Result<(), Error> {
        let list = self.list_or_new(list).await?;
        list.insert::<Live>(&[Position::by_id(id)], true).await
    }

    /// A list, which this makes if it is missing.
    pub(super) async fn list_or_new<'t>(&'t self, list: List) -> Result<Tree<'t, 'd, S, P>, Error> {
        let pointer = list.pointer();
        let plant = async |root| self.tree(list.clone(), root).plant().await;
        let root = pointer::find_or_make(self.store, self.platform, &pointer, plant).await?;
        Ok(self.tree(list, root))
    }

    pub(super) fn tree<'t>(&'t self, list: List, root: i64) -> Tree<'t, 'd, S, P> {
        Tree {
            directory: self,
            list,
            root: NodeId(root),
        }
    }
}

impl<S: Store, P: Platform> Tree<'_, '_, S, P> {
    /// Gathers the users whose positions begin with `prefix`, in order, from one position on, until
    /// `gathered` is full.
    ///
    /// There may be fewer users than that, or none, while there is a `next` position: the work of one
    /// request is bounded by [`MISSES`].
    pub async fn gather<L: Listed>(
        &self,
        prefix: &str,
        from: &Position,
        gathered: &mut dyn Gather<L::Item>,
    ) -> Result<Found, Error> {
        let mut found = Found::default();
        let mut misses = 0;
        let mut last = None;
        let reached = self.find(from, false).await?;
        let (mut id, mut low) = (reached.id, reached.low.clone());
        let mut node = reached.fetched.into_node();
        // Beyond the prefix, the next leaf does not matter.
        let mut is_last = reached
            .end
            .is_none_or(|end| !end.starts_with(prefix) && end > *from);
        loop {
            let next = match is_last {
                true => None,
                false => self.following(&node, false).await?,
            };
            let end = next.as_ref().map(|(_, _, low)| low);
            let here = self.users_of::<L>(id, &node, &mut found.unreadable);
            let mut here = here.await?;
            here.retain(|(position, _)| *position >= low && end.is_none_or(|end| position < end));
            // Each leaf that is read counts, too.
            misses += node.ids().len() + 1;
            self.tidy_stale::<L>(&low, &here, node.ids().len()).await;
            for (position, user) in here {
                if position < *from || !position.starts_with(prefix) {
                    continue;
                }
                if gathered.is_full() {
                    found.next = last.map(Position::next);
                    return Ok(found);
                }
                last = Some(position);
                if gathered.push(user) {
                    misses -= 1;
                }
            }
            match next {
                Some((_, _, next)) if next.starts_with(prefix) && misses >= MISSES => {
                    found.next = Some(next);
                    return Ok(found);
                }
                Some(next) if next.2.starts_with(prefix) => {
                    (id, node, low) = next;
                    is_last = node.next.is_none();
                }
                _ => return Ok(found),
            }
        }
    }

    /// Rewrites a leaf with the bound `low` and that many ids if none of its users gives that bound: a
    /// request that died has left it, see [`leaf`]. Or if its ids stay where they are, and few are left
    /// that are in the list and here. If this fails, the next search does it.
    async fn tidy_stale<L: Listed>(
        &self,
        low: &Position,
        users: &[(Position, L::Item)],
        ids: usize,
    ) {
        let is_stale = !low.is_first() && !users.iter().any(|(position, _)| low.starts(position));
        let keeps_ids = self.list.splits_by_id() || self.list.is_by_time();
        let is_sparse = keeps_ids && users.len() * 4 < ids;
        if is_stale || is_sparse {
            let _ = self.tidy::<L>(low).await;
        }
    }

    /// The users that a leaf lists, in the order of their positions, former ones included.
    async fn users_of<L: Listed>(
        &self,
        id: NodeId,
        node: &Node,
        unreadable: &mut Vec<UserId>,
    ) -> Result<Vec<(Position, L::Item)>, Error> {
        // Each is put in its place: to sort takes 5 KB of the component for each type that is sorted.
        let mut users: Vec<(Position, L::Item)> = Vec::new();
        let mut gone = Vec::new();
        let ids = node.ids();
        for user in ids {
            match self.directory.record_of::<L>(*user).await {
                Ok(Some(record)) if record.is_final() => gone.push(*user),
                Ok(record) => {
                    if let Some(State::Live(live)) = record.map(|record| record.state)
                        && let Some(position) = live.position(&self.list, *user)
                    {
                        let place = users.partition_point(|(other, _)| *other < position);
                        users.insert(place, (position, live.item(*user)));
                    }
                }
                Err(Error::Unreadable(_)) => unreadable.push(*user),
                Err(error) => return Err(error),
            }
        }
        // Otherwise every search would read their records.
        if gone.len() * 2 > ids.len() {
            let _ = self.forget(id, &gone).await;
        }
        Ok(users)
    }
}
