//! Groups of users: what a group is. Who is in it, [`membership`](super::membership) says.
//!
//! A group is kept as a user is: one record under its id, which only swaps replace, and a
//! [claim](super::claim) on its name. Groups have ids of their own, and are not counted. How they are
//! found by words, [`group_words`](super::group_words) says.

use serde::{Deserialize, Serialize};

use super::claim::{self, Claim, Claimant, Claimed};
use super::listed::Listed;
use super::lists::{Led, List};
use super::page::{Gather, MISSES};
use super::record::{Record, State};
use super::versioned::{Loaded, Written};
use super::{ATTEMPTS, Directory, Error};
use crate::group::{Group, GroupId, GroupName, GroupProfile};
use crate::platform::Platform;
use crate::store::Store;
use crate::timestamp::Timestamp;
use crate::user::{UserId, Version};

/// The key of the number of ids of groups that were given so far.
pub(super) const CREATED: &str = "count/groups";

/// The key of a group's record.
fn key(id: impl std::fmt::Display) -> String {
    ["group/", &id.to_string()].concat()
}

/// A group, as its record says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct LiveGroup {
    /// The number of the claim by which the group has its name.
    claim: u32,
    version: Version,
    pub profile: GroupProfile,
    created_at: Timestamp,
    updated_at: Timestamp,
    /// The [tags](List::tag) of lists whose nodes may begin with the start of its name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bounds: Vec<u32>,
}

impl LiveGroup {
    /// This version of the group.
    pub fn group(self, id: GroupId) -> Group {
        Group {
            id,
            profile: self.profile,
            created_at: self.created_at,
            updated_at: self.updated_at,
            version: self.version,
        }
    }
}

impl Claimant for LiveGroup {
    fn key(id: UserId) -> String {
        key(id)
    }

    fn has_by_claim(&self, claimed: Claimed<'_>, claim: u32) -> bool {
        let has = |name: &GroupName| self.claim == claim && self.profile.name == *name;
        matches!(claimed, Claimed::GroupName(name) if has(name))
    }
}

/// What is known of several groups, besides those that were gathered.
#[derive(Debug, Default)]
pub struct GroupPage {
    /// The id after which the next page starts; `None` if there is no other group.
    pub next: Option<GroupId>,
    /// Ids that were left out, as their records can't be read.
    pub unreadable: Vec<GroupId>,
}

impl<S: Store, P: Platform> Directory<'_, S, P> {
    /// The group of that id.
    pub async fn group(&self, id: GroupId) -> Result<Group, Error> {
        self.group_if_any(id).await?.ok_or(Error::NoGroup)
    }

    /// The group of that id, unless it was deleted.
    async fn group_if_any(&self, id: GroupId) -> Result<Option<Group>, Error> {
        let record = self.record_of::<LiveGroup>(id.claimant()).await?;
        Ok(match record.map(|record| record.state) {
            Some(State::Live(live)) => Some(live.group(id)),
            _ => None,
        })
    }

    /// The group that has the name, if there is one.
    pub async fn find_group(&self, name: &GroupName) -> Result<Option<Group>, Error> {
        let Some(claim) = claim::find(self.store, Claimed::GroupName(name)).await? else {
            return Ok(None);
        };
        let group = self.group_if_any(claim.user.into()).await?;
        Ok(group.filter(|group| group.profile.name == *name))
    }

    /// Gathers the groups that come after the id `after`, ascending by id, until `gathered` is
    /// full. Ids without a group are stepped over; after [`MISSES`] of them the page ends short.
    pub async fn list_groups(
        &self,
        after: u64,
        gathered: &mut dyn Gather<Group>,
    ) -> Result<GroupPage, Error> {
        let created = self.created_of::<LiveGroup>().await?;
        let ids =
            (after.saturating_add(1)..=created).map_while(|number| GroupId::try_from(number).ok());
        self.gather_groups(ids, gathered).await
    }

    /// Gathers the groups of `ids` that there are, in this order, until `gathered` is full.
    pub(super) async fn gather_groups(
        &self,
        ids: impl Iterator<Item = GroupId>,
        gathered: &mut dyn Gather<Group>,
    ) -> Result<GroupPage, Error> {
        let mut page = GroupPage::default();
        let mut misses = 0;
        let mut passed = None;
        for id in ids {
            if misses == MISSES {
                page.next = passed;
                break;
            }
            match self.group_if_any(id).await {
                // One more than there is room for: there is a next page.
                Ok(Some(_)) if gathered.is_full() => {
                    page.next = passed;
                    break;
                }
                Ok(Some(group)) => misses += usize::from(!gathered.push(group)),
                Ok(None) => misses += 1,
                Err(Error::Unreadable(_)) => {
                    page.unreadable.push(id);
                    misses += 1;
                }
                Err(error) => return Err(error),
            }
            passed = Some(id);
        }
        Ok(page)
    }

    /// Makes a new group.
    ///
    /// - No two groups have one name, at any moment: [`Error::Taken`].
    /// - After [`Error::Store`] and [`Error::Contended`] there may be a group or not; its name tells.
    ///   After any other error there is none.
    /// - A create that dies leaves an id without a group. Its name can be used at once.
    pub async fn create_group(&self, profile: GroupProfile) -> Result<Group, Error> {
        // 1. A taken name is refused before an id is given.
        let name = Claimed::GroupName(&profile.name);
        let dead = claim::prepare::<LiveGroup, S>(self.store, name).await?;
        // 2. The id, and its record: a claim needs one. The list of its users is made with it, so that
        // the first user costs no more than the others.
        let new = self.next_id(CREATED).await?;
        self.list_or_new(List::Group(new.id.into())).await?;
        let created_at = self.platform.now();
        let pending = State::<LiveGroup>::Pending { created_at };
        let id = self.write_first(new, pending).await?;
        // If that took long, the index may take the id for one without a group.
        let created = match self.check_age(new) {
            Ok(()) => self.claim_group(id, profile, dead, created_at).await,
            Err(stale) => Err(stale),
        };
        if created.is_err() {
            // The record says so at once, so that no search waits for the lease.
            self.give_up::<LiveGroup>(id).await?;
        }
        created
    }

    /// The steps of a create whose record is pending. The claim `dead` is known never to hold.
    async fn claim_group(
        &self,
        id: UserId,
        profile: GroupProfile,
        dead: Option<Claim>,
        created_at: Timestamp,
    ) -> Result<Group, Error> {
        let name = Claimed::GroupName(&profile.name);
        let mut loaded = self.load_group(id.into()).await?;
        for _ in 0..ATTEMPTS {
            let claims = loaded.value.claims;
            let State::Pending { .. } = loaded.value.state else {
                break;
            };
            // 3. The name is claimed, by a claim that the record does not count yet.
            let claim = self.claim::<LiveGroup>(id, claims, name, dead);
            let live = LiveGroup {
                claim: claim.await?,
                version: self.draw(),
                profile: profile.clone(),
                created_at,
                updated_at: created_at,
                bounds: Vec::new(),
            };
            // 4. The record becomes the group, unless another request has written it since.
            match self.write_group(loaded, claims, live.clone()).await? {
                Written::Done(_) => return Ok(live.group(id.into())),
                Written::Overtaken(now) => loaded = now,
                Written::Unknown(_) => break,
            }
        }
        Err(Error::Contended)
    }

    /// Changes the group of that id to what `change` makes of it, if it does not object. A change
    /// that changes nothing is not written. Otherwise it promises what
    /// [`update`](Directory::update) does.
    pub async fn update_group<E: From<Error>>(
        &self,
        id: GroupId,
        change: impl Fn(&Group) -> Result<GroupProfile, E>,
    ) -> Result<Group, E> {
        // 1. The record is read.
        let mut loaded = self.load_group(id).await?;
        for _ in 0..ATTEMPTS {
            let State::Live(before) = loaded.value.state.clone() else {
                return Err(Error::NoGroup.into());
            };
            let before = *before;
            let profile = change(&before.clone().group(id))?;
            if profile.is_represented_as(&before.profile) {
                return Ok(before.group(id));
            }
            let claims = loaded.value.claims;
            let mut after = LiveGroup {
                claim: before.claim,
                version: self.draw(),
                created_at: before.created_at,
                // A clock that was set back must not make a group look older than it is.
                updated_at: self.platform.now().max(before.updated_at),
                profile,
                bounds: before.bounds.clone(),
            };
            // 2. A new name is claimed, by a claim that the record does not count yet.
            if after.profile.name != before.profile.name {
                let name = Claimed::GroupName(&after.profile.name);
                let claim = self.claim::<LiveGroup>(id.claimant(), claims, name, None);
                after.claim = claim.await?;
            }
            // 3. Searches find it by the new name, too.
            let mut led = Led::default();
            let left = self.index_change(id.claimant(), &before, &mut after, &mut led);
            let left = left.await?;
            // 4. The record is replaced, unless another request has written it since.
            match self.write_group(loaded, claims, after.clone()).await? {
                Written::Done(_) => {
                    // 5. The lists forget the old name. If this fails, a later search does it.
                    self.release::<LiveGroup>(left).await;
                    return Ok(after.group(id));
                }
                Written::Overtaken(now) => loaded = now,
                Written::Unknown(_) => return Err(Error::Contended.into()),
            }
        }
        Err(Error::Contended.into())
    }

    /// Deletes the group of that id, if `check` does not object. From then on nobody is in it, though
    /// the records of its users still name it. Its id is never given again.
    pub async fn delete_group<E: From<Error>>(
        &self,
        id: GroupId,
        check: impl Fn(&Group) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut loaded = self.load_group(id).await?;
        for _ in 0..ATTEMPTS {
            let claims = loaded.value.claims;
            let State::Live(before) = loaded.value.state.clone() else {
                return Err(Error::NoGroup.into());
            };
            let left = before.bounds(id.claimant());
            check(&before.group(id))?;
            let by = self.draw();
            let state = State::Deleted { by };
            let written = loaded.write(self.store, by, Record { claims, state });
            match written.await.map_err(E::from)? {
                Written::Done(_) => {
                    // The lists forget the name. If this fails, a later search does it.
                    self.release::<LiveGroup>(left).await;
                    return Ok(());
                }
                Written::Overtaken(now) => loaded = now,
                Written::Unknown(_) => return Err(Error::Contended.into()),
            }
        }
        Err(Error::Contended.into())
    }

    /// Reads a group's record in order to replace it.
    async fn load_group(&self, id: GroupId) -> Result<Loaded<S::Watch, Record<LiveGroup>>, Error> {
        let loaded = Loaded::read(self.store, key(id)).await?;
        loaded.ok_or(Error::NoGroup)
    }

    /// Replaces a group's record, which counted `claims` before the claim by which it has its name.
    async fn write_group(
        &self,
        loaded: Loaded<S::Watch, Record<LiveGroup>>,
        claims: u32,
        live: LiveGroup,
    ) -> Result<Written<S::Watch, Record<LiveGroup>>, Error> {
        let version = live.version;
        let record = Record {
            claims: claims.max(live.claim),
            state: State::Live(Box::new(live)),
        };
        loaded.write(self.store, version, record).await
    }
}
