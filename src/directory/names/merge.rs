//! Merging: new users are written into the list of names not when they are created, but before the
//! next search, or after a later create was answered.
//!
//! The catalogue says up to which id this has been done, and which creates up to there had not
//! ended then.

use serde::{Deserialize, Serialize};

use crate::directory::Error;
use crate::directory::census::{ended, note_given};
use crate::directory::ledger::Given;
use crate::directory::lists::{NodeId, Position, Tree};
use crate::directory::record::State;
use crate::directory::versioned::{self, Loaded};
use crate::platform::Platform;
use crate::store::Store;
use crate::timestamp::Timestamp;
use crate::user::UserId;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Catalogue {
    /// Users up to this id are in the list, if they are not `open`.
    merged: u64,
    /// Creates that had not ended.
    open: Vec<UserId>,
    /// Notes of how many ids had been given at some times, as in the ledger.
    given: Vec<Given>,
}

/// The state of a create.
enum Create {
    /// Its create has not ended.
    Open,
    /// It has ended, with a user at this position, or without a user.
    Ended(Option<Position>),
}

fn key(root: NodeId) -> String {
    format!("merged/{:x}", root.0)
}

impl Catalogue {
    /// Writes the first catalogue of the list of names.
    pub async fn plant<S: Store, P: Platform>(names: &Tree<'_, '_, S, P>) -> Result<(), Error> {
        let (store, write) = (names.directory.store, names.directory.draw());
        versioned::create(store, &key(names.root), write, Catalogue::default()).await
    }

    fn is_complete(&self, created: u64) -> bool {
        self.merged >= created && self.open.is_empty()
    }
}

impl<S: Store, P: Platform> Tree<'_, '_, S, P> {
    /// Merges new users, of the `created` ids that were given. Answers whether all of them have been
    /// looked at: then every user whose create had ended is in the list.
    pub async fn merge(&self, created: u64) -> Result<bool, Error> {
        let directory = self.directory;
        let unreadable = || Error::Unreadable(key(self.root));
        let catalogue: Catalogue =
            versioned::get_existing(directory.store, &key(self.root)).await?;
        if catalogue.is_complete(created) {
            return Ok(true);
        }
        let loaded = Loaded::<_, Catalogue>::read(directory.store, key(self.root)).await?;
        let loaded = loaded.ok_or_else(unreadable)?;
        let before = loaded.value.clone();
        let now = directory.platform.now();
        let over = ended(&before.given, now);
        let mut after = Catalogue {
            merged: before.merged,
            ..Catalogue::default()
        };
        let mut positions = Vec::new();
        for id in &before.open {
            match self.create(*id, over, now).await? {
                Create::Open => after.open.push(*id),
                Create::Ended(user) => add(&mut positions, user),
            }
        }
        let new = (before.merged + 1..=created).take(directory.sizes.merged);
        for number in new {
            let id = UserId::try_from(number).map_err(|_| Error::Exhausted)?;
            match self.create(id, over, now).await? {
                Create::Open if after.open.len() >= directory.sizes.open => break,
                Create::Open => after.open.push(id),
                Create::Ended(user) => add(&mut positions, user),
            }
            after.merged = number;
        }
        self.insert(&positions, false).await?;
        let looked_at_all = after.merged >= created;
        if !after.is_complete(created) {
            after.given = note_given(&before.given, created, now);
        }
        let progress = after.merged > before.merged || after.open.len() < before.open.len();
        if after != before {
            // If this fails, the next search repeats the work.
            let _ = loaded.write(directory.store, directory.draw(), after).await;
        }
        match looked_at_all || progress {
            true => Ok(looked_at_all),
            // The list of open creates is full, and none of them is known to have ended.
            false => Err(Error::Contended),
        }
    }

    async fn create(&self, id: UserId, over: u64, now: Timestamp) -> Result<Create, Error> {
        let record = match self.directory.record(id).await {
            // Its name is unknown, so it can't be found.
            Err(Error::Unreadable(_)) => return Ok(Create::Ended(None)),
            record => record?,
        };
        let dead = record.as_ref().is_some_and(|record| record.is_dead(now));
        let ended = match record.map(|record| record.state) {
            Some(State::Live(live)) => {
                let position = Position::by_name(&live.profile.name, id);
                return Ok(Create::Ended(Some(position)));
            }
            Some(State::Deleted { .. } | State::Void) => true,
            Some(State::Pending { .. }) => dead && self.directory.is_given_up(id).await,
            None => id.get() <= over && self.directory.has_no_record(id).await?,
        };
        Ok(match ended {
            true => Create::Ended(None),
            false => Create::Open,
        })
    }
}

/// Adds a position, if there is one, to some that ascend.
fn add(positions: &mut Vec<Position>, position: Option<Position>) {
    if let Some(position) = position {
        let place = positions.partition_point(|other| *other < position);
        positions.insert(place, position);
    }
}
