//! Several users at once: by the page, in either order, or by their ids.

use super::walk::{Order, Step, Walk};
use super::{Directory, Error};
use crate::platform::Platform;
use crate::store::Store;
use crate::user::{User, UserId};

/// How many ids without users, blocks of such ids, or users who are not wanted a page steps over
/// before it ends short.
pub(super) const MISSES: usize = 512;

/// The most users that can be asked for by their ids.
pub const MAX_IDS: usize = 100;

/// Takes users, or groups, one by one, as they are read: so that no request has many of them in
/// memory.
pub trait Gather<T = User> {
    /// Takes the next one, if it wants such a one; answers whether it does. What it does
    /// not want counts among the [`MISSES`].
    fn push(&mut self, next: T) -> bool;

    /// Whether it takes no more. It takes one at least.
    fn is_full(&self) -> bool;
}

/// What is known of the users from one id on, besides those that were gathered.
#[derive(Debug)]
pub struct Page {
    /// The id after which the next page starts; `None` if there is no other user.
    pub next: Option<UserId>,
    /// Ids that were left out, for their records can't be read.
    pub unreadable: Vec<UserId>,
    /// The number of users in the directory, or why it is not known.
    pub total: Result<u64, Error>,
}

impl<S: Store, P: Platform> Directory<'_, S, P> {
    /// Gathers the users of `ids` that there are, each once and ascending by id, however many
    /// `gathered` would take. Answers the ids whose records can't be read. One store operation each.
    pub async fn get_some(
        &self,
        ids: &[UserId],
        gathered: &mut dyn Gather,
    ) -> Result<Vec<UserId>, Error> {
        // Each is put in its place: a sort would take 5 KB of the component.
        let mut ordered: Vec<UserId> = Vec::new();
        for id in ids {
            if let Err(place) = ordered.binary_search(id) {
                ordered.insert(place, *id);
            }
        }
        let mut unreadable = Vec::new();
        for id in ordered {
            match self.record(id).await {
                Err(Error::Unreadable(_)) => unreadable.push(id),
                record => {
                    if let Some(user) = record?.and_then(|record| record.into_user(id)) {
                        gathered.push(user);
                    }
                }
            }
        }
        Ok(unreadable)
    }

    /// Gathers the users that come after the id `after`, or from the first one on, until
    /// `gathered` is full.
    pub async fn list(
        &self,
        after: Option<u64>,
        order: Order,
        gathered: &mut dyn Gather,
    ) -> Result<Page, Error> {
        let created = self.created().await?;
        let mut last = None;
        let mut page = Page {
            next: None,
            unreadable: Vec::new(),
            total: self.total(created).await,
        };
        let mut walk = Walk::new(self, order, after, created);
        let mut misses = 0;
        while let Some(met) = walk.next().await? {
            match met {
                // One more than there is room for: there is a next page.
                Step::User(_) if gathered.is_full() => {
                    page.next = last;
                    break;
                }
                Step::User(user) => {
                    last = Some(user.id);
                    if gathered.push(user) {
                        continue;
                    }
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
