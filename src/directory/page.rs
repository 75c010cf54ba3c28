//! Several users at once: by the page, in either order, or by their ids.
//!
//! Ids are dense, so that a page reads them one after another. Where many users
//! in a row are gone it steps over whole [groups](super::group) of ids.

use super::{Directory, Error, group};
use crate::platform::Platform;
use crate::store::Store;
use crate::user::{User, UserId};

/// How many ids that name no user, or groups of them, a page steps over before
/// it ends short.
pub(super) const MISSES: usize = 512;

/// The order of users by their ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    Ascending,
    Descending,
}

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

impl Order {
    /// Where a walk over `created` ids goes on after an id, or begins.
    fn start(self, after: Option<u64>, created: u64) -> u64 {
        match (self, after) {
            (Order::Ascending, after) => after.unwrap_or(0).saturating_add(1),
            (Order::Descending, None) => created,
            (Order::Descending, Some(after)) => created.min(after.saturating_sub(1)),
        }
    }

    fn next(self, number: u64) -> u64 {
        match self {
            Order::Ascending => number + 1,
            Order::Descending => number - 1,
        }
    }

    /// The last id of the group of `number` that a walk meets.
    fn far_end(self, number: u64) -> u64 {
        match (self, group::bounds(number)) {
            (Order::Ascending, (_, last)) => last,
            (Order::Descending, (first, _)) => first,
        }
    }
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
        let mut misses = 0;
        let mut gone_in_a_row = 0;
        let mut asked_group = None;
        let mut number = order.start(after, created);
        while (1..=created).contains(&number) {
            let id = UserId::try_from(number).map_err(|_| Error::Exhausted)?;
            let record = match self.record(id).await {
                Err(Error::Unreadable(_)) => {
                    page.unreadable.push(id);
                    None
                }
                record => record?,
            };
            gone_in_a_row = match &record {
                Some(record) if record.is_final() => gone_in_a_row + 1,
                _ => 0,
            };
            let far_end = order.far_end(number);
            match record.and_then(|record| record.into_user(id)) {
                // One more than was asked for: there is a next page.
                Some(_) if page.users.len() == limit => {
                    page.next = page.users.last().map(|user| user.id);
                    break;
                }
                Some(user) => page.users.push(user),
                None => {
                    misses += 1;
                    if asked_group != Some(far_end) {
                        asked_group = Some(far_end);
                        if self.group_is_empty(number).await? {
                            number = far_end;
                        }
                    } else if number == far_end {
                        self.remember_empty(number, gone_in_a_row).await;
                    }
                    let more = (1..=created).contains(&order.next(number));
                    if misses == MISSES && more {
                        page.next = UserId::try_from(number).ok();
                        break;
                    }
                }
            }
            number = order.next(number);
        }
        Ok(page)
    }
}
