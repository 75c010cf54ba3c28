//! Indexes: lists into which each user is put by what its record says.
//!
//! An index has a rule, which says in which lists a user is, and a *catalogue*. Creates leave the lists
//! alone: a search first [merges](Index::merge) new users into them, so that it finds every user
//! whose create ended before the search began; some creates do that after their answer. The
//! catalogue says up to which id this has been done, and which creates up to there had not ended
//! then.
//!
//! A change writes the lists in which the user gets a position, and then the record; see
//! [`lists`](super::lists). The index of words is made by the first search that needs it, and a change
//! that finds no index writes no lists. *Invariant: such a change is not lost.* The change first loads
//! the record, and then reads, never late, that there is no index. Merging begins once there is one,
//! and writes each user's record once more, unchanged. So a change that loaded the record before
//! that write fails, and begins again; and a change that loads it later finds the index.
//! Of the index of an attribute, the record itself tells: that write adds the path to it, see
//! [`attributes`](super::attributes). So does it of the index of changes, see [`updates`](super::updates).

mod rule;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::census::{ended, note_given};
use super::ledger::Given;
use super::listed::Listed;
use super::lists::{Led, List, Places, Tree};
use super::record::{Live, State};
use super::versioned::{self, Loaded, Written};
use super::{ATTEMPTS, Directory, Error, number, pointer};
use crate::platform::Platform;
use crate::store::Store;
use crate::timestamp::Timestamp;
use crate::user::{AttributePath, UserId};
pub(super) use rule::{Rule, starts};

/// How long a search goes on to merge users, at most, before it answers that the index is being made.
const MERGE_TIME: Duration = Duration::from_secs(1);

/// An index in a store.
pub(super) struct Index<'t, 'd, S, P> {
    directory: &'t Directory<'d, S, P>,
    rule: Rule<'t>,
    /// The number in the key of the catalogue.
    root: i64,
}

impl<'d, S: Store, P: Platform> Directory<'d, S, P> {
    /// An index, which this makes if it is missing.
    pub(super) async fn index<'t>(&'t self, rule: Rule<'t>) -> Result<Index<'t, 'd, S, P>, Error> {
        let plant = async |root| {
            if let Some(list) = rule.only_list() {
                self.tree(list, root).plant().await?;
            }
            let catalogue = Catalogue::default();
            versioned::create(self.store, &key(root), self.draw(), catalogue).await
        };
        let pointer = rule.pointer();
        let root = pointer::find_or_make(self.store, self.platform, &pointer, plant).await?;
        Ok(Index {
            directory: self,
            rule,
            root,
        })
    }

    /// An index that a search has made, if one has. No read is late.
    async fn index_if_any<'t>(
        &'t self,
        rule: Rule<'t>,
    ) -> Result<Option<Index<'t, 'd, S, P>>, Error> {
        match number::current(self.store, &rule.pointer()).await? {
            0 => Ok(None),
            _ => self.index(rule).await.map(Some),
        }
    }

    /// Lets searches find a user or a group by what it is about to become, also where `led` says that
    /// they do. The caller has already loaded the record. Answers the places of the old version that
    /// give bounds, and that the user or the group leaves.
    pub(super) async fn index_change<L: Listed>(
        &self,
        id: UserId,
        before: &L,
        after: &mut L,
        led: &mut Led,
    ) -> Result<Places, Error> {
        let mut left = Places::default();
        // In the order of names.
        let mut is_moved = false;
        for rule in before.rules() {
            if !before.moves(after, rule) {
                continue;
            }
            // To find words takes long, so it is looked first whether there is an index.
            let words = match rule.is_by_words() && (is_moved || before.has_new_words(after)) {
                true => match self.index_if_any(rule).await? {
                    None => continue,
                    words => words,
                },
                false => None,
            };
            let (mut new, mut old) = (Places::default(), Places::default());
            before.place(rule, id, &mut old);
            after.place(rule, id, &mut new);
            let mut gone = before.bounds(id);
            // What it gives in lists of other rules, it may go on to give.
            gone.retain_lists(|list| rule.has(list));
            gone.remove_all(&new);
            new.remove_all(&old);
            new.remove_all(&led.places);
            if !new.lists().is_empty() {
                is_moved |= rule == Rule::Names;
                let index = match rule.is_by_words() {
                    true if words.is_none() => self.index_if_any(rule).await?,
                    true => words,
                    false => Some(self.index(rule).await?),
                };
                if let Some(index) = index {
                    index.insert::<L>(&new, true).await?;
                    if rule != Rule::Updates {
                        led.places.append(new);
                    }
                }
            }
            for (list, _) in gone.lists() {
                after.set_gives_bound(list, false);
            }
            left.append(gone);
        }
        Ok(left)
    }

    /// Removes from lists the bounds that a user or a group gave at places where it was. What fails, a
    /// later search does.
    pub(super) async fn release<L: Listed>(&self, left: Places) {
        for (list, positions) in left.lists() {
            // There is the list. Where `get` is late and finds none, this looks again.
            if let Ok(tree) = self.list_or_new(list.clone()).await {
                for position in positions {
                    let _ = tree.release::<L>(position).await;
                }
            }
        }
    }

    /// Merges new users if the id just created is one after which that is due. `attributes` are the
    /// paths by which users are found here.
    pub async fn merge_after(&self, created: UserId, attributes: &[AttributePath]) {
        if created.get().is_multiple_of(self.sizes.merge_every) {
            let attributes = attributes.iter().map(Rule::Attribute);
            for rule in Rule::ALL.into_iter().chain(attributes) {
                // If this fails, the next search does it.
                let _ = self.merge_new(rule).await;
            }
        }
    }

    /// Merges all new users into an index; [`Error::Indexing`] if that takes longer than a second.
    /// Answers the index; `None` if there was never a user. Of groups likewise.
    pub(super) async fn merge_everybody<'t, L: Listed>(
        &'t self,
        rule: Rule<'t>,
    ) -> Result<Option<Index<'t, 'd, S, P>>, Error> {
        let created = self.created_of::<L>().await?;
        if created == 0 {
            return Ok(None);
        }
        let index = self.index(rule).await?;
        let began = self.platform.monotonic();
        loop {
            let done = index.merge::<L>(created).await?;
            if done >= created {
                return Ok(Some(index));
            }
            if self.platform.monotonic().saturating_sub(began) > MERGE_TIME {
                return Err(Error::Indexing { done, of: created });
            }
        }
    }

    async fn merge_new(&self, rule: Rule<'_>) -> Result<(), Error> {
        if rule.is_optional() && pointer::find(self.store, &rule.pointer()).await?.is_none() {
            return Ok(());
        }
        let created = self.created().await?;
        self.index(rule).await?.merge::<Live>(created).await?;
        Ok(())
    }
}

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
enum Create<L> {
    /// Its create has not ended.
    Open,
    /// It has ended, with a user, or without one.
    Ended(Option<Box<L>>),
}

fn key(root: i64) -> String {
    format!("merged/{root:x}")
}

impl Catalogue {
    fn is_complete(&self, created: u64) -> bool {
        self.merged >= created && self.open.is_empty()
    }
}

impl<'t, 'd, S: Store, P: Platform> Index<'t, 'd, S, P> {
    /// A list of the index, which this makes if it is missing.
    pub async fn list(&self, list: List) -> Result<Tree<'t, 'd, S, P>, Error> {
        match self.rule.only_list() {
            Some(list) => Ok(self.directory.tree(list, self.root)),
            None => self.directory.list_or_new(list).await,
        }
    }

    async fn insert<L: Listed>(&self, places: &Places, moving: bool) -> Result<(), Error> {
        for (list, positions) in places.lists() {
            let list = self.list(list.clone()).await?;
            list.insert::<L>(positions, moving).await?;
        }
        Ok(())
    }

    /// Merges new users, of the `created` ids that were given. Answers up to which id all have been
    /// looked at: then every one of these users whose create had ended is in its lists.
    pub async fn merge<L: Listed>(&self, created: u64) -> Result<u64, Error> {
        let (directory, key) = (self.directory, key(self.root));
        let catalogue: Catalogue = versioned::get_existing(directory.store, &key).await?;
        if catalogue.is_complete(created) {
            return Ok(catalogue.merged);
        }
        let loaded = Loaded::<_, Catalogue>::read(directory.store, key.clone()).await?;
        let loaded = loaded.ok_or(Error::Unreadable(key))?;
        let before = loaded.value.clone();
        let now = directory.platform.now();
        let over = ended(&before.given, now);
        let mut after = Catalogue {
            merged: before.merged,
            ..Catalogue::default()
        };
        let mut places = Places::default();
        for id in &before.open {
            match self.create::<L>(*id, over, now).await? {
                Create::Open => after.open.push(*id),
                Create::Ended(user) => self.place(*id, user, &mut places),
            }
        }
        let new = (before.merged + 1..=created).take(directory.sizes.merged);
        for number in new {
            let id = UserId::try_from(number).map_err(|_| Error::Exhausted)?;
            match self.create::<L>(id, over, now).await? {
                Create::Open if after.open.len() >= directory.sizes.open => break,
                Create::Open => after.open.push(id),
                Create::Ended(user) => self.place(id, user, &mut places),
            }
            after.merged = number;
        }
        self.insert::<L>(&places, false).await?;
        let merged = after.merged;
        if !after.is_complete(created) {
            after.given = note_given(&before.given, created, now);
        }
        let progress = merged > before.merged || after.open.len() < before.open.len();
        if after != before {
            // If this fails, the next search repeats the work.
            let _ = loaded.write(directory.store, directory.draw(), after).await;
        }
        match merged >= created || progress {
            true => Ok(merged),
            // The list of open creates is full, and none of them is known to have ended.
            false => Err(Error::Contended),
        }
    }

    fn place<L: Listed>(&self, id: UserId, user: Option<Box<L>>, places: &mut Places) {
        if let Some(user) = user {
            user.place(self.rule, id, places);
        }
    }

    async fn create<L: Listed>(
        &self,
        id: UserId,
        over: u64,
        now: Timestamp,
    ) -> Result<Create<L>, Error> {
        let record = match self.directory.record_of::<L>(id).await {
            // Its name is unknown, so it can't be found.
            Err(Error::Unreadable(_)) => return Ok(Create::Ended(None)),
            record => record?,
        };
        let dead = record.as_ref().is_some_and(|record| record.is_dead(now));
        let ended = match record.map(|record| record.state) {
            Some(State::Live(_)) if self.rule.is_optional() => {
                return Ok(Create::Ended(self.fence(id).await?));
            }
            Some(State::Live(live)) => return Ok(Create::Ended(Some(live))),
            Some(State::Deleted { .. } | State::Void) => true,
            Some(State::Pending { .. }) => dead && self.directory.is_given_up::<L>(id).await,
            None => id.get() <= over && self.directory.has_no_record::<L>(id).await?,
        };
        Ok(match ended {
            true => Create::Ended(None),
            false => Create::Open,
        })
    }

    /// Writes the record of a user once more: so a change fails that knew nothing of the index. Of the
    /// index of an attribute, or of changes, the record tells from then on. Answers the user as it is
    /// then, if there still is one.
    async fn fence<L: Listed>(&self, id: UserId) -> Result<Option<Box<L>>, Error> {
        let (store, directory) = (self.directory.store, self.directory);
        let mut loaded = directory.load_of::<L>(id).await?;
        for _ in 0..ATTEMPTS {
            let mut fenced = loaded.value.clone();
            let State::Live(live) = &mut fenced.state else {
                return Ok(None);
            };
            let is_noted = live.note(self.rule);
            let user = live.clone();
            if is_noted {
                return Ok(Some(user));
            }
            loaded = match loaded.write(store, directory.draw(), fenced).await? {
                Written::Done(_) => return Ok(Some(user)),
                Written::Overtaken(now) | Written::Unknown(now) => now,
            };
        }
        Err(Error::Contended)
    }
}
