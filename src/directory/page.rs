//! Several users at once: by the page, in either order, or by their ids.

use super::walk::{Order, Step, Walk};
use super::{Directory, Error};
use crate::platform::Platform;
use crate::store::Store;
use crate::user::{User, UserId};

/// How many ids without users, or groups of such ids, a page steps over before it ends short.
pub(super) const MISSES: usize = 512;

/// The most users that can be asked for by their ids.
pub const MAX_IDS: usize = 100;

/// Some users.
#[derive(Debug, Default)]
pub struct Selection {
    pub users: Vec<User>,
    /// Ids that were left out, for their records can't be read.
    pub unreadable: Vec<UserId>,
}

/// The users from one id on.
#[derive(Debug)]
pub struct Page {
    pub users: Vec<User>,
    /// The id after which the next page starts; `None` if there is no other user.
    pub next: Option<UserId>,
    /// Ids that were left out, for their records can't be read.
    pub unreadable: Vec<UserId>,
    /// The number of users in the directory.
    pub total: u64,
}

impl<S: Store, P: Platform> Directory<'_, S, P> {
    /// The users of `ids` that there are, in the order of `ids`. One store operation each.
    pub async fn get_some(&self, ids: &[UserId]) -> Result<Selection, Error> {
        let mut selection = Selection::default();
        for id in ids {
            match self.record(*id).await {
                Err(Error::Unreadable(_)) => selection.unreadable.push(*id),
                record => {
                    let user = record?.and_then(|record| record.into_user(*id));
                    selection.users.extend(user);
                }
            }
        }
        Ok(selection)
    }

    /// Up to `limit` users that come after the id `after`, or from the first one on.
    pub async fn list(
        &self,
        after: Option<u64>,
        limit: usize,
        order: Order,
    ) -> Result<Page, Error> {
        let created = self.created().await?;
        let mut page = Page {
            users: Vec::new(),
            next: None,
            unreadable: Vec::new(),
            total: self.total(created).await?,
        };
        let mut walk = Walk::new(self, order, after, created);
        let mut misses = 0;
        while let Some(met) = walk.next().await? {
            match met {
                // One more than was asked for: there is a next page.
                Step::User(_) if page.users.len() == limit => {
                    page.next = page.users.last().map(|user| user.id);
                    break;
                }
                Step::User(user) => {
                    page.users.push(user);
                    continue;
                }
                Step::Unreadable(id) => page.unreadable.push(id),
                Step::Gap => {}
            }
            misses += 1;
            if misses == MISSES && walk.goes_on() {
                page.next = UserId::try_from(walk.passed()).ok();
                break;
            }
        }
        Ok(page)
    }

    /// A walk over all users, from the one on that comes after the id `after`.
    /// Costs one store operation, and more for each step.
    pub async fn walk(&self, after: Option<u64>, order: Order) -> Result<Walk<'_, S, P>, Error> {
        let created = self.created().await?;
        Ok(Walk::new(self, order, after, created))
    }
}
