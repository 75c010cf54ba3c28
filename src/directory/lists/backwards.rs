//! Users of a list in the reverse order of their positions.
//!
//! Links between leaves lead forwards only. So each leaf is reached from the root: the one that covers
//! the positions just before those that were met. A leaf may be split or go meanwhile. That does no
//! harm: whatever the leaf before covers then, of its users only those before the positions that were
//! met are next.

use super::Found;
use super::position::Position;
use super::tree::Tree;
use crate::directory::Error;
use crate::directory::listed::Listed;
use crate::directory::page::{Gather, MISSES};
use crate::platform::Platform;
use crate::store::Store;

impl<S: Store, P: Platform> Tree<'_, '_, S, P> {
    /// Gathers the users whose positions are before `end` and not before `first`, the last of them first,
    /// until `gathered` is full. Where there may be more, the `next` position is the end of what is left.
    ///
    /// There may be fewer users than that, or none, as when users are gathered
    /// [forwards](Tree::gather).
    pub async fn gather_backwards<L: Listed>(
        &self,
        mut end: Position,
        first: &Position,
        gathered: &mut dyn Gather<L::Item>,
    ) -> Result<Found, Error> {
        let mut found = Found::default();
        let mut misses = 0;
        while end > *first {
            if misses >= MISSES {
                found.next = Some(end);
                break;
            }
            let reached = self.find_before(&end).await?;
            let (id, low) = (reached.id, reached.low.clone());
            let node = reached.fetched.into_node();
            let here = self.users_of::<L>(id, &node, &mut found.unreadable);
            let mut here = here.await?;
            here.retain(|(position, _)| *position >= low);
            misses += node.ids().len() + 1;
            self.tidy_stale::<L>(&low, &here, node.ids().len()).await;
            for (position, user) in here.into_iter().rev() {
                if position >= end || position < *first {
                    continue;
                }
                if gathered.is_full() {
                    found.next = Some(end);
                    return Ok(found);
                }
                if gathered.push(user) {
                    misses -= 1;
                }
                end = position;
            }
            end = low;
        }
        Ok(found)
    }
}
