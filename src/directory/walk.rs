//! A walk over the users by their ids, one by one.
//!
//! Ids have no gaps, so a walk reads one record after the other. Where many users in a row are
//! deleted, it steps over whole [blocks](super::block) of ids.

use super::{Directory, Error, Sizes};
use crate::platform::Platform;
use crate::store::Store;
use crate::user::{User, UserId};

/// The order of users by their ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    Ascending,
    Descending,
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

    fn previous(self, number: u64) -> u64 {
        match self {
            Order::Ascending => number - 1,
            Order::Descending => number + 1,
        }
    }

    /// The last id of the block of `number` that a walk meets.
    fn far_end(self, number: u64, sizes: Sizes) -> u64 {
        match (self, sizes.bounds_of_block(number)) {
            (Order::Ascending, (_, last)) => last,
            (Order::Descending, (first, _)) => first,
        }
    }
}

/// One step of a walk.
#[derive(Debug)]
pub enum Step {
    User(User),
    /// A record that can't be read.
    Unreadable(UserId),
    /// An id, or a whole block of them, that names no user.
    Gap,
}

/// A walk over the ids that were given when it began.
pub struct Walk<'a, S, P> {
    directory: &'a Directory<'a, S, P>,
    order: Order,
    created: u64,
    /// The id that is next.
    number: u64,
    /// How many final records were met, one after the other.
    gone_in_a_row: u64,
    /// The far end of the block whose count was read last.
    asked_block: Option<u64>,
}

impl<'a, S: Store, P: Platform> Walk<'a, S, P> {
    /// A walk over the first `created` ids, from the one that comes after `after`.
    pub(super) fn new(
        directory: &'a Directory<'a, S, P>,
        order: Order,
        after: Option<u64>,
        created: u64,
    ) -> Self {
        Walk {
            directory,
            order,
            created,
            number: order.start(after, created),
            gone_in_a_row: 0,
            asked_block: None,
        }
    }

    /// Whether there is an id to go on with.
    pub fn goes_on(&self) -> bool {
        (1..=self.created).contains(&self.number)
    }

    /// The id that was passed last: a walk after it goes on where this one is.
    pub fn passed(&self) -> u64 {
        self.order.previous(self.number)
    }

    /// Takes a step; `None` at the end. A user costs one store operation, a gap up to three. After
    /// an error the walk is where it was.
    pub async fn next(&mut self) -> Result<Option<Step>, Error> {
        if !self.goes_on() {
            return Ok(None);
        }
        let id = UserId::try_from(self.number).map_err(|_| Error::Exhausted)?;
        let (record, nobody) = match self.directory.record(id).await {
            Err(Error::Unreadable(_)) => (None, Step::Unreadable(id)),
            record => (record?, Step::Gap),
        };
        let gone_in_a_row = match &record {
            Some(record) if record.is_final() => self.gone_in_a_row + 1,
            _ => 0,
        };
        let met = match record.and_then(|record| record.into_user(id)) {
            Some(user) => Step::User(user),
            None => {
                self.step_over_block(gone_in_a_row).await?;
                nobody
            }
        };
        self.gone_in_a_row = gone_in_a_row;
        self.number = self.order.next(self.number);
        Ok(Some(met))
    }

    /// Goes to the end of the block if the block has no user.
    async fn step_over_block(&mut self, gone_in_a_row: u64) -> Result<(), Error> {
        let far_end = self.order.far_end(self.number, self.directory.sizes);
        if self.asked_block != Some(far_end) {
            if self.directory.block_is_empty(self.number).await? {
                self.number = far_end;
            }
            self.asked_block = Some(far_end);
        } else if self.number == far_end {
            let directory = self.directory;
            directory.remember_empty(far_end, gone_in_a_row).await;
        }
        Ok(())
    }
}
